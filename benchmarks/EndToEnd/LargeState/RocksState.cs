using Streams.State.Disk;

namespace Streams.Benchmarks.EndToEnd.LargeState;

/// <summary>RocksDB as the engine's stores on disk use it.</summary>
internal sealed class RocksState : ILargeState
{
    private readonly RocksCache _cache;
    private readonly RocksDatabase _database;
    private readonly RocksBatch _batch = new();

    internal RocksState(string folder, DiskOptions options)
    {
        _cache = new RocksCache(options.BlockCacheBytes);
        _database = RocksDatabase.Open(folder, options, _cache);
    }

    public void Append(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value) => _batch.Put(key, value);

    public void EndLoad() => _database.Flush();

    public int Read(ReadOnlySpan<byte> key, Span<byte> value)
    {
        using PinnedValue found = _database.Get(key);
        if (!found.Exists)
            return -1;
        found.Bytes.CopyTo(value);
        return found.Bytes.Length;
    }

    public void Put(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value) => _batch.Put(key, value);

    public void Commit()
    {
        _database.Write(_batch);
        _batch.Clear();
    }

    public void Dispose()
    {
        _batch.Dispose();
        _database.Dispose();
        _cache.Dispose();
    }
}
