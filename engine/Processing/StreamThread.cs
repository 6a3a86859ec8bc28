using System.Diagnostics;
using Streams.Connect;
using Streams.Log;

namespace Streams.Processing;

/// <summary>
/// Runs some of the application's tasks in turn and commits for all of them at once. When it fails,
/// everything since the last commit is forgotten; running it again begins at that commit.
/// </summary>
internal sealed class StreamThread : IComponent
{
    private static readonly TimeSpan IdleWait = TimeSpan.FromMilliseconds(20);

    // While calls are under way, records that come in are found after this long at the latest.
    private static readonly TimeSpan CallWait = TimeSpan.FromMilliseconds(2);

    // Slow operators make turns of few records, so that commits, lanes and stops do not wait for many.
    private static readonly TimeSpan TurnMax = TimeSpan.FromMilliseconds(50);

    private readonly Topology _topology;
    private readonly TaskEnvironment _environment;
    private readonly LaneBoard _board;
    private readonly IReadOnlyList<TaskId> _allTasks;
    private readonly int _number;
    private readonly int _threads;
    private long _commitDueTicks;
    private volatile bool _isReady;

    /// <summary>One of some threads that share this process's tasks.</summary>
    /// <param name="topology">What the tasks do.</param>
    /// <param name="environment">What they share.</param>
    /// <param name="board">Says which lanes this process has.</param>
    /// <param name="allTasks">The application's tasks, over all processes.</param>
    /// <param name="number">This thread's number.</param>
    /// <param name="threads">How many threads there are.</param>
    internal StreamThread(
        Topology topology, TaskEnvironment environment, LaneBoard board, IReadOnlyList<TaskId> allTasks,
        int number, int threads)
    {
        _topology = topology;
        _environment = environment;
        _board = board;
        _allTasks = allTasks;
        _number = number;
        _threads = threads;
    }

    public string Name => $"stream-thread-{_number}";

    public bool IsReady => _isReady;

    /// <summary>Runs until cancelled; then commits what was processed and returns.</summary>
    public void Run(CancellationToken cancellation)
    {
        // Lanes are let go of when the group has ended, however it ends.
        using LaneHolder holder = _board.Join(Name);
        try
        {
            _commitDueTicks = long.MaxValue;
            using var group = new TaskGroup(
                _topology, _environment, $"{_environment.ApplicationId}-{_number}", Name);
            var requests = new StateRequests(group);
            _environment.Desk.Open(requests);
            try
            {
                group.OpenGlobals(cancellation);
                Loop(group, requests, holder, cancellation);
            }
            finally
            {
                _environment.Desk.Close(requests);
            }
        }
        finally
        {
            _isReady = false;
        }
    }

    private void Loop(
        TaskGroup group, StateRequests requests, LaneHolder holder, CancellationToken cancellation)
    {
        long seen = 0;
        Lanes? lanes = null;
        Lanes? standbys = null;
        while (!cancellation.IsCancellationRequested)
        {
            holder.RequireShare();
            if (holder.Current != lanes)
                Follow(group, holder, lanes = holder.Current, cancellation);
            if (holder.Standbys != standbys)
                StandBy(group, standbys = holder.Standbys);
            if (group.IsOpening)
                group.AdoptOpened();
            _isReady = lanes.Version > 0 && !group.IsOpening;
            group.UpdateGlobals(cancellation);
            requests.Answer();
            int processed = RunTurn(group);
            if (_commitDueTicks == long.MaxValue
                && (processed > 0 || group.PendingBytes > 0 || group.HasMoved()))
                _commitDueTicks = Stopwatch.GetTimestamp() + Ticks(_environment.Options.CommitInterval);
            if (IsCommitDue(group, processed))
                Commit(group, cancellation);
            if (processed == 0)
                seen = WaitForMore(group, Math.Max(seen, group.WaitForCommit()));
        }
        group.FinishCalls(_environment.Options.CallsStopWait);
        Commit(group, cancellation);
        group.WaitForCommit();
    }

    // A call that ends wakes the thread, or a commit does; where both may come, it looks at one in between.
    private long WaitForMore(TaskGroup group, long seen)
    {
        TimeSpan wait = IdleWait;
        if (group.IsCalling)
        {
            group.WaitForCall(CallWait);
            wait = TimeSpan.Zero;
        }
        return _environment.Log.WaitForCommit(seen, wait, CancellationToken.None);
    }

    // Lanes that stay are worked on while those that come are restored.
    private void Follow(TaskGroup group, LaneHolder holder, Lanes lanes, CancellationToken cancellation)
    {
        TaskId[] gone = [.. group.TaskIds.Where(id => !IsMine(lanes, id))];
        if (gone.Length > 0)
        {
            if (lanes.IsLost)
                throw new LogInterruptedException(
                    "This process was not heard of for too long and its lanes went to another.");
            Commit(group, cancellation);
            group.WaitForCommit();
            foreach (TaskId id in gone)
                group.Close(id);
        }
        if (!holder.Acknowledge(lanes))
            return;
        foreach (TaskId id in _allTasks.Where(id => IsMine(lanes, id)).Except(group.TaskIds).ToArray())
            group.BeginOpen(id, cancellation);
    }

    // What this process runs already it need not follow, even where that was decided before it came here.
    private void StandBy(TaskGroup group, Lanes standbys) =>
        group.StandBy([.. _allTasks.Where(id => IsMine(standbys, id)).Except(group.TaskIds)]);

    // The parts of one lane are spread too, for an application may have only one lane.
    private bool IsMine(Lanes lanes, TaskId id) =>
        lanes.Owns(id.Partition) && (lanes.SlotOf(id.Partition) + id.SubTopology) % _threads == _number;

    private int RunTurn(TaskGroup group)
    {
        int processed = 0;
        long nowMs = _environment.Clock.GetUtcNow().ToUnixTimeMilliseconds();
        foreach (StreamTask task in group.Tasks)
        {
            processed += TakeTurn(group, task);
            task.PunctuateWallClock(nowMs);
        }
        return processed;
    }

    // How long records take shows as it goes: the clock is looked at after the first, the third, the seventh.
    private int TakeTurn(TaskGroup group, StreamTask task)
    {
        long until = Stopwatch.GetTimestamp() + Ticks(TurnMax);
        int most = _environment.Options.TurnRecordsMax;
        int processed = 0;
        for (int next = 1; next > 0; next = Math.Min(2 * next, most - processed))
        {
            int done = group.Process(task, next);
            processed += done;
            if (done < next || Stopwatch.GetTimestamp() >= until)
                break;
        }
        return processed;
    }

    // A commit is due when its time or its size is reached, and at once when there is nothing else to do
    // (calls under way are something), unless it is so dear as a transaction on Kafka.
    private bool IsCommitDue(TaskGroup group, int processed) =>
        _commitDueTicks != long.MaxValue
        && ((processed == 0 && !_environment.Log.SharesWork && !group.IsCalling)
            || group.PendingBytes >= _environment.Options.CommitBytesMax
            || Stopwatch.GetTimestamp() >= _commitDueTicks);

    private void Commit(TaskGroup group, CancellationToken cancellation)
    {
        group.BeginCommit(cancellation);
        _commitDueTicks = long.MaxValue;
    }

    private static long Ticks(TimeSpan span) => (long)(span.TotalSeconds * Stopwatch.Frequency);
}
