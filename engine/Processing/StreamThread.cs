using System.Diagnostics;
using Streams.Connect;

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

    private readonly Topology _topology;
    private readonly TaskEnvironment _environment;
    private readonly IReadOnlyList<TaskId> _taskIds;
    private readonly int _number;
    private long _commitDueTicks = long.MaxValue;
    private volatile bool _isReady;

    internal StreamThread(
        Topology topology, TaskEnvironment environment, int number, IReadOnlyList<TaskId> taskIds)
    {
        _topology = topology;
        _environment = environment;
        _number = number;
        _taskIds = taskIds;
    }

    public string Name => $"stream-thread-{_number}";

    public bool IsReady => _isReady;

    /// <summary>Runs until cancelled; then commits what was processed and returns.</summary>
    public void Run(CancellationToken cancellation)
    {
        try
        {
            using var group = new TaskGroup(
                _topology, _environment, $"{_environment.ApplicationId}-{_number}", Name);
            group.Open(_taskIds, cancellation);
            _isReady = true;
            Loop(group, cancellation);
        }
        finally
        {
            _isReady = false;
        }
    }

    private void Loop(TaskGroup group, CancellationToken cancellation)
    {
        long seen = 0;
        while (!cancellation.IsCancellationRequested)
        {
            group.UpdateGlobals(cancellation);
            int processed = RunTurn(group);
            if ((processed > 0 || group.PendingBytes > 0) && _commitDueTicks == long.MaxValue)
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

    private int RunTurn(TaskGroup group)
    {
        int processed = 0;
        long nowMs = _environment.Clock.GetUtcNow().ToUnixTimeMilliseconds();
        foreach (StreamTask task in group.Tasks)
        {
            processed += group.Process(task, _environment.Options.TurnRecordsMax);
            task.PunctuateWallClock(nowMs);
        }
        return processed;
    }

    // A commit is due when its time or its size is reached, and at once when there is nothing else to do: while
    // calls are under way, there is.
    private bool IsCommitDue(TaskGroup group, int processed) =>
        _commitDueTicks != long.MaxValue
        && ((processed == 0 && !group.IsCalling)
            || group.PendingBytes >= _environment.Options.CommitBytesMax
            || Stopwatch.GetTimestamp() >= _commitDueTicks);

    private void Commit(TaskGroup group, CancellationToken cancellation)
    {
        group.BeginCommit(cancellation);
        _commitDueTicks = long.MaxValue;
    }

    private static long Ticks(TimeSpan span) => (long)(span.TotalSeconds * Stopwatch.Frequency);
}
