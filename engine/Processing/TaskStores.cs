using System.Diagnostics;
using Streams.Log;
using Streams.State;
using Streams.Telemetry;

namespace Streams.Processing;

/// <summary>The stores of a task with what keeps them safe: changelogs, snapshots, savepoints.</summary>
internal sealed class TaskStores : IDisposable
{
    private readonly TaskScope _scope;
    private readonly TaskEnvironment _environment;
    private readonly List<Kept> _kept = [];

    internal TaskStores(TaskScope scope, SubTopology part, TaskEnvironment environment)
    {
        _scope = scope;
        _environment = environment;
        if (part.Stores.Any(s => s.Savepoints))
            AddSavepoints(part.Stores);
        foreach (StoreSpec spec in part.Stores.Where(s => !s.Savepoints))
            Add(spec.Create(null, 0));
        if (part.KeepsTime)
            Clocks = scope.Clocks = AddClocks(part);
    }

    /// <summary>The times that survive a restart; null for a task that keeps nothing.</summary>
    internal TaskClocks? Clocks { get; }

    /// <summary>Adds the changes of all stores to the commit that is being built.</summary>
    internal void Flush()
    {
        Clocks?.Flush();
        _scope.Savepoints?.Seal();
        foreach (Kept kept in _kept)
            kept.Store.Flush(kept);
    }

    /// <summary>After a flush whose commit has begun: moves the snapshots on.</summary>
    internal void Committed(Task<long> commit)
    {
        foreach (Kept kept in _kept)
            kept.Snapshots?.Committed(commit);
    }

    /// <summary>Brings every store to the last commit.</summary>
    internal void Restore(ITopicLog log, ILogReader reader, CancellationToken cancellation)
    {
        foreach (Kept kept in _kept)
        {
            if (kept.HasSnapshots)
                kept.Open(log, _environment);
            if (kept.IsLogged)
                Replay(log, reader, kept, cancellation);
        }
        _scope.Savepoints?.Reopen();
        Clocks?.Restore();
    }

    public void Dispose()
    {
        foreach (Kept kept in _kept)
        {
            kept.Snapshots?.Dispose();
            kept.Store.Dispose();
        }
        _scope.Savepoints?.Dispose();
    }

    private void Replay(ITopicLog log, ILogReader reader, Kept kept, CancellationToken cancellation)
    {
        long started = Stopwatch.GetTimestamp();
        long offset = kept.Snapshots?.Load() ?? log.StartOffset(kept.Changelog);
        long replayed = 0;
        bool fromSnapshot = kept.Store.Count > 0;
        long end = log.HighWatermark(kept.Changelog);
        using LogBatch batch = reader.CreateBatch();
        while (offset < end)
        {
            cancellation.ThrowIfCancellationRequested();
            if (!reader.Read(kept.Changelog, offset, batch))
            {
                reader.WaitForMore();
                continue;
            }
            for (; batch.TryRead(out LogRecord record); replayed++)
                kept.Store.Restore(record.Key, record.HasValue, record.Value);
            offset = batch.NextOffset;
        }
        reader.Close(kept.Changelog);
        kept.Store.Flush(NoChangelog.Instance);
        if (!fromSnapshot && replayed == 0)
            return;
        TimeSpan took = Stopwatch.GetElapsedTime(started);
        EngineMeter.RecordRestore(kept.Store.Name, took);
        _environment.Logger.StoreRestored(
            _scope.Id.ToString(), kept.Store.Name, fromSnapshot ? "a snapshot" : "its changelog",
            kept.Store.Count, replayed, took.TotalSeconds);
    }

    private void AddSavepoints(IReadOnlyList<StoreSpec> specs)
    {
        var options = new StoreOptions { Name = Topology.SavepointStore };
        var chunks = new BytesStore(options, null, 0);
        var savepoints = new Savepoints(chunks);
        _scope.Savepoints = savepoints;
        foreach (StoreSpec spec in specs.Where(s => s.Savepoints))
        {
            savepoints.Register(number => spec.Create(savepoints, number), out StateStore store);
            Add(store);
        }
        // Last, so that what the other stores' flush might still capture is in it.
        Add(chunks);
    }

    // Its changelog is shared by the tasks of a partition, so it has no snapshots that would cut it off.
    private TaskClocks AddClocks(SubTopology part)
    {
        var clocks = new TaskClocks(
            Add(new BytesStore(new StoreOptions { Name = Topology.StreamTimeStore }, null, 0)));
        clocks.Add(
            $"task/{part.Sources[0].TopicName}", () => _scope.StreamTimeMs, ms => _scope.StreamTimeMs = ms);
        foreach (StateStore store in _scope.Stores.Values)
        {
            clocks.Add($"observed/{store.Name}", () => store.ObservedMs, ms => store.ObservedMs = ms);
            clocks.Add($"operator/{store.Name}", () => store.StreamTimeMs, ms => store.StreamTimeMs = ms);
        }
        return clocks;
    }

    private TStore Add<TStore>(TStore store)
        where TStore : StateStore
    {
        _scope.AddStore(store);
        Topic? changelog = store.Options.Logged ? _environment.ChangelogOf(store.Name) : null;
        _kept.Add(new Kept(_scope, store, changelog, _environment.Options.Snapshots));
        return store;
    }

    /// <summary>A store with its changelog.</summary>
    private sealed class Kept(TaskScope scope, StateStore store, Topic? changelog, SnapshotOptions options)
        : IChangelog
    {
        internal StateStore Store { get; } = store;

        internal StoreSnapshots? Snapshots { get; private set; }

        internal bool IsLogged => changelog is not null;

        internal bool HasSnapshots => changelog is not null && Store.Name != Topology.StreamTimeStore;

        internal TopicPartition Changelog => changelog![scope.Id.Partition];

        public void Append(ReadOnlySpan<byte> key, bool hasValue, ReadOnlySpan<byte> value)
        {
            if (changelog is null)
                return;
            Snapshots?.CountChangelogBytes(key.Length + value.Length + 16);
            scope.Writer.Append(Changelog, new LogRecord
            {
                TimestampMs = Math.Max(scope.StreamTimeMs, 0),
                HasKey = true,
                Key = key,
                HasValue = hasValue,
                Value = value,
            });
        }

        internal void Open(ITopicLog log, TaskEnvironment environment) => Snapshots = new StoreSnapshots(
            Store, log, Changelog, environment.SnapshotFiles(scope.Id, Store.Name), options,
            environment.Background);
    }
}

/// <summary>Takes changes that nobody needs to keep.</summary>
internal sealed class NoChangelog : IChangelog
{
    internal static readonly NoChangelog Instance = new();

    public void Append(ReadOnlySpan<byte> key, bool hasValue, ReadOnlySpan<byte> value)
    {
    }
}
