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
            if (_commitDueTicks == long.MaxValue && (processed > 0 || group.HasUncommitted))
                _commitDueTicks = Stopwatch.GetTimestamp() + Ticks(_environment.Options.CommitInterval);
            if (IsCommitDue(group, processed))
                Commit(group, cancellation);
            if (processed == 0)
                seen = _environment.Log.WaitForCommit(
                    Math.Max(seen, group.WaitForCommit()), IdleWait, CancellationToken.None);
        }
        Commit(group, cancellation);
        group.WaitForCommit();
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

    // A commit is due when its time or its size is reached, and at once when there is nothing else to do.
    private bool IsCommitDue(TaskGroup group, int processed) =>
        _commitDueTicks != long.MaxValue
        && (processed == 0
            || group.PendingBytes >= _environment.Options.CommitBytesMax
            || Stopwatch.GetTimestamp() >= _commitDueTicks);

    private void Commit(TaskGroup group, CancellationToken cancellation)
    {
        group.BeginCommit(cancellation);
        _commitDueTicks = long.MaxValue;
    }

    private static long Ticks(TimeSpan span) => (long)(span.TotalSeconds * Stopwatch.Frequency);
}
