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
    private readonly ILogReader _globalReader;
    private readonly CommitPipeline _commits;
    private readonly List<StreamTask> _tasks = [];
    private readonly List<TaskOpening> _openings = [];
    private readonly List<TopicPartition> _outputs = [];
    private readonly Wakeup _wakeup = new();
    private readonly StandbyTasks _standbys;
    private StreamTask[] _committing = [];
    private GlobalTables? _globals;

    /// <summary>A group without tasks as yet.</summary>
    internal TaskGroup(Topology topology, TaskEnvironment environment, string writerId, string name)
    {
        _topology = topology;
        _environment = environment;
        _writer = environment.Log.OpenWriter(writerId, exclusive: false);
        _reader = environment.Log.OpenReader(ReadLevel.Committed);
        _globalReader = topology.Globals.Count > 0
            ? environment.Log.OpenReader(ReadLevel.Committed) : _reader;
        _commits = new CommitPipeline(_writer, environment, name, Measure);
        _standbys = new StandbyTasks(environment, name);
    }

    internal IReadOnlyList<StreamTask> Tasks => _tasks;

    /// <summary>Bytes of output and state that wait for a commit.</summary>
    internal int PendingBytes => _writer.PendingBytes;

    /// <summary>Makes the tasks and brings them to the last commit.</summary>
    internal void Open(IReadOnlyList<TaskId> taskIds, CancellationToken cancellation)
    {
        OpenGlobals(cancellation);
        foreach (TaskId id in taskIds)
        {
            _tasks.Add(Make(id));
            _tasks[^1].Restore(_environment.Log, _reader, cancellation);
        }
    }

    /// <summary>Reads the global tables, which all tasks need; before any task is opened.</summary>
    internal void OpenGlobals(CancellationToken cancellation)
    {
        _globals = GlobalTables.Open(_topology, _environment, _globalReader, cancellation);
        FindOutputs();
    }

    /// <summary>Whether asynchronous calls are under way.</summary>
    internal bool IsCalling
    {
        get
        {
            foreach (StreamTask task in _tasks)
            {
                if (task.Scope.Async.IsCalling)
                    return true;
            }
            return false;
        }
    }

    /// <summary>Waits until an asynchronous call has ended, or the time is over.</summary>
    internal void WaitForCall(TimeSpan longest) => _wakeup.Wait(longest);

    /// <summary>Begins no further call, and passes on what those bring that end in time. The records of the
    /// others stay held, for the next start.</summary>
    internal void FinishCalls(TimeSpan longest)
    {
        long started = _environment.Clock.GetTimestamp();
        foreach (StreamTask task in _tasks)
            task.Scope.Async.StopCalling();
        TimeSpan rest = longest;
        while (IsCalling && rest > TimeSpan.Zero)
        {
            WaitForCall(rest);
            foreach (StreamTask task in _tasks)
                task.Forward();
            rest = longest - _environment.Clock.GetElapsedTime(started);
        }
    }

    /// <summary>The tasks that are at work or being brought to the last commit.</summary>
    internal IEnumerable<TaskId> TaskIds => _tasks.Select(t => t.Id).Concat(_openings.Select(o => o.Id));

    /// <summary>Whether tasks are still being brought to the last commit.</summary>
    internal bool IsOpening => _openings.Count > 0;

    /// <summary>Begins to bring a task to the last commit, beside the work of the others.</summary>
    internal void BeginOpen(TaskId id, CancellationToken cancellation)
    {
        Func<StreamTask?>? standby = _standbys.Release(id);
        _openings.Add(new TaskOpening(
            id, () => standby?.Invoke() ?? Make(id), _environment.Log, cancellation));
    }

    /// <summary>Follows the changelogs of these tasks, which run elsewhere, and of no others.</summary>
    internal void StandBy(IReadOnlyCollection<TaskId> ids)
    {
        TaskId[] followed = [.. _standbys.Ids];
        foreach (TaskId id in followed.Except(ids))
            _standbys.Drop(id);
        foreach (TaskId id in ids.Except(followed))
            _standbys.Add(id, Make);
    }

    /// <summary>Takes in the tasks that have reached the last commit.</summary>
    internal void AdoptOpened()
    {
        for (int i = _openings.Count - 1; i >= 0; i--)
        {
            if (!_openings[i].IsDone)
                continue;
            TaskOpening opening = _openings[i];
            _openings.RemoveAt(i);
            _tasks.Add(opening.Take());
            _tasks.Sort((a, b) => (a.Id.SubTopology, a.Id.Partition).CompareTo(
                (b.Id.SubTopology, b.Id.Partition)));
        }
    }

    /// <summary>Ends a task; what it processed has been committed.</summary>
    internal void Close(TaskId id)
    {
        if (_openings.Find(o => o.Id == id) is { } opening)
        {
            _openings.Remove(opening);
            opening.Dispose();
        }
        if (_tasks.Find(t => t.Id == id) is not { } task)
            return;
        _tasks.Remove(task);
        foreach (TaskInput input in task.Inputs)
            _reader.Close(input.Partition);
        task.Dispose();
    }

    /// <summary>Whether inputs went on since the last commit.</summary>
    internal bool HasMoved()
    {
        foreach (StreamTask task in _tasks)
        {
            if (task.HasMoved())
                return true;
        }
        return false;
    }

    /// <summary>Takes what was committed to the topics of global tables.</summary>
    internal void UpdateGlobals(CancellationToken cancellation) =>
        _globals?.Update(_globalReader, cancellation);

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
        _committing = [.. _tasks];
        foreach (StreamTask task in _committing)
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
        _standbys.Dispose();
        foreach (TaskOpening opening in _openings)
            opening.Dispose();
        foreach (StreamTask task in _tasks)
            task.Dispose();
        _globals?.Dispose();
        if (_globalReader != _reader)
            _globalReader.Dispose();
        _reader.Dispose();
        _writer.Dispose();
    }

    private StreamTask Make(TaskId id)
    {
        var task = new StreamTask(id, _topology.Parts[id.SubTopology], _environment, _writer, _globals);
        task.Scope.Async.Wake = _wakeup.Set;
        return task;
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
        foreach (StreamTask task in _committing)
        {
            if (task.Meter.Committed() is { } oldest)
                origin = Math.Min(origin ?? long.MaxValue, oldest);
        }
        foreach (TopicPartition output in _outputs)
            _environment.Times.Note(output, origin ?? Stopwatch.GetTimestamp());
    }
}
