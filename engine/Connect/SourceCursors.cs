namespace Streams.Connect;

/// <summary>The cursors that are kept for a source beside its own.</summary>
internal static class SourceCursors
{
    /// <summary>The event time of the last record that it emitted.</summary>
    internal const string LastTimestamp = "last-timestamp";

    /// <summary>The latest event time that it has emitted.</summary>
    internal const string LatestTimestamp = "latest-timestamp";

    private const string Suffix = "/output";

    /// <summary>The name that they are kept under.</summary>
    internal static string Of(string source) => source + Suffix;

    /// <summary>Whether they are kept under that name.</summary>
    internal static bool IsOutput(string name) => name.EndsWith(Suffix, StringComparison.Ordinal);

    /// <summary>Whose they are.</summary>
    internal static string SourceOf(string name) => name[..^Suffix.Length];
}
