namespace Streams.Dsl;

/// <summary>What a suppression does when its buffer is full.</summary>
public enum BufferFull
{
    /// <summary>Emits the oldest updates before their time.</summary>
    EmitEarly,

    /// <summary>Stops with an error that names the bound.</summary>
    ShutDown,
}

/// <summary>How much a suppression may hold back.</summary>
public sealed record BufferConfig
{
    private BufferConfig()
    {
    }

    /// <summary>Most updates held back, per task; null for no bound.</summary>
    public long? RecordsMax { get; private init; }

    /// <summary>Most bytes held back, per task: keys, values and headers; null for no bound.</summary>
    public long? BytesMax { get; private init; }

    /// <summary>What happens at the bound.</summary>
    public BufferFull WhenFull { get; private init; } = BufferFull.ShutDown;

    /// <summary>No bound but that of the store, which stops with an error.</summary>
    public static BufferConfig Unbounded() => new();

    /// <summary>At most so many updates.</summary>
    public static BufferConfig MaxRecords(long records) => new()
    {
        RecordsMax = Positive(records),
        WhenFull = BufferFull.EmitEarly,
    };

    /// <summary>At most so many bytes.</summary>
    public static BufferConfig MaxBytes(long bytes) => new()
    {
        BytesMax = Positive(bytes),
        WhenFull = BufferFull.EmitEarly,
    };

    /// <summary>The same with a bound on the updates too.</summary>
    public BufferConfig WithMaxRecords(long records) => this with { RecordsMax = Positive(records) };

    /// <summary>The same with a bound on the bytes too.</summary>
    public BufferConfig WithMaxBytes(long bytes) => this with { BytesMax = Positive(bytes) };

    /// <summary>The same, emitting the oldest updates early at the bound.</summary>
    public BufferConfig EmitEarlyWhenFull() => this with { WhenFull = BufferFull.EmitEarly };

    /// <summary>The same, stopping at the bound.</summary>
    public BufferConfig ShutDownWhenFull() => this with { WhenFull = BufferFull.ShutDown };

    private static long Positive(long bound)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bound);
        return bound;
    }
}

/// <summary>Which updates of a table are held back, and for how long.</summary>
public sealed record Suppressed
{
    private Suppressed(TimeSpan? timeLimit, BufferConfig buffer)
    {
        TimeLimit = timeLimit;
        Buffer = buffer;
    }

    /// <summary>How long, in the stream time of the updates; null for until the window closes.</summary>
    public TimeSpan? TimeLimit { get; }

    /// <summary>How much can be held back.</summary>
    public BufferConfig Buffer { get; }

    /// <summary>Name of the node; null for a generated one.</summary>
    public string? Name { get; init; }

    /// <summary>Name of the store that holds updates back; null for a generated one, which changes when the
    /// topology does.</summary>
    public string? StoreName { get; init; }

    /// <summary>Bound on the store's memory per task, in bytes. Default 8 GiB.</summary>
    public long StateBytesMax { get; init; } = 8L << 30;

    /// <summary>Whether changes go to a changelog; without it what is held back is gone after a restart.
    /// Default true.</summary>
    public bool Logged { get; init; } = true;

    /// <summary>Emits each window of a windowed table once, when it closes. A window that was deleted emits
    /// nothing.</summary>
    /// <exception cref="ArgumentException">The buffer emits early: results would not be final.</exception>
    public static Suppressed UntilWindowCloses(BufferConfig buffer) => buffer.WhenFull == BufferFull.ShutDown
        ? new Suppressed(null, buffer)
        : throw new ArgumentException(
            "A buffer that emits early gives results that are not final: use ShutDownWhenFull.",
            nameof(buffer));

    /// <summary>Emits at most one update of each key per stretch of time: the last one, that long after the
    /// first.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The time is negative.</exception>
    public static Suppressed UntilTimeLimit(TimeSpan limit, BufferConfig buffer)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, TimeSpan.Zero);
        return new Suppressed(limit, buffer);
    }
}
