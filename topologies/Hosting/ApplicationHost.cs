using Microsoft.Extensions.Logging;
using Streams.Connect;
using Streams.Connect.Backfills;
using Streams.Errors;
using Streams.Log;
using Streams.Log.Embedded;
using Streams.Log.Embedded.Files;
using Streams.Log.Kafka;
using Streams.Telemetry;

namespace Streams.Topologies.Hosting;

/// <summary>An application with its log, its telemetry and its end: what a process runs.</summary>
internal sealed class ApplicationHost : IAsyncDisposable
{
    private readonly Dictionary<string, long> _startEnds = new(StringComparer.Ordinal);
    private readonly IDisposable? _folderLock;
    private TelemetryServer? _server;

    private ApplicationHost(
        ITopicLog log, IDisposable? folderLock, BuiltTopology built, StreamsApplication application)
    {
        Log = log;
        _folderLock = folderLock;
        Built = built;
        Application = application;
        foreach (Topic topic in OwnTopics())
            _startEnds[topic.Name] = EndOf(topic);
    }

    internal ITopicLog Log { get; }

    internal BuiltTopology Built { get; }

    internal StreamsApplication Application { get; }

    /// <summary>Where metrics are served; null for nowhere.</summary>
    internal string? Address => _server?.Address;

    /// <summary>Prepares everything and starts nothing.</summary>
    /// <exception cref="ConfigurationException">The settings do not go together.</exception>
    internal static ApplicationHost Open(RunSettings settings, ILogger logger) =>
        Open(settings, settings.Topology.Build(settings.TopologyOptions), logger);

    /// <summary>Prepares everything for a topology that is built already.</summary>
    internal static ApplicationHost Open(
        RunSettings settings, BuiltTopology built, ILogger logger,
        IReadOnlyList<SourceBinding>? sources = null)
    {
        ApplicationDefinition definition = Define(settings, built, sources);
        IDisposable? folderLock = null;
        ITopicLog? log = null;
        try
        {
            if (settings.Options.Kafka.Brokers.Length > 0)
            {
                DataFolder.Prepare(settings.DataFolder, settings.DataFolder);
                folderLock = DataFolder.Lock(settings.DataFolder);
                BeginOnKafka(settings, definition, logger);
                log = KafkaLog.Open(settings.Application, settings.Options.Kafka, logger);
            }
            else
            {
                string folder = DataFolder.LogFolder(settings.DataFolder);
                DataFolder.Prepare(settings.DataFolder, folder);
                log = OpenEmbedded(settings.Options.Log.ToLog(folder), logger);
                Begin(settings, definition, log, logger);
            }
            return new ApplicationHost(
                log, folderLock, built, new StreamsApplication(definition, log, logger));
        }
        catch
        {
            log?.Dispose();
            folderLock?.Dispose();
            throw;
        }
    }

    // By a member of its own, for a static one stays in the group when it has ended, and the group waits.
    private static void BeginOnKafka(RunSettings settings, ApplicationDefinition definition, ILogger logger)
    {
        if (settings.Backfill is null)
            return;
        using KafkaLog log = KafkaLog.Open(
            settings.Application, settings.Options.Kafka with { Instance = null }, logger);
        Begin(settings, definition, log, logger);
    }

    // A service that is started again with the same words goes on with what it had begun.
    private static void Begin(
        RunSettings settings, ApplicationDefinition definition, ITopicLog log, ILogger logger)
    {
        if (settings.Backfill is not { } request)
            return;
        if (Backfill.Status(definition.Id, new OpenLogContents(log)) is { } last
            && last.Words == request.ToString())
            logger.BackfillBegunBefore(last.Words);
        else
            Backfill.Begin(definition, log, request, logger);
    }

    private static EmbeddedLog OpenEmbedded(EmbeddedLogOptions options, ILogger logger)
    {
        EmbeddedLog log = EmbeddedLog.Open(options);
        if (log.Recovery.Cut is { } cut)
            logger.TornTailCut(cut.Bytes, cut.File, cut.Position, cut.Reason);
        return log;
    }

    /// <summary>All that the application consists of.</summary>
    internal static ApplicationDefinition Define(
        RunSettings settings, BuiltTopology built, IReadOnlyList<SourceBinding>? sources = null) => new()
        {
            Id = settings.Application,
            Topology = built.Topology,
            Topics = built.Inputs,
            Sources = sources ?? [.. settings.Sources.Select(s => s.Kind.Bind(s.Name, s.Options))],
            Sinks = [.. settings.Sinks.Select(s => new SinkBinding(
                s.Name, s.Kind.Topics(built), () => s.Kind.Create(s.Options, built)))],
            AcceptedLosses = settings.AcceptedLosses,
            DataFolder = settings.DataFolder,
            Runtime = settings.Options.Runtime,
            SourceOptions = settings.Options.Intake,
            SinkOptions = settings.Options.Delivery,
            Restarts = settings.Options.Restarts,
        };

    /// <summary>Starts the application, and telemetry where it is asked for.</summary>
    internal async Task StartAsync(string? listen)
    {
        if (listen is not null)
            _server = await TelemetryServer.StartAsync(listen, Readiness, Application.Queries);
        Application.Start();
    }

    /// <summary>Waits until the application is asked to stop, stops by itself, or, when draining, is
    /// done.</summary>
    internal async Task WaitAsync(bool drain, Action? each, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested && !Application.Stopping.IsCancellationRequested)
        {
            if (drain && Application.IsDrained())
                return;
            each?.Invoke();
            try
            {
                await Task.Delay(TimeSpan.FromMilliseconds(20), stop);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    /// <summary>What this process has taken in and put out.</summary>
    internal RunSummary Summarise(TimeSpan elapsed) => new()
    {
        Elapsed = elapsed,
        Sources = [.. Application.SourceCounts],
        Sinks = [.. Application.SinkCounts],
        Topics = [.. OwnTopics().Select(t => (t.Name, Log.Written(t)
            ?? EndOf(t) - _startEnds.GetValueOrDefault(t.Name)))],
        Topology = Built.Counts(),
    };

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
            await _server.DisposeAsync();
        Application.Dispose();
        Log.Dispose();
        _folderLock?.Dispose();
    }

    // The topics that it writes, and those of the dead letters of what it reads and writes. On Kafka there
    // are those of others beside them.
    private IEnumerable<Topic> OwnTopics()
    {
        string[] names =
            [.. Built.Formats.Select(f => f.Topic).Concat(Application.Progress.Inputs).Distinct()];
        return names.Where(n => Built.Formats.Any(f => f.Topic == n))
            .Concat(names.Where(n => !DeadLetter.IsTopic(n)).Select(DeadLetter.TopicOf))
            .Distinct().Order(StringComparer.Ordinal)
            .Select(Log.FindTopic).OfType<Topic>();
    }

    private Readiness Readiness()
    {
        IReadOnlyList<string> reasons = Application.NotReadyReasons();
        return new Readiness(reasons.Count == 0, string.Join('\n', reasons));
    }

    private long EndOf(Topic topic) => Log.SharesWork ? 0 :
        Enumerable.Range(0, topic.Partitions).Sum(p => Log.EndOffset(topic[p], ReadLevel.Committed));
}

/// <summary>The folder that a log lies in.</summary>
internal static class DataFolder
{
    /// <summary>Makes a folder and makes sure that it can be written.</summary>
    /// <param name="folder">The data directory, for the message.</param>
    /// <param name="part">The folder: itself, or one in it.</param>
    /// <exception cref="ConfigurationException">It cannot be made or written.</exception>
    internal static void Prepare(string folder, string part)
    {
        try
        {
            Directory.CreateDirectory(part);
            string probe = Path.Combine(part, ".writable");
            File.WriteAllBytes(probe, []);
            File.Delete(probe);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ConfigurationException(
                $"The data directory {folder} cannot be written: {e.Message}", e);
        }
    }

    /// <summary>Opens a data directory to look at; a process may run on it.</summary>
    /// <exception cref="ConfigurationException">It is none.</exception>
    internal static EmbeddedLogView View(string folder) => Directory.Exists(LogFolder(folder))
        ? EmbeddedLogView.Open(LogFolder(folder))
        : throw new ConfigurationException($"{folder} is no data directory: it has no folder 'log'.");

    /// <summary>Keeps other processes out of a folder that holds snapshots but no log.</summary>
    /// <exception cref="LogUnavailableException">Another process works in it.</exception>
    internal static IDisposable Lock(string folder) =>
        new DirectoryFileSystem(folder).TryLock("lock") ?? throw new LogUnavailableException(
            $"Another process works in the data directory {folder}: give each its own.");

    /// <summary>Where the log lies in a data directory.</summary>
    internal static string LogFolder(string folder) => Path.Combine(folder, "log");
}
