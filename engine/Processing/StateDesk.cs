using System.Collections.Concurrent;
using Streams.State;

namespace Streams.Processing;

/// <summary>Where the tasks of a process are asked for what their stores hold, by any thread.</summary>
internal sealed class StateDesk
{
    private readonly ConcurrentDictionary<StateRequests, bool> _open = new();

    /// <summary>Says that a thread answers for its tasks from now on.</summary>
    internal void Open(StateRequests requests) => _open.TryAdd(requests, true);

    /// <summary>Says that a thread answers no more; what waits for an answer is refused.</summary>
    internal void Close(StateRequests requests)
    {
        _open.TryRemove(requests, out _);
        requests.Close();
    }

    /// <summary>Whether a task is at work in this process.</summary>
    internal bool Has(TaskId task) => Find(task) is not null;

    private StateRequests? Find(TaskId task)
    {
        foreach (StateRequests requests in _open.Keys)
        {
            if (requests.Has(task))
                return requests;
        }
        return null;
    }

    /// <summary>Reads of a task's store, on the task's thread between its records.</summary>
    /// <param name="task">The task.</param>
    /// <param name="store">The store's name.</param>
    /// <param name="read">Reads; what it returns must not refer to the store any more.</param>
    /// <param name="timeout">How long to wait.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <exception cref="StateQueryException">The task is not running, is busy, or did not answer in
    /// time.</exception>
    internal async Task<TResult> ReadAsync<TStore, TResult>(
        TaskId task, string store, Func<TStore, TResult> read, TimeSpan timeout,
        CancellationToken cancellation)
        where TStore : StateStore
    {
        var request = new StateRequest<TStore, TResult>(task, store, read);
        if (Find(task) is not { } requests || !requests.TryAdd(request))
            throw new StateQueryException(
                $"Task {task} does not answer now: it is starting, its stores are being restored, or it has "
                + "more questions than it can answer. Ask again.");
        try
        {
            return await request.Answer.WaitAsync(timeout, cancellation).ConfigureAwait(false);
        }
        catch (TimeoutException e)
        {
            throw new StateQueryException(
                $"Task {task} did not answer within {timeout.TotalSeconds:0.#} s: it is busy with a record "
                + "or a commit, or the range is large. Ask again, or for less.", e);
        }
        finally
        {
            request.IsAbandoned = true;
        }
    }
}

/// <summary>Questions that wait for a thread that runs tasks: a few at a time, answered between
/// records.</summary>
internal sealed class StateRequests(TaskGroup group)
{
    /// <summary>Questions that wait at once, at most.</summary>
    internal const int WaitingMax = 64;

    private readonly Lock _lock = new();
    private readonly Queue<StateRequest> _waiting = new();
    private volatile int _count;
    private volatile TaskId[] _tasks = [];
    private bool _isClosed;

    /// <summary>Whether a task is at work here.</summary>
    internal bool Has(TaskId task) => Array.IndexOf(_tasks, task) >= 0;

    /// <summary>Adds a question.</summary>
    /// <returns>False where there is no room, or nobody to answer.</returns>
    internal bool TryAdd(StateRequest request)
    {
        lock (_lock)
        {
            if (_isClosed || _waiting.Count == WaitingMax)
                return false;
            _waiting.Enqueue(request);
            _count = _waiting.Count;
            return true;
        }
    }

    /// <summary>Answers what waits; on the tasks' thread.</summary>
    internal void Answer()
    {
        if (!IsCurrent())
            _tasks = [.. group.Tasks.Select(t => t.Id)];
        // Hardly more than a read of a field for who is never asked.
        while (_count > 0 && TryTake() is { } request)
        {
            StreamTask? task = group.Tasks.FirstOrDefault(t => t.Id == request.Task);
            if (task is null)
                request.Refuse();
            else if (!request.IsAbandoned)
                request.Run(task);
        }
    }

    /// <summary>Refuses what waits and what comes.</summary>
    internal void Close()
    {
        lock (_lock)
            _isClosed = true;
        while (TryTake() is { } request)
            request.Refuse();
    }

    private bool IsCurrent()
    {
        if (_tasks.Length != group.Tasks.Count)
            return false;
        for (int i = 0; i < _tasks.Length; i++)
        {
            if (_tasks[i] != group.Tasks[i].Id)
                return false;
        }
        return true;
    }

    private StateRequest? TryTake()
    {
        lock (_lock)
        {
            _waiting.TryDequeue(out StateRequest? request);
            _count = _waiting.Count;
            return request;
        }
    }
}

/// <summary>A question to a task.</summary>
internal abstract class StateRequest(TaskId task)
{
    private volatile bool _isAbandoned;

    internal TaskId Task { get; } = task;

    /// <summary>Whether nobody waits for the answer any more.</summary>
    internal bool IsAbandoned
    {
        get => _isAbandoned;
        set => _isAbandoned = value;
    }

    /// <summary>Answers it.</summary>
    internal abstract void Run(StreamTask task);

    /// <summary>Says that there will be no answer.</summary>
    internal abstract void Refuse();
}

/// <inheritdoc/>
internal sealed class StateRequest<TStore, TResult> : StateRequest
    where TStore : StateStore
{
    private StreamTask? _asked;

    internal StateRequest(TaskId task, string store, Func<TStore, TResult> read)
        : base(task) => Answer = new Task<TResult>(
            () => _asked is null
                ? throw new StateQueryException($"Task {task} stopped before it could answer.")
                : read(_asked.Scope.Store<TStore>(store)),
            TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The answer, or what went wrong.</summary>
    internal Task<TResult> Answer { get; }

    internal override void Run(StreamTask task)
    {
        _asked = task;
        Answer.RunSynchronously(TaskScheduler.Default);
        _asked = null;
    }

    internal override void Refuse() => Answer.RunSynchronously(TaskScheduler.Default);
}
