using Streams.Connect;
using Streams.Connect.Evolution;
using Streams.Log;
using Streams.Log.Embedded;
using Streams.Processing;
using Streams.State;
using Streams.Testing;
using Streams.Tests.Reference;
using Streams.Tests.Simulation.Operators;

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
        ["disk fills up", "tasks restart", "ends restart", "clock is set", "bit flips", "maintenance"];

    private static readonly DateTimeOffset Start = new(2024, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private static readonly TimeSpan ClockAdvanceMax = TimeSpan.FromDays(13);

    private readonly Random _random;
    private readonly int _segmentBytes;
    private readonly SnapshotOptions _snapshots;
    private readonly int[] _weights;
    private readonly bool _flipsBits;
    private readonly bool _isPrompt;
    private bool _isDamaged;
    private ReferenceModel? _model;
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
        Topology = Plan.Build(bug);
        AddFeeds();
        Target = new SimulatedTarget(Plan, Machine, new Random(_random.Next()), Seen);
        _flipsBits = _random.Next(4) == 0;
        _segmentBytes = _random.Next(1024, 20_000);
        _snapshots = new SnapshotOptions
        {
            ChangelogBytesMin = _random.Next(1, 800),
            ChangelogPercentMin = 0,
            SliceBytes = _random.Next(2) == 0 ? 1 : 1 << 20,
        };
        _weights = [.. Enumerable.Range(0, Kinds.Length).Select(_ => _random.Next(1, 6))];
        _isPrompt = _random.Next(3) == 0;
    }

    internal int Seed { get; }

    internal PlantedBug Bug { get; }

    internal SimulatedMachine Machine { get; }

    internal Plan Plan { get; }

    internal Topology Topology { get; private set; }

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
            bool wasReported = Live(powerCut, last: false);
            powerCut = !wasReported && _random.Next(2) == 0;
            Machine.Restart(powerCut);
            if (powerCut || _isDamaged)
                _returned = _promised;
            // Damage outlives a kill, but is nobody's after a power cut.
            _isDamaged &= !powerCut && !wasReported;
            Seen.Count(powerCut ? "power cut" : "kill");
        }
        Machine.HealBits();
        _isDamaged = false;
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
            ProcessingFailures = Plan.HasFailures ? FailurePolicy.DeadLetter : FailurePolicy.Fail,
            LogFullRetry = TimeSpan.Zero,
            Snapshots = _snapshots,
        },
        SourceOptions = new SourceOptions { LogFullRetry = TimeSpan.Zero },
        SinkOptions = new SinkOptions { LogFullRetry = TimeSpan.Zero },
    };

    // Returns whether damage was found, and reported, before the end.
    private bool Live(bool powerCut, bool last)
    {
        SimulatedLife? life = null;
        EmbeddedLog? log = null;
        try
        {
            log = Machine.OpenLog(_segmentBytes, Clock);
            life = Begin(log, powerCut);
            for (int steps = _random.Next(300); steps > 0; steps--)
            {
                Step(life, last);
                Machine.ThrowIfDown();
                _promised = life.Durable;
                _returned = life.Log.LastCommit;
                Seen.Count("step");
                Trace.WriteLine($"  {_step}: commit {_returned}, durable {_promised}");
            }
            if (last)
                Finish(life);
            life.Dispose();
            life = null;
            log.Dispose();
            log = null;
        }
        catch (Exception e) when (Machine.IsDown && Is<SimulatedPowerCutException>(e))
        {
            Trace.WriteLine($"Ends in: {_step}{e.StackTrace}");
        }
        catch (Exception e) when (
            _isDamaged && (Is<LogDamagedException>(e) || Is<StateLostException>(e)))
        {
            Trace.WriteLine($"Finds damage in: {_step} {e.Message}");
            Seen.Count("damage was reported");
            Machine.HealBits();
            return true;
        }
        finally
        {
            GiveUp(life);
            GiveUp(log);
        }
        return false;
    }

    private SimulatedLife Begin(EmbeddedLog log, bool powerCut)
    {
        Trace.WriteLine($"Begins after a {(powerCut ? "power cut" : "kill")} at commit " +
            $"{log.Recovery.LastCommit} ({_promised} durable, {_returned} returned); {log.Recovery}");
        if (log.Recovery.LastCommit < _returned)
            throw new SimulationFailureException(
                $"The log has come back with commit {log.Recovery.LastCommit}; {_returned} was promised.");
        Journal.CutAfter(log.Recovery.LastCommit);
        Plan.CutAfter(log.Recovery.LastCommit);
        _promised = _returned = log.Recovery.LastCommit;
        _model = ReferenceModel.Of(Plan, Journal);
        Checker.CheckFeeds(_model, Feeds, complete: false);
        if (log.Recovery.LastCommit > 0 && _random.Next(5) == 0)
        {
            ChangeTopology(_model, log);
            _model = ReferenceModel.Of(Plan, Journal);
        }
        int threads = _random.Next(2) == 0 ? 1 : _random.Next(2, 4);
        if (threads > 1)
            Seen.Count("several threads");
        var life = new SimulatedLife(this, log, threads);
        try
        {
            Check(life, life.Threads);
            if (life.OpenSink())
                Checker.CheckTarget(Plan, _model, Target, complete: false);
            Seen.Count("start was checked");
        }
        catch
        {
            GiveUp(life);
            throw;
        }
        return life;
    }

    // What would lose state is refused; what is compatible goes on with the state that there is.
    private void ChangeTopology(ReferenceModel model, EmbeddedLog log)
    {
        PlanOperator? kept = Plan.Operators.OfType<AggregateOperator>().FirstOrDefault(
            o => o.Family == "count" && o.Until == long.MaxValue
                && Enumerable.Range(0, Plan.Partitions).Any(
                    p => ((ReferenceOf<StreamAggregate>)model.Reference(o, p)).State.State.Count > 0));
        if (kept is not null && log.Cursor(ShapeComparison.CursorSource, ApplicationId) is not null)
        {
            kept.StorePrefix = "renamed";
            Topology = Plan.Build(Bug);
            if (TopologyChanges.Find(Definition(), new OpenLogContents(log)).CanStart)
                throw new SimulationFailureException($"Losing the store of {kept} was not refused.");
            kept.StorePrefix = "s";
            Seen.Count("loss of a store was refused");
        }
        Plan.Grow(log.Recovery.LastCommit);
        Topology = Plan.Build(Bug);
        AddFeeds();
        Seen.Count("topology was changed");
    }

    private void AddFeeds()
    {
        foreach (string topic in Plan.SourceTopics.Skip(Feeds.Count))
            Feeds.Add(new SimulatedFeed(topic, _random.Next(), _random.Next(5, 100), Seen));
    }

    // The state of threads that were just started is that of the last commit.
    private void Check(SimulatedLife life, IEnumerable<SimulatedThread> started)
    {
        _model!.Follow(Journal);
        Checker.CheckEngine(Plan, _model, life.Log, started.SelectMany(t => t.Group!.Tasks));
    }

    private void Step(SimulatedLife life, bool last)
    {
        if (_random.Next(12) == 0)
        {
            StepRarely(life, last);
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
                SimulatedThread thread = AnyThread(life);
                IReadOnlyList<StreamTask> tasks = thread.Group!.Tasks;
                life.StepTask(thread, tasks[_random.Next(tasks.Count)], _random.Next(1, 20));
                break;
            case 3:
                if (life.StepCommit(AnyThread(life)) && _isPrompt)
                    life.FinishBackground();
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

    private SimulatedThread AnyThread(SimulatedLife life) =>
        life.Threads[_random.Next(life.Threads.Count)];

    private void StepRarely(SimulatedLife life, bool last)
    {
        int rare = _random.Next(8);
        _step = RareKinds[Math.Min(rare, 5)];
        switch (rare)
        {
            case 0:
                Seen.Count("disk filled up");
                Machine.FillUp(_random.Next(2_000), _random.Next(1, 5));
                break;
            case 1:
                // A thread begins anew at what is committed; the others go on.
                SimulatedThread restarted = AnyThread(life);
                life.Restart(restarted);
                Check(life, [restarted]);
                Seen.Count("thread restarted");
                break;
            case 2:
                Seen.Count("ends restarted");
                life.RestartEnds(_random);
                break;
            case 3:
                SetClock();
                break;
            case 4:
                if (!_flipsBits || last || Machine.FlipBit(_random) is not { } place)
                    break;
                Seen.Count("bit flipped");
                _step += $" in {place}";
                _isDamaged = true;
                break;
            default:
                life.StepMaintain();
                break;
        }
    }

    // A clock that is set: forwards by up to a day, or back by up to an hour. It stays within the time that
    // the log keeps what is not processed.
    private void SetClock()
    {
        TimeSpan by = TimeSpan.FromMinutes(_random.Next(-60, 24 * 60));
        if (Clock.GetUtcNow() + by - Start >= ClockAdvanceMax)
            return;
        Clock.Advance(by);
        Seen.Count(by < TimeSpan.Zero ? "clock was set back" : "clock was set forward");
    }

    private void Finish(SimulatedLife life)
    {
        life.Drain();
        ReferenceModel model = _model!;
        model.Follow(Journal);
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
        foreach (SimulatedThread thread in life.Threads)
            life.Restart(thread);
        Check(life, life.Threads);
        Checker.CheckTarget(Plan, model, Target, complete: true);
        foreach (string folder in Machine.Folders.Where(f => f != LogFolder))
        {
            int snapshots = Machine.CountFiles(folder, ".snapshot");
            Seen.Count("snapshot", snapshots);
            // A power cut can bring back what was deleted last.
            if (snapshots + Machine.CountFiles(folder, ".writing") > SnapshotFilesMax + Seen["power cut"])
                throw new SimulationFailureException($"{folder} gathers files that nobody needs.");
        }
        foreach ((string what, long count) in model.Counts)
            Seen.Count(what, count);
    }

    private static bool Is<TException>(Exception e)
        where TException : Exception =>
        e is TException || (e.InnerException is { } inner && Is<TException>(inner));

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
