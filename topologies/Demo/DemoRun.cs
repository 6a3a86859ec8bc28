using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Streams.Connect;
using Streams.Connectors.Bitcoin.Simulation;
using Streams.Connectors.Chain;
using Streams.Log;
using Streams.Records;
using Streams.Sinks.Sqlite;
using Streams.Topologies.Hosting;
using Streams.Topologies.Transactions;

namespace Streams.Topologies.Demo;

/// <summary>How a demonstration is run.</summary>
internal sealed record DemoRunOptions
{
    internal required DemoPlan Plan { get; init; }

    internal required DemoFolder Folder { get; init; }

    /// <summary>Where to serve metrics; null for nowhere.</summary>
    internal string? Listen { get; init; }

    /// <summary>Ends the feed; what was fed is still worked off.</summary>
    internal CancellationToken Stop { get; init; }

    /// <summary>Ends at once; what is committed by then stays.</summary>
    internal CancellationToken Abandon { get; init; }
}

/// <summary>
/// Runs the transactions topology as <c>streams run</c> does, on a simulated chain, into SQLite, and compares
/// what came out with what was put in.
/// </summary>
internal static class DemoRun
{
    private const string SinkKindName = "sqlite";
    private const string Application = "demo";

    // What is on its way is bounded by two seconds of the feed: a slow disk slows the feed, not the end.
    private const int OnTheWaySeconds = 2;
    private const int OnTheWayMin = 10_000;
    private const int OnTheWayMax = 40_000;

    private static readonly TimeSpan ShowInterval = TimeSpan.FromMilliseconds(200);

    /// <summary>Runs to the end.</summary>
    /// <param name="options">How.</param>
    /// <param name="logger">Takes messages.</param>
    /// <param name="warning">The latest warning to show; null for none.</param>
    /// <param name="show">Shows how it stands, five times a second.</param>
    /// <exception cref="Exception">What ended the application, where it failed.</exception>
    internal static async Task<DemoOutcome> RunAsync(
        DemoRunOptions options, ILogger logger, Func<string?> warning, Action<DemoSnapshot> show)
    {
        long started = Stopwatch.GetTimestamp();
        var truth = new SimulationTruth();
        var clock = new BlockClock();
        RunSettings settings = SettingsOf(options);
        ApplicationHost? host = null;
        var source = new SourceBinding<Bytes32, ChainTransaction>(
            BitcoinSimulatedSource.Kind, TransactionsTopology.Transactions, Serdes.Bytes32,
            RecordSerde.Protobuf<ChainTransaction>(),
            () => new DemoFeed(
                options.Plan, truth, clock, () => IsBehind(host!.Log, options.Plan.Rate), options.Stop));
        BuiltTopology built = settings.Topology.Build(settings.TopologyOptions);
        await using ApplicationHost opened = host = ApplicationHost.Open(settings, built, logger, [source]);
        using var observer = new DemoObserver(host.Log, clock, SinkKindName);
        var monitor = new DemoMonitor(host, clock, observer, warning);
        await host.StartAsync(options.Listen);
        Task observing = Task.Factory.StartNew(
            observer.Run, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        bool isDrained = await WaitAsync(host, observing, monitor, show, options.Abandon);
        host.Application.Stop();
        observer.End();
        await observing;
        if (host.Application.Failure is { } failure)
            throw failure;
        DemoSnapshot last = monitor.Look(isLast: true);
        return new DemoOutcome
        {
            Plan = options.Plan,
            Folder = options.Folder,
            Last = last,
            Result = observer.Evaluation.Compare(
                truth.Snapshot(), new DemoDeliveries(last.DuplicateBlocks, last.RefusedBlocks)),
            Summary = host.Summarise(Stopwatch.GetElapsedTime(started)),
            IsWhole = clock.EndsWhole,
            IsStoppedEarly = options.Stop.IsCancellationRequested && !clock.EndsWhole,
            IsDrained = isDrained,
        };
    }

    private static async Task<bool> WaitAsync(
        ApplicationHost host, Task observing, DemoMonitor monitor, Action<DemoSnapshot> show,
        CancellationToken abandon)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(abandon);
        long shown = Stopwatch.GetTimestamp();
        await host.WaitAsync(drain: true, () =>
        {
            // A reader that failed has its exception shown when it is awaited.
            if (observing.IsCompleted)
                stop.Cancel();
            if (Stopwatch.GetElapsedTime(shown) < ShowInterval)
                return;
            shown = Stopwatch.GetTimestamp();
            show(monitor.Look());
        }, stop.Token);
        return !stop.IsCancellationRequested && host.Application.IsDrained();
    }

    private static bool IsBehind(ITopicLog log, int rate)
    {
        TopicPartition read = log.FindTopic(TransactionsTopology.Transactions)![0];
        TopicPartition enriched = log.FindTopic(TransactionsTopology.Enriched)![0];
        long written = log.CommittedOffset(SinkKindName, enriched) ?? 0;
        return log.EndOffset(read, ReadLevel.Committed) - written
            > Math.Clamp(OnTheWaySeconds * rate, OnTheWayMin, OnTheWayMax);
    }

    private static RunSettings SettingsOf(DemoRunOptions options) => new()
    {
        Application = Application,
        Topology = Registry.Find(Registry.Topologies, TransactionsTopology.Transactions, "topology", "demo"),
        TopologyOptions = new TransactionsSetupOptions { Labels = DemoLabels.WriteTo(options.Folder.Labels) },
        Sources = [],
        Sinks =
        [
            new NamedSink(SinkKindName, Registry.Find(Registry.Sinks, SinkKindName, "sink", "demo"),
                new SqliteOptions { File = options.Folder.SqliteFile }),
        ],
        DataFolder = options.Folder.Path,
        Options = new RunOptions { Listen = options.Listen },
        Drain = true,
    };
}
