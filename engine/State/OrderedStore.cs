using System.Buffers.Binary;

namespace Streams.State;

/// <summary>
/// A store of bytes whose keys are ordered by their bytes: what operators hold back by time lies in one, with
/// the time in front of the key.
/// </summary>
/// <remarks>Views are valid until the next call that inserts, resizes or deletes an entry.</remarks>
internal sealed class OrderedStore : StateStore
{
    /// <summary>Bytes of a time in a key.</summary>
    internal const int TimeBytes = 8;

    private readonly TrackedTable _table;
    private readonly OrderedIndex _index;
    private bool _indexIsStale;

    internal OrderedStore(StoreOptions options, IUndoLog? undo, int undoStore)
        : base(options)
    {
        _table = new TrackedTable(new StateBudget(options), undo, undoStore);
        _index = new OrderedIndex(_table);
    }

    public override long BytesReserved => _table.BytesReserved + _index.BytesReserved;

    public override long Count => _table.Count;

    /// <summary>Writes a time so that the bytes of times are ordered as the times are.</summary>
    internal static void WriteTime(Span<byte> destination, long timeMs) =>
        BinaryPrimitives.WriteUInt64BigEndian(destination, (ulong)timeMs ^ (1UL << 63));

    /// <summary>Reads what <see cref="WriteTime"/> wrote.</summary>
    internal static long ReadTime(ReadOnlySpan<byte> source) =>
        (long)(BinaryPrimitives.ReadUInt64BigEndian(source) ^ (1UL << 63));

    internal bool TryGet(ReadOnlySpan<byte> key, out ReadOnlySpan<byte> value)
    {
        uint entry = _table.Find(key);
        value = entry == 0 ? default : _table.Read(entry);
        return entry != 0;
    }

    /// <summary>The entry with the lowest key.</summary>
    internal bool TryFirst(out ReadOnlySpan<byte> key, out ReadOnlySpan<byte> value)
    {
        Refresh();
        return Read(_index.First(), out key, out value);
    }

    /// <summary>The entry with the lowest key at or after one.</summary>
    internal bool TryFirstAtOrAfter(
        ReadOnlySpan<byte> from, out ReadOnlySpan<byte> key, out ReadOnlySpan<byte> value)
    {
        Refresh();
        return Read(_index.FirstAtOrAfter(from), out key, out value);
    }

    /// <summary>The entry with the highest key before one.</summary>
    internal bool TryLastBefore(
        ReadOnlySpan<byte> before, out ReadOnlySpan<byte> key, out ReadOnlySpan<byte> value)
    {
        Refresh();
        return Read(_index.LastBefore(before), out key, out value);
    }

    /// <summary>Opens a value of that length for filling; what fits of an old value is kept.</summary>
    internal Span<byte> Put(ReadOnlySpan<byte> key, int valueBytes, out bool existed)
    {
        Refresh();
        uint before = _table.Find(key);
        uint entry = _table.Put(key, valueBytes, out existed);
        if (!existed)
            _index.Insert(key, entry);
        else if (entry != before)
            _index.Rename(key, entry);
        return _table.Change(entry);
    }

    internal void Put(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value) =>
        value.CopyTo(Put(key, value.Length, out _));

    /// <summary>Appends to a value, making the entry where it is absent.</summary>
    /// <returns>What was added, for filling.</returns>
    internal Span<byte> Append(ReadOnlySpan<byte> key, int bytes)
    {
        int before = TryGet(key, out ReadOnlySpan<byte> old) ? old.Length : 0;
        return Put(key, before + bytes, out _)[before..];
    }

    internal bool Delete(ReadOnlySpan<byte> key)
    {
        Refresh();
        uint entry = _table.Find(key);
        if (entry == 0)
            return false;
        _index.Remove(key);
        _table.Delete(entry);
        return true;
    }

    internal override void Flush(IChangelog changelog)
    {
        var writer = new ChangeWriter(changelog);
        _table.Flush(ref writer);
    }

    internal override void Restore(ReadOnlySpan<byte> key, bool hasValue, ReadOnlySpan<byte> value)
    {
        _indexIsStale = true;
        if (hasValue)
            value.CopyTo(_table.Restore(key, value.Length));
        else
            _table.RestoreDeleted(key);
    }

    internal override uint Expect(ReadOnlySpan<byte> changelogKey) => _table.Prefetch(changelogKey);

    internal override void ExpectEntry(uint hash) => _table.PrefetchEntry(hash);

    internal override void Undo(long part, ReadOnlySpan<byte> key, bool hasValue, ReadOnlySpan<byte> value)
    {
        if (hasValue)
            Put(key, value);
        else
            Delete(key);
    }

    internal override IReadOnlyList<SnapshotPart> SnapshotParts() => [new SnapshotPart(0, _table)];

    internal override TrackedTable RestorePart(long part)
    {
        _indexIsStale = true;
        return _table;
    }

    internal override void Clear()
    {
        _table.Clear();
        _index.Clear();
        _indexIsStale = false;
    }

    private bool Read(uint entry, out ReadOnlySpan<byte> key, out ReadOnlySpan<byte> value)
    {
        key = entry == 0 ? default : _table.Key(entry);
        value = entry == 0 ? default : _table.Read(entry);
        return entry != 0;
    }

    // What a changelog or a snapshot brings goes into the table alone; the order is made once, afterwards.
    private void Refresh()
    {
        if (!_indexIsStale)
            return;
        _index.Rebuild(_table.LiveEntriesByKey());
        _indexIsStale = false;
    }

    private readonly struct ChangeWriter(IChangelog changelog) : IChangeVisitor
    {
        public void Changed(ReadOnlySpan<byte> key, Span<byte> value) => changelog.Append(key, true, value);

        public void Deleted(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value) =>
            changelog.Append(key, false, default);
    }
}
