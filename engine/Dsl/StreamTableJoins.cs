using System.Buffers.Binary;
using Streams.Buffers;
using Streams.Processing;
using Streams.Records;
using Streams.State;

namespace Streams.Dsl;

/// <summary>Joins each record with a table's row as it is, or as it was at the record's time.</summary>
internal sealed class StreamTableJoin<TKey, TValue, TTable, TResult>(
    TableGetter<TKey, TTable> table, LeftJoiner<TKey, TValue, TTable, TResult> joiner, bool left)
    : Operator<TKey, TValue, TKey, TResult>
{
    private TTable _found = default!;

    internal override void Process(in Record<TKey, TValue> record)
    {
        if (!record.HasValue || (!left && !record.HasKey))
        {
            SkipNull(record.HasKey);
            return;
        }
        Enter();
        bool has = record.HasKey && table.TryGetAsOf(record.Key, record.TimestampMs, ref _found, out _);
        if (has || left)
            Next.Process(record.WithValue(joiner(record.Key, record.Value, has ? _found : default!, has)));
    }
}

/// <summary>Joins each record with a row of a table that every task has whole.</summary>
internal sealed class StreamGlobalTableJoin<TKey, TValue, TTableKey, TTable, TResult>(
    KeyValueStore<TTableKey, TTable> table, Func<TKey, TValue, TTableKey> keySelector,
    LeftJoiner<TKey, TValue, TTable, TResult> joiner, bool left) : Operator<TKey, TValue, TKey, TResult>
{
    private TTable _found = default!;

    internal override void Process(in Record<TKey, TValue> record)
    {
        if (!record.HasValue)
        {
            SkipNull(true);
            return;
        }
        Enter();
        TTableKey key = keySelector(record.Key, record.Value);
        bool has = key is not null && table.TryGet(key, ref _found, out _);
        if (has || left)
            Next.Process(record.WithValue(joiner(record.Key, record.Value, has ? _found : default!, has)));
    }
}

/// <summary>
/// Holds records back until the stream is a grace period further, then joins each with the versioned table's
/// row at its own time. A record that comes later than that is joined at once.
/// </summary>
/// <remarks>Source: Kafka Streams' KStreamKTableJoinProcessor with a buffer (KIP-923).</remarks>
internal sealed class BufferedTableJoin<TKey, TValue, TTable, TResult>(
    TableGetter<TKey, TTable> table, OrderedStore buffer, Serde<TKey> keySerde, Serde<TValue> valueSerde,
    LeftJoiner<TKey, TValue, TTable, TResult> joiner, bool left, long graceMs)
    : Operator<TKey, TValue, TKey, TResult>, IDisposable
{
    private const int LengthBytes = 4;

    private readonly PooledBuffer _place = new();
    private readonly PooledBuffer _item = new();
    private readonly PooledBuffer _released = new();
    private TTable _found = default!;
    private TKey _key = default!;
    private TValue _value = default!;

    internal override void Process(in Record<TKey, TValue> record)
    {
        if (!record.HasValue || (!left && !record.HasKey))
        {
            SkipNull(record.HasKey);
            return;
        }
        Enter();
        if (!record.HasKey || (buffer.ObservedMs != long.MinValue
            && record.TimestampMs < buffer.ObservedMs - graceMs))
        {
            Join(record);
            return;
        }
        buffer.ObservedMs = Math.Max(buffer.ObservedMs, record.TimestampMs);
        Hold(record);
        while (buffer.TryFirst(out ReadOnlySpan<byte> place, out ReadOnlySpan<byte> items)
            && OrderedStore.ReadTime(place) <= buffer.ObservedMs - graceMs)
            Release(place, items);
    }

    public void Dispose()
    {
        _place.Dispose();
        _item.Dispose();
        _released.Dispose();
    }

    private void Join(in Record<TKey, TValue> record)
    {
        bool has = record.HasKey && table.TryGetAsOf(record.Key, record.TimestampMs, ref _found, out _);
        if (has || left)
            Next.Process(record.WithValue(joiner(record.Key, record.Value, has ? _found : default!, has)));
        Enter();
    }

    // Records of one time and key lie behind one another, headers and value each.
    private void Hold(in Record<TKey, TValue> record)
    {
        _place.Clear();
        OrderedStore.WriteTime(_place.Append(OrderedStore.TimeBytes), record.TimestampMs);
        keySerde.Serialize(record.Key, _place);
        _item.Clear();
        _item.WriteInt32(record.Headers.Encoded.Length);
        _item.Write(record.Headers.Encoded);
        valueSerde.Serialize(record.Value, _item);
        ItemList.Write(
            buffer.Append(_place.WrittenSpan, ItemList.ItemBytes(_item.Length)), _item.WrittenSpan);
    }

    private void Release(ReadOnlySpan<byte> place, ReadOnlySpan<byte> items)
    {
        long timeMs = OrderedStore.ReadTime(place);
        keySerde.Deserialize(place[OrderedStore.TimeBytes..], ref _key);
        _released.Clear();
        _released.Write(items);
        buffer.Delete(place);
        ReadOnlySpan<byte> rest = _released.WrittenSpan;
        while (!rest.IsEmpty)
        {
            int at = _released.Length - rest.Length;
            ReadOnlySpan<byte> item = ItemList.Take(ref rest);
            int headerBytes = BinaryPrimitives.ReadInt32LittleEndian(item);
            valueSerde.Deserialize(item[(LengthBytes + headerBytes)..], ref _value);
            Headers headers = headerBytes == 0
                ? default
                : new Headers(_released.WrittenMemory.Slice(at + 2 * LengthBytes, headerBytes));
            Join(new Record<TKey, TValue>(_key, true, _value, true, timeMs, headers));
        }
    }
}
