using System.Buffers.Binary;
using Streams.Buffers;

namespace Streams.State;

/// <summary>
/// One side of a join of two streams: every record of a key, by time and arrival, for as long as the other
/// side may ask for it. Several records of one key and time are all kept.
/// </summary>
/// <remarks>
/// A key's records lie in stretches of time, each an entry of its own, so that neither a long retention nor a
/// busy key makes lists long. What is at or before the highest time seen less the retention is not found.
/// </remarks>
internal sealed class JoinStore : StateStore
{
    private const int StretchBytes = 8;

    // A join looks at one more than these.
    private const int StretchesPerWindow = 4;

    private readonly WindowTable _table;
    private readonly long _stretchMs;
    private readonly PooledBuffer _key = new();
    private readonly PooledBuffer _items = new();

    internal JoinStore(StoreOptions options, long retentionMs, long windowMs, IUndoLog? undo, int undoStore)
        : base(options)
    {
        _table = new WindowTable(options, retentionMs, undo, undoStore);
        _stretchMs = Math.Max(1, windowMs / StretchesPerWindow);
    }

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
    internal void Add(ReadOnlySpan<byte> key, long timeMs, ReadOnlySpan<byte> value)
    {
        ReadOnlySpan<byte> stretchKey = KeyOf(key, Stretch(timeMs));
        _items.Clear();
        if (_table.TryGet(stretchKey, timeMs, out ReadOnlySpan<byte> before))
            _items.Write(before);
        ItemList.Write(_items.Append(ItemList.ItemBytes(value.Length)), value);
        if (_table.TryPut(stretchKey, timeMs, _items.Length, out Span<byte> payload, out _))
            _items.WrittenSpan.CopyTo(payload);
    }

    /// <summary>The records of a key in a stretch of time, both ends included, by time and arrival.</summary>
    /// <remarks>This store must not change while the result is read.</remarks>
    internal Cursor Fetch(ReadOnlySpan<byte> key, long fromMs, long toMs) => new(this, key, fromMs, toMs);

    internal override void Flush(IChangelog changelog) => _table.Flush(changelog);

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
        _key.Dispose();
        _items.Dispose();
    }

    private long Stretch(long timeMs) => Math.DivRem(timeMs, _stretchMs) is var (q, r) && r < 0 ? q - 1 : q;

    private ReadOnlySpan<byte> KeyOf(ReadOnlySpan<byte> key, long stretch)
    {
        _key.Clear();
        _key.Write(key);
        BinaryPrimitives.WriteInt64BigEndian(_key.Append(StretchBytes), stretch);
        return _key.WrittenSpan;
    }

    /// <summary>Goes through records of a key.</summary>
    internal ref struct Cursor
    {
        private readonly JoinStore _store;
        private readonly ReadOnlySpan<byte> _key;
        private readonly long _fromMs;
        private readonly long _toMs;
        private long _stretch;
        private long _segment;
        private ReadOnlySpan<byte> _list;
        private int _at;
        private ReadOnlySpan<byte> _items;

        internal Cursor(JoinStore store, ReadOnlySpan<byte> key, long fromMs, long toMs)
        {
            TimeSegments segments = store._table.Segments;
            _store = store;
            _key = key;
            _fromMs = segments.ObservedMs == long.MinValue
                ? fromMs
                : Math.Max(fromMs, segments.ObservedMs - segments.RetentionMs + 1);
            _toMs = Math.Min(toMs, segments.ObservedMs);
            _stretch = store.Stretch(_fromMs);
            _segment = segments.SegmentOf(_fromMs);
            if (_fromMs <= _toMs)
                Open();
        }

        /// <summary>The record's time.</summary>
        internal long TimeMs { get; private set; }

        /// <summary>The record's value.</summary>
        internal ReadOnlySpan<byte> Value { get; private set; }

        internal bool MoveNext()
        {
            while (_items.IsEmpty)
            {
                if (_fromMs > _toMs || (!MoveToElement() && !MoveToList()))
                    return false;
            }
            Value = ItemList.Take(ref _items);
            return true;
        }

        private bool MoveToElement()
        {
            while (_at < _list.Length)
            {
                ref readonly ElementHeader header = ref TimedList.Header(_list, _at);
                if (header.TimeMs > _toMs)
                    break;
                int at = _at;
                _at += TimedList.ElementBytes(header.PayloadBytes);
                if ((header.Flags & ElementFlags.Deleted) != 0)
                    continue;
                TimeMs = header.TimeMs;
                _items = TimedList.Payload(_list, at);
                return true;
            }
            _at = _list.Length;
            return false;
        }

        // A stretch that lies across the border of two segments has a list in each.
        private bool MoveToList()
        {
            TimeSegments segments = _store._table.Segments;
            long endMs = Math.Min(_toMs, (_stretch + 1) * _store._stretchMs - 1);
            if (_segment < segments.SegmentOf(endMs))
                _segment++;
            else if (endMs >= _toMs)
                return false;
            else
                _segment = segments.SegmentOf(++_stretch * _store._stretchMs);
            Open();
            return true;
        }

        private void Open()
        {
            _store._table.TryList(_store.KeyOf(_key, _stretch), _segment, out _list);
            _at = TimedList.FirstAtOrAfter(_list, _fromMs);
        }
    }
}
