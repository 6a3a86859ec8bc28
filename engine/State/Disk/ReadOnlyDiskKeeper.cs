using Streams.Log;

namespace Streams.State.Disk;

/// <summary>Looks into a store's database without changing it; what the changelog has behind it is put over
/// it in memory.</summary>
internal sealed class ReadOnlyDiskKeeper(
    StateStore store, ITopicLog log, TopicPartition changelog, DiskPlace place, DiskOptions options)
    : IStateKeeper
{
    private RocksDatabase? _database;

    /// <inheritdoc/>
    public long Load(RestoreProgress progress)
    {
        string folder = Path.Combine(place.Folder, "rocksdb");
        try
        {
            _database = RocksDatabase.OpenReadOnly(folder, options, place.Cache.Value);
        }
        catch (RocksException) when (log.StartOffset(changelog) == 0)
        {
            // Without a database all stands in the changelog.
            return 0;
        }
        if (DiskPosition.Read(_database) is not { } position || position.LogId != log.Id
            || position.Offset < log.StartOffset(changelog)
            || position.Offset > log.EndOffset(changelog, ReadLevel.Committed))
            return log.StartOffset(changelog) == 0
                ? 0
                : throw new StateLostException(store.Name, place.Folder);
        var table = new DiskTable(store.Name, options) { Count = position.Count };
        table.Open(_database);
        store.UseDisk(table);
        return position.Offset;
    }

    /// <inheritdoc/>
    public void Replayed(long end)
    {
    }

    /// <inheritdoc/>
    public void CountChangelogBytes(int bytes)
    {
    }

    /// <inheritdoc/>
    public void Committed(Task<long> commit)
    {
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _database?.Dispose();
        _database = null;
    }
}
