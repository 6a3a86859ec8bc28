using System.Diagnostics;
using System.Globalization;
using Streams.State;
using Streams.Telemetry;

namespace Streams.Processing;

/// <summary>Measures a task, once per commit.</summary>
/// <remarks>One commit at a time: what is captured on the task's thread when a commit begins is reported on
/// the thread that has made it.</remarks>
internal sealed class TaskMeter : IDisposable
{
    private readonly StreamTask _task;
    private readonly TaskEnvironment _environment;
    private readonly StateStore[] _stores;
    private readonly TaskFigures _figures;
    private readonly string[] _topics;
    private readonly long[] _from;
    private readonly long[] _positions;
    private long _held;

    internal TaskMeter(StreamTask task, TaskEnvironment environment)
    {
        _task = task;
        _environment = environment;
        _stores = [.. task.Scope.Stores.Values];
        _topics = [.. task.Inputs.Select(i => environment.TopicName(i.Partition.Topic))];
        _from = new long[_topics.Length];
        _positions = new long[_topics.Length];
        for (int i = 0; i < _topics.Length; i++)
        {
            task.Inputs[i].Figures.Topic = _topics[i];
            task.Inputs[i].Figures.Partition =
                task.Inputs[i].Partition.Partition.ToString(CultureInfo.InvariantCulture);
        }
        _figures = new TaskFigures(
            task.Id.SubTopology, task.Id.Partition, [.. _stores.Select(s => s.Name)],
            [.. task.Inputs.Select(i => i.Figures)])
        {
            BytesMax = [.. _stores.Select(s => s.Disk is { } disk
                ? disk.Options.EntryCacheBytes * 2 : s.Options.StateBytesMax)],
            Async = [.. task.Scope.Async.Figures],
        };
    }

    /// <summary>Begins at the positions and with the state that were committed.</summary>
    internal void Restored()
    {
        for (int i = 0; i < _positions.Length; i++)
            _positions[i] = _task.Inputs[i].Position;
        _figures.HeldRecords = _task.Scope.Async.Held;
        _environment.Figures[_task.Id] = _figures;
        Publish();
    }

    /// <summary>Notes, on the task's thread, what the commit that is about to be made has
    /// processed.</summary>
    internal void Capture()
    {
        for (int i = 0; i < _positions.Length; i++)
        {
            _from[i] = _positions[i];
            _positions[i] = _task.Inputs[i].Position;
        }
        // More is true before the commit is made, less only behind it.
        _held = _task.Scope.Async.Held;
        _figures.HeldRecords = Math.Max(_figures.HeldRecords, _held);
        Publish();
    }

    /// <summary>Reports what the commit that was just made has processed.</summary>
    /// <returns>When the oldest of it was read from outside; null where that is not known.</returns>
    internal long? Committed()
    {
        _figures.HeldRecords = _held;
        long? origin = null;
        for (int i = 0; i < _positions.Length; i++)
        {
            if (_positions[i] == _from[i])
                continue;
            EngineMeter.RecordConsumed(_topics[i], _positions[i] - _from[i]);
            if (_environment.Times.TryFind(_task.Inputs[i].Partition, _from[i], out CommitTime time))
            {
                EngineMeter.RecordStageLatency("process", Stopwatch.GetElapsedTime(time.Committed));
                origin = Math.Min(origin ?? long.MaxValue, time.Origin);
            }
        }
        return origin;
    }

    /// <inheritdoc/>
    public void Dispose() =>
        _environment.Figures.TryRemove(new KeyValuePair<TaskId, TaskFigures>(_task.Id, _figures));

    private void Publish()
    {
        _figures.StreamTimeMs = _task.Scope.StreamTimeMs;
        foreach (TaskInput input in _task.Inputs)
            input.Figures.TimeMs = input.PartitionTimeMs;
        for (int i = 0; i < _stores.Length; i++)
            _figures.Set(
                i, _stores[i].BytesReserved, _stores[i].Count, _stores[i].Disk?.FileBytes ?? -1);
    }
}
