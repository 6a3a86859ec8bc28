using Microsoft.Extensions.Logging.Abstractions;
using Streams.Connect;
using Streams.Log;
using Streams.Log.Embedded;
using Streams.Processing;

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
    private readonly IReadOnlyList<TaskId> _taskIds;
    private readonly TaskEnvironment _environment;
    private readonly SourceEnvironment _sourceEnvironment;
    private readonly SinkEnvironment _sinkEnvironment;
    private readonly SourceFeed<string, string>?[] _feeds;
    private readonly bool[] _exhausted;
    private readonly LogRoom _room = new();
    private SinkDelivery? _delivery;

    internal SimulatedLife(SimulatedRun run, EmbeddedLog log)
    {
        _run = run;
        _embedded = log;
        Log = new JournalLog(log, run.Journal, run.Machine, run.Bug);
        ApplicationDefinition definition = run.Definition();
        _taskIds = new TopicSetup(definition, Log).Prepare();
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
        Group = OpenGroup();
    }

    internal JournalLog Log { get; }

    /// <summary>The tasks.</summary>
    internal TaskGroup Group { get; private set; }

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
            CloseFeed(place);
        }
    }

    /// <summary>A task has its turn.</summary>
    /// <returns>How many records it processed.</returns>
    internal int StepTask(StreamTask task, int records)
    {
        int count = 0;
        for (; count < records; count++)
        {
            long[] before = [.. task.Inputs.Select(i => i.Position)];
            if (Group.Process(task, 1) == 0)
                break;
            for (int i = 0; i < before.Length; i++)
                Note(task.Inputs[i], before[i]);
        }
        task.PunctuateWallClock(_run.Clock.GetUtcNow().ToUnixTimeMilliseconds());
        return count;
    }

    /// <summary>A commit of the tasks begins.</summary>
    /// <returns>Whether it did; else the one before has failed, and the tasks begin anew.</returns>
    internal bool StepCommit()
    {
        try
        {
            Group.BeginCommit(_run.Patience());
            return true;
        }
        catch (LogFullException)
        {
            RestartGroup();
            return false;
        }
    }

    /// <summary>Something of what waits in the background is done.</summary>
    internal void StepBackground(Random random)
    {
        if (_background.Count > 0)
            _background.Run(random.Next(_background.Count));
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

    /// <summary>The thread of the tasks fails and begins anew, in the same process.</summary>
    internal void RestartGroup()
    {
        CloseGroup();
        Group = OpenGroup();
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
            foreach (StreamTask task in Group.Tasks)
                done += StepTask(task, int.MaxValue);
            done += StepCommit() ? 0 : 1;
            Group.WaitForCommit();
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
        CloseGroup();
    }

    private TaskGroup OpenGroup()
    {
        Log.Open.Clear();
        var group = new TaskGroup(_run.Topology, _environment, JournalWriter.TaskWriter, "simulated");
        bool isOpen = false;
        try
        {
            group.Open(_taskIds, CancellationToken.None);
            isOpen = true;
            return group;
        }
        finally
        {
            if (!isOpen)
                group.Dispose();
        }
    }

    private void Note(TaskInput input, long before)
    {
        var place = new Place(Log.NameOf(input.Partition.Topic), input.Partition.Partition);
        for (long offset = before; offset < input.Position; offset++)
            Log.Open.Add((place, offset));
    }

    private void CloseGroup()
    {
        Group.Dispose();
        while (_background.Count > 0)
            _background.Run(0);
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
