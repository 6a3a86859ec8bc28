using Microsoft.Extensions.Logging.Abstractions;
using Streams.Connect;
using Streams.Connect.Evolution;
using Streams.Log;
using Streams.Log.Embedded;
using Streams.Processing;
using Streams.Tests.Simulation.Operators;

namespace Streams.Tests.Simulation;

/// <summary>
/// The engine from one start to its end, with production's own parts and none of its threads: every step is
/// asked for.
/// </summary>
internal sealed class SimulatedLife : IDisposable
{
    private readonly SimulatedRun _run;
    private readonly EmbeddedLog _embedded;
    private readonly StepScheduler _background = new();
    private readonly List<SimulatedThread> _threads = [];
    private readonly TaskEnvironment _environment;
    private readonly SourceEnvironment _sourceEnvironment;
    private readonly SinkEnvironment _sinkEnvironment;
    private readonly SourceFeed<string, string>?[] _feeds;
    private readonly bool[] _exhausted;
    private readonly LogRoom _room = new();
    private SinkDelivery? _delivery;

    internal SimulatedLife(SimulatedRun run, EmbeddedLog log, int threads)
    {
        _run = run;
        _embedded = log;
        Log = new JournalLog(log, run.Journal, run.Machine, run.Bug);
        ApplicationDefinition definition = run.Definition();
        new ShapeKeeper(definition, Log, NullLogger.Instance).Settle();
        IReadOnlyList<TaskId> tasks = new TopicSetup(definition, Log).Prepare();
        _environment = new TaskEnvironment(
            definition.Id, Log, _room, definition.DataFolder, definition.Runtime, run.Clock)
        {
            Background = _background,
            OpenFolder = run.Machine.Folder,
        };
        _sourceEnvironment = new SourceEnvironment(
            Log, _room, run.Clock, definition.SourceOptions, _ => 0, () => 0, _environment.Times);
        _sinkEnvironment = new SinkEnvironment(
            Log, _room, definition.SinkOptions, _environment.Times, NullLogger.Instance);
        _feeds = new SourceFeed<string, string>?[run.Feeds.Count];
        _exhausted = new bool[run.Feeds.Count];
        for (int i = 0; i < Math.Min(threads, tasks.Count); i++)
            _threads.Add(new SimulatedThread(
                $"{SimulatedRun.ApplicationId}-{i}", [.. tasks.Where((_, place) => place % threads == i)]));
        bool isOpen = false;
        try
        {
            _threads.ForEach(Open);
            isOpen = true;
        }
        finally
        {
            if (!isOpen)
                _threads.ForEach(t => t.Group?.Dispose());
        }
    }

    internal JournalLog Log { get; }

    /// <summary>What stands for the threads that run tasks.</summary>
    internal IReadOnlyList<SimulatedThread> Threads => _threads;

    /// <summary>The highest commit that the log called durable.</summary>
    internal long Durable => _embedded.DurableCommit;

    /// <summary>A source reads once, or commits.</summary>
    internal void StepSource(int place, bool commit)
    {
        try
        {
            SourceFeed<string, string> feed = _feeds[place] ??= new SourceFeed<string, string>(
                _run.Feeds[place].Binding, _sourceEnvironment);
            if (commit)
                feed.Commit(_run.Patience());
            else
                _exhausted[place] = feed.Read(CancellationToken.None) == SourceStatus.Done;
        }
        catch (Exception e) when (e is UnavailableException or LogFullException)
        {
            if (e is LogFullException)
                _run.Seen.Count("source was stopped by a full disk");
            CloseFeed(place);
        }
    }

    /// <summary>A task has its turn.</summary>
    /// <returns>How many records it processed.</returns>
    internal int StepTask(SimulatedThread thread, StreamTask task, int records)
    {
        TakeInGlobals(thread);
        int count = 0;
        bool goesOn = true;
        for (; goesOn && count < records; count += goesOn ? 1 : 0)
        {
            long[] before = [.. task.Inputs.Select(i => i.Position)];
            goesOn = thread.Group!.Process(task, 1) > 0;
            for (int i = 0; i < before.Length; i++)
                Note(thread, task.Inputs[i], before[i]);
        }
        long nowMs = _run.Clock.GetUtcNow().ToUnixTimeMilliseconds();
        task.PunctuateWallClock(nowMs);
        NoteTimers(thread, task, TaskStepKind.LookedAtClock, nowMs);
        return count;
    }

    /// <summary>A commit of a thread's tasks begins.</summary>
    /// <returns>Whether it did; else the one before has failed, and the tasks begin anew.</returns>
    internal bool StepCommit(SimulatedThread thread)
    {
        try
        {
            thread.Group!.BeginCommit(_run.Patience());
            return true;
        }
        catch (LogFullException)
        {
            _run.Seen.Count("commit was given up on a full disk");
            Restart(thread);
            return false;
        }
    }

    /// <summary>Something of what waits in the background is done.</summary>
    internal void StepBackground(Random random)
    {
        if (_background.Count > 0)
            _background.Run(random.Next(_background.Count));
    }

    /// <summary>All that waits in the background is done, as on a machine that has nothing else to
    /// do.</summary>
    internal void FinishBackground()
    {
        while (_background.Count > 0)
            _background.Run(0);
    }

    /// <summary>The sink reads, or commits.</summary>
    internal int StepSink(bool commit)
    {
        try
        {
            _delivery ??= new SinkDelivery(
                _run.Target.Binding, _sinkEnvironment, _sinkEnvironment.Board.Current, _run.Patience());
            if (commit)
                return _delivery.Waiting > 0 ? _delivery.Commit(_run.Patience()) : 0;
            return _delivery.Read();
        }
        catch (Exception e) when (e is UnavailableException or LogFullException)
        {
            CloseDelivery();
            return 1;
        }
    }

    /// <summary>Opens the sink, which takes back what the target has of an uncommitted end.</summary>
    /// <returns>Whether the target answers.</returns>
    internal bool OpenSink()
    {
        StepSink(commit: true);
        return _delivery is not null;
    }

    /// <summary>The log's own work.</summary>
    internal void StepFlush() => _embedded.Flush();

    /// <inheritdoc cref="StepFlush"/>
    internal void StepMaintain()
    {
        try
        {
            _embedded.Maintain(_run.Clock.GetUtcNow());
        }
        catch (LogFullException)
        {
            _run.Machine.NoteRefusal();
        }
    }

    /// <summary>A thread fails and begins anew, in the same process.</summary>
    internal void Restart(SimulatedThread thread)
    {
        Close(thread);
        Open(thread);
    }

    /// <summary>A sink or a source fails and begins anew.</summary>
    internal void RestartEnds(Random random)
    {
        CloseDelivery();
        CloseFeed(random.Next(_feeds.Length));
    }

    /// <summary>Goes on until nothing is left to do.</summary>
    internal void Drain()
    {
        _run.Machine.MakeRoom();
        _run.Target.Fails = false;
        int idle = 0;
        for (int round = 0; round < 2000; round++)
        {
            int done = 0;
            for (int i = 0; i < _feeds.Length; i++)
            {
                bool was = _exhausted[i] && _feeds[i] is not null;
                StepSource(i, commit: false);
                StepSource(i, commit: true);
                done += was ? 0 : 1;
            }
            foreach (SimulatedThread thread in _threads)
                done += DrainThread(thread);
            StepFlush();
            done += StepSink(commit: false) + StepSink(commit: true);
            // A round that only committed has given the next one something to read.
            idle = done == 0 ? idle + 1 : 0;
            if (idle == 2)
                return;
        }
        throw new SimulationFailureException("It does not come to an end.");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        CloseDelivery();
        for (int i = 0; i < _feeds.Length; i++)
            CloseFeed(i);
        _threads.ForEach(Close);
    }

    private int DrainThread(SimulatedThread thread)
    {
        int done = 0;
        foreach (StreamTask task in thread.Group!.Tasks)
            done += StepTask(thread, task, int.MaxValue);
        done += StepCommit(thread) ? 0 : 1;
        thread.Group!.WaitForCommit();
        return done;
    }

    private void Open(SimulatedThread thread)
    {
        Log.OpenOf(thread.Writer).Clear();
        thread.Group = new TaskGroup(_run.Topology, _environment, thread.Writer, "simulated");
        thread.Group.Open(thread.Tasks, CancellationToken.None);
        long nowMs = _run.Clock.GetUtcNow().ToUnixTimeMilliseconds();
        foreach (StreamTask task in thread.Group.Tasks)
            NoteTimers(thread, task, TaskStepKind.Opened, nowMs);
    }

    private void TakeInGlobals(SimulatedThread thread)
    {
        if (_run.Bug != PlantedBug.GlobalTableStandsStill)
            thread.Group!.UpdateGlobals(CancellationToken.None);
        foreach (GlobalTable table in _run.Topology.Globals)
        {
            Topic topic = Log.FindTopic(table.TopicName)!;
            for (int p = 0; p < topic.Partitions; p++)
                Log.OpenOf(thread.Writer).Add(new TaskStep(
                    TaskStepKind.TookInGlobal, new Place(topic.Name, p),
                    Log.EndOffset(topic[p], ReadLevel.Committed)));
        }
    }

    private void NoteTimers(SimulatedThread thread, StreamTask task, TaskStepKind kind, long nowMs)
    {
        foreach (PunctuatorOperator timer in _run.Plan.Operators.OfType<PunctuatorOperator>())
        {
            bool isNoted = kind == TaskStepKind.Opened || timer.IsWallClock;
            if (isNoted && task.Scope.Stores.ContainsKey(timer.StoreName))
                Log.OpenOf(thread.Writer).Add(new TaskStep(
                    kind, new Place(timer.StoreName, task.Id.Partition), nowMs));
        }
    }

    private void Note(SimulatedThread thread, TaskInput input, long before)
    {
        var place = new Place(Log.NameOf(input.Partition.Topic), input.Partition.Partition);
        for (long offset = before; offset < input.Position; offset++)
            Log.OpenOf(thread.Writer).Add(new TaskStep(TaskStepKind.Processed, place, offset));
    }

    private void Close(SimulatedThread thread)
    {
        thread.Group?.Dispose();
        thread.Group = null;
        FinishBackground();
        // What is closed does not say how its last commit ended.
        _run.Machine.ThrowIfDown();
    }

    private void CloseFeed(int place)
    {
        _feeds[place]?.Dispose();
        _feeds[place] = null;
        _exhausted[place] = false;
    }

    private void CloseDelivery()
    {
        _delivery?.Dispose();
        _delivery = null;
    }
}

/// <summary>Tasks that commit together, as those of a thread do.</summary>
/// <param name="writer">What it writes as.</param>
/// <param name="tasks">Its tasks.</param>
internal sealed class SimulatedThread(string writer, IReadOnlyList<TaskId> tasks)
{
    internal string Writer => writer;

    internal IReadOnlyList<TaskId> Tasks => tasks;

    /// <summary>The tasks as they run now; null before and after.</summary>
    internal TaskGroup? Group { get; set; }
}
