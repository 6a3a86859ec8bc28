using System.Text.RegularExpressions;
using Streams.Connect;

namespace Streams.Topologies.Configuration;

/// <summary>A source or sink as one word: <c>KIND:LOCATION</c>, with further options as
/// <c>?name=value&amp;...</c>.</summary>
internal static partial class Location
{
    /// <summary>Divides it.</summary>
    /// <param name="text">The word.</param>
    /// <param name="where">Where it stands, for messages.</param>
    /// <param name="options">The location under <c>location</c>, and the further options.</param>
    /// <returns>The kind.</returns>
    internal static string Parse(string text, string where, out ConfigSection options)
    {
        // A password in an address is refused by whoever reads the address; until then it is not to be shown.
        if (Password().Match(text) is { Success: true } password)
            Secrets.Add("PASSWORD", password.Groups[1].Value);
        int colon = text.IndexOf(':', StringComparison.Ordinal);
        string kind = colon < 0 ? text : text[..colon];
        string rest = colon < 0 ? "" : text[(colon + 1)..];
        // A '?' is also a wildcard: options begin at the last one that '=' follows.
        int question = rest.LastIndexOf('?');
        if (question >= 0 && rest.IndexOf('=', question) < 0)
            question = -1;
        var values = new List<KeyValuePair<string, ConfigValue>>();
        string location = question < 0 ? rest : rest[..question];
        if (location.Length > 0)
            values.Add(new("location", new ConfigValue(location, where)));
        foreach (string pair in question < 0 ? []
            : rest[(question + 1)..].Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            int equals = pair.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0)
                throw new ConfigurationException($"{where}: '{pair}' is no option; write name=value");
            values.Add(new(pair[..equals], new ConfigValue(pair[(equals + 1)..], where)));
        }
        options = new ConfigSection(values, where);
        return kind;
    }

    [GeneratedRegex("//[^/?#:@]*:([^@/?#]+)@")]
    private static partial Regex Password();
}
