using System.Buffers.Binary;
using Streams.Buffers;
using Streams.Records;
using Streams.State.Disk;

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

    private readonly ExpiryQueue? _expiry;
    private readonly Serde<TKey> _keySerde;
    private readonly Serde<TValue> _valueSerde;
    private readonly PooledBuffer _key = new();
    private readonly PooledBuffer _value = new();
    private IKeyValueEntries _entries;

    internal KeyValueStore(
        StoreOptions options, Serde<TKey> keySerde, Serde<TValue> valueSerde, IUndoLog? undo, int undoStore)
        : base(options)
    {
        var budget = new StateBudget(options);
        _entries = new BytesStore(options, budget, undo, undoStore);
        _expiry = options.TimeToLive is { } span
            ? new ExpiryQueue((long)span.TotalMilliseconds, budget)
            : null;
        _keySerde = keySerde;
        _valueSerde = valueSerde;
    }

    /// <inheritdoc/>
    public override long BytesReserved => _entries.BytesReserved + (_expiry?.BytesReserved ?? 0);

    /// <summary>Number of entries, with those that have expired since the last commit.</summary>
    public override long Count => _entries.Count;

    internal override DiskTable? Disk => _entries as DiskTable;

    /// <summary>Reads a value and its time, refilling <paramref name="value"/> where its type allows
    /// that.</summary>
    /// <returns>Whether there was one; <paramref name="value"/> is untouched otherwise.</returns>
    public bool TryGet(in TKey key, ref TValue value, out long timestampMs)
    {
        timestampMs = 0;
        if (!_entries.TryGet(Encode(key), out ReadOnlySpan<byte> stored))
            return false;
        long storedMs = BinaryPrimitives.ReadInt64LittleEndian(stored);
        if (_expiry is not null && _expiry.IsOver(storedMs, TaskTimeMs()))
            return false;
        timestampMs = storedMs;
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
        ReadOnlySpan<byte> keyBytes = Encode(key);
        _expiry?.Add(keyBytes, timestampMs);
        Span<byte> stored = _entries.Put(keyBytes, TimestampBytes + _value.Length, out _);
        BinaryPrimitives.WriteInt64LittleEndian(stored, timestampMs);
        _value.WrittenSpan.CopyTo(stored[TimestampBytes..]);
    }

    /// <summary>Deletes a key.</summary>
    /// <returns>Whether it was there.</returns>
    public bool Delete(in TKey key) => _entries.Delete(Encode(key));

    /// <inheritdoc/>
    public IEnumerable<KeyValuePair<TKey, TValue>> All() => Read(KeyRange.All);

    /// <inheritdoc/>
    public IEnumerable<KeyValuePair<TKey, TValue>> Range(
        in TKey from, in TKey to, bool descending = false) => Read(Between(from, to), descending);

    /// <inheritdoc/>
    public IEnumerable<KeyValuePair<TKey, TValue>> Prefix(
        ReadOnlySpan<byte> prefix, bool descending = false) => Read(KeyRange.Prefix(prefix), descending);

    /// <inheritdoc/>
    public IEnumerable<KeyValuePair<TKey, TValue>> Read(KeyRange range, bool descending = false)
    {
        foreach ((byte[] key, byte[] value) in ReadEntries(range, descending))
            yield return new(
                _keySerde.Deserialize(key), _valueSerde.Deserialize(value.AsSpan(TimestampBytes)));
    }

    /// <summary>The range between two keys, both included.</summary>
    internal KeyRange Between(in TKey from, in TKey to) =>
        KeyRange.Between(Encode(from).ToArray(), Encode(to).ToArray());

    /// <summary>Entries with the bytes of their keys.</summary>
    internal IEnumerable<(byte[], KeyValuePair<TKey, TValue>)> ReadKeyed(
        KeyRange range, bool descending, int limit) =>
        ReadEntries(range, descending, _expiry is null ? limit : int.MaxValue).Select(e => (
            e.Key, KeyValuePair.Create(
                _keySerde.Deserialize(e.Key), _valueSerde.Deserialize(e.Value.AsSpan(TimestampBytes)))));

    internal override void UseDisk(DiskTable table)
    {
        _entries.Clear();
        _entries = table;
    }

    internal override IEnumerable<StateEntry> Query(StateQuery query)
    {
        bool one = query.Range.IsOne(out byte[]? wanted);
        IEnumerable<KeyValuePair<byte[], byte[]>> found = !one
            ? ReadEntries(query.Range, query.Descending, _expiry is null ? query.EntriesMax : int.MaxValue)
            : _entries.TryGet(wanted, out ReadOnlySpan<byte> value) && !IsOver(value)
                ? [new(wanted!, value.ToArray())]
                : [];
        return found.Select(e => new StateEntry(
            StateText.Of(_keySerde, e.Key), e.Key, StateText.Of(_valueSerde, e.Value.AsSpan(TimestampBytes)))
        {
            TimestampMs = BinaryPrimitives.ReadInt64LittleEndian(e.Value),
        });
    }

    internal override byte[] QueryKey(string text) => StateText.KeyOf(_keySerde, text);

    internal override void Flush(IChangelog changelog)
    {
        _expiry?.Drop(_entries, TaskTimeMs());
        _entries.Flush(changelog);
    }

    internal override void Restore(ReadOnlySpan<byte> key, bool hasValue, ReadOnlySpan<byte> value) =>
        _entries.Restore(key, hasValue, value);

    internal override uint Expect(ReadOnlySpan<byte> changelogKey) =>
        (_entries as BytesStore)?.Prefetch(changelogKey) ?? 0;

    internal override void ExpectEntry(uint hash) => (_entries as BytesStore)?.PrefetchEntry(hash);

    internal override void Restored()
    {
        if (_expiry is null)
            return;
        foreach ((byte[] key, byte[] value) in _entries.Read(KeyRange.All))
            _expiry.Add(key, BinaryPrimitives.ReadInt64LittleEndian(value));
    }

    internal override void WriteAll(IChangelog changelog)
    {
        foreach ((byte[] key, byte[] value) in _entries.Read(KeyRange.All))
            changelog.Append(key, true, value);
    }

    internal override void Undo(long part, ReadOnlySpan<byte> key, bool hasValue, ReadOnlySpan<byte> value)
    {
        if (!hasValue)
        {
            _entries.Delete(key);
            return;
        }
        _expiry?.Add(key, BinaryPrimitives.ReadInt64LittleEndian(value));
        value.CopyTo(_entries.Put(key, value.Length, out _));
    }

    internal override IReadOnlyList<SnapshotPart> SnapshotParts() =>
        (_entries as BytesStore)?.SnapshotParts() ?? [];

    internal override TrackedTable RestorePart(long part) => ((BytesStore)_entries).RestorePart(part);

    internal override void Clear()
    {
        _entries.Clear();
        _expiry?.Clear();
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        (_entries as IDisposable)?.Dispose();
        _key.Dispose();
        _value.Dispose();
    }

    private IEnumerable<KeyValuePair<byte[], byte[]>> ReadEntries(
        KeyRange range, bool descending, int limit = int.MaxValue) => _expiry is null
            ? _entries.Read(range, descending, limit)
            : _entries.Read(range, descending, limit).Where(e => !IsOver(e.Value));

    private bool IsOver(ReadOnlySpan<byte> stored) => _expiry is not null
        && _expiry.IsOver(BinaryPrimitives.ReadInt64LittleEndian(stored), TaskTimeMs());

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

    /// <summary>Entries between two keys, both included, ordered by the bytes of their keys.</summary>
    IEnumerable<KeyValuePair<TKey, TValue>> Range(in TKey from, in TKey to, bool descending = false);

    /// <summary>Entries whose keys begin with some bytes, ordered by the bytes of their keys.</summary>
    IEnumerable<KeyValuePair<TKey, TValue>> Prefix(ReadOnlySpan<byte> prefix, bool descending = false);

    /// <summary>Entries of a range of keys, ordered by the bytes of their keys, as they are when reading
    /// begins, whatever changes meanwhile.</summary>
    IEnumerable<KeyValuePair<TKey, TValue>> Read(KeyRange range, bool descending = false);
}
