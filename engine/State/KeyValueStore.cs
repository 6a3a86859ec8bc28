using System.Buffers.Binary;
using Streams.Buffers;
using Streams.Records;

namespace Streams.State;

/// <summary>A key-value store of typed keys and values, each value with the time of the record that set
/// it.</summary>
/// <remarks>The time is what Kafka Streams keeps in its timestamped stores: tables and aggregates need
/// it.</remarks>
/// <typeparam name="TKey">The key's type.</typeparam>
/// <typeparam name="TValue">The value's type.</typeparam>
public sealed class KeyValueStore<TKey, TValue> : StateStore, IReadOnlyKeyValueStore<TKey, TValue>
{
    private const int TimestampBytes = 8;

    private readonly BytesStore _bytes;
    private readonly Serde<TKey> _keySerde;
    private readonly Serde<TValue> _valueSerde;
    private readonly PooledBuffer _key = new();
    private readonly PooledBuffer _value = new();

    internal KeyValueStore(
        StoreOptions options, Serde<TKey> keySerde, Serde<TValue> valueSerde, IUndoLog? undo, int undoStore)
        : base(options)
    {
        _bytes = new BytesStore(options, undo, undoStore);
        _keySerde = keySerde;
        _valueSerde = valueSerde;
    }

    /// <inheritdoc/>
    public override long BytesReserved => _bytes.BytesReserved;

    /// <inheritdoc/>
    public override long Count => _bytes.Count;

    /// <summary>Reads a value and its time, refilling <paramref name="value"/> where its type allows
    /// that.</summary>
    /// <returns>Whether there was one; <paramref name="value"/> is untouched otherwise.</returns>
    public bool TryGet(in TKey key, ref TValue value, out long timestampMs)
    {
        timestampMs = 0;
        if (!_bytes.TryGet(Encode(key), out ReadOnlySpan<byte> stored))
            return false;
        timestampMs = BinaryPrimitives.ReadInt64LittleEndian(stored);
        _valueSerde.Deserialize(stored[TimestampBytes..], ref value);
        return true;
    }

    /// <inheritdoc/>
    public bool TryGet(in TKey key, out TValue value)
    {
        value = default!;
        return TryGet(key, ref value, out _);
    }

    /// <summary>Sets a value.</summary>
    /// <exception cref="StateLimitException">The store is full.</exception>
    public void Put(in TKey key, in TValue value, long timestampMs)
    {
        _value.Clear();
        _valueSerde.Serialize(value, _value);
        Span<byte> stored = _bytes.Put(Encode(key), TimestampBytes + _value.Length, out _);
        BinaryPrimitives.WriteInt64LittleEndian(stored, timestampMs);
        _value.WrittenSpan.CopyTo(stored[TimestampBytes..]);
    }

    /// <summary>Deletes a key.</summary>
    /// <returns>Whether it was there.</returns>
    public bool Delete(in TKey key) => _bytes.Delete(Encode(key));

    /// <inheritdoc/>
    public IEnumerable<KeyValuePair<TKey, TValue>> All()
    {
        foreach ((byte[] key, byte[] value) in _bytes.All())
            yield return new(
                _keySerde.Deserialize(key), _valueSerde.Deserialize(value.AsSpan(TimestampBytes)));
    }

    internal override void Flush(IChangelog changelog) => _bytes.Flush(changelog);

    internal override void Restore(ReadOnlySpan<byte> key, bool hasValue, ReadOnlySpan<byte> value) =>
        _bytes.Restore(key, hasValue, value);

    internal override void WriteAll(IChangelog changelog)
    {
        TrackedTable table = SnapshotParts()[0].Table;
        foreach (uint entry in table.LiveEntriesByKey())
            changelog.Append(table.Key(entry), true, table.Read(entry));
    }

    internal override void Undo(long part, ReadOnlySpan<byte> key, bool hasValue, ReadOnlySpan<byte> value) =>
        _bytes.Undo(part, key, hasValue, value);

    internal override IReadOnlyList<SnapshotPart> SnapshotParts() => _bytes.SnapshotParts();

    internal override TrackedTable RestorePart(long part) => _bytes.RestorePart(part);

    internal override void Clear() => _bytes.Clear();

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

/// <summary>What a key-value store lets others read.</summary>
public interface IReadOnlyKeyValueStore<TKey, TValue>
{
    /// <summary>Number of entries.</summary>
    long Count { get; }

    /// <summary>Reads a value.</summary>
    bool TryGet(in TKey key, out TValue value);

    /// <summary>All entries, ordered by the bytes of their keys.</summary>
    IEnumerable<KeyValuePair<TKey, TValue>> All();
}
