using System.Buffers;

namespace Streams.Log.Embedded.Catalog;

/// <summary>What a topic may be like.</summary>
internal static class TopicRules
{
    private const int NameCharsMax = 249;
    private const int PartitionsMax = 100_000;

    private static readonly SearchValues<char> NameChars =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");

    /// <summary>Checks a specification by itself.</summary>
    /// <exception cref="ArgumentException">It cannot be met.</exception>
    public static void Validate(TopicSpec spec, int recordBytesMax)
    {
        // As Kafka: '.' and '..' would be directories there.
        if (spec.Name.Length is 0 or > NameCharsMax || spec.Name is "." or ".."
            || spec.Name.AsSpan().ContainsAnyExcept(NameChars))
        {
            throw new ArgumentException(
                $"'{spec.Name}' cannot name a topic: " +
                $"1 to {NameCharsMax} of a-z, A-Z, 0-9, '.', '_' and '-' can.");
        }
        if (spec.Partitions is < 1 or > PartitionsMax)
        {
            throw new ArgumentException(
                $"Topic {spec.Name} has 1 to {PartitionsMax:N0} partitions, not {spec.Partitions:N0}.");
        }
        if (spec.RecordBytesMax < 1 || spec.RecordBytesMax > recordBytesMax)
        {
            throw new ArgumentException(
                $"Topic {spec.Name} allows records of {spec.RecordBytesMax:N0} bytes; " +
                $"the log's RecordBytesMax is {recordBytesMax:N0}.");
        }
        if (spec.Retention < TimeSpan.Zero || spec.RetentionBytes < 0)
            throw new ArgumentException($"Topic {spec.Name} has a negative retention.");
    }

    /// <summary>The specification as the log keeps it.</summary>
    public static TopicSpec InWholeMilliseconds(TopicSpec spec) =>
        spec.Retention is { } retention
            ? spec with { Retention = TimeSpan.FromMilliseconds((long)retention.TotalMilliseconds) }
            : spec;

    /// <summary>Checks that an existing topic is as asked in what cannot be changed.</summary>
    /// <exception cref="TopicMismatchException">It is not.</exception>
    public static void Match(TopicSpec existing, TopicSpec asked)
    {
        if (existing.Partitions != asked.Partitions)
        {
            throw new TopicMismatchException(
                $"Topic {asked.Name} has {existing.Partitions} partitions and should have " +
                $"{asked.Partitions}. Keys would move between partitions, so the number is fixed: " +
                "ask for the old one, or use another name.");
        }
        if (existing.Compacted != asked.Compacted)
        {
            throw new TopicMismatchException(
                $"Topic {asked.Name} is {Policy(existing)} and should be {Policy(asked)}. Use another name.");
        }
    }

    private static string Policy(TopicSpec spec) =>
        spec.Compacted ? "compacted (the last record of each key is kept)" : "deleted by retention";
}
