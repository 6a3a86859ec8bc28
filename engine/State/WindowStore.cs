using System.Buffers.Binary;
using Streams.Buffers;
using Streams.Records;

namespace Streams.State;

/// <summary>A store of typed values by key and window start, each with the time of the record that set
/// it.</summary>
/// <remarks>
/// What starts at or before the highest start seen less the retention is gone, exactly. Source: Kafka
/// Streams' in-memory window store.
/// </remarks>
/// <typeparam name="TKey">The key's type.</typeparam>
/// <typeparam name="TValue">The value's type.</typeparam>
public sealed class WindowStore<TKey, TValue> : StateStore, IReadOnlyWindowStore<TKey, TValue>
{
    private const int TimestampBytes = 8;

    private readonly WindowTable _table;
    private readonly Serde<TKey> _keySerde;
    private readonly Serde<TValue> _valueSerde;
    private readonly PooledBuffer _key = new();
    private readonly PooledBuffer _value = new();

    internal WindowStore(
        StoreOptions options, long retentionMs, Serde<TKey> keySerde, Serde<TValue> valueSerde,
        IUndoLog? undo,
        int undoStore, long stretchMs = 0)
        : base(options)
    {
        _table = new WindowTable(options, retentionMs, undo, undoStore, stretchMs);
        _keySerde = keySerde;
        _valueSerde = valueSerde;
    }

    /// <inheritdoc/>
    public override long BytesReserved => _table.Segments.BytesReserved;

    /// <summary>Number of keys with a value, counted once per segment.</summary>
    public override long Count => _table.Segments.Count;

    /// <summary>Reads the value of a key's window, refilling <paramref name="value"/> where its type allows
    /// that.</summary>
    public bool TryGet(in TKey key, long windowStartMs, ref TValue value, out long timestampMs)
    {
        timestampMs = 0;
        if (!_table.TryGet(Encode(key), windowStartMs, out ReadOnlySpan<byte> payload))
            return false;
        timestampMs = BinaryPrimitives.ReadInt64LittleEndian(payload);
        _valueSerde.Deserialize(payload[TimestampBytes..], ref value);
        return true;
    }

    /// <summary>Sets the value of a key's window.</summary>
    /// <returns>False where the window is past the retention: nothing is stored.</returns>
    public bool Put(in TKey key, long windowStartMs, in TValue value, long timestampMs)
    {
        _value.Clear();
        _valueSerde.Serialize(value, _value);
        int bytes = TimestampBytes + _value.Length;
        if (!_table.TryPut(Encode(key), windowStartMs, bytes, out Span<byte> payload, out _))
            return false;
        BinaryPrimitives.WriteInt64LittleEndian(payload, timestampMs);
        _value.WrittenSpan.CopyTo(payload[TimestampBytes..]);
        return true;
    }

    /// <summary>Deletes the value of a key's window.</summary>
    public bool Delete(in TKey key, long windowStartMs) => _table.Delete(Encode(key), windowStartMs);

    /// <summary>The values of a key whose window starts in a range, by start; not for the record
    /// path.</summary>
    public IEnumerable<(long WindowStartMs, TValue Value, long TimestampMs)> Fetch(
        TKey key, long fromMs, long toMs)
    {
        // Copied out first: elements are views, which an iterator cannot hold.
        var values = new List<(long, TValue, long)>();
        WindowElements elements = _table.Elements(Encode(key), fromMs, toMs);
        while (elements.MoveNext())
            values.Add((
                elements.TimeMs, _valueSerde.Deserialize(elements.Payload[TimestampBytes..]),
                BinaryPrimitives.ReadInt64LittleEndian(elements.Payload)));
        return values;
    }

    /// <inheritdoc/>
    public bool TryGet(in TKey key, long windowStartMs, out TValue value)
    {
        value = default!;
        return TryGet(key, windowStartMs, ref value, out _);
    }

    /// <inheritdoc/>
    public IReadOnlyList<WindowEntry<TKey, TValue>> FetchAll(
        long fromMs, long toMs, KeyRange range = default, bool descending = false) =>
        [.. ReadKeyed(fromMs, toMs, range, descending).Select(e => e.Entry)];

    /// <summary>Values with the bytes of their keys.</summary>
    internal IEnumerable<(byte[] Key, WindowEntry<TKey, TValue> Entry)> ReadKeyed(
        long fromMs, long toMs, KeyRange range, bool descending) => _table.Query(new StateQuery
        {
            Range = range,
            FromMs = fromMs,
            ToMs = toMs,
            Descending = descending,
        }).Select(e => (e.Key, new WindowEntry<TKey, TValue>(
            _keySerde.Deserialize(e.Key), e.TimeMs,
            _valueSerde.Deserialize(e.Payload.AsSpan(TimestampBytes)),
            BinaryPrimitives.ReadInt64LittleEndian(e.Payload))));

    internal override IEnumerable<StateEntry> Query(StateQuery query) => _table.Query(query).Select(
        e => new StateEntry(
            StateText.Of(_keySerde, e.Key), e.Key,
            StateText.Of(_valueSerde, e.Payload.AsSpan(TimestampBytes)))
        {
            StartMs = e.TimeMs,
            TimestampMs = BinaryPrimitives.ReadInt64LittleEndian(e.Payload),
        });

    internal override byte[] QueryKey(string text) => StateText.KeyOf(_keySerde, text);

    /// <summary>Finds the windows of a key that start in a range, by start.</summary>
    /// <returns>How many there are in <paramref name="found"/>, which grows where it must.</returns>
    internal int Find(in TKey key, long fromMs, long toMs, ref WindowTime[] found)
    {
        int count = 0;
        WindowElements elements = _table.Elements(Encode(key), fromMs, toMs);
        while (elements.MoveNext())
        {
            if (count == found.Length)
                Array.Resize(ref found, count * 2);
            found[count++] = new WindowTime(
                elements.TimeMs, BinaryPrimitives.ReadInt64LittleEndian(elements.Payload));
        }
        return count;
    }

    internal override long ObservedMs
    {
        get => _table.Segments.ObservedMs;
        set => _table.Segments.ResetObserved(value);
    }

    internal override void Flush(IChangelog changelog) => _table.Flush(changelog);

    internal override void WriteAll(IChangelog changelog) => _table.WriteAll(changelog);

    internal override void Restore(ReadOnlySpan<byte> key, bool hasValue, ReadOnlySpan<byte> value) =>
        _table.Restore(key, hasValue, value);

    internal override void Undo(long part, ReadOnlySpan<byte> key, bool hasValue, ReadOnlySpan<byte> value) =>
        _table.Undo(part, key, hasValue, value);

    internal override IReadOnlyList<SnapshotPart> SnapshotParts() => _table.Segments.SnapshotParts();

    internal override TrackedTable RestorePart(long part) => _table.Segments.GetOrAdd(part);

    internal override void Clear() => _table.Segments.Clear();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        _key.Dispose();
        _value.Dispose();
    }

    private ReadOnlySpan<byte> Encode(in TKey key)
    {
        _key.Clear();
        _keySerde.Serialize(key, _key);
        return _key.WrittenSpan;
    }
}

/// <summary>What a window store lets others read.</summary>
public interface IReadOnlyWindowStore<TKey, TValue>
{
    /// <summary>Reads the value of a key's window.</summary>
    bool TryGet(in TKey key, long windowStartMs, out TValue value);

    /// <summary>The values of a key whose window starts in a range, both ends included, by start.</summary>
    IEnumerable<(long WindowStartMs, TValue Value, long TimestampMs)> Fetch(
        TKey key, long fromMs, long toMs);

    /// <summary>The values of all keys of a range whose window starts in a range of time, both ends included,
    /// by the bytes of the keys and by start.</summary>
    IReadOnlyList<WindowEntry<TKey, TValue>> FetchAll(
        long fromMs, long toMs, KeyRange range = default, bool descending = false);
}

/// <summary>A value of a window store.</summary>
/// <param name="Key">The key.</param>
/// <param name="WindowStartMs">Start of the window, Unix milliseconds.</param>
/// <param name="Value">The value.</param>
/// <param name="TimestampMs">Time of the record that set it, Unix milliseconds.</param>
public readonly record struct WindowEntry<TKey, TValue>(
    TKey Key, long WindowStartMs, TValue Value, long TimestampMs);

/// <summary>A window of a key and the time of its value.</summary>
internal readonly record struct WindowTime(long StartMs, long TimestampMs);
