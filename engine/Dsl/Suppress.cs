using System.Buffers.Binary;
using Streams.Buffers;
using Streams.Processing;
using Streams.Records;
using Streams.State;

namespace Streams.Dsl;

/// <summary>
/// Holds the last aggregate of each window until the window closes by the time of the updates that reach it;
/// then emits windows by (end, key, start), each once. A window that was deleted emits nothing.
/// </summary>
/// <remarks>Source: Kafka Streams' suppress(untilWindowCloses).</remarks>
internal sealed class SuppressUntilClose<TKey, TAggregate>(
    SuppressBuffer buffer, Serde<Windowed<TKey>> keySerde, Serde<TAggregate> valueSerde, long graceMs)
    : Operator<Windowed<TKey>, Change<TAggregate>, Windowed<TKey>, Change<TAggregate>>, IDisposable
{
    private readonly PooledBuffer _key = new();
    private readonly PooledBuffer _value = new();
    private Windowed<TKey> _windowed;
    private TAggregate _aggregate = default!;

    internal override void Process(in Record<Windowed<TKey>, Change<TAggregate>> record)
    {
        Enter();
        _key.Clear();
        _value.Clear();
        keySerde.Serialize(record.Key, _key);
        if (record.Value.HasNew)
            valueSerde.Serialize(record.Value.New, _value);
        buffer.Put(
            record.Key.EndMs, _key.WrittenSpan, record.TimestampMs, record.Value.HasNew, _value.WrittenSpan,
            record.Headers);
        while (buffer.TryTake(buffer.ObservedMs - graceMs, out SuppressedEntry entry))
            Emit(entry);
    }

    public void Dispose()
    {
        _key.Dispose();
        _value.Dispose();
    }

    private void Emit(in SuppressedEntry entry)
    {
        if (!entry.HasValue)
            return;
        keySerde.Deserialize(entry.Key, ref _windowed);
        valueSerde.Deserialize(entry.Value, ref _aggregate);
        var change = new Change<TAggregate>(_aggregate, true, default!, false);
        Next.Process(new Record<Windowed<TKey>, Change<TAggregate>>(
            _windowed, true, change, true, entry.TimestampMs, entry.Headers));
        Enter();
    }
}

/// <summary>An update that was held back.</summary>
internal readonly record struct SuppressedEntry(
    byte[] Key, long TimestampMs, bool HasValue, byte[] Value, Headers Headers);

/// <summary>Updates that are held back, by the end of their window and their key.</summary>
internal sealed class SuppressBuffer : StateStore
{
    private readonly SortedDictionary<(long EndMs, ReadOnlyMemory<byte> Key), SuppressedEntry> _entries =
        new(new PlaceComparer());
    private readonly HashSet<(long, ReadOnlyMemory<byte>)> _dirty = new(new PlaceComparer());
    private readonly PooledBuffer _scratch = new();

    private SuppressBuffer(StoreOptions options)
        : base(options)
    {
    }

    public override long BytesReserved => 128L * _entries.Count;

    public override long Count => _entries.Count;

    internal static StoreSpec Spec<TKey, TValue>(string name, Serde<TKey> keys, Serde<TValue> values)
    {
        var options = new StoreOptions { Name = name };
        return new StoreSpec(
            options, StoreShape.Of("suppress", keys, values), (_, _) => new SuppressBuffer(options));
    }

    /// <summary>Holds an update back, in place of an older one of the same window.</summary>
    internal void Put(
        long endMs, ReadOnlySpan<byte> key, long timestampMs, bool hasValue, ReadOnlySpan<byte> value,
            Headers headers)
    {
        ObservedMs = Math.Max(ObservedMs, timestampMs);
        byte[] owned = key.ToArray();
        _entries[(endMs, owned)] = new SuppressedEntry(
            owned, timestampMs, hasValue, value.ToArray(), headers.ToOwned());
        _dirty.Add((endMs, owned));
    }

    /// <summary>Takes the first window that ends at or before a time.</summary>
    internal bool TryTake(long closedMs, out SuppressedEntry entry)
    {
        entry = default;
        if (_entries.Count == 0)
            return false;
        ((long EndMs, ReadOnlyMemory<byte> Key) place, entry) = _entries.First();
        if (place.EndMs > closedMs)
            return false;
        _entries.Remove(place);
        _dirty.Add(place);
        return true;
    }

    internal override void Flush(IChangelog changelog)
    {
        foreach ((long endMs, ReadOnlyMemory<byte> key) place in _dirty)
        {
            byte[] changelogKey = ChangelogKey(place.endMs, place.key.Span);
            bool has = _entries.TryGetValue(place, out SuppressedEntry entry);
            changelog.Append(changelogKey, has, has ? Encode(entry) : default);
        }
        _dirty.Clear();
    }

    internal override void Restore(ReadOnlySpan<byte> key, bool hasValue, ReadOnlySpan<byte> value)
    {
        long endMs = BinaryPrimitives.ReadInt64BigEndian(key);
        byte[] owned = key[8..].ToArray();
        if (!hasValue)
        {
            _entries.Remove((endMs, owned));
            return;
        }
        long timestampMs = BinaryPrimitives.ReadInt64LittleEndian(value);
        int headerBytes = BinaryPrimitives.ReadInt32LittleEndian(value[9..]);
        var headers = new Headers(value.Slice(13, headerBytes).ToArray());
        ObservedMs = Math.Max(ObservedMs, timestampMs);
        _entries[(endMs, owned)] =
            new SuppressedEntry(
                owned, timestampMs, value[8] == 1, value[(13 + headerBytes)..].ToArray(), headers);
    }

    internal override void Undo(long part, ReadOnlySpan<byte> key, bool hasValue, ReadOnlySpan<byte> value) =>
        throw new NotSupportedException("A suppression buffer has no savepoints.");

    // Small next to the aggregates it delays, and always rebuilt from its changelog.
    internal override IReadOnlyList<SnapshotPart> SnapshotParts() => [];

    internal override TrackedTable RestorePart(long part) =>
        throw new NotSupportedException("A suppression buffer has no snapshots.");

    internal override void Clear()
    {
        _entries.Clear();
        _dirty.Clear();
        ObservedMs = long.MinValue;
    }

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        _scratch.Dispose();
    }

    private static byte[] ChangelogKey(long endMs, ReadOnlySpan<byte> key)
    {
        byte[] bytes = new byte[8 + key.Length];
        BinaryPrimitives.WriteInt64BigEndian(bytes, endMs);
        key.CopyTo(bytes.AsSpan(8));
        return bytes;
    }

    private ReadOnlySpan<byte> Encode(in SuppressedEntry entry)
    {
        _scratch.Clear();
        _scratch.WriteInt64(entry.TimestampMs);
        _scratch.WriteByte(entry.HasValue ? (byte)1 : (byte)0);
        _scratch.WriteInt32(entry.Headers.Encoded.Length);
        _scratch.Write(entry.Headers.Encoded);
        _scratch.Write(entry.Value);
        return _scratch.WrittenSpan;
    }

    private sealed class PlaceComparer
        : IComparer<(long EndMs, ReadOnlyMemory<byte> Key)>,
            IEqualityComparer<(long EndMs, ReadOnlyMemory<byte> Key)>
    {
        public int Compare((long EndMs, ReadOnlyMemory<byte> Key) a, (long EndMs, ReadOnlyMemory<byte> Key) b)
        {
            int byEnd = a.EndMs.CompareTo(b.EndMs);
            return byEnd != 0 ? byEnd : a.Key.Span.SequenceCompareTo(b.Key.Span);
        }

        public bool Equals(
            (long EndMs, ReadOnlyMemory<byte> Key) a, (long EndMs, ReadOnlyMemory<byte> Key) b) =>
            Compare(a, b) == 0;

        public int GetHashCode((long EndMs, ReadOnlyMemory<byte> Key) place)
        {
            var hash = new HashCode();
            hash.Add(place.EndMs);
            hash.AddBytes(place.Key.Span);
            return hash.ToHashCode();
        }
    }
}
