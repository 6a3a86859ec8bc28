using System.Runtime.CompilerServices;

namespace Streams.State;

/// <summary>
/// A flat table that knows what changed since the last commit, so that a commit writes one changelog entry
/// per key, and that hands the old value of an entry to the savepoint that is open, once.
/// </summary>
/// <remarks>
/// A deleted entry stays until the commit, marked, so that its tombstone can be written; an entry that was
/// inserted and deleted between two commits leaves no trace at all.
/// </remarks>
internal sealed class TrackedTable
{
    // A commit touches more entries than a processor's near caches hold: they are fetched before their turn.
    private const int FlushAhead = 8;

    private readonly FlatTable _table;
    private readonly IUndoLog? _undo;
    private readonly int _undoStore;
    private readonly long _undoPart;
    private uint[] _dirty = new uint[64];
    private int _dirtyCount;

    /// <param name="budget">What memory is taken from.</param>
    /// <param name="undo">Where old values go while a savepoint is open; null where there are none.</param>
    /// <param name="undoStore">What names the store in the undo log.</param>
    /// <param name="undoPart">What names this table within the store.</param>
    /// <param name="spare">Memory to use before new memory is allocated.</param>
    internal TrackedTable(
        StateBudget budget, IUndoLog? undo = null, int undoStore = 0, long undoPart = 0,
        SpareMemory? spare = null)
    {
        _table = new FlatTable(budget, spare);
        _undo = undo;
        _undoStore = undoStore;
        _undoPart = undoPart;
    }

    /// <summary>Number of entries that are not deleted.</summary>
    internal int Count { get; private set; }

    /// <summary>Bytes reserved.</summary>
    internal long BytesReserved => _table.BytesReserved;

    /// <summary>Whether there is something to flush.</summary>
    internal bool IsDirty => _dirtyCount > 0;

    /// <summary>The pages, for snapshots.</summary>
    internal PageArena Arena => _table.Arena;

    /// <summary>Finds a live entry; 0 when there is none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal uint Find(ReadOnlySpan<byte> key)
    {
        uint entry = _table.Find(key);
        return entry == 0 || (_table.Header(entry).Flags & EntryFlags.Deleted) != 0 ? 0 : entry;
    }

    /// <summary>Brings the index line of a key near, for a lookup that will follow.</summary>
    /// <returns>The key's hash.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal uint Prefetch(ReadOnlySpan<byte> key)
    {
        uint hash = KeyHash.Of(key);
        _table.Prefetch(hash);
        return hash;
    }

    /// <summary>Brings the entry of a key near, once its index line is.</summary>
    internal void PrefetchEntry(uint hash) => _table.PrefetchEntry(hash);

    /// <summary>An entry's value, to read.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal ReadOnlySpan<byte> Read(uint entry) => _table.Value(entry);

    /// <summary>An entry's key.</summary>
    internal ReadOnlySpan<byte> Key(uint entry) => _table.Key(entry);

    /// <summary>An entry's value, to change in place.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal Span<byte> Change(uint entry)
    {
        Touch(entry);
        return _table.Value(entry);
    }

    /// <summary>Makes an entry with a value of that length, or gives the entry that length.</summary>
    /// <param name="key">The key.</param>
    /// <param name="valueBytes">The length. What fits of an old value is kept; the rest is arbitrary.</param>
    /// <param name="existed">Whether there was a live entry.</param>
    internal uint Put(ReadOnlySpan<byte> key, int valueBytes, out bool existed)
    {
        uint hash = KeyHash.Of(key);
        uint entry = _table.Find(key, hash);
        if (entry == 0)
        {
            existed = false;
            return Insert(key, hash, valueBytes);
        }
        Touch(entry);
        ref EntryHeader header = ref _table.Header(entry);
        existed = (header.Flags & EntryFlags.Deleted) == 0;
        if (!existed)
        {
            header.Flags &= ~EntryFlags.Deleted;
            Count++;
        }
        return header.ValueBytes == valueBytes ? entry : Resize(entry, valueBytes);
    }

    /// <summary>Gives a live entry's value another length; what fits is kept.</summary>
    /// <returns>The entry's name, which may be a new one.</returns>
    internal uint Resize(uint entry, int valueBytes)
    {
        Touch(entry);
        uint moved = _table.Resize(entry, valueBytes);
        // The old name in the list now stands for a free place; flushing skips those.
        if (moved != entry)
            AddDirty(moved);
        return moved;
    }

    /// <summary>Deletes a live entry.</summary>
    internal void Delete(uint entry)
    {
        Touch(entry);
        _table.Header(entry).Flags |= EntryFlags.Deleted;
        Count--;
    }

    /// <summary>Goes once through what changed since the last flush, in order of first change, and forgets
    /// it.</summary>
    internal void Flush<TVisitor>(ref TVisitor visitor)
        where TVisitor : IChangeVisitor, allows ref struct
    {
        for (int i = 0; i < _dirtyCount; i++)
        {
            if (i + FlushAhead < _dirtyCount)
                _table.PrefetchAt(_dirty[i + FlushAhead]);
            uint entry = _dirty[i];
            ref EntryHeader header = ref _table.Header(entry);
            if ((header.Flags & (EntryFlags.Dirty | EntryFlags.Free)) != EntryFlags.Dirty)
                continue;
            EntryFlags flags = header.Flags;
            header.Flags = EntryFlags.None;
            if ((flags & EntryFlags.Deleted) == 0)
            {
                visitor.Changed(_table.Key(entry), _table.Value(entry));
                continue;
            }
            if ((flags & EntryFlags.New) == 0)
                visitor.Deleted(_table.Key(entry), _table.Value(entry));
            _table.Remove(entry);
        }
        _dirtyCount = 0;
    }

    /// <summary>Has the next flush go through all entries, as if each had been changed.</summary>
    internal void MarkAll()
    {
        uint[] entries = new uint[_table.Count];
        int count = _table.CopyEntries(entries);
        foreach (uint entry in entries.AsSpan(0, count))
        {
            ref EntryHeader header = ref _table.Header(entry);
            if ((header.Flags & EntryFlags.Dirty) != 0)
                continue;
            header.Flags |= EntryFlags.Dirty;
            AddDirty(entry);
        }
    }

    /// <summary>Sets an entry as the changelog or a snapshot has it, without marking anything.</summary>
    internal Span<byte> Restore(ReadOnlySpan<byte> key, int valueBytes)
    {
        uint hash = KeyHash.Of(key);
        uint entry = _table.Find(key, hash);
        if (entry != 0)
            return _table.Value(_table.Resize(entry, valueBytes));
        Count++;
        return _table.Value(_table.Add(key, hash, valueBytes));
    }

    /// <summary>Removes an entry as the changelog has it.</summary>
    internal void RestoreDeleted(ReadOnlySpan<byte> key)
    {
        uint entry = _table.Find(key);
        if (entry == 0)
            return;
        _table.Remove(entry);
        Count--;
    }

    /// <summary>The names of all live entries, ordered by key; for reads outside the record path.</summary>
    internal uint[] LiveEntriesByKey()
    {
        uint[] entries = new uint[_table.Count];
        int count = _table.CopyEntries(entries);
        entries = [.. entries.AsSpan(0, count).ToArray().Where(
            e => (_table.Header(e).Flags & EntryFlags.Deleted) == 0)];
        Array.Sort(entries, (a, b) => _table.Key(a).SequenceCompareTo(_table.Key(b)));
        return entries;
    }

    /// <summary>The names of the first live entries of a range by key, or of the last from the end, in that
    /// order; for reads outside the record path. Goes once through all entries.</summary>
    internal uint[] FirstByKey(KeyRange range, bool descending, int limit)
    {
        uint[] entries = new uint[_table.Count];
        int count = _table.CopyEntries(entries);
        int sign = descending ? -1 : 1;
        Comparison<uint> order = (a, b) => sign * _table.Key(a).SequenceCompareTo(_table.Key(b));
        // The one that would go first if a better one came is on top.
        var best = new PriorityQueue<uint, uint>(Comparer<uint>.Create((a, b) => order(b, a)));
        foreach (uint entry in entries.AsSpan(0, count))
        {
            if ((_table.Header(entry).Flags & EntryFlags.Deleted) != 0 || !range.Contains(_table.Key(entry)))
                continue;
            if (best.Count < limit)
                best.Enqueue(entry, entry);
            else if (limit > 0 && order(entry, best.Peek()) < 0)
                best.EnqueueDequeue(entry, entry);
        }
        uint[] found = [.. best.UnorderedItems.Select(i => i.Element)];
        Array.Sort(found, order);
        return found;
    }

    /// <summary>Removes everything, unmarked.</summary>
    /// <param name="leaveTo">Takes the memory; null to let go of it.</param>
    internal void Clear(SpareMemory? leaveTo = null)
    {
        _table.Clear(leaveTo);
        _dirtyCount = 0;
        Count = 0;
    }

    private uint Insert(ReadOnlySpan<byte> key, uint hash, int valueBytes)
    {
        uint entry = _table.Add(key, hash, valueBytes);
        ref EntryHeader header = ref _table.Header(entry);
        header.Flags = EntryFlags.Dirty | EntryFlags.New;
        if (_undo is { Current: > 0 } undo)
        {
            undo.Capture(_undoStore, _undoPart, key, false, default);
            header.Savepoint = undo.Current;
        }
        AddDirty(entry);
        Count++;
        return entry;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Touch(uint entry)
    {
        ref EntryHeader header = ref _table.Header(entry);
        if (_undo is not null && _undo.Current != header.Savepoint)
            Capture(entry);
        if ((header.Flags & EntryFlags.Dirty) == 0)
        {
            header.Flags |= EntryFlags.Dirty;
            AddDirty(entry);
        }
    }

    private void Capture(uint entry)
    {
        ref EntryHeader header = ref _table.Header(entry);
        bool live = (header.Flags & EntryFlags.Deleted) == 0;
        if (_undo!.Current > 0)
            _undo.Capture(
                _undoStore, _undoPart, _table.Key(entry), live, live ? _table.Value(entry) : default);
        header.Savepoint = _undo.Current;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void AddDirty(uint entry)
    {
        if (_dirtyCount == _dirty.Length)
            Array.Resize(ref _dirty, _dirtyCount * 2);
        _dirty[_dirtyCount++] = entry;
    }
}

/// <summary>Receives what changed in a table since the last commit.</summary>
internal interface IChangeVisitor
{
    /// <summary>An entry was inserted or changed.</summary>
    void Changed(ReadOnlySpan<byte> key, Span<byte> value);

    /// <summary>An entry that the changelog knows was deleted.</summary>
    /// <param name="key">Its key.</param>
    /// <param name="value">What it held last.</param>
    void Deleted(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value);
}

/// <summary>Takes the old values of entries while a savepoint is open.</summary>
internal interface IUndoLog
{
    /// <summary>The savepoint that is open; 0 for none.</summary>
    uint Current { get; }

    /// <summary>Keeps what an entry was before its first change under the open savepoint.</summary>
    void Capture(int store, long part, ReadOnlySpan<byte> key, bool hasValue, ReadOnlySpan<byte> value);
}
