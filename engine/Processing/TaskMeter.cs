using System.Diagnostics;
using Streams.State;
using Streams.Telemetry;

namespace Streams.Processing;

/// <summary>Measures a task, once per commit, on its thread.</summary>
internal sealed class TaskMeter : IDisposable
{
    private readonly StreamTask _task;
    private readonly TaskEnvironment _environment;
    private readonly StateStore[] _stores;
    private readonly TaskFigures _figures;
    private readonly string[] _topics;
    private readonly long[] _positions;

    internal TaskMeter(StreamTask task, TaskEnvironment environment)
    {
        _task = task;
        _environment = environment;
        _stores = [.. task.Scope.Stores.Values];
        _topics = [.. task.Inputs.Select(i => environment.TopicName(i.Partition.Topic))];
        _positions = new long[_topics.Length];
        _figures = new TaskFigures(task.Id.SubTopology, task.Id.Partition, [.. _stores.Select(s => s.Name)]);
        environment.Figures[task.Id] = _figures;
    }

    /// <summary>Begins at the positions and with the state that were committed.</summary>
    internal void Restored()
    {
        for (int i = 0; i < _positions.Length; i++)
            _positions[i] = _task.Inputs[i].Position;
        Publish();
    }

    /// <summary>Reports what the commit that was just made has processed.</summary>
    /// <returns>When the oldest of it was read from outside; null where that is not known.</returns>
    internal long? Committed()
    {
        long? origin = null;
        for (int i = 0; i < _positions.Length; i++)
        {
            TaskInput input = _task.Inputs[i];
            if (input.Position == _positions[i])
                continue;
            EngineMeter.RecordConsumed(_topics[i], input.Position - _positions[i]);
            if (_environment.Times.TryFind(input.Partition, _positions[i], out CommitTime time))
            {
                EngineMeter.RecordStageLatency("process", Stopwatch.GetElapsedTime(time.Committed));
                origin = Math.Min(origin ?? long.MaxValue, time.Origin);
            }
            _positions[i] = input.Position;
        }
        Publish();
        return origin;
    }

    /// <inheritdoc/>
    public void Dispose() =>
        _environment.Figures.TryRemove(new KeyValuePair<TaskId, TaskFigures>(_task.Id, _figures));

    private void Publish()
    {
        _figures.StreamTimeMs = _task.Scope.StreamTimeMs;
        for (int i = 0; i < _stores.Length; i++)
            _figures.Set(i, _stores[i].BytesReserved, _stores[i].Count);
    }
}
