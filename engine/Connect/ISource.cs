using Streams.Log;
using Streams.Records;

namespace Streams.Connect;

/// <summary>What a source's read came to.</summary>
public enum SourceStatus
{
    /// <summary>There is more to read at once.</summary>
    More,

    /// <summary>There is nothing for now.</summary>
    Idle,

    /// <summary>The source is exhausted: nothing will follow.</summary>
    Done,
}

/// <summary>
/// A feed that becomes records. It says with each read how far it has come; that cursor is committed with the
/// records themselves, and after a restart reading goes on behind the last one committed.
/// </summary>
/// <remarks>All calls come from one thread. What it throws ends it; it is then made and opened
/// anew.</remarks>
/// <typeparam name="TKey">The type of its records' keys.</typeparam>
/// <typeparam name="TValue">The type of its records' values.</typeparam>
public interface ISource<TKey, TValue> : IDisposable
{
    /// <summary>Connects, and goes to the cursor that was committed last.</summary>
    /// <exception cref="UnavailableException">The feed cannot be reached; it is tried again
    /// later.</exception>
    /// <exception cref="ConfigurationException">It can never work as configured.</exception>
    void Open(SourceContext context);

    /// <summary>Emits what is there, a bounded amount, and sets the cursor behind it.</summary>
    /// <remarks>A commit can follow any read, so records and cursor must agree when it returns.</remarks>
    /// <exception cref="UnavailableException">The feed was lost; what was emitted in this read is
    /// forgotten.</exception>
    ValueTask<SourceStatus> ReadAsync(SourceOutput<TKey, TValue> output, CancellationToken cancellation);
}

/// <summary>What a source is given when it opens.</summary>
public sealed class SourceContext
{
    private readonly ITopicLog _log;

    internal SourceContext(string name, ITopicLog log, TimeProvider clock)
    {
        Name = name;
        _log = log;
        Clock = clock;
    }

    /// <summary>The source's name, under which its cursors are kept.</summary>
    public string Name { get; }

    /// <summary>The clock to go by.</summary>
    public TimeProvider Clock { get; }

    /// <summary>The cursor last committed under a key, or null.</summary>
    public byte[]? Cursor(string key) => _log.Cursor(Name, key);

    /// <summary>All cursors, by key in ordinal order.</summary>
    public IReadOnlyList<KeyValuePair<string, byte[]>> Cursors() => _log.Cursors(Name);
}

/// <summary>A source and how its records are written: all that running it takes.</summary>
/// <typeparam name="TKey">The type of its records' keys.</typeparam>
/// <typeparam name="TValue">The type of its records' values.</typeparam>
/// <param name="Name">Its name: stable, for its cursors are kept under it.</param>
/// <param name="Topic">The topic it writes.</param>
/// <param name="KeySerde">Writes the keys.</param>
/// <param name="ValueSerde">Writes the values.</param>
/// <param name="Create">Makes the source; called again after a failure.</param>
public sealed record SourceBinding<TKey, TValue>(
    string Name, string Topic, Serde<TKey> KeySerde, Serde<TValue> ValueSerde,
    Func<ISource<TKey, TValue>> Create)
    : SourceBinding(Name, Topic)
{
    /// <summary>Chooses the partition of a key; null takes Kafka's murmur2.</summary>
    public Processing.Partitioner? Partitioner { get; init; }

    /// <summary>How the source counts where a record stands, such as blocks by height; null where it has no
    /// unit of its own.</summary>
    public SourcePosition<TKey, TValue>? Position { get; init; }

    internal override string? PositionUnit => Position?.Unit;

    internal override SourceRunner CreateRunner(SourceEnvironment environment) =>
        new SourceRunner<TKey, TValue>(this, environment);
}

/// <summary>What is known of a source whatever its types.</summary>
public abstract record SourceBinding(string Name, string Topic)
{
    /// <summary>Whether the source, without a cursor, emits again all that it has emitted, as files and
    /// chains
    /// can and a feed of the moment cannot. Default false.</summary>
    public bool CanBeReadAgain { get; init; }

    /// <summary>The unit of the source's own positions; null for none.</summary>
    internal abstract string? PositionUnit { get; }

    internal abstract SourceRunner CreateRunner(SourceEnvironment environment);
}

/// <summary>Says where a record stands in a source.</summary>
/// <param name="record">The record.</param>
/// <returns>Its position; null where it has none.</returns>
public delegate long? PositionOf<TKey, TValue>(in Record<TKey, TValue> record);

/// <summary>A source's own way to count, to say from where on it is to be processed again.</summary>
/// <param name="Unit">What is counted, in lower case, such as <c>height</c>.</param>
/// <param name="Of">Says where a record stands.</param>
public sealed record SourcePosition<TKey, TValue>(string Unit, PositionOf<TKey, TValue> Of);

/// <summary>How sources are run.</summary>
public sealed record SourceOptions
{
    /// <summary>A commit follows at most this long after the first record in it. Default 50 ms.</summary>
    public TimeSpan CommitInterval { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>A commit follows when this many bytes wait for it. Default 8 MiB.</summary>
    public int CommitBytesMax { get; init; } = 8 << 20;

    /// <summary>A source waits while this many of its records have not been processed. Default
    /// 100,000, which a reader of a log still finds in memory.</summary>
    public long LagRecordsMax { get; init; } = 100_000;

    /// <summary>A source waits while a sink still has this many records to write, as when its target cannot
    /// be reached: they lie in the log, on the disk. Default 1,000,000.</summary>
    public long SinkLagRecordsMax { get; init; } = 1_000_000;

    /// <summary>How long a commit that found the disk full waits before it tries again. Default 1
    /// s.</summary>
    public TimeSpan LogFullRetry { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Longest refused input that a dead letter keeps whole, in bytes. Default 4 MiB.</summary>
    public int DeadLetterBytesMax { get; init; } = 4 << 20;
}
