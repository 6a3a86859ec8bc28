using System.Collections.Frozen;
using System.Globalization;

namespace Streams.Topologies.Transactions.Tags;

/// <summary>How much a tag is to be believed, 0 to 100.</summary>
/// <remarks>Source: the levels of graphsense-tagpack-tool, src/tagpack/db/confidence.csv.</remarks>
public static class TagConfidence
{
    /// <summary>For a tag that says nothing of its own: GraphSense's <c>unknown</c>.</summary>
    public const int Unknown = 5;

    /// <summary>For a sanctions list that says nothing else: GraphSense's <c>authority_data</c>.</summary>
    public const int Authority = 60;

    /// <summary>The most that a confidence can be.</summary>
    public const int Max = 100;

    private static readonly FrozenDictionary<string, int> Levels = new Dictionary<string, int>
    {
        ["override"] = 100,
        ["ownership"] = 100,
        ["ledger_immanent"] = 100,
        ["manual_transaction"] = 90,
        ["service_api"] = 70,
        ["forensic_investigation"] = 70,
        ["authority_data"] = Authority,
        ["trusted_provider"] = 50,
        ["service_data"] = 50,
        ["forensic"] = 50,
        ["untrusted_transaction"] = 40,
        ["web_crawl"] = 20,
        ["heuristic"] = 10,
        ["unknown"] = Unknown,
    }.ToFrozenDictionary();

    /// <summary>The names that <see cref="TryParse"/> takes beside numbers.</summary>
    public static IEnumerable<string> Names => Levels.Keys.Order(StringComparer.Ordinal);

    /// <summary>Reads a confidence: one of GraphSense's names, or a whole number from 0 to 100.</summary>
    public static bool TryParse(string text, out int confidence)
    {
        if (Levels.TryGetValue(TagConcepts.Normalize(text), out confidence))
            return true;
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out confidence)
            && confidence <= Max;
    }
}
