namespace Streams.Log;

/// <summary>What a topic is to be like.</summary>
public sealed record TopicSpec
{
    /// <summary>1 to 249 of the characters a-z, A-Z, 0-9, '.', '_' and '-', as Kafka allows.</summary>
    public required string Name { get; init; }

    /// <summary>Number of partitions; default 1.</summary>
    public int Partitions { get; init; } = 1;

    /// <summary>Whether only the last record of each key is kept for ever, as for tables and
    /// changelogs.</summary>
    public bool Compacted { get; init; }

    /// <summary>How long a record is kept after it was appended; null for ever. Default seven days.</summary>
    public TimeSpan? Retention { get; init; } = TimeSpan.FromDays(7);

    /// <summary>Whether only the application itself reads it. On Kafka its records are then deleted once they
    /// are processed, and no sooner: there <see cref="Retention"/> goes by the records' own times, and would
    /// take what is old before anybody has read it.</summary>
    public bool IsInternal { get; init; }

    /// <summary>Bytes kept per partition; null for no bound by size, which is the default.</summary>
    public long? RetentionBytes { get; init; }

    /// <summary>Largest key, value and headers of one record together, in bytes. Default 8 MiB.</summary>
    public int RecordBytesMax { get; init; } = 8 * 1024 * 1024;

    /// <summary>Name of the schema of its values, for people and for <c>topics</c>; null when nobody
    /// said.</summary>
    public string? Schema { get; init; }
}

/// <summary>A topic of a log.</summary>
/// <param name="Id">The log's own number for it; stable while the log is open.</param>
/// <param name="Spec">What it is like.</param>
public sealed record Topic(int Id, TopicSpec Spec)
{
    /// <summary>Its name.</summary>
    public string Name => Spec.Name;

    /// <summary>Its number of partitions.</summary>
    public int Partitions => Spec.Partitions;

    /// <summary>One of its partitions.</summary>
    public TopicPartition this[int partition] => new(Id, partition);
}

/// <summary>One partition of a topic, by the log's own number of the topic.</summary>
/// <param name="Topic">The <see cref="Log.Topic.Id"/>.</param>
/// <param name="Partition">0-based.</param>
public readonly record struct TopicPartition(int Topic, int Partition);
