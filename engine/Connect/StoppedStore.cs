using Microsoft.Extensions.Logging.Abstractions;
using Streams.Log;
using Streams.Processing;
using Streams.State;
using Streams.State.Disk;

namespace Streams.Connect;

/// <summary>A store of an application that does not run, as it was at the last commit. Nothing is changed in
/// the application's folder.</summary>
internal sealed class StoppedStore : IDisposable
{
    // What stands behind a database's position is kept in memory, for nothing may be written.
    private const long TailBytesMax = 4L << 30;

    // What is not in memory is read from it for as long as the store is asked.
    private readonly IStateKeeper _keeper;

    /// <summary>Fills a store, which takes as long as at a start.</summary>
    /// <param name="definition">The application.</param>
    /// <param name="log">Its log.</param>
    /// <param name="store">The store, empty; it is disposed of with this.</param>
    /// <param name="changelog">Its changelog of one task.</param>
    /// <param name="isOnDisk">Whether the application keeps it on disk.</param>
    /// <param name="cancellation">Gives it up.</param>
    internal StoppedStore(
        ApplicationDefinition definition, ITopicLog log, StateStore store, TopicPartition changelog,
        bool isOnDisk, CancellationToken cancellation)
    {
        Store = store;
        var environment = new TaskEnvironment(
            definition.Id, log, new LogRoom(), definition.DataFolder, definition.Runtime,
            TimeProvider.System);
        var task = new TaskId(0, changelog.Partition);
        _keeper = isOnDisk
            ? new ReadOnlyDiskKeeper(
                store, log, changelog, environment.DiskPlace(task, store.Name),
                definition.Runtime.Disk with { EntryCacheBytes = TailBytesMax })
            : new StoreSnapshots(
                store, log, changelog, environment.SnapshotFiles(task, store.Name),
                definition.Runtime.Snapshots, TaskScheduler.Default);
        try
        {
            using ILogReader reader = log.OpenReader(ReadLevel.Committed);
            var progress = new RestoreProgress(task.ToString(), store.Name);
            new StoreRestore(log, NullLogger.Instance, progress, store, _keeper, changelog)
                .Finish(reader, cancellation);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The store.</summary>
    internal StateStore Store { get; }

    /// <inheritdoc/>
    public void Dispose()
    {
        _keeper.Dispose();
        Store.Dispose();
    }
}
