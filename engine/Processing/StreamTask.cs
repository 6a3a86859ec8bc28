using Streams.Log;

namespace Streams.Processing;

/// <summary>
/// One partition's share of one sub-topology: its inputs, its stores, its operators. Everything in it happens
/// on one thread, so nothing in it locks.
/// </summary>
internal sealed class StreamTask : IDisposable
{
    private readonly TaskScope _scope;
    private readonly SubTopology _part;
    private readonly TaskInput[] _inputs;
    private readonly TaskInputs _choice;
    private readonly RecordGuard _guard;
    private readonly TaskStores _stores;
    private readonly TaskFailures _failures;
    private readonly TaskBuilder _builder;
    private readonly string _group;

    internal StreamTask(
        TaskId id, SubTopology part, TaskEnvironment environment, ILogWriter writer,
        GlobalTables? globals = null)
    {
        Id = id;
        _part = part;
        _group = environment.ApplicationId;
        _scope = new TaskScope(id, environment.Clock, environment.Topic)
        {
            Writer = writer,
            Globals = globals,
            NameOfNode = part.NameOf,
            Background = environment.Background,
            Logger = environment.Logger,
            TopicName = environment.TopicName,
            Backfill = environment.Backfill,
        };
        _stores = new TaskStores(_scope, part, environment);
        _failures = new TaskFailures(_scope, part, environment);
        _guard = new RecordGuard(
            environment.Options.DecodingFailures, environment.Options.ProcessingFailures, _failures);
        _builder = new TaskBuilder(_scope);
        _inputs = [.. part.Sources
            .Where(source => id.Partition < environment.Topic(environment.NameOf(source)).Partitions)
            .Select(source => source.CreateInput(
                _builder, environment.Topic(environment.NameOf(source))[id.Partition], _guard,
                environment.Backfill?.InputOf(environment.NameOf(source), id.Partition)))];
        _choice = new TaskInputs(_inputs, environment.Options.MaxTaskIdle, environment.Clock);
        foreach (TaskInput input in _inputs)
            _stores.Clocks?.Add(
                $"input/{input.Node.TopicName}", () => input.PartitionTimeMs, ms =>
                    input.PartitionTimeMs = ms);
        _builder.Open();
        Meter = new TaskMeter(this, environment);
    }

    internal TaskId Id { get; }

    internal TaskScope Scope => _scope;

    /// <summary>What is measured of it.</summary>
    internal TaskMeter Meter { get; }

    internal SubTopology Part => _part;

    internal IReadOnlyList<TaskInput> Inputs => _inputs;

    /// <summary>Brings the state to the last commit and the inputs to their committed positions.</summary>
    /// <remarks>The positions are asked for first: on Kafka the answer waits for a transaction of the process
    /// that had the task before, and what that wrote to the changelogs is then replayed.</remarks>
    internal void Restore(ITopicLog log, ILogReader reader, CancellationToken cancellation)
    {
        foreach (TaskInput input in _inputs)
        {
            cancellation.ThrowIfCancellationRequested();
            input.Begin(
                log.CommittedOffset(_group, input.Partition) ?? log.StartOffset(input.Partition));
        }
        _stores.Restore(reader, cancellation);
        _scope.Async.Resume();
        Meter.Restored();
    }

    /// <summary>Follows the changelogs of a task that runs elsewhere.</summary>
    /// <returns>Whether there was something.</returns>
    internal bool Follow(ILogReader reader, LogBatch batch) => _stores.Follow(reader, batch);

    /// <summary>Gives up what was fetched ahead of the changelogs.</summary>
    internal void StopFollowing(ILogReader reader) => _stores.StopFollowing(reader);

    /// <summary>Records that the stores of a task that is followed are behind.</summary>
    internal IEnumerable<(string Store, long Records)> Lags() => _stores.Lags();

    /// <summary>Passes on what calls have brought, and processes up to that many records of the
    /// inputs.</summary>
    /// <returns>How many it were; fewer than asked when the inputs have no more for now, or wait for one that
    /// has none, or when so many are held that the task has to wait.</returns>
    internal int Process(ILogReader reader, int recordsMax)
    {
        int count = Forward();
        while (count < recordsMax && !_scope.Async.IsFull && _choice.Next(reader) is { } input)
        {
            _guard.Process(input);
            count++;
        }
        return count;
    }

    /// <summary>Passes on what calls have brought.</summary>
    /// <returns>How many records it were.</returns>
    internal int Forward() => _scope.Async.Forward(_guard, _failures);

    /// <summary>Whether inputs went on since the last commit, be it only past what is not for
    /// readers.</summary>
    internal bool HasMoved()
    {
        foreach (TaskInput input in _inputs)
        {
            if (input.Position != input.CommittedPosition)
                return true;
        }
        return false;
    }

    /// <summary>Fires the wall-clock punctuations that are due.</summary>
    internal void PunctuateWallClock(long nowMs)
    {
        if (nowMs >= _scope.Punctuations.NextWallClockMs)
            _scope.Punctuations.PunctuateWallClock(_scope, nowMs);
    }

    /// <summary>Adds the state's changes and the inputs' positions to the commit that holds the
    /// outputs.</summary>
    internal void PrepareCommit()
    {
        _stores.Flush();
        foreach (TaskInput input in _inputs)
        {
            if (input.Position == input.CommittedPosition)
                continue;
            _scope.Writer.CommitOffset(_group, input.Partition, input.Position);
            input.CommittedPosition = input.Position;
        }
    }

    /// <summary>After a commit: takes the next slice of a snapshot where one is due.</summary>
    internal void Committed(Task<long> commit) => _stores.Committed(commit);

    public void Dispose()
    {
        Meter.Dispose();
        foreach (TaskInput input in _inputs)
            input.Dispose();
        _builder.Dispose();
        _failures.Dispose();
        _stores.Dispose();
    }
}
