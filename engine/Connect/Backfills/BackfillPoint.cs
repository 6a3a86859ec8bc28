using System.Globalization;
using System.Text.RegularExpressions;

namespace Streams.Connect.Backfills;

/// <summary>What is to be processed again.</summary>
/// <param name="From">Where it begins: one point for all topics that are read, or one for each topic or
/// source.</param>
/// <param name="To">Where outputs end, not included; where none is given, at what was processed
/// last.</param>
public sealed record BackfillRequest(IReadOnlyList<BackfillPoint> From, IReadOnlyList<BackfillPoint> To)
{
    /// <summary>The request as it was written.</summary>
    public override string ToString() => string.Join(
        ' ', From.Select(p => $"--from {p.Words}").Concat(To.Select(p => $"--to {p.Words}")));
}

/// <summary>How a point is given.</summary>
public enum BackfillUnit
{
    /// <summary>The beginning of what is kept.</summary>
    Start,

    /// <summary>An event time.</summary>
    Time,

    /// <summary>An offset, one for all partitions or one for each.</summary>
    Offset,

    /// <summary>A position in a source's own unit.</summary>
    Position,
}

/// <summary>A point in a topic or a source.</summary>
public sealed partial record BackfillPoint
{
    private BackfillPoint(string words, string? name)
    {
        Words = words;
        Name = name;
    }

    /// <summary>The point as it was written.</summary>
    public string Words { get; }

    /// <summary>The topic or the source; null for all topics that are read.</summary>
    public string? Name { get; }

    /// <summary>How it is given.</summary>
    public BackfillUnit Unit { get; private init; }

    /// <summary>The event time in Unix milliseconds, the position, or the offsets by partition.</summary>
    public IReadOnlyList<long> Values { get; private init; } = [];

    /// <summary>The name of a source's own unit.</summary>
    public string UnitName { get; private init; } = "";

    /// <summary>Reads a point: <c>2026-11-20</c>, <c>2026-11-20T06:00Z</c> or <c>start</c> for all topics;
    /// with a topic or source and a colon in front for that one; <c>TOPIC:offset=1200</c>,
    /// <c>TOPIC:offset=1200,1180</c> by partition; <c>SOURCE:height=800000</c>.</summary>
    /// <exception cref="ConfigurationException">It is none of these.</exception>
    public static BackfillPoint Parse(string words)
    {
        if (words == "start" || Day().IsMatch(words))
            return Read(words, null, words);
        int colon = words.IndexOf(':', StringComparison.Ordinal);
        return colon > 0
            ? Read(words, words[..colon], words[(colon + 1)..])
            : throw Wrong(words, "it names no topic or source, and is no time");
    }

    private static BackfillPoint Read(string words, string? name, string where)
    {
        if (where == "start")
            return new BackfillPoint(words, name) { Unit = BackfillUnit.Start };
        if (Day().IsMatch(where) && DateTimeOffset.TryParse(
            where, CultureInfo.InvariantCulture,
            DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out DateTimeOffset time))
            return new BackfillPoint(words, name)
            {
                Unit = BackfillUnit.Time,
                Values = [time.ToUnixTimeMilliseconds()],
            };
        string[] parts = where.Split('=');
        if (parts.Length != 2 || parts[0].Length == 0)
            throw Wrong(words, $"'{where}' is no time, and no unit with a number");
        var numbers = new List<long>();
        foreach (string text in parts[1].Split(','))
        {
            if (!long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long number))
                throw Wrong(words, $"'{text}' is no whole number");
            numbers.Add(number);
        }
        bool isOffset = parts[0] == "offset";
        if (!isOffset && numbers.Count > 1)
            throw Wrong(words, $"there is one {parts[0]} for all partitions");
        return new BackfillPoint(words, name)
        {
            Unit = isOffset ? BackfillUnit.Offset : BackfillUnit.Position,
            UnitName = parts[0],
            Values = numbers,
        };
    }

    private static ConfigurationException Wrong(string words, string why) => new(
        $"'{words}': {why}. Write a time such as 2026-11-20 or 2026-11-20T06:00Z, or start; with TOPIC: or "
        + "SOURCE: in front where it is of one of them; TOPIC:offset=1200; SOURCE:height=800000.");

    [GeneratedRegex(@"^\d{4}-\d{2}-\d{2}")]
    private static partial Regex Day();
}
