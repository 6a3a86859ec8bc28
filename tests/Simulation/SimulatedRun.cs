using Streams.Connect;
using Streams.Log.Embedded;
using Streams.Processing;
using Streams.State;
using Streams.Testing;

namespace Streams.Tests.Simulation;

/// <summary>
/// One simulation, all of it from one seed: a random topology, feeds, a target, and lives of the engine that
/// end in crashes, until one comes to the end of its work.
/// </summary>
internal sealed class SimulatedRun
{
    internal const string ApplicationId = "sim";
    internal const string LogFolder = "log";

    private const int SnapshotFilesMax = 3;

    private static readonly string[] Kinds =
    [
        "source reads", "source commits", "task runs", "tasks commit", "background", "flush", "sink reads",
        "sink commits",
    ];

    private static readonly string[] RareKinds =
        ["disk fills up", "tasks restart", "ends restart", "clock is set", "maintenance"];

    private static readonly DateTimeOffset Start = new(2024, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private static readonly TimeSpan ClockAdvanceMax = TimeSpan.FromDays(13);

    private readonly Random _random;
    private readonly int _segmentBytes;
    private readonly SnapshotOptions _snapshots;
    private readonly int[] _weights;
    private long _promised;
    private long _returned;
    private string _step = "";

    internal SimulatedRun(int seed, PlantedBug bug)
    {
        Seed = seed;
        Bug = bug;
        _random = new Random(seed);
        Machine = new SimulatedMachine(_random.Next(), bug);
        Plan = new Plan(_random.Next());
        Topology = Plan.Build();
        foreach (string topic in Plan.SourceTopics)
            Feeds.Add(new SimulatedFeed(topic, _random.Next(), _random.Next(5, 100)));
        Target = new SimulatedTarget(Plan.SinkTopics, Machine, new Random(_random.Next()));
        _segmentBytes = _random.Next(1024, 20_000);
        _snapshots = new SnapshotOptions
        {
            ChangelogBytesMin = _random.Next(1, 800),
            ChangelogPercentMin = 0,
            SliceBytes = _random.Next(2) == 0 ? 1 : 1 << 20,
        };
        _weights = [.. Enumerable.Range(0, Kinds.Length).Select(_ => _random.Next(1, 6))];
    }

    internal int Seed { get; }

    internal PlantedBug Bug { get; }

    internal SimulatedMachine Machine { get; }

    internal Plan Plan { get; }

    internal Topology Topology { get; }

    internal List<SimulatedFeed> Feeds { get; } = [];

    internal SimulatedTarget Target { get; }

    internal Journal Journal { get; } = new();

    internal VirtualClock Clock { get; } = new(Start);

    /// <summary>Told of every step, to follow one seed.</summary>
    internal TextWriter Trace { get; init; } = TextWriter.Null;

    /// <summary>What happened, to see that something did.</summary>
    internal Coverage Seen { get; } = new();

    /// <summary>Runs to the end.</summary>
    /// <exception cref="SimulationFailureException">Something is not as it must be.</exception>
    internal void Run()
    {
        bool powerCut = false;
        for (int lives = _random.Next(1, 7); lives > 0; lives--)
        {
            Machine.CrashAtOperation = Machine.Operations + _random.Next(1, 400);
            Live(powerCut, last: false);
            powerCut = _random.Next(2) == 0;
            Machine.Restart(powerCut);
            if (powerCut)
                _returned = _promised;
            Seen.Crashes++;
        }
        Live(powerCut, last: true);
        // Once more, from what the last one left in good order.
        Live(powerCut: false, last: true);
    }

    /// <summary>Whether a commit that finds the disk full waits, or gives up.</summary>
    internal CancellationToken Patience() => new(_random.Next(4) == 0);

    internal ApplicationDefinition Definition() => new()
    {
        Id = ApplicationId,
        Topology = Topology,
        DataFolder = "data",
        Sources = [.. Feeds.Select(f => f.Binding)],
        Runtime = new RuntimeOptions
        {
            DecodingFailures = FailurePolicy.Fail,
            LogFullRetry = TimeSpan.Zero,
            Snapshots = _snapshots,
        },
        SourceOptions = new SourceOptions { LogFullRetry = TimeSpan.Zero },
        SinkOptions = new SinkOptions { LogFullRetry = TimeSpan.Zero },
    };

    private void Live(bool powerCut, bool last)
    {
        SimulatedLife? life = null;
        EmbeddedLog? log = null;
        try
        {
            log = OpenLog();
            life = Begin(log, powerCut);
            for (int steps = _random.Next(300); steps > 0; steps--)
            {
                Step(life);
                Machine.ThrowIfDown();
                _promised = life.Durable;
                _returned = life.Log.LastCommit;
                Seen.Steps++;
                Trace.WriteLine($"  {_step}: commit {_returned}, durable {_promised}");
            }
            if (last)
                Finish(life);
            life.Dispose();
            life = null;
            log.Dispose();
            log = null;
        }
        catch (Exception e) when (Machine.IsDown && IsOfPowerCut(e))
        {
            Trace.WriteLine($"Ends in: {_step}{e.StackTrace}");
            // What was begun is given up wherever it was.
        }
        finally
        {
            GiveUp(life);
            GiveUp(log);
        }
    }

    private SimulatedLife Begin(EmbeddedLog log, bool powerCut)
    {
        Trace.WriteLine($"Begins after a {(powerCut ? "power cut" : "kill")} at commit " +
            $"{log.Recovery.LastCommit} ({_promised} durable, {_returned} returned); {log.Recovery}");
        if (log.Recovery.LastCommit < _returned)
            throw new SimulationFailureException(
                $"The log has come back with commit {log.Recovery.LastCommit}; {_returned} was promised.");
        Journal.CutAfter(log.Recovery.LastCommit);
        _promised = _returned = log.Recovery.LastCommit;
        ReferenceModel model = ReferenceModel.Of(Plan, Journal);
        Checker.CheckFeeds(model, Feeds, complete: false);
        var life = new SimulatedLife(this, log);
        try
        {
            Checker.CheckEngine(Plan, model, life.Log, life.Group);
            if (life.OpenSink())
                Checker.CheckTarget(Plan, model, Target, complete: false);
            Seen.Checked++;
        }
        catch
        {
            GiveUp(life);
            throw;
        }
        return life;
    }

    private void Step(SimulatedLife life)
    {
        if (_random.Next(12) == 0)
        {
            StepRarely(life);
            return;
        }
        int pick = _random.Next(_weights.Sum());
        int kind = 0;
        for (; pick >= _weights[kind]; kind++)
            pick -= _weights[kind];
        _step = Kinds[kind];
        switch (kind)
        {
            case 0 or 1:
                life.StepSource(_random.Next(Feeds.Count), commit: kind == 1);
                break;
            case 2:
                IReadOnlyList<StreamTask> tasks = life.Group.Tasks;
                Seen.Processed += life.StepTask(tasks[_random.Next(tasks.Count)], _random.Next(1, 20));
                break;
            case 3:
                life.StepCommit();
                break;
            case 4:
                life.StepBackground(_random);
                break;
            case 5:
                life.StepFlush();
                break;
            default:
                life.StepSink(commit: kind == 7);
                break;
        }
    }

    private void StepRarely(SimulatedLife life)
    {
        int rare = _random.Next(7);
        _step = RareKinds[Math.Min(rare, 4)];
        switch (rare)
        {
            case 0:
                Seen.FullDisks++;
                Machine.FillUp(_random.Next(2_000), _random.Next(1, 5));
                break;
            case 1:
                life.RestartGroup();
                Checker.CheckEngine(Plan, ReferenceModel.Of(Plan, Journal), life.Log, life.Group);
                Seen.Restarts++;
                break;
            case 2:
                life.RestartEnds(_random);
                break;
            case 3:
                // A clock that is set: forwards by up to a day, or back by up to an hour. It stays within the
                // time that the log keeps what is not processed.
                TimeSpan by = TimeSpan.FromMinutes(_random.Next(-60, 24 * 60));
                if (Clock.GetUtcNow() + by - Start < ClockAdvanceMax)
                    Clock.Advance(by);
                break;
            default:
                life.StepMaintain();
                break;
        }
    }

    private void Finish(SimulatedLife life)
    {
        life.Drain();
        ReferenceModel model = ReferenceModel.Of(Plan, Journal);
        Checker.CheckFeeds(model, Feeds, complete: true);
        foreach (string topic in model.TopicsRead)
        {
            for (int p = 0; p < Plan.Partitions; p++)
            {
                var place = new Place(topic, p);
                if (model.Positions.GetValueOrDefault(place) != model.Records(place).Count)
                    throw new SimulationFailureException($"{place} was not processed to its end.");
            }
        }
        life.RestartGroup();
        Checker.CheckEngine(Plan, model, life.Log, life.Group);
        Checker.CheckTarget(Plan, model, Target, complete: true);
        foreach (string folder in Machine.Folders.Where(f => f != LogFolder))
        {
            int snapshots = Machine.CountFiles(folder, ".snapshot");
            Seen.Snapshots += snapshots;
            // A power cut can bring back what was deleted last.
            if (snapshots + Machine.CountFiles(folder, ".writing") > SnapshotFilesMax + Seen.Crashes)
                throw new SimulationFailureException($"{folder} gathers files that nobody needs.");
        }
    }

    private EmbeddedLog OpenLog() => EmbeddedLog.Open(new EmbeddedLogOptions
    {
        Directory = "",
        FileSystem = Machine.Folder(LogFolder),
        Manual = true,
        DiskFreeBytesMin = 0,
        SegmentBytes = _segmentBytes,
        LogId = 0x1122334455667788,
        TimeProvider = Clock,
        OpenFilesMax = 4,
        CompactionMapBytesMax = 4096,
    });

    private static bool IsOfPowerCut(Exception e) => e is SimulatedPowerCutException
        || (e.InnerException is { } inner && IsOfPowerCut(inner));

    // Nothing can be done in good order any more; memory is given back as far as that goes.
    private static void GiveUp(IDisposable? what)
    {
        try
        {
            what?.Dispose();
        }
        catch (Exception e) when (e is not SimulationFailureException)
        {
            // It says that the machine is down, or repeats what is being reported already.
        }
    }
}

/// <summary>What happened in a simulation.</summary>
internal sealed record Coverage
{
    internal long Steps { get; set; }

    internal long Processed { get; set; }

    internal long Crashes { get; set; }

    internal long Checked { get; set; }

    internal long Restarts { get; set; }

    internal long FullDisks { get; set; }

    internal long Snapshots { get; set; }

    /// <summary>Adds what happened in another.</summary>
    internal void Add(Coverage other)
    {
        Steps += other.Steps;
        Processed += other.Processed;
        Crashes += other.Crashes;
        Checked += other.Checked;
        Restarts += other.Restarts;
        FullDisks += other.FullDisks;
        Snapshots += other.Snapshots;
    }

    /// <inheritdoc/>
    public override string ToString() =>
        $"{Steps:N0} steps, {Processed:N0} records processed, {Crashes:N0} crashes, {Checked:N0} starts " +
        $"and {Restarts:N0} restarts of tasks checked, {FullDisks:N0} full disks, {Snapshots:N0} snapshots";
}
