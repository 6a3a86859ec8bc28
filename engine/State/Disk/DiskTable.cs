using Streams.Buffers;

namespace Streams.State.Disk;

/// <summary>
/// Key-value entries that lie on disk, in a RocksDB database, with those that were used last in memory.
/// </summary>
/// <remarks>
/// What changes lies in memory until the commit that holds it is durable; only then does it go into the
/// database, all of a commit in one batch with the changelog's position. So the database never has what the
/// log could still lose, and what it lacks stands in the changelog behind that position.
/// Memory is two generations of a table: what is used comes into the younger one, and when that is half of
/// what is allowed, the older one goes. A deleted entry stays there, marked, until its generation goes.
/// For the task's thread, but for what its batches say themselves.
/// </remarks>
internal sealed partial class DiskTable(string store, DiskOptions options) : IKeyValueEntries, IDisposable
{
    /// <summary>First byte of an entry's key in the database.</summary>
    internal const byte EntryTag = 1;

    private readonly PooledBuffer _key = new();
    private readonly PooledBuffer _value = new();
    private readonly PooledBuffer _missed = new();
    private readonly Queue<DiskBatch> _pending = new();
    private readonly Stack<DiskBatch> _spareBatches = new();
    private readonly SpareMemory _spare = new();
    private FlatTable _young = new(StateBudget.Unbounded);
    private FlatTable _old = new(StateBudget.Unbounded);
    private uint[] _dirty = new uint[64];
    private int _dirtyCount;
    private bool _hasMissed;
    private DiskBatch? _filled;
    private long _flushed;
    private long _generationFlushed;
    private RocksDatabase? _database;
    private RocksBatch? _rebuild;
    private int _rebuildBytes;

    /// <inheritdoc/>
    public long Count { get; internal set; }

    /// <inheritdoc/>
    public long BytesReserved => _young.BytesReserved + _old.BytesReserved;

    /// <summary>Bytes of the database's files.</summary>
    internal long FileBytes => _database?.Figure("rocksdb.total-sst-files-size\0"u8) ?? 0;

    /// <summary>The store's name.</summary>
    internal string Store => store;

    internal DiskOptions Options => options;

    internal RocksDatabase Database =>
        _database ?? throw new InvalidOperationException($"The store '{store}' is not open.");

    /// <summary>Waits until all batches that were handed over are in the database.</summary>
    internal Action WaitForWrites { get; set; } = static () => { };

    // Reads alone must not make the younger generation grow for as long as nothing is committed.
    private bool HasRoom => _young.BytesReserved < options.EntryCacheBytes / 2;

    /// <summary>Gives the table its database.</summary>
    internal void Open(RocksDatabase database) => _database = database;

    /// <inheritdoc/>
    public bool TryGet(ReadOnlySpan<byte> key, out ReadOnlySpan<byte> value)
    {
        uint hash = KeyHash.Of(key);
        FlatTable table = _young;
        uint entry = HasRoom ? Near(key, hash) : _young.Find(key, hash);
        if (entry == 0)
        {
            table = _old;
            entry = _old.Find(key, hash);
        }
        if (entry == 0)
            return TryFetch(key, out value);
        bool lives = (table.Header(entry).Flags & EntryFlags.Deleted) == 0;
        value = lives ? table.Value(entry) : default;
        return lives;
    }

    /// <inheritdoc/>
    public Span<byte> Put(ReadOnlySpan<byte> key, int valueBytes, out bool existed)
    {
        RequireRoom();
        uint hash = KeyHash.Of(key);
        uint entry = Near(key, hash);
        if (entry == 0)
        {
            existed = IsOnDisk(key);
            entry = _young.Add(key, hash, valueBytes);
            _young.Header(entry).Flags = existed ? EntryFlags.None : EntryFlags.New;
        }
        else
        {
            ref EntryHeader header = ref _young.Header(entry);
            existed = (header.Flags & EntryFlags.Deleted) == 0;
            // A deletion that the changelog has not seen is taken back by what comes in its place.
            if (!existed && (header.Flags & EntryFlags.Dirty) == 0)
                header.Flags |= EntryFlags.New;
            header.Flags &= ~EntryFlags.Deleted;
        }
        if (!existed)
            Count++;
        _hasMissed = false;
        return _young.Value(Touch(_young.Resize(entry, valueBytes)));
    }

    /// <inheritdoc/>
    public bool Delete(ReadOnlySpan<byte> key)
    {
        RequireRoom();
        uint hash = KeyHash.Of(key);
        uint entry = Near(key, hash);
        if (entry == 0)
        {
            if (!IsOnDisk(key))
                return false;
            entry = _young.Add(key, hash, 0);
        }
        else if ((_young.Header(entry).Flags & EntryFlags.Deleted) != 0)
        {
            return false;
        }
        Touch(entry);
        _young.Header(entry).Flags |= EntryFlags.Deleted;
        Count--;
        return true;
    }

    /// <inheritdoc/>
    public void Flush(IChangelog changelog)
    {
        if (_dirtyCount == 0)
            return;
        DiskBatch batch = NewBatch();
        for (int i = 0; i < _dirtyCount; i++)
        {
            uint entry = _dirty[i];
            ref EntryHeader header = ref _young.Header(entry);
            EntryFlags flags = header.Flags;
            if ((flags & (EntryFlags.Dirty | EntryFlags.Free)) != EntryFlags.Dirty)
                continue;
            header.Flags = flags & EntryFlags.Deleted;
            ReadOnlySpan<byte> key = _young.Key(entry);
            if ((flags & EntryFlags.Deleted) == 0)
            {
                changelog.Append(key, true, _young.Value(entry));
                batch.Changes.Put(Stored(key), _young.Value(entry));
            }
            else if ((flags & EntryFlags.New) == 0)
            {
                changelog.Append(key, false, default);
                batch.Changes.Delete(Stored(key));
            }
        }
        batch.Names = (_dirty, _dirtyCount);
        batch.Table = _young;
        batch.Number = ++_flushed;
        batch.Count = Count;
        _dirty = batch.SpareNames;
        _dirtyCount = 0;
        _pending.Enqueue(batch);
        _filled = batch;
        TurnGeneration();
    }

    /// <summary>What the last flush has collected, once; null where it was nothing.</summary>
    internal DiskBatch? TakeFilled()
    {
        DiskBatch? filled = _filled;
        _filled = null;
        return filled;
    }

    /// <summary>From now until <see cref="EndRestore"/>, what is restored goes straight into the empty
    /// database.</summary>
    internal void Rebuild(int batchBytes)
    {
        _rebuild = new RocksBatch();
        _rebuildBytes = batchBytes;
    }

    /// <summary>Takes a changelog record.</summary>
    public void Restore(ReadOnlySpan<byte> key, bool hasValue, ReadOnlySpan<byte> value)
    {
        if (_rebuild is { } batch)
        {
            if (hasValue)
                batch.Put(Stored(key), value);
            else
                batch.Delete(Stored(key));
            if (batch.Bytes >= _rebuildBytes)
                WriteRebuilt(batch);
            return;
        }
        if (hasValue)
            value.CopyTo(Put(key, value.Length, out _));
        else
            Delete(key);
        if (_young.BytesReserved >= options.EntryCacheBytes / 2)
            WriteRestored(RestoredFrom);
    }

    /// <summary>Where the database was when the replay began: it stays there until the replay is over, for
    /// what is replayed twice comes to the same.</summary>
    internal DiskPosition RestoredFrom { get; set; }

    /// <summary>Puts the rest of what was restored into the database.</summary>
    internal void EndRestore(DiskPosition from)
    {
        if (_rebuild is not { } batch)
        {
            WriteRestored(from);
            return;
        }
        WriteRebuilt(batch);
        batch.Dispose();
        _rebuild = null;
        Count = 0;
        using RocksCursor cursor = Database.OpenCursor();
        for (cursor.SeekAtOrAfter([EntryTag]); cursor.IsValid; cursor.Next())
            Count++;
        cursor.ThrowIfFailed();
    }

    private void WriteRebuilt(RocksBatch batch)
    {
        Database.Write(batch);
        batch.Clear();
    }

    private void WriteRestored(DiskPosition position)
    {
        Flush(NoChangelog.Instance);
        if (TakeFilled() is not { } batch)
            return;
        (position with { Count = batch.Count }).AddTo(batch.Changes);
        batch.WriteTo(Database);
        TurnGeneration();
    }

    /// <inheritdoc/>
    public void Clear()
    {
        _young.Clear();
        _old.Clear();
        _dirtyCount = 0;
        _filled = null;
        _pending.Clear();
        _hasMissed = false;
        _flushed = _generationFlushed = 0;
        Count = 0;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (DiskBatch batch in _pending.Concat(_spareBatches).Distinct())
            batch.Dispose();
        _pending.Clear();
        _spareBatches.Clear();
        _rebuild?.Dispose();
        _rebuild = null;
        _key.Dispose();
        _value.Dispose();
        _missed.Dispose();
    }

    // The entry in the younger generation, brought there from the older one.
    private uint Near(ReadOnlySpan<byte> key, uint hash)
    {
        uint entry = _young.Find(key, hash);
        if (entry != 0)
            return entry;
        uint older = _old.Find(key, hash);
        if (older == 0)
            return 0;
        ReadOnlySpan<byte> value = _old.Value(older);
        entry = _young.Add(key, hash, value.Length);
        value.CopyTo(_young.Value(entry));
        _young.Header(entry).Flags = _old.Header(older).Flags & EntryFlags.Deleted;
        return entry;
    }

    private bool TryFetch(ReadOnlySpan<byte> key, out ReadOnlySpan<byte> value)
    {
        using PinnedValue found = Database.Get(Stored(key));
        value = default;
        if (!found.Exists)
        {
            _missed.Clear();
            _missed.Write(key);
            _hasMissed = true;
            return false;
        }
        if (!HasRoom)
        {
            _value.Clear();
            _value.Write(found.Bytes);
            value = _value.WrittenSpan;
            return true;
        }
        uint entry = _young.Add(key, KeyHash.Of(key), found.Bytes.Length);
        found.Bytes.CopyTo(_young.Value(entry));
        value = _young.Value(entry);
        return true;
    }

    // Who puts has mostly just looked in vain.
    private bool IsOnDisk(ReadOnlySpan<byte> key)
    {
        if (_hasMissed && _missed.WrittenSpan.SequenceEqual(key))
            return false;
        using PinnedValue found = Database.Get(Stored(key));
        return found.Exists;
    }

    private uint Touch(uint entry)
    {
        ref EntryHeader header = ref _young.Header(entry);
        if ((header.Flags & EntryFlags.Dirty) != 0 && _dirtyCount > 0 && header.Savepoint == entry)
            return entry;
        header.Flags |= EntryFlags.Dirty;
        // An entry that was moved has its old name in the list, which stands for a free place now.
        header.Savepoint = entry;
        if (_dirtyCount == _dirty.Length)
            Array.Resize(ref _dirty, _dirtyCount * 2);
        _dirty[_dirtyCount++] = entry;
        return entry;
    }

    private void RequireRoom()
    {
        if (_young.BytesReserved > options.EntryCacheBytes && _dirtyCount > 0)
            throw new StateLimitException(
                $"The changes of one commit to the store '{store}' take {_young.BytesReserved:N0} bytes, and "
                + $"its cache may hold {options.EntryCacheBytes:N0}. Raise runtime.disk.entry_cache_bytes, "
                + "or lower runtime.commit_bytes_max or runtime.commit_interval.");
    }

    private void TurnGeneration()
    {
        if (HasRoom)
            return;
        // The older generation may still have what the database has not.
        if (!IsWritten(_generationFlushed))
            WaitForWrites();
        if (!IsWritten(_generationFlushed))
            return;
        _old.Clear(_spare);
        _old = _young;
        _young = new FlatTable(StateBudget.Unbounded, _spare);
        _generationFlushed = _flushed;
    }

    private bool IsWritten(long number)
    {
        while (_pending.TryPeek(out DiskBatch? batch) && batch.IsWritten)
            _spareBatches.Push(_pending.Dequeue());
        return !_pending.TryPeek(out DiskBatch? first) || first.Number > number;
    }

    private DiskBatch NewBatch()
    {
        IsWritten(0);
        DiskBatch batch = _spareBatches.TryPop(out DiskBatch? spare) ? spare : new DiskBatch();
        batch.Begin();
        return batch;
    }

    private ReadOnlySpan<byte> Stored(ReadOnlySpan<byte> key)
    {
        _key.Clear();
        _key.WriteByte(EntryTag);
        _key.Write(key);
        return _key.WrittenSpan;
    }
}
