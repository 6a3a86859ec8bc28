using System.Buffers.Binary;
using Streams.Buffers;
using Streams.Records;

namespace Streams.State;

/// <summary>An update that is held back: views, valid until the buffer changes.</summary>
internal readonly ref struct HeldUpdate
{
    internal required long TimestampMs { get; init; }

    internal required bool HasNew { get; init; }

    internal required bool HasOld { get; init; }

    internal required ReadOnlySpan<byte> New { get; init; }

    internal required ReadOnlySpan<byte> Old { get; init; }

    internal required ReadOnlySpan<byte> Headers { get; init; }
}

/// <summary>
/// Updates that are held back: the last one of each key, in the order of their places (a time and the key).
/// Each also has what the table said before the first update that was held.
/// </summary>
internal sealed class SuppressBuffer : StateStore
{
    private const byte ByPlace = 0;
    private const byte ByKey = 1;
    private const int TagBytes = 1;
    private const int PlaceBytes = TagBytes + OrderedStore.TimeBytes;
    private const int HeadBytes = 24;
    private const int HasNewFlag = 1;
    private const int HasOldFlag = 2;

    private readonly OrderedStore _entries;
    private readonly PooledBuffer _place = new();
    private readonly PooledBuffer _scratch = new();
    private readonly PooledBuffer _lookup = new();
    private long _bytes;
    private long _count = -1;

    private readonly bool _placesAreGiven;

    /// <param name="options">The store's options.</param>
    /// <param name="placesAreGiven">Whether a key always has the same place, as a window has its end; else
    /// where a key is held is kept too.</param>
    /// <param name="undo">The undo log, or null.</param>
    /// <param name="undoStore">The store's number there.</param>
    internal SuppressBuffer(StoreOptions options, bool placesAreGiven, IUndoLog? undo, int undoStore)
        : base(options)
    {
        _entries = new OrderedStore(options, undo, undoStore);
        _placesAreGiven = placesAreGiven;
    }

    public override long BytesReserved => _entries.BytesReserved;

    public override long Count
    {
        get
        {
            Measure();
            return _count;
        }
    }

    /// <summary>Bytes of the updates that are held, keys and headers included.</summary>
    internal long BytesHeld
    {
        get
        {
            Measure();
            return _bytes;
        }
    }

    /// <summary>Holds an update back in place of an older one of its key.</summary>
    /// <param name="placeMs">Its place, where none of the key is held: those are looked up by key.</param>
    /// <param name="key">The key.</param>
    /// <param name="update">The update; its old value counts where none of the key is held.</param>
    internal void Put(long placeMs, ReadOnlySpan<byte> key, in HeldUpdate update)
    {
        Measure();
        if (!TryPlaceOf(key, ref placeMs) && !_placesAreGiven)
            OrderedStore.WriteTime(
                _entries.Put(KeyOf(ByKey, 0, key), OrderedStore.TimeBytes, out _), placeMs);
        ReadOnlySpan<byte> place = KeyOf(ByPlace, placeMs, key);
        bool held = _entries.TryGet(place, out ReadOnlySpan<byte> before);
        bool hasOld = held ? (Flags(before) & HasOldFlag) != 0 : update.HasOld;
        ReadOnlySpan<byte> old = held ? OldOf(before) : update.Old;
        _scratch.Clear();
        _scratch.WriteInt64(update.TimestampMs);
        _scratch.WriteInt32((update.HasNew ? HasNewFlag : 0) | (hasOld ? HasOldFlag : 0));
        _scratch.WriteInt32(update.Headers.Length);
        _scratch.WriteInt32(old.Length);
        _scratch.WriteInt32(0);
        _scratch.Write(update.Headers);
        _scratch.Write(old);
        _scratch.Write(update.New);
        _bytes += _scratch.Length - (held ? before.Length : -key.Length);
        _count += held ? 0 : 1;
        _entries.Put(place, _scratch.WrittenSpan);
    }

    /// <summary>The first update in order.</summary>
    internal bool TryFirst(out long placeMs, out ReadOnlySpan<byte> key, out HeldUpdate update)
    {
        placeMs = 0;
        key = default;
        update = default;
        if (!_entries.TryFirst(out ReadOnlySpan<byte> place, out ReadOnlySpan<byte> entry)
            || place[0] != ByPlace)
            return false;
        placeMs = OrderedStore.ReadTime(place[TagBytes..]);
        key = place[PlaceBytes..];
        update = Read(entry);
        return true;
    }

    /// <summary>The update of a key; its place counts only where places are given.</summary>
    internal bool TryGet<TKey>(long placeMs, in TKey typedKey, Serde<TKey> serde, out HeldUpdate update)
    {
        _lookup.Clear();
        serde.Serialize(typedKey, _lookup);
        ReadOnlySpan<byte> key = _lookup.WrittenSpan;
        update = default;
        if ((!TryPlaceOf(key, ref placeMs) && !_placesAreGiven)
            || !_entries.TryGet(KeyOf(ByPlace, placeMs, key), out ReadOnlySpan<byte> entry))
            return false;
        update = Read(entry);
        return true;
    }

    /// <summary>Lets an update go.</summary>
    internal void Remove(long placeMs, ReadOnlySpan<byte> key)
    {
        Measure();
        ReadOnlySpan<byte> place = KeyOf(ByPlace, placeMs, key);
        if (!_entries.TryGet(place, out ReadOnlySpan<byte> entry))
            return;
        _bytes -= entry.Length + key.Length;
        _count--;
        // The key may be a view of the place, which stays readable until the next change is flushed.
        _entries.Delete(place);
        if (!_placesAreGiven)
            _entries.Delete(KeyOf(ByKey, 0, key));
    }

    internal override void Flush(IChangelog changelog) => _entries.Flush(changelog);

    internal override void Restore(ReadOnlySpan<byte> key, bool hasValue, ReadOnlySpan<byte> value)
    {
        _count = -1;
        _entries.Restore(key, hasValue, value);
    }

    internal override void Undo(long part, ReadOnlySpan<byte> key, bool hasValue, ReadOnlySpan<byte> value)
    {
        _count = -1;
        _entries.Undo(part, key, hasValue, value);
    }

    internal override IReadOnlyList<SnapshotPart> SnapshotParts() => _entries.SnapshotParts();

    internal override TrackedTable RestorePart(long part)
    {
        _count = -1;
        return _entries.RestorePart(part);
    }

    internal override void Clear()
    {
        _entries.Clear();
        _count = -1;
        ObservedMs = long.MinValue;
    }

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        _place.Dispose();
        _scratch.Dispose();
        _lookup.Dispose();
    }

    private static int Flags(ReadOnlySpan<byte> entry) => BinaryPrimitives.ReadInt32LittleEndian(entry[8..]);

    private static ReadOnlySpan<byte> HeadersOf(ReadOnlySpan<byte> entry) =>
        entry.Slice(HeadBytes, BinaryPrimitives.ReadInt32LittleEndian(entry[12..]));

    private static ReadOnlySpan<byte> OldOf(ReadOnlySpan<byte> entry) =>
        entry.Slice(HeadBytes + HeadersOf(entry).Length, BinaryPrimitives.ReadInt32LittleEndian(entry[16..]));

    private static HeldUpdate Read(ReadOnlySpan<byte> entry) => new()
    {
        TimestampMs = BinaryPrimitives.ReadInt64LittleEndian(entry),
        HasNew = (Flags(entry) & HasNewFlag) != 0,
        HasOld = (Flags(entry) & HasOldFlag) != 0,
        Headers = HeadersOf(entry),
        Old = OldOf(entry),
        New = entry[(HeadBytes + HeadersOf(entry).Length + OldOf(entry).Length)..],
    };

    private bool TryPlaceOf(ReadOnlySpan<byte> key, ref long placeMs)
    {
        if (_placesAreGiven || !_entries.TryGet(KeyOf(ByKey, 0, key), out ReadOnlySpan<byte> place))
            return false;
        placeMs = OrderedStore.ReadTime(place);
        return true;
    }

    private ReadOnlySpan<byte> KeyOf(byte tag, long placeMs, ReadOnlySpan<byte> key)
    {
        _place.Clear();
        _place.WriteByte(tag);
        if (tag == ByPlace)
            OrderedStore.WriteTime(_place.Append(OrderedStore.TimeBytes), placeMs);
        _place.Write(key);
        return _place.WrittenSpan;
    }

    // After a restore the sums are not known until somebody asks.
    private void Measure()
    {
        if (_count >= 0)
            return;
        _count = _bytes = 0;
        Span<byte> after = stackalloc byte[TagBytes];
        _scratch.Clear();
        _scratch.Write(after);
        while (_entries.TryFirstAtOrAfter(
            _scratch.WrittenSpan, out ReadOnlySpan<byte> place, out ReadOnlySpan<byte> entry)
            && place[0] == ByPlace)
        {
            _count++;
            _bytes += place.Length - PlaceBytes + entry.Length;
            _scratch.Clear();
            _scratch.Write(place);
            _scratch.WriteByte(0);
        }
    }
}
