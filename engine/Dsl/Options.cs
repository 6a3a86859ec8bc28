using Streams.Processing;
using Streams.Records;

namespace Streams.Dsl;

/// <summary>How a topic is read.</summary>
/// <typeparam name="TKey">The key's type.</typeparam>
/// <typeparam name="TValue">The value's type.</typeparam>
/// <param name="KeySerde">Reads the keys.</param>
/// <param name="ValueSerde">Reads the values.</param>
public sealed record Consumed<TKey, TValue>(Serde<TKey> KeySerde, Serde<TValue> ValueSerde)
{
    /// <summary>Says at what event time a record counts; null takes the log's time.</summary>
    public TimestampExtractor<TKey, TValue>? TimestampExtractor { get; init; }

    /// <summary>Name of the node; null for a generated one.</summary>
    public string? Name { get; init; }
}

/// <summary>How a topic is written.</summary>
/// <typeparam name="TKey">The key's type.</typeparam>
/// <typeparam name="TValue">The value's type.</typeparam>
public sealed record Produced<TKey, TValue>
{
    /// <summary>Writes the keys; null takes the stream's own.</summary>
    public Serde<TKey>? KeySerde { get; init; }

    /// <summary>Writes the values; null takes the stream's own.</summary>
    public Serde<TValue>? ValueSerde { get; init; }

    /// <summary>Chooses the partition; null takes Kafka's murmur2 of the key.</summary>
    public Partitioner? Partitioner { get; init; }

    /// <summary>Whether a record that was written once is not written again when a backfill makes it anew, as
    /// is right for alerts and commands. Records are the same whose keys are, and whose
    /// <see cref="Identity"/> where it is set. Default false.</summary>
    public bool DeliverOnce { get; init; }

    /// <summary>Adds to what tells records of one key apart that are delivered once, such as whether an alert
    /// is raised or withdrawn; null for nothing but the key.</summary>
    public DeliveryIdentity<TKey, TValue>? Identity { get; init; }

    /// <summary>Name of the node; null for a generated one.</summary>
    public string? Name { get; init; }
}

/// <summary>How a stream goes through a topic of the application's own, to be partitioned by its
/// key.</summary>
/// <typeparam name="TKey">The key's type.</typeparam>
/// <typeparam name="TValue">The value's type.</typeparam>
public sealed record Repartitioned<TKey, TValue>
{
    /// <summary>Writes and reads the keys; null takes the stream's own.</summary>
    public Serde<TKey>? KeySerde { get; init; }

    /// <summary>Writes and reads the values; null takes the stream's own.</summary>
    public Serde<TValue>? ValueSerde { get; init; }

    /// <summary>Part of the topic's name; null for a generated one, which changes when the topology
    /// does.</summary>
    public string? Name { get; init; }

    /// <summary>Number of partitions; null for as many as the stream has now.</summary>
    public int? Partitions { get; init; }
}

/// <summary>How records are grouped by key.</summary>
/// <typeparam name="TKey">The key's type.</typeparam>
/// <typeparam name="TValue">The value's type.</typeparam>
public sealed record Grouped<TKey, TValue>
{
    /// <summary>Writes and reads the keys; null takes the stream's own.</summary>
    public Serde<TKey>? KeySerde { get; init; }

    /// <summary>Writes and reads the values; null takes the stream's own.</summary>
    public Serde<TValue>? ValueSerde { get; init; }

    /// <summary>Part of the repartition topic's name, where one is needed; null for a generated
    /// one.</summary>
    public string? Name { get; init; }
}

/// <summary>How a table or an aggregate is kept.</summary>
/// <typeparam name="TKey">The key's type.</typeparam>
/// <typeparam name="TValue">The value's type.</typeparam>
public sealed record Materialized<TKey, TValue>
{
    /// <summary>The store's name; null for a generated one, which changes when the topology does.</summary>
    public string? StoreName { get; init; }

    /// <summary>Writes and reads the keys; null takes the stream's own.</summary>
    public Serde<TKey>? KeySerde { get; init; }

    /// <summary>Writes and reads the values.</summary>
    public Serde<TValue>? ValueSerde { get; init; }

    /// <summary>Keeps the versions of a table's rows for that long, so that joins read the row as it was at a
    /// record's time; null keeps the last value only. For tables of topics and streams.</summary>
    public TimeSpan? HistoryRetention { get; init; }

    /// <summary>Topic that takes the records of a table with a history that are older than the history, and
    /// are left out and counted; null for none. Windows have <c>LateRecords</c>.</summary>
    public string? LateTopic { get; init; }

    /// <summary>How long a window is kept; null for the least that its size and grace need.</summary>
    public TimeSpan? Retention { get; init; }

    /// <summary>Bound on the store's memory per task, in bytes. Default 8 GiB.</summary>
    public long StateBytesMax { get; init; } = 8L << 30;

    /// <summary>Whether changes go to a changelog; without it the state is gone after a restart. Default
    /// true.</summary>
    public bool Logged { get; init; } = true;

    /// <summary>Whether a table without history or windows lies on disk, with what was used last in memory:
    /// for state larger than memory. Needs the package librocksdb7.8. Default false.</summary>
    public bool OnDisk { get; init; }

    /// <summary>How long a row of a table without history or windows lives after its own time, by stream
    /// time; then it is gone as if it had been deleted, though nobody is told. Null for ever, which is the
    /// default.</summary>
    public TimeSpan? TimeToLive { get; init; }
}

/// <summary>How a stream is joined with a table.</summary>
/// <param name="Name">Name of the node; null for a generated one.</param>
public sealed record Joined(string? Name = null)
{
    /// <summary>Holds the stream's records back for that long, in stream time, so that each finds the table
    /// as
    /// it was at its own time even where the table's record comes later. Needs a versioned table; null joins
    /// at once.</summary>
    public TimeSpan? GracePeriod { get; init; }

    /// <summary>Name of the store that holds records back; null for a generated one, which changes when the
    /// topology does.</summary>
    public string? StoreName { get; init; }
}

/// <summary>How two streams are joined.</summary>
public sealed record StreamJoined
{
    /// <summary>Name of the node; null for a generated one.</summary>
    public string? Name { get; init; }

    /// <summary>The front of the names of the join's stores; null for a generated one, which changes when the
    /// topology does.</summary>
    public string? StoreName { get; init; }

    /// <summary>Bound on each store's memory per task, in bytes. Default 8 GiB.</summary>
    public long StateBytesMax { get; init; } = 8L << 30;

    /// <summary>Whether changes go to a changelog; without it the state is gone after a restart. Default
    /// true.</summary>
    public bool Logged { get; init; } = true;

    /// <summary>Emits records without a match as soon as their window has closed. By default they go out when
    /// Kafka Streams lets them go, which can be later.</summary>
    public bool UnmatchedPromptly { get; init; }

    /// <summary>Topic that takes the left stream's records that come too late to be kept for the right
    /// one's: they are joined with what there is, and counted. Null for none.</summary>
    public string? LateLeftTopic { get; init; }

    /// <summary>The same of the right stream's.</summary>
    public string? LateRightTopic { get; init; }

    /// <summary>Keeps the records of a stream that is joined with itself once and not twice; results come in
    /// another order, as with Kafka Streams' optimisation of that name. Default false.</summary>
    public bool SingleStoreSelfJoin { get; init; }
}

/// <summary>Puts the names of stores, for a node that uses them, and the node's own name.</summary>
/// <param name="Name">Name of the node; null for a generated one.</param>
/// <param name="Stores">Stores that it uses, added with <see cref="StreamsBuilder.AddStateStore"/>.</param>
public sealed record ProcessOptions(string? Name = null, params string[] Stores);
