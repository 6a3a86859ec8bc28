using Streams.Telemetry;

namespace Streams.Processing;

/// <summary>An operator that waits for something outside: it holds records until what it called for is
/// there.</summary>
internal interface IAsyncOperator
{
    /// <summary>Whether it holds as much as it may: the task takes no record until it has passed one
    /// on.</summary>
    bool IsFull { get; }

    /// <summary>What is measured of it.</summary>
    AsyncFigures Figures { get; }

    /// <summary>Calls again for what was held at the last commit.</summary>
    void Resume();

    /// <summary>Passes on what is there and is in its turn, and begins further calls.</summary>
    /// <returns>How many records left it.</returns>
    int Forward(RecordGuard guard, IFailureSink failures);

    /// <summary>Passes on the record whose turn it is; the guard calls it and takes what it throws.</summary>
    void PushFinished();

    /// <summary>Begins no further call.</summary>
    void StopCalling();
}

/// <summary>The asynchronous operators of a task. For the task's thread, but for what it says.</summary>
internal sealed class AsyncOperators
{
    private IAsyncOperator[] _operators = [];

    /// <summary>Called, on any thread, when a call has ended.</summary>
    internal Action Wake { get; set; } = static () => { };

    /// <summary>Whether the task has to wait before it takes another record.</summary>
    internal bool IsFull => _operators.Length != 0 && AnyIsFull();

    /// <summary>Records that were taken and not passed on.</summary>
    internal long Held
    {
        get
        {
            long held = 0;
            foreach (IAsyncOperator one in _operators)
                held += one.Figures.Held;
            return held;
        }
    }

    /// <summary>Whether calls are under way.</summary>
    internal bool IsCalling
    {
        get
        {
            foreach (IAsyncOperator one in _operators)
            {
                if (one.Figures.Calls > 0)
                    return true;
            }
            return false;
        }
    }

    internal IEnumerable<AsyncFigures> Figures => _operators.Select(o => o.Figures);

    internal void Add(IAsyncOperator one) => _operators = [.. _operators, one];

    /// <summary>Calls again for what was held at the last commit.</summary>
    internal void Resume()
    {
        foreach (IAsyncOperator one in _operators)
            one.Resume();
    }

    /// <summary>Passes on what is there.</summary>
    /// <returns>How many records it were.</returns>
    internal int Forward(RecordGuard guard, IFailureSink failures)
    {
        int count = 0;
        foreach (IAsyncOperator one in _operators)
            count += one.Forward(guard, failures);
        return count;
    }

    /// <summary>Begins no further call.</summary>
    internal void StopCalling()
    {
        foreach (IAsyncOperator one in _operators)
            one.StopCalling();
    }

    private bool AnyIsFull()
    {
        foreach (IAsyncOperator one in _operators)
        {
            if (one.IsFull)
                return true;
        }
        return false;
    }
}

/// <summary>Wakes a thread that waits for calls. It has nothing to dispose of, so a call that ends late may
/// still use it.</summary>
internal sealed class Wakeup
{
    private readonly object _lock = new();
    private bool _isSet;

    /// <summary>Wakes who waits, or who waits next.</summary>
    internal void Set()
    {
        lock (_lock)
        {
            _isSet = true;
            Monitor.Pulse(_lock);
        }
    }

    /// <summary>Waits until woken or until the time is over.</summary>
    internal void Wait(TimeSpan longest)
    {
        lock (_lock)
        {
            if (!_isSet)
                Monitor.Wait(_lock, longest);
            _isSet = false;
        }
    }
}
