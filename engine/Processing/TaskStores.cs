using System.Collections.Concurrent;
using Streams.Log;
using Streams.State;
using Streams.State.Disk;

namespace Streams.Processing;

/// <summary>The stores of a task with what keeps them safe: changelogs, snapshots, savepoints.</summary>
internal sealed class TaskStores : IDisposable
{
    private readonly TaskScope _scope;
    private readonly TaskEnvironment _environment;
    private readonly List<Kept> _kept = [];

    // Others ask for the lags while stores are added.
    private readonly ConcurrentDictionary<Kept, (StoreRestore Restore, RestoreProgress Progress)> _restores =
        new();

    internal TaskStores(TaskScope scope, SubTopology part, TaskEnvironment environment)
    {
        _scope = scope;
        _environment = environment;
        if (part.Stores.Any(s => s.Savepoints))
            AddSavepoints(part.Stores);
        foreach (StoreSpec spec in part.Stores.Where(s => !s.Savepoints))
            Add(Create(spec));
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
            kept.Keeper?.Committed(commit);
    }

    /// <summary>Brings every store to the last commit.</summary>
    internal void Restore(ILogReader reader, CancellationToken cancellation)
    {
        foreach (Kept kept in _kept.Where(k => k.IsLogged))
        {
            var (restore, progress) = RestoreOf(kept);
            _environment.Restores.TryAdd(progress, true);
            try
            {
                restore.Finish(reader, cancellation);
            }
            finally
            {
                _environment.Restores.TryRemove(progress, out _);
            }
        }
        _scope.Savepoints?.Reopen();
        Clocks?.Restore();
    }

    /// <summary>Takes a batch of what each changelog has, for a task that runs elsewhere.</summary>
    /// <returns>Whether there was one.</returns>
    internal bool Follow(ILogReader reader, LogBatch batch)
    {
        bool found = false;
        foreach (Kept kept in _kept.Where(k => k.IsLogged))
            found |= RestoreOf(kept).Restore.Follow(reader, batch);
        return found;
    }

    /// <summary>Gives up what was fetched ahead of the changelogs.</summary>
    internal void StopFollowing(ILogReader reader)
    {
        foreach (var (restore, _) in _restores.Values)
            restore.Close(reader);
    }

    /// <summary>Records of its changelog that each store is behind, as far as is known.</summary>
    internal IEnumerable<(string Store, long Records)> Lags() =>
        _restores.Select(r => (r.Key.Store.Name, r.Value.Restore.Lag));

    public void Dispose()
    {
        foreach (Kept kept in _kept)
        {
            kept.Keeper?.Dispose();
            kept.Store.Dispose();
        }
        _scope.Savepoints?.Dispose();
    }

    private (StoreRestore Restore, RestoreProgress Progress) RestoreOf(Kept kept)
    {
        if (_restores.TryGetValue(kept, out var known))
            return known;
        if (kept.HasSnapshots)
            kept.Open(_environment);
        var progress = new RestoreProgress(_scope.Id.ToString(), kept.Store.Name);
        var restore = new StoreRestore(
            _environment.Log, _environment.Logger, progress, kept.Store, kept.Keeper, kept.Changelog);
        return _restores[kept] = (restore, progress);
    }

    private StateStore Create(StoreSpec spec)
    {
        StateStore store = spec.Create(null, 0);
        if (_environment.Options.IsOnDisk(spec))
            store.UseDisk(new DiskTable(spec.Name, _environment.Options.Disk));
        return store;
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
        store.TaskTimeMs = () => _scope.StreamTimeMs;
        Topic? changelog = store.Options.Logged ? _environment.ChangelogOf(store.Name) : null;
        _kept.Add(new Kept(_scope, store, changelog, _environment.Options.Snapshots));
        return store;
    }

    /// <summary>A store with its changelog.</summary>
    private sealed class Kept(TaskScope scope, StateStore store, Topic? changelog, SnapshotOptions options)
        : IChangelog
    {
        internal StateStore Store { get; } = store;

        internal IStateKeeper? Keeper { get; private set; }

        internal bool IsLogged => changelog is not null;

        internal bool HasSnapshots => changelog is not null && Store.Name != Topology.StreamTimeStore;

        internal TopicPartition Changelog => changelog![scope.Id.Partition];

        public void Append(ReadOnlySpan<byte> key, bool hasValue, ReadOnlySpan<byte> value)
        {
            if (changelog is null)
                return;
            Keeper?.CountChangelogBytes(key.Length + value.Length + 16);
            scope.Writer.Append(Changelog, new LogRecord
            {
                TimestampMs = Math.Max(scope.StreamTimeMs, 0),
                HasKey = true,
                Key = key,
                HasValue = hasValue,
                Value = value,
            });
        }

        internal void Open(TaskEnvironment environment) => Keeper = Store.Disk is { } table
            ? new DiskKeeper(
                table, environment.Log, Changelog, environment.DiskPlace(scope.Id, Store.Name),
                    environment.Background,
                environment.Clock)
            : new StoreSnapshots(
                Store, environment.Log, Changelog, environment.SnapshotFiles(scope.Id, Store.Name), options,
                environment.Background);
    }
}
