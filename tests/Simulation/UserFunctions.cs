namespace Streams.Tests.Simulation;

/// <summary>The functions that topologies are given; the checker calls the same ones.</summary>
internal static class UserFunctions
{
    private const int ValueCharsMax = 12;

    /// <summary>A number that depends on every character.</summary>
    internal static int Hash(string? text)
    {
        uint hash = 2166136261;
        foreach (char c in text ?? "?")
            hash = (hash ^ c) * 16777619;
        return (int)((hash ^ (hash >> 15)) & 0x7fffffff);
    }

    internal static bool Holds(int a, string? key, string? value) => Hash(key + "/" + value) % 4 != a % 4;

    /// <summary>Another value, now and then none.</summary>
    internal static string? Change(int a, string? value) =>
        value is null || Hash(value) % 11 == a % 11 ? null : Short(value + (char)('a' + (a % 26)));

    internal static string NewKey(int a, string? value) => $"n{(Hash(value) + a) % 5}";

    /// <summary>The key of another table that a row names; now and then none.</summary>
    internal static string? ForeignKey(int a, string? value) =>
        (Hash(value) + a) % 9 == 0 ? null : $"k{(Hash(value) + a) % 4}";

    internal static IEnumerable<string> Several(int a, string? value)
    {
        for (int i = (Hash(value) + a) % 3; i > 0; i--)
            yield return Short($"{value}{i}");
    }

    /// <summary>Depends on the order of what was added; now and then deletes.</summary>
    internal static string? Add(string aggregate, string? value) =>
        Hash(aggregate + value) % 9 == 0 ? null : Gather(aggregate, value);

    /// <summary>Depends on the order of what was added.</summary>
    internal static string Gather(string? aggregate, string? value) => Short(aggregate + (value ?? "~"));

    /// <summary>Takes a value out in a way that can be told from adding it.</summary>
    internal static string TakeOut(string aggregate, string value) => Short(aggregate + "-" + value);

    /// <summary>Two values of which one may be missing.</summary>
    internal static string Pair(string? left, string? right) => Short($"{left ?? "_"}+{right ?? "_"}");

    /// <summary>The time that a value counts at: now and then the highest before it, or none.</summary>
    internal static long TimeOf(string? value, long timestampMs, long highestMs) => (Hash(value) % 13) switch
    {
        0 => -1,
        1 or 2 => highestMs,
        _ => timestampMs - (Hash(value) % 1000),
    };

    private static string Short(string text) =>
        text.Length <= ValueCharsMax ? text : text[^ValueCharsMax..];
}
