using System.Diagnostics;
using Streams.Connect;
using Streams.Log;
using Streams.Log.Embedded;
using Streams.Processing;
using Streams.Records;
using Streams.State;

namespace Streams.Testing;

/// <summary>How a topology is tested.</summary>
public sealed record TestDriverOptions
{
    /// <summary>Partitions of each topic that the topology does not declare. Default 1.</summary>
    public int Partitions { get; init; } = 1;

    /// <summary>What the wall clock shows at first. Default 1970-01-01T00:00Z.</summary>
    public DateTimeOffset Start { get; init; } = DateTimeOffset.UnixEpoch;

    /// <summary>How tasks run; failures stop the test by default.</summary>
    public RuntimeOptions Runtime { get; init; } = new() { DecodingFailures = FailurePolicy.Fail };

    /// <summary>Where stores on disk lie; null for a folder that goes with the driver.</summary>
    public string? DataFolder { get; init; }
}

/// <summary>
/// Runs a topology in a test, record by record, on virtual time. It is production's own runtime: the embedded
/// log (its files in memory), the real tasks, stores, codecs and commits; only threads and the clock are the
/// test's.
/// </summary>
public sealed class TopologyTestDriver : IDisposable
{
    private const string ApplicationId = "test";

    private readonly MemoryFileSystem _files = new();
    private readonly VirtualClock _clock;
    private readonly Topology _topology;
    private readonly TestDriverOptions _options;
    private readonly IReadOnlyList<TaskId> _taskIds;
    private readonly List<StreamTask> _tasks = [];
    private readonly Lazy<string> _folder;
    private readonly Wakeup _wakeup = new();
    private EmbeddedLog _log;
    private ILogWriter _input;
    private ILogWriter _writer;
    private ILogReader _reader;
    private GlobalTables? _globals;

    /// <summary>Makes the topics and starts the tasks.</summary>
    /// <exception cref="TopologyException">The topology cannot run.</exception>
    public TopologyTestDriver(Topology topology, TestDriverOptions? options = null)
    {
        _topology = topology;
        _options = options ?? new TestDriverOptions();
        _clock = new VirtualClock(_options.Start);
        _folder = new Lazy<string>(
            () => _options.DataFolder ?? Directory.CreateTempSubdirectory("streams-test-").FullName);
        _log = OpenLog();
        foreach (string topic in topology.SourceTopics.Concat(topology.SinkTopics))
            EnsureUndeclared(topic);
        _taskIds = new TopicSetup(Definition(), _log).Prepare();
        (_input, _writer, _reader) = OpenTasks();
    }

    /// <summary>The wall clock.</summary>
    public TimeProvider Clock => _clock;

    /// <summary>The topology's log, to look at its topics.</summary>
    public ITopicLog Log => _log;

    /// <summary>A topic to put records into.</summary>
    /// <param name="name">A topic that the topology reads.</param>
    /// <param name="keySerde">Writes the keys.</param>
    /// <param name="valueSerde">Writes the values.</param>
    public TestInputTopic<TKey, TValue> CreateInputTopic<TKey, TValue>(
        string name, Serde<TKey> keySerde, Serde<TValue> valueSerde) => new(this, name, keySerde, valueSerde);

    /// <summary>A topic to read results from, from its beginning.</summary>
    /// <param name="name">Any topic: one that the topology writes, a changelog, a dead-letter topic.</param>
    /// <param name="keySerde">Reads the keys.</param>
    /// <param name="valueSerde">Reads the values.</param>
    public TestOutputTopic<TKey, TValue> CreateOutputTopic<TKey, TValue>(
        string name, Serde<TKey> keySerde, Serde<TValue> valueSerde) => new(this, name, keySerde, valueSerde);

    /// <summary>Moves the wall clock on and fires what is due.</summary>
    public void AdvanceWallClock(TimeSpan by)
    {
        _clock.Advance(by);
        long nowMs = _clock.GetUtcNow().ToUnixTimeMilliseconds();
        foreach (StreamTask task in _tasks)
            task.PunctuateWallClock(nowMs);
        RunToEnd();
    }

    /// <summary>Waits, in real time, until no asynchronous call is under way any more, and processes what
    /// they bring.</summary>
    /// <remarks>Calls that end at once need no waiting: what they bring is there when a record was put in.
    /// One that pauses before another attempt goes on when <see cref="AdvanceWallClock"/> moves the clock by
    /// that much.</remarks>
    /// <param name="longest">How long; null for 30 s.</param>
    /// <exception cref="TimeoutException">Calls were still under way then.</exception>
    public void WaitForCalls(TimeSpan? longest = null)
    {
        TimeSpan wait = longest ?? TimeSpan.FromSeconds(30);
        long started = Stopwatch.GetTimestamp();
        RunToEnd();
        while (_tasks.Exists(t => t.Scope.Async.IsCalling))
        {
            TimeSpan rest = wait - Stopwatch.GetElapsedTime(started);
            if (rest <= TimeSpan.Zero)
                throw new TimeoutException(
                    $"{_tasks.Sum(t => t.Scope.Async.Figures.Sum(f => f.Calls))} calls were still under way "
                    + $"after {wait.TotalSeconds} s. Calls that pause before another attempt wait for "
                    + "AdvanceWallClock.");
            _wakeup.Wait(rest);
            RunToEnd();
        }
    }

    /// <summary>A store of one partition, to read.</summary>
    /// <exception cref="TopologyException">There is no such store.</exception>
    public TStore GetStore<TStore>(string name, int partition = 0)
        where TStore : StateStore
    {
        foreach (StreamTask task in _tasks)
        {
            if (task.Id.Partition == partition && task.Scope.Stores.ContainsKey(name))
                return task.Scope.Store<TStore>(name);
        }
        if (_globals is not null && _globals.TryGet(name, out StateStore? global) && global is TStore typed)
            return typed;
        throw new TopologyException($"There is no store '{name}' in partition {partition}.");
    }

    /// <summary>Stops as a killed process would, and starts again from what was committed.</summary>
    public void Restart()
    {
        CloseTasks();
        _log.Dispose();
        _log = OpenLog();
        (_input, _writer, _reader) = OpenTasks();
        RunToEnd();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        CloseTasks();
        _log.Dispose();
        if (_folder.IsValueCreated && _options.DataFolder is null)
            Directory.Delete(_folder.Value, recursive: true);
    }

    internal void Pipe(string topicName, in LogRecord record, int? partition)
    {
        Topic topic = _log.FindTopic(topicName)
            ?? throw new ArgumentException($"There is no topic '{topicName}'.");
        int target = partition ?? (record.HasKey ? Murmur2.Partition(record.Key, topic.Partitions) : 0);
        _input.Append(topic[target], record);
        _input.Commit();
        RunToEnd();
    }

    private ApplicationDefinition Definition() =>
        new() { Id = ApplicationId, Topology = _topology, DataFolder = Folder, Runtime = Runtime() };

    // Only what lies on disk needs a folder.
    private string Folder =>
        _topology.Parts.SelectMany(p => p.Stores).Any(_options.Runtime.IsOnDisk) ? _folder.Value : "";

    private RuntimeOptions Runtime() =>
        _options.Runtime with { Snapshots = new SnapshotOptions { ChangelogBytesMin = long.MaxValue } };

    private EmbeddedLog OpenLog() => EmbeddedLog.Open(new EmbeddedLogOptions
    {
        Directory = "memory",
        FileSystem = _files,
        Manual = true,
        TimeProvider = _clock,
    });

    private void EnsureUndeclared(string topic)
    {
        if (!_topology.Declared.Any(d => d.Name == topic))
            _log.EnsureTopic(
                new TopicSpec { Name = topic, Partitions = _options.Partitions, Retention = null });
    }

    private (ILogWriter Input, ILogWriter Writer, ILogReader Reader) OpenTasks()
    {
        var environment = new TaskEnvironment(ApplicationId, _log, new LogRoom(), Folder, Runtime(), _clock)
        {
            Background = new InlineScheduler(),
        };
        ILogWriter writer = _log.OpenWriter(ApplicationId);
        ILogReader reader = _log.OpenReader(ReadLevel.Committed);
        _globals = GlobalTables.Open(_topology, environment, reader, CancellationToken.None);
        foreach (TaskId id in _taskIds)
        {
            _tasks.Add(new StreamTask(id, _topology.Parts[id.SubTopology], environment, writer, _globals));
            _tasks[^1].Scope.Async.Wake = _wakeup.Set;
            _tasks[^1].Restore(_log, reader, CancellationToken.None);
        }
        return (_log.OpenWriter("test-input"), writer, reader);
    }

    private void CloseTasks()
    {
        foreach (StreamTask task in _tasks)
            task.Dispose();
        _tasks.Clear();
        _globals?.Dispose();
        _input.Dispose();
        _writer.Dispose();
        _reader.Dispose();
    }

    // Parts feed one another through topics, so tasks run until none of them finds anything.
    private void RunToEnd()
    {
        int processed;
        do
        {
            processed = 0;
            _globals?.Update(_reader, CancellationToken.None);
            foreach (StreamTask task in _tasks)
            {
                processed += task.Process(_reader, int.MaxValue);
                foreach (StreamTask any in _tasks)
                    any.PrepareCommit();
                var commit = Task.FromResult(_writer.Commit());
                foreach (StreamTask any in _tasks)
                    any.Committed(commit);
            }
        }
        while (processed > 0);
    }

    /// <summary>Does at once what production does beside the processing, so that a test is the same each
    /// time.</summary>
    private sealed class InlineScheduler : TaskScheduler
    {
        protected override void QueueTask(Task task) => TryExecuteTask(task);

        protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued) =>
            TryExecuteTask(task);

        protected override IEnumerable<Task> GetScheduledTasks() => [];
    }
}
