using System.Diagnostics;
using Streams.Log;

namespace Streams.Processing;

/// <summary>
/// Tasks that commit together, from their opening to their first failure. Whoever owns it decides when which
/// task has its turn and when a commit begins. For one thread.
/// </summary>
internal sealed class TaskGroup : IDisposable
{
    private readonly Topology _topology;
    private readonly TaskEnvironment _environment;
    private readonly ILogWriter _writer;
    private readonly ILogReader _reader;
    private readonly CommitPipeline _commits;
    private readonly List<StreamTask> _tasks = [];
    private readonly List<TopicPartition> _outputs = [];
    private GlobalTables? _globals;

    /// <summary>A group without tasks as yet.</summary>
    internal TaskGroup(Topology topology, TaskEnvironment environment, string writerId, string name)
    {
        _topology = topology;
        _environment = environment;
        _writer = environment.Log.OpenWriter(writerId);
        _reader = environment.Log.OpenReader(ReadLevel.Committed);
        _commits = new CommitPipeline(_writer, environment, name, Measure);
    }

    internal IReadOnlyList<StreamTask> Tasks => _tasks;

    /// <summary>Bytes of output and state that wait for a commit.</summary>
    internal int PendingBytes => _writer.PendingBytes;

    /// <summary>Whether outputs, state or positions wait for a commit; the last alone where all records were
    /// left out.</summary>
    internal bool HasUncommitted => PendingBytes > 0 || _tasks.Exists(task => task.HasMoved);

    /// <summary>Makes the tasks and brings them to the last commit.</summary>
    internal void Open(IReadOnlyList<TaskId> taskIds, CancellationToken cancellation)
    {
        _globals = GlobalTables.Open(_topology, _environment, _reader, cancellation);
        foreach (TaskId id in taskIds)
        {
            _tasks.Add(new StreamTask(
                id, _topology.Parts[id.SubTopology], _environment, _writer, _globals));
            _tasks[^1].Restore(_environment.Log, _reader, cancellation);
        }
        FindOutputs();
    }

    /// <summary>Takes what was committed to the topics of global tables.</summary>
    internal void UpdateGlobals(CancellationToken cancellation) => _globals?.Update(_reader, cancellation);

    /// <summary>Processes up to that many records of a task.</summary>
    /// <returns>How many it were; fewer than asked when its inputs have no more for now.</returns>
    internal int Process(StreamTask task, int recordsMax) => task.Process(_reader, recordsMax);

    /// <summary>Begins a commit of all that was processed, once the commit before is made.</summary>
    internal void BeginCommit(CancellationToken cancellation)
    {
        foreach (StreamTask task in _tasks)
            task.PrepareCommit();
        // The commit before is still being measured until it is made.
        _commits.Wait();
        foreach (StreamTask task in _tasks)
            task.Meter.Capture();
        Task<long> commit = _commits.Begin(cancellation);
        foreach (StreamTask task in _tasks)
            task.Committed(commit);
    }

    /// <summary>Waits until everything that was begun is committed.</summary>
    /// <returns>The number of the last commit; 0 before the first.</returns>
    internal long WaitForCommit() => _commits.Wait();

    /// <inheritdoc/>
    public void Dispose()
    {
        _commits.Dispose();
        foreach (StreamTask task in _tasks)
            task.Dispose();
        _globals?.Dispose();
        _reader.Dispose();
        _writer.Dispose();
    }

    // The partitions that the tasks write, as far as they are known beforehand.
    private void FindOutputs()
    {
        IEnumerable<GraphNode> sinks = _topology.Parts.SelectMany(p => p.Nodes)
            .Where(n => n is ISinkNode && n.TopicName is not null);
        foreach (string name in sinks.Select(_environment.NameOf).Distinct())
        {
            Topic topic = _environment.Topic(name);
            _outputs.AddRange(Enumerable.Range(0, topic.Partitions).Select(p => topic[p]));
        }
    }

    // On the thread that has made the commit.
    private void Measure()
    {
        long? origin = null;
        foreach (StreamTask task in _tasks)
        {
            if (task.Meter.Committed() is { } oldest)
                origin = Math.Min(origin ?? long.MaxValue, oldest);
        }
        foreach (TopicPartition output in _outputs)
            _environment.Times.Note(output, origin ?? Stopwatch.GetTimestamp());
    }
}
