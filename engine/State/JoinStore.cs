using Streams.Buffers;

namespace Streams.State;

/// <summary>
/// One side of a join of two streams: every record of a key, by time and arrival, for as long as the other
/// side may ask for it. Several records of one key and time are all kept.
/// </summary>
/// <remarks>What is at or before the highest time seen less the retention is not found.</remarks>
internal sealed class JoinStore : StateStore
{
    private const int ListsPerWindow = 4;

    private readonly WindowTable _table;
    private readonly PooledBuffer _items = new();

    internal JoinStore(StoreOptions options, long retentionMs, long windowMs, IUndoLog? undo, int undoStore)
        : base(options) => _table = new WindowTable(
            options, retentionMs, undo, undoStore, Math.Max(1, windowMs / ListsPerWindow));

    public override long BytesReserved => _table.Segments.BytesReserved;

    public override long Count => _table.Segments.Count;

    internal override long ObservedMs
    {
        get => _table.Segments.ObservedMs;
        set => _table.Segments.ResetObserved(value);
    }

    /// <summary>Notes a time: what is out of its retention goes by the highest.</summary>
    internal void Observe(long timeMs) => _table.Observe(timeMs);

    /// <summary>Keeps a record behind those of the same key and time.</summary>
    /// <returns>False where its time is out of the retention already.</returns>
    internal bool Add(ReadOnlySpan<byte> key, long timeMs, ReadOnlySpan<byte> value)
    {
        _items.Clear();
        if (_table.TryGet(key, timeMs, out ReadOnlySpan<byte> before))
            _items.Write(before);
        ItemList.Write(_items.Append(ItemList.ItemBytes(value.Length)), value);
        if (!_table.TryPut(key, timeMs, _items.Length, out Span<byte> payload, out _))
            return false;
        _items.WrittenSpan.CopyTo(payload);
        return true;
    }

    /// <summary>The records of a key in a range of time, both ends included, by time and arrival.</summary>
    /// <remarks>This store must not change while the result is read.</remarks>
    internal Cursor Fetch(ReadOnlySpan<byte> key, long fromMs, long toMs) =>
        new(_table.Elements(key, fromMs, toMs));

    internal override void Flush(IChangelog changelog) => _table.Flush(changelog);

    internal override void WriteAll(IChangelog changelog) => _table.WriteAll(changelog);

    internal override void Restore(ReadOnlySpan<byte> key, bool hasValue, ReadOnlySpan<byte> value) =>
        _table.Restore(key, hasValue, value);

    internal override void Undo(long part, ReadOnlySpan<byte> key, bool hasValue, ReadOnlySpan<byte> value) =>
        _table.Undo(part, key, hasValue, value);

    internal override IReadOnlyList<SnapshotPart> SnapshotParts() => _table.Segments.SnapshotParts();

    internal override TrackedTable RestorePart(long part) => _table.Segments.GetOrAdd(part);

    internal override void Clear() => _table.Segments.Clear();

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        _items.Dispose();
    }

    /// <summary>Goes through records of a key.</summary>
    internal ref struct Cursor
    {
        private WindowElements _elements;
        private ReadOnlySpan<byte> _items;

        internal Cursor(WindowElements elements) => _elements = elements;

        /// <summary>The record's time.</summary>
        internal readonly long TimeMs => _elements.TimeMs;

        /// <summary>The record's value.</summary>
        internal ReadOnlySpan<byte> Value { get; private set; }

        internal bool MoveNext()
        {
            if (_items.IsEmpty)
            {
                if (!_elements.MoveNext())
                    return false;
                _items = _elements.Payload;
            }
            Value = ItemList.Take(ref _items);
            return true;
        }
    }
}
