using System.Reflection;
using System.Text;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Streams.Connect;
using Streams.Topologies.Configuration;

namespace Streams.Topologies.Documents;

/// <summary>
/// What the code's own documentation says of an option: the summary of its property, from the XML file that
/// the compiler puts beside the assembly.
/// </summary>
internal sealed partial class OptionText
{
    private readonly Dictionary<Assembly, Dictionary<string, XElement>> _members = [];

    /// <summary>The summary of an option in Markdown, on one line.</summary>
    /// <exception cref="ConfigurationException">The file is not there, or has no such summary.</exception>
    internal string Of(PropertyInfo property)
    {
        Type type = property.DeclaringType!;
        string id = $"P:{type.FullName!.Replace('+', '.')}.{property.Name}";
        if (!MembersOf(type.Assembly).TryGetValue(id, out XElement? member)
            || member.Element("summary") is not { } summary)
            throw new ConfigurationException($"The option {type.Name}.{property.Name} has no summary.");
        var text = new StringBuilder();
        Append(text, summary);
        return Spaces().Replace(text.ToString(), " ").Trim();
    }

    private Dictionary<string, XElement> MembersOf(Assembly assembly)
    {
        if (_members.TryGetValue(assembly, out Dictionary<string, XElement>? members))
            return members;
        string path = Path.Combine(AppContext.BaseDirectory, $"{assembly.GetName().Name}.xml");
        if (!File.Exists(path))
            throw new ConfigurationException(
                $"{path} is missing: the texts of options come from it. Publish with documentation files.");
        return _members[assembly] = XDocument.Load(path).Descendants("member")
            .ToDictionary(member => member.Attribute("name")!.Value);
    }

    private static void Append(StringBuilder text, XElement element)
    {
        foreach (XNode node in element.Nodes())
        {
            if (node is XText words)
                text.Append(words.Value);
            else if (node is XElement { Name.LocalName: "c" } code)
                text.Append('`').Append(code.Value).Append('`');
            else if (node is XElement see && see.Attribute("cref") is { } reference)
                text.Append('`').Append(NameIn(reference.Value)).Append('`');
            else if (node is XElement other)
                Append(text, other);
        }
    }

    // P:Streams.X.YOptions.BytesMax is the option bytes_max; types keep their names.
    private static string NameIn(string reference)
    {
        string name = reference[(reference.LastIndexOf('.') + 1)..];
        return reference.StartsWith("P:", StringComparison.Ordinal) ? OptionBinder.SnakeCase(name) : name;
    }

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();
}
