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

    private readonly Topology _topology;
    private readonly TaskEnvironment _environment;
    private readonly IReadOnlyList<TaskId> _taskIds;
    private readonly int _number;
    private readonly List<TopicPartition> _outputs = [];
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
        ITopicLog log = _environment.Log;
        using ILogWriter writer = log.OpenWriter($"{_environment.ApplicationId}-{_number}");
        using ILogReader reader = log.OpenReader(ReadLevel.Committed);
        var tasks = new List<StreamTask>();
        using GlobalTables? globals = GlobalTables.Open(_topology, _environment, reader, cancellation);
        var commits = new CommitPipeline(writer, _environment, Name, () => Measure(tasks));
        try
        {
            foreach (TaskId id in _taskIds)
            {
                tasks.Add(new StreamTask(id, _topology.Parts[id.SubTopology], _environment, writer, globals));
                tasks[^1].Restore(log, reader, cancellation);
            }
            FindOutputs();
            _isReady = true;
            Loop(tasks, globals, writer, commits, reader, cancellation);
        }
        finally
        {
            _isReady = false;
            commits.Dispose();
            foreach (StreamTask task in tasks)
                task.Dispose();
        }
    }

    // The partitions that the tasks write, as far as they are known beforehand.
    private void FindOutputs()
    {
        _outputs.Clear();
        IEnumerable<GraphNode> sinks = _topology.Parts.SelectMany(p => p.Nodes)
            .Where(n => n is ISinkNode && n.TopicName is not null);
        foreach (string name in sinks.Select(_environment.NameOf).Distinct())
        {
            Topic topic = _environment.Topic(name);
            _outputs.AddRange(Enumerable.Range(0, topic.Partitions).Select(p => topic[p]));
        }
    }

    private void Loop(
        List<StreamTask> tasks, GlobalTables? globals, ILogWriter writer, CommitPipeline commits,
        ILogReader reader, CancellationToken cancellation)
    {
        long seen = 0;
        while (!cancellation.IsCancellationRequested)
        {
            globals?.Update(reader, cancellation);
            int processed = RunTurn(tasks, reader);
            if ((processed > 0 || writer.PendingBytes > 0) && _commitDueTicks == long.MaxValue)
                _commitDueTicks = Stopwatch.GetTimestamp() + Ticks(_environment.Options.CommitInterval);
            if (IsCommitDue(writer, processed))
                Commit(tasks, commits, cancellation);
            if (processed == 0)
                seen = _environment.Log.WaitForCommit(
                    Math.Max(seen, commits.Wait()), IdleWait, CancellationToken.None);
        }
        Commit(tasks, commits, cancellation);
        commits.Wait();
    }

    private int RunTurn(List<StreamTask> tasks, ILogReader reader)
    {
        int processed = 0;
        long nowMs = _environment.Clock.GetUtcNow().ToUnixTimeMilliseconds();
        foreach (StreamTask task in tasks)
        {
            processed += task.Process(reader, _environment.Options.TurnRecordsMax);
            task.PunctuateWallClock(nowMs);
        }
        return processed;
    }

    // A commit is due when its time or its size is reached, and at once when there is nothing else to do.
    private bool IsCommitDue(ILogWriter writer, int processed) =>
        _commitDueTicks != long.MaxValue
        && (processed == 0
            || writer.PendingBytes >= _environment.Options.CommitBytesMax
            || Stopwatch.GetTimestamp() >= _commitDueTicks);

    private void Commit(List<StreamTask> tasks, CommitPipeline commits, CancellationToken cancellation)
    {
        foreach (StreamTask task in tasks)
            task.PrepareCommit();
        // The commit before is still being measured until it is made.
        commits.Wait();
        foreach (StreamTask task in tasks)
            task.Meter.Capture();
        Task<long> commit = commits.Begin(cancellation);
        foreach (StreamTask task in tasks)
            task.Committed(commit);
        _commitDueTicks = long.MaxValue;
    }

    // On the thread that has made the commit.
    private void Measure(List<StreamTask> tasks)
    {
        long? origin = null;
        foreach (StreamTask task in tasks)
        {
            if (task.Meter.Committed() is { } oldest)
                origin = Math.Min(origin ?? long.MaxValue, oldest);
        }
        foreach (TopicPartition output in _outputs)
            _environment.Times.Note(output, origin ?? Stopwatch.GetTimestamp());
    }

    private static long Ticks(TimeSpan span) => (long)(span.TotalSeconds * Stopwatch.Frequency);
}
