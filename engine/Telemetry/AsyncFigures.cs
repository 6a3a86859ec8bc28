namespace Streams.Telemetry;

/// <summary>Figures of an asynchronous operator of a task, written by its thread and its calls, read by
/// whoever scrapes.</summary>
internal sealed class AsyncFigures(string name)
{
    private long _held;
    private int _calls;
    private int _breaker;

    /// <summary>The operator's name.</summary>
    internal string Name { get; } = name;

    /// <summary>Records that it has taken and not passed on.</summary>
    internal long Held
    {
        get => Volatile.Read(ref _held);
        set => Volatile.Write(ref _held, value);
    }

    /// <summary>Calls under way, pauses between two attempts included.</summary>
    internal int Calls
    {
        get => Volatile.Read(ref _calls);
        set => Volatile.Write(ref _calls, value);
    }

    /// <summary>The circuit breaker.</summary>
    internal BreakerState Breaker
    {
        get => (BreakerState)Volatile.Read(ref _breaker);
        set => Volatile.Write(ref _breaker, (int)value);
    }
}

/// <summary>How a circuit breaker stands.</summary>
internal enum BreakerState
{
    /// <summary>Calls are made.</summary>
    Closed,

    /// <summary>One call is made, to see whether the others can be.</summary>
    HalfOpen,

    /// <summary>No call is made.</summary>
    Open,
}
