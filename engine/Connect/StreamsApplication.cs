using Microsoft.Extensions.Logging;
using Streams.Connect.Backfills;
using Streams.Connect.Evolution;
using Streams.Log;
using Streams.Processing;
using Streams.Telemetry;

namespace Streams.Connect;

/// <summary>All that an application consists of.</summary>
public sealed record ApplicationDefinition
{
    /// <summary>Its name: the consumer group, and the front part of its own topics' names.</summary>
    public required string Id { get; init; }

    /// <summary>What is done with the records.</summary>
    public required Topology Topology { get; init; }

    /// <summary>Topics beyond those that the topology declares, such as those that sources write.</summary>
    public IReadOnlyList<TopicSpec> Topics { get; init; } = [];

    /// <summary>Where records come from.</summary>
    public IReadOnlyList<SourceBinding> Sources { get; init; } = [];

    /// <summary>Where records go.</summary>
    public IReadOnlyList<SinkBinding> Sinks { get; init; } = [];

    /// <summary>Names of stores whose state, of topics of its own whose records, and of applications whose
    /// place may be given up for a change of the topology.</summary>
    public IReadOnlyList<string> AcceptedLosses { get; init; } = [];

    /// <summary>Folder of snapshots; usually the log's own.</summary>
    public required string DataFolder { get; init; }

    /// <summary>How tasks run.</summary>
    public RuntimeOptions Runtime { get; init; } = new();

    /// <summary>How sources run.</summary>
    public SourceOptions SourceOptions { get; init; } = new();

    /// <summary>How sinks run.</summary>
    public SinkOptions SinkOptions { get; init; } = new();

    /// <summary>How what fails is started again.</summary>
    public RestartOptions Restarts { get; init; } = new();
}

/// <summary>Runs an application on a log: sources, tasks and sinks, each on threads of its own.</summary>
public sealed class StreamsApplication : IDisposable
{
    private readonly ApplicationDefinition _definition;
    private readonly ITopicLog _log;
    private readonly ILogger _logger;
    private readonly TimeProvider _clock;
    private readonly LogRoom _room;
    private readonly Supervisor _supervisor;
    private readonly TaskEnvironment _environment;
    private readonly List<SourceRunner> _sources = [];
    private readonly List<SinkRunner> _sinks = [];
    private LaneBoard? _board;
    private ApplicationGauges? _gauges;

    /// <summary>Prepares the application: creates its topics and checks that all it needs is there.</summary>
    /// <exception cref="TopologyException">A topic is missing or the partitions do not fit.</exception>
    /// <exception cref="TopologyChangedException">The data that is there was made by another topology, and
    /// something of it would be lost.</exception>
    /// <exception cref="TopicMismatchException">A topic exists and is not as needed.</exception>
    public StreamsApplication(
        ApplicationDefinition definition, ITopicLog log, ILogger logger, TimeProvider? clock = null)
    {
        _definition = definition;
        _log = log;
        _logger = logger;
        _clock = clock ?? TimeProvider.System;
        _room = new LogRoom(logger);
        _supervisor = new Supervisor(definition.Restarts, logger);
        _environment = new TaskEnvironment(
            definition.Id, log, _room, definition.DataFolder, definition.Runtime, _clock, logger);
        StoresOnDisk.RequireLibrary(definition);
        Tasks = Prepare();
        _environment.Backfill = Backfill.UnderWay(definition, log, logger);
        Progress = new ApplicationProgress(
            definition.Id, log, definition.Topology, _environment, Tasks.Count);
        Queries = new StateQueries(_environment, definition.Topology, Tasks);
    }

    // Processes of one application that start together are in one another's way here, and only here.
    private IReadOnlyList<TaskId> Prepare()
    {
        for (int attempt = 0; ; attempt++)
        {
            try
            {
                new ShapeKeeper(_definition, _log, _logger).Settle();
                return new TopicSetup(_definition, _log, _log.SharesWork).Prepare();
            }
            catch (LogInterruptedException e) when (attempt < _definition.Restarts.RestartsMax)
            {
                _logger.ComponentRestarts("the preparation of topics", 0.5, e.Message);
                Thread.Sleep(Random.Shared.Next(200, 800));
            }
        }
    }

    /// <summary>The tasks that it runs.</summary>
    public IReadOnlyList<TaskId> Tasks { get; }

    /// <summary>How far it has come.</summary>
    public ApplicationProgress Progress { get; }

    /// <summary>Reads its stores while it runs.</summary>
    public StateQueries Queries { get; }

    /// <summary>What ended it; null while nothing did.</summary>
    public Exception? Failure => _supervisor.Failure;

    /// <summary>Cancelled when it stops, by itself or because it was asked to.</summary>
    public CancellationToken Stopping => _supervisor.Stopping;

    /// <summary>Whether commits wait for room on the disk.</summary>
    public bool IsLogFull => _room.IsFull;

    private int Threads => Math.Clamp(_definition.Runtime.Threads, 1, Math.Max(Tasks.Count, 1));

    /// <summary>Why it is not at work, one reason each; none where it is.</summary>
    public IReadOnlyList<string> NotReadyReasons()
    {
        if (Failure is { } failure)
            return [failure.Message];
        if (Stopping.IsCancellationRequested)
            return ["it is stopping"];
        IReadOnlyList<ComponentState> components = _supervisor.Components;
        if (components.Count == 0)
            return ["it is starting"];
        var reasons = new List<string>();
        if (_log.Trouble is { } trouble)
            reasons.Add(trouble);
        if (IsLogFull)
            reasons.Add("the disk of the data directory is full; commits wait until there is room");
        foreach (ComponentState component in components)
        {
            if (component.Waiting is { } reason)
                reasons.Add($"{component.Name} failed and is going to be started again: {reason}");
            else if (!component.IsReady && !component.HasEnded)
                reasons.Add($"{component.Name} is starting");
        }
        reasons.AddRange(_environment.Restores.Keys.Select(r => r.ToString())
            .Order(StringComparer.Ordinal).Select(r => $"restoring {r}"));
        return reasons;
    }

    /// <summary>What each source has taken in since the start of this process.</summary>
    public IEnumerable<(string Source, SourceCounts Counts)> SourceCounts =>
        _sources.Where(s => s.Counts is not null).Select(s => (s.Name, s.Counts!));

    /// <summary>Records that each sink has committed since the start of this process.</summary>
    public IEnumerable<(string Sink, long Records)> SinkCounts => _sinks.Select(s => (s.Name, s.Written));

    /// <summary>Starts all components.</summary>
    public void Start()
    {
        IReadOnlyDictionary<TopicPartition, long>? ends = _log.SharesWork ? null : EndsOfSinkTopics();
        StartTasks();
        var shared = new SourceEnvironment(
            _log, _room, _clock, _definition.SourceOptions, Progress.LagOf,
            () => Progress.SinkLag(_definition.Sinks), _environment.Times)
        {
            Backfill = _environment.Backfill,
            Board = _board!,
        };
        var sinks = new SinkEnvironment(
            _log, _room, _definition.SinkOptions, _environment.Times, _logger)
        {
            Board = _board!,
            StartEnds = ends,
        };
        foreach (SourceBinding source in _definition.Sources)
            _sources.Add(source.CreateRunner(shared));
        foreach (SinkBinding sink in _definition.Sinks)
            _sinks.Add(new SinkRunner(sink, sinks));
        _sinks.ForEach(_supervisor.Start);
        _sources.ForEach(_supervisor.Start);
        _gauges = new ApplicationGauges(
            _definition, _log, Progress, _environment, _sources, _sinks, _supervisor, _board!,
            () => NotReadyReasons().Count == 0);
        _logger.ApplicationStarted(_definition.Id, Tasks.Count, Threads);
    }

    private Dictionary<TopicPartition, long> EndsOfSinkTopics() => _definition.Sinks
        .SelectMany(s => s.Topics).Distinct(StringComparer.Ordinal)
        .Select(_log.FindTopic).OfType<Topic>()
        .SelectMany(t => Enumerable.Range(0, t.Partitions).Select(p => t[p]))
        .ToDictionary(p => p, p => _log.EndOffset(p, ReadLevel.Committed));

    /// <summary>Starts the tasks alone.</summary>
    internal void StartTasks()
    {
        foreach (string topic in Progress.Inputs.Concat(_definition.Sinks.SelectMany(s => s.Topics)))
        {
            if (_log.FindTopic(topic) is { } found)
                _environment.Times.Watch(found);
        }
        int threads = Threads;
        _board = _log.ShareWork(Tasks.Max(t => t.Partition) + 1, threads);
        for (int i = 0; i < threads; i++)
            _supervisor.Start(
                new StreamThread(_definition.Topology, _environment, _board, Tasks, i, threads));
    }

    /// <summary>Whether every source is exhausted and everything that came of it is processed, written and
    /// durable.</summary>
    /// <remarks>A sink says where it stands only when it is open: its target may be behind what the log
    /// remembers, such as a file that was deleted.</remarks>
    public bool IsDrained() =>
        _sources.TrueForAll(s => s.IsDone)
        && _sinks.TrueForAll(s => s.IsReady)
        && Progress.IsCaughtUp()
        && _definition.Sinks.All(s => Progress.IsCaughtUp(s.Name, s.Topics));

    /// <summary>Commits what was processed and stops all components.</summary>
    public void Stop()
    {
        _supervisor.Stop();
        _board?.Dispose();
        _logger.ApplicationStopped(_definition.Id);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _gauges?.Dispose();
        _supervisor.Dispose();
        _board?.Dispose();
    }
}
