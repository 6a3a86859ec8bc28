using Streams.Processing;
using Streams.Records;

namespace Streams.Dsl;

/// <summary>In which order the results of asynchronous calls are passed on.</summary>
public enum AsyncOrder
{
    /// <summary>The records of a key in their order; those of different keys as they are done. Records
    /// without a key have no order.</summary>
    Key,

    /// <summary>All records of a task in their order: the same input gives the same topic, byte for
    /// byte.</summary>
    Partition,

    /// <summary>As they are done.</summary>
    None,
}

/// <summary>What becomes of a record whose call failed for good.</summary>
public enum AsyncFailure
{
    /// <summary>Stop: what may pass is tried again after a restart with a growing pause, anything else ends
    /// the application.</summary>
    Stop,

    /// <summary>Keep the record and the reason on the topic's dead-letter topic, and go on.</summary>
    DeadLetter,

    /// <summary>Pass on what the fallback makes of it.</summary>
    Fallback,
}

/// <summary>How calls to something outside are made; all bounds are per task.</summary>
public sealed record AsyncCallOptions
{
    /// <summary>In which order results are passed on. Default key.</summary>
    public AsyncOrder Order { get; init; } = AsyncOrder.Key;

    /// <summary>Calls under way at a time. Default 64.</summary>
    public int CallsMax { get; init; } = 64;

    /// <summary>Calls of one key under way at a time, where the order is by key. Default 1: a key's next call
    /// begins when the one before has ended.</summary>
    public int KeyCallsMax { get; init; } = 1;

    /// <summary>Records held, waiting for their call, its end or their turn; at this number the task takes no
    /// further record. Default 1,000.</summary>
    public int RecordsMax { get; init; } = 1_000;

    /// <summary>Records of one key held, where the order is by key; at this number the task takes no further
    /// record. Default 100.</summary>
    public int KeyRecordsMax { get; init; } = 100;

    /// <summary>Bytes of records held; at this number the task takes no further record. Default 64
    /// MiB.</summary>
    public long HeldBytesMax { get; init; } = 64L << 20;

    /// <summary>How long one attempt may take. Default 5 s.</summary>
    public TimeSpan AttemptTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a call may take with all its attempts and the pauses between them. Default 30
    /// s.</summary>
    public TimeSpan TotalTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Attempts after the first. Default 3.</summary>
    public int RetriesMax { get; init; } = 3;

    /// <summary>The pause before the second attempt; it doubles from one to the next, with jitter. Default
    /// 100 ms.</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>The longest pause. Default 5 s.</summary>
    public TimeSpan RetryDelayMax { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>No attempt is made for a while when more than this share of them failed, in percent. Default
    /// 50; 0 for never.</summary>
    public int BreakerFailurePercent { get; init; } = 50;

    /// <summary>Attempts in the breaker's span before their share counts. Default 20.</summary>
    public int BreakerAttemptsMin { get; init; } = 20;

    /// <summary>The span over which the breaker looks at failures. Default 30 s.</summary>
    public TimeSpan BreakerSpan { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long no attempt is made. Default 5 s; then one is, to see.</summary>
    public TimeSpan BreakerPause { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>What becomes of a record whose call failed for good. Default stop.</summary>
    public AsyncFailure OnFailure { get; init; } = AsyncFailure.Stop;

    /// <summary>Checks that the options make sense.</summary>
    /// <exception cref="TopologyException">One does not: the message says which, and what it may
    /// be.</exception>
    internal void Validate(string name)
    {
        Require(name, nameof(CallsMax), CallsMax, 1, 10_000);
        Require(name, nameof(KeyCallsMax), KeyCallsMax, 1, CallsMax);
        Require(name, nameof(RecordsMax), RecordsMax, 1, 1_000_000);
        Require(name, nameof(KeyRecordsMax), KeyRecordsMax, 1, 1_000_000);
        Require(name, nameof(HeldBytesMax), HeldBytesMax, 1, 1L << 40);
        Require(name, nameof(RetriesMax), RetriesMax, 0, 1_000);
        Require(name, nameof(BreakerFailurePercent), BreakerFailurePercent, 0, 100);
        Require(name, nameof(BreakerAttemptsMin), BreakerAttemptsMin, 2, 1_000_000);
        Require(name, nameof(AttemptTimeout), AttemptTimeout, TimeSpan.FromMilliseconds(10));
        Require(name, nameof(TotalTimeout), TotalTimeout, TimeSpan.FromMilliseconds(10));
        Require(name, nameof(RetryDelay), RetryDelay, TimeSpan.Zero);
        Require(name, nameof(RetryDelayMax), RetryDelayMax, TimeSpan.Zero);
        Require(name, nameof(BreakerSpan), BreakerSpan, TimeSpan.FromMilliseconds(500));
        Require(name, nameof(BreakerPause), BreakerPause, TimeSpan.FromMilliseconds(500));
    }

    private static void Require(string name, string option, long value, long min, long max)
    {
        if (value < min || value > max)
            throw new TopologyException(
                $"'{name}': {option} is {value:N0}. Give {min:N0} to {max:N0}.");
    }

    private static void Require(string name, string option, TimeSpan value, TimeSpan min)
    {
        if (value < min || value > TimeSpan.FromHours(24))
            throw new TopologyException(
                $"'{name}': {option} is {value}. Give {min.TotalSeconds} s to 24 h.");
    }
}

/// <summary>How values are mapped by asynchronous calls.</summary>
/// <typeparam name="TKey">The key's type.</typeparam>
/// <typeparam name="TValue">The value's type.</typeparam>
/// <typeparam name="TResult">The new value's type.</typeparam>
public sealed record AsyncMapped<TKey, TValue, TResult>
{
    /// <summary>Name of the node, in metrics too; null for a generated one.</summary>
    public string? Name { get; init; }

    /// <summary>Name of the store that holds records; null for one made of <see cref="Name"/>, or a generated
    /// one, which changes when the topology does.</summary>
    public string? StoreName { get; init; }

    /// <summary>Writes and reads the keys that are held; null takes the stream's own.</summary>
    public Serde<TKey>? KeySerde { get; init; }

    /// <summary>Writes and reads the values that are held; null takes the stream's own.</summary>
    public Serde<TValue>? ValueSerde { get; init; }

    /// <summary>Serde of the results, where a topic or a store follows.</summary>
    public Serde<TResult>? ResultSerde { get; init; }

    /// <summary>How the calls are made.</summary>
    public AsyncCallOptions Calls { get; init; } = new();

    /// <summary>Makes the value of a record whose call failed for good, of the key, the value and the reason;
    /// needed where <see cref="AsyncCallOptions.OnFailure"/> says so.</summary>
    public Func<TKey, TValue, Exception, TResult>? Fallback { get; init; }

    /// <summary>Whether another attempt may help after an exception; null for after any but a
    /// <see cref="Connect.ConfigurationException"/>. What may not pass does not count for the breaker
    /// either.</summary>
    public Func<Exception, bool>? RetryIf { get; init; }

    /// <summary>Bound on the store's memory per task, in bytes. Default 1 GiB.</summary>
    public long StateBytesMax { get; init; } = 1L << 30;
}
