using System.Collections.Concurrent;
using Streams.Log;
using Streams.Telemetry;

namespace Streams.Processing;

/// <summary>
/// Copies of tasks that run in other processes: their stores follow the changelogs, on a thread of their own,
/// so that little is left to replay when such a task comes here.
/// </summary>
/// <remarks>Source: Kafka Streams' standby replicas (KIP-441 has the terms).</remarks>
internal sealed class StandbyTasks(TaskEnvironment environment, string name) : IDisposable
{
    private static readonly TimeSpan IdleWait = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan FailureWait = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<TaskId, Standby> _standbys = new();
    private readonly ManualResetEventSlim _stop = new();
    private Thread? _thread;

    /// <summary>The tasks that are followed.</summary>
    internal IEnumerable<TaskId> Ids => _standbys.Where(s => s.Value.State == StandbyState.Follows)
        .Select(s => s.Key);

    /// <summary>Begins to follow a task.</summary>
    internal void Add(TaskId id, Func<TaskId, StreamTask> make)
    {
        if (_standbys.TryGetValue(id, out Standby? known) && known.TryBecome(StandbyState.Follows))
            return;
        StreamTask task = make(id);
        _standbys[id] = new Standby(task);
        environment.Standbys[id] = task;
        if (_thread is not null)
            return;
        _thread = new Thread(Run) { Name = $"{name}-standbys", IsBackground = true };
        _thread.Start();
    }

    /// <summary>A task is to run here.</summary>
    /// <returns>Hands the task over when it is called, or says null where it has failed; null where the task
    /// is not followed.</returns>
    internal Func<StreamTask?>? Release(TaskId id) =>
        _standbys.TryGetValue(id, out Standby? standby) && standby.TryBecome(StandbyState.Released)
            ? standby.Take : null;

    /// <summary>A task need not be followed any more.</summary>
    internal void Drop(TaskId id)
    {
        if (_standbys.TryGetValue(id, out Standby? standby))
            standby.TryBecome(StandbyState.Dropped);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _stop.Set();
        _thread?.Join();
        _stop.Dispose();
    }

    private void Run()
    {
        while (!_stop.IsSet)
        {
            try
            {
                using ILogReader reader = environment.Log.OpenReader(ReadLevel.Committed);
                using LogBatch batch = reader.CreateBatch();
                while (!_stop.IsSet)
                {
                    if (!FollowAll(reader, batch))
                        _stop.Wait(IdleWait);
                }
            }
            catch (LogException e)
            {
                // The stores are as they were: another reader goes on where this one was.
                environment.Logger.StandbysWait(name, e.Message);
                _stop.Wait(FailureWait);
            }
        }
        foreach (Standby standby in _standbys.Values)
        {
            standby.TryBecome(StandbyState.Dropped);
            LetGo(standby);
        }
    }

    private bool FollowAll(ILogReader reader, LogBatch batch)
    {
        bool found = false;
        foreach (Standby standby in _standbys.Values)
        {
            if (standby.State == StandbyState.Follows)
            {
                found |= Follow(standby, reader, batch);
                continue;
            }
            standby.Task.StopFollowing(reader);
            LetGo(standby);
        }
        return found;
    }

    private bool Follow(Standby standby, ILogReader reader, LogBatch batch)
    {
        try
        {
            return standby.Task.Follow(reader, batch);
        }
        catch (Exception e) when (e is not LogException or LogDamagedException)
        {
            // The task is restored from the beginning when it comes here, and the reason is reported then.
            environment.Logger.StandbyFailed(standby.Task.Id.ToString(), e.Message);
            standby.TryBecome(StandbyState.Failed);
            LetGo(standby);
            return false;
        }
    }

    private void LetGo(Standby standby)
    {
        if (!standby.TryLetGo())
            return;
        _standbys.TryRemove(new KeyValuePair<TaskId, Standby>(standby.Task.Id, standby));
        environment.Standbys.TryRemove(new KeyValuePair<TaskId, StreamTask>(standby.Task.Id, standby.Task));
    }
}

/// <summary>What is done with a standby.</summary>
internal enum StandbyState
{
    /// <summary>It follows the changelogs.</summary>
    Follows,

    /// <summary>It is going to run.</summary>
    Released,

    /// <summary>Nobody needs it.</summary>
    Dropped,

    /// <summary>It could not follow.</summary>
    Failed,
}

/// <summary>A task that is followed, and its way back to whoever runs it.</summary>
internal sealed class Standby(StreamTask task)
{
    private readonly TaskCompletionSource<StreamTask?> _free =
        new(TaskCreationOptions.RunContinuationsAsynchronously);

    private readonly Lock _gate = new();
    private StandbyState _state;
    private bool _isGone;

    internal StreamTask Task => task;

    internal StandbyState State
    {
        get
        {
            lock (_gate)
                return _state;
        }
    }

    /// <summary>Says what is to be done with it; until it was let go of, that can change.</summary>
    /// <returns>Whether that is done.</returns>
    internal bool TryBecome(StandbyState state)
    {
        lock (_gate)
        {
            if (_isGone || _state is StandbyState.Failed
                || (_state is StandbyState.Released && state is StandbyState.Dropped))
                return false;
            _state = state;
            return true;
        }
    }

    /// <summary>Waits until the task is let go of.</summary>
    /// <returns>The task, or null where it was disposed of.</returns>
    internal StreamTask? Take() => _free.Task.GetAwaiter().GetResult();

    /// <summary>On the thread that follows: hands the task over, or disposes of it.</summary>
    /// <returns>False where it is to be followed after all.</returns>
    internal bool TryLetGo()
    {
        lock (_gate)
        {
            if (_state == StandbyState.Follows)
                return false;
            _isGone = true;
        }
        if (_state != StandbyState.Released)
            task.Dispose();
        _free.TrySetResult(_state == StandbyState.Released ? task : null);
        return true;
    }
}
