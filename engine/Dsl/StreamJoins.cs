using Streams.Buffers;
using Streams.Processing;
using Streams.Records;
using Streams.State;

namespace Streams.Dsl;

/// <summary>What both sides of a join know of time, and the records that wait for a match.</summary>
/// <param name="Windows">How far apart records can be.</param>
/// <param name="Promptly">Whether records without a match go out as soon as their window has closed.</param>
/// <param name="StreamTime">The highest time of all records of both sides.</param>
/// <param name="FirstUnmatched">What Kafka Streams takes for the time of the first record that waits.</param>
/// <param name="Unmatched">Those that wait, by time, side (right first) and key; null for an inner
/// join.</param>
internal sealed record JoinTimes(
    JoinWindows Windows, bool Promptly, StreamClock StreamTime, StreamClock FirstUnmatched,
    OrderedStore? Unmatched);

/// <summary>One side of a join of streams.</summary>
/// <param name="Store">Its records.</param>
/// <param name="KeySerde">Writes its keys.</param>
/// <param name="ValueSerde">Writes its values.</param>
/// <param name="IsLeft">Which side it is.</param>
/// <param name="BeforeMs">How much earlier than a record of this side the other's can be.</param>
/// <param name="AfterMs">How much later.</param>
internal sealed record JoinSide<TKey, TValue>(
    JoinStore Store, Serde<TKey> KeySerde, Serde<TValue> ValueSerde, bool IsLeft, long BeforeMs,
    long AfterMs);

/// <summary>
/// One side of a join of two streams: a record is joined with the other side's records in its window, then
/// kept for those that come. A record of a preserved side that nothing matched waits until its window is
/// over.
/// </summary>
/// <remarks>Source: Kafka Streams' KStreamKStreamJoin, which see for when those that wait are looked
/// at.</remarks>
internal sealed class StreamJoin<TKey, TThis, TOther, TResult>(
    JoinTimes times, JoinSide<TKey, TThis> self, JoinSide<TKey, TOther> other,
    OuterJoiner<TKey, TThis, TOther, TResult> joiner, bool preserved, LateRecords<TKey, TThis> late)
    : Operator<TKey, TThis, TKey, TResult>, IDisposable
{
    private const int PlaceHeadBytes = OrderedStore.TimeBytes + 1;

    private readonly PooledBuffer _key = new();
    private readonly PooledBuffer _place = new();
    private readonly PooledBuffer _value = new();
    private readonly PooledBuffer _released = new();
    private TOther _found = default!;
    private TThis _waitingThis = default!;
    private TOther _waitingOther = default!;
    private TKey _waitingKey = default!;

    internal override void Process(in Record<TKey, TThis> record)
    {
        Enter();
        long timeMs = record.TimestampMs;
        long streamTimeMs = times.StreamTime.Observe(timeMs);
        if (record.HasKey)
            self.Store.Observe(timeMs);
        if (times.Promptly)
            EmitUnmatched(record, streamTimeMs);
        if (!record.HasKey && record.HasValue && preserved)
        {
            Next.Process(record.WithValue(joiner(record.Key, record.Value, true, default!, false)));
            return;
        }
        if (!record.HasKey || !record.HasValue)
        {
            SkipNull(record.HasKey);
            return;
        }
        _key.Clear();
        self.KeySerde.Serialize(record.Key, _key);
        if (!times.Promptly && timeMs == streamTimeMs)
            EmitUnmatched(record, streamTimeMs);
        if (!JoinOthers(record) && preserved)
            KeepUnmatched(record, streamTimeMs);
        _value.Clear();
        self.ValueSerde.Serialize(record.Value, _value);
        if (!self.Store.Add(_key.WrittenSpan, timeMs, _value.WrittenSpan))
            late.Add(record);
    }

    public void Dispose()
    {
        _key.Dispose();
        _place.Dispose();
        _value.Dispose();
        _released.Dispose();
    }

    private bool JoinOthers(in Record<TKey, TThis> record)
    {
        long timeMs = record.TimestampMs;
        JoinStore.Cursor cursor = other.Store.Fetch(
            _key.WrittenSpan, Math.Max(0, timeMs - self.BeforeMs), Math.Max(0, timeMs + self.AfterMs));
        bool matched = false;
        while (cursor.MoveNext())
        {
            matched = true;
            if (times.Unmatched is { } unmatched)
                unmatched.Delete(PlaceOf(cursor.TimeMs, other.IsLeft));
            other.ValueSerde.Deserialize(cursor.Value, ref _found);
            TResult result = joiner(record.Key, record.Value, true, _found, true);
            Next.Process(new Record<TKey, TResult>(
                record.Key, result, Math.Max(timeMs, cursor.TimeMs), record.Headers));
            Enter();
        }
        return matched;
    }

    // A record whose window was over before it came has nothing to wait for.
    private void KeepUnmatched(in Record<TKey, TThis> record, long streamTimeMs)
    {
        if (record.TimestampMs + self.AfterMs < streamTimeMs)
        {
            Next.Process(record.WithValue(joiner(record.Key, record.Value, true, default!, false)));
            Enter();
            return;
        }
        times.FirstUnmatched.Ms = Math.Min(times.FirstUnmatched.Ms, record.TimestampMs);
        _value.Clear();
        self.ValueSerde.Serialize(record.Value, _value);
        ItemList.Write(
            times.Unmatched!.Append(
                PlaceOf(record.TimestampMs, self.IsLeft), ItemList.ItemBytes(_value.Length)),
            _value.WrittenSpan);
    }

    // Kafka Streams looks at those that wait only when the first of them may be due, judged by the side of
    // the
    // record that arrived, and stops looking when neither side can have another.
    private void EmitUnmatched(in Record<TKey, TThis> record, long streamTimeMs)
    {
        if (times.Unmatched is null)
            return;
        long graceMs = times.Windows.GraceMs;
        if (!times.Promptly)
        {
            long firstMs = times.FirstUnmatched.Ms;
            if (firstMs == long.MaxValue || firstMs + self.AfterMs + graceMs >= streamTimeMs)
                return;
            times.FirstUnmatched.Ms = long.MaxValue;
        }
        bool leftIsOpen = false;
        bool rightIsOpen = false;
        _place.Clear();
        while (times.Unmatched.TryFirstAtOrAfter(
            _place.WrittenSpan, out ReadOnlySpan<byte> place, out ReadOnlySpan<byte> items))
        {
            long waitingMs = OrderedStore.ReadTime(place);
            bool isLeft = place[OrderedStore.TimeBytes] != 0;
            times.FirstUnmatched.Ms = waitingMs;
            if (leftIsOpen && rightIsOpen)
                return;
            long afterMs = isLeft == self.IsLeft ? self.AfterMs : self.BeforeMs;
            bool isOpen = waitingMs + afterMs + graceMs >= streamTimeMs;
            leftIsOpen |= isOpen && isLeft;
            rightIsOpen |= isOpen && !isLeft;
            _place.Clear();
            _place.Write(place);
            _place.WriteByte(0);
            if (!isOpen)
                Release(place, items, waitingMs, isLeft == self.IsLeft, record.Headers);
        }
    }

    private void Release(
        ReadOnlySpan<byte> place, ReadOnlySpan<byte> items, long timeMs, bool isThis, Headers headers)
    {
        self.KeySerde.Deserialize(place[PlaceHeadBytes..], ref _waitingKey);
        _released.Clear();
        _released.Write(items);
        times.Unmatched!.Delete(place);
        ReadOnlySpan<byte> rest = _released.WrittenSpan;
        while (!rest.IsEmpty)
        {
            ReadOnlySpan<byte> item = ItemList.Take(ref rest);
            TResult result;
            if (isThis)
            {
                self.ValueSerde.Deserialize(item, ref _waitingThis);
                result = joiner(_waitingKey, _waitingThis, true, default!, false);
            }
            else
            {
                other.ValueSerde.Deserialize(item, ref _waitingOther);
                result = joiner(_waitingKey, default!, false, _waitingOther, true);
            }
            Next.Process(new Record<TKey, TResult>(_waitingKey, result, timeMs, headers));
            Enter();
        }
    }

    private ReadOnlySpan<byte> PlaceOf(long timeMs, bool isLeft)
    {
        _place.Clear();
        OrderedStore.WriteTime(_place.Append(OrderedStore.TimeBytes), timeMs);
        _place.WriteByte(isLeft ? (byte)1 : (byte)0);
        _place.Write(_key.WrittenSpan);
        return _place.WrittenSpan;
    }
}

/// <summary>
/// The inner join of a stream with itself over one store: a record is joined with the earlier arrivals as the
/// left one, then as the right one, and in its place among those with itself.
/// </summary>
/// <remarks>Source: Kafka Streams' KStreamKStreamSelfJoin.</remarks>
internal sealed class StreamSelfJoin<TKey, TValue, TResult>(
    JoinSide<TKey, TValue> side, JoinTimes times, OuterJoiner<TKey, TValue, TValue, TResult> joiner,
    LateRecords<TKey, TValue> late)
    : Operator<TKey, TValue, TKey, TResult>, IDisposable
{
    private readonly PooledBuffer _key = new();
    private readonly PooledBuffer _value = new();
    private TValue _found = default!;

    internal override void Process(in Record<TKey, TValue> record)
    {
        Enter();
        long timeMs = record.TimestampMs;
        times.StreamTime.Observe(timeMs);
        if (!record.HasKey || !record.HasValue)
        {
            if (record.HasKey)
                side.Store.Observe(timeMs);
            SkipNull(record.HasKey);
            return;
        }
        _key.Clear();
        side.KeySerde.Serialize(record.Key, _key);
        JoinAsLeft(record);
        JoinAsRight(record);
        // Only now does the record move what is retained: those that it joins are what was there before it.
        side.Store.Observe(timeMs);
        _value.Clear();
        side.ValueSerde.Serialize(record.Value, _value);
        if (!side.Store.Add(_key.WrittenSpan, timeMs, _value.WrittenSpan))
            late.Add(record);
    }

    public void Dispose()
    {
        _key.Dispose();
        _value.Dispose();
    }

    private void JoinAsLeft(in Record<TKey, TValue> record)
    {
        JoinStore.Cursor cursor = Others(record, side.BeforeMs, side.AfterMs);
        while (cursor.MoveNext())
        {
            side.ValueSerde.Deserialize(cursor.Value, ref _found);
            Forward(record, joiner(record.Key, record.Value, true, _found, true), cursor.TimeMs);
        }
    }

    private void JoinAsRight(in Record<TKey, TValue> record)
    {
        bool joinsItself =
            record.TimestampMs > times.StreamTime.Ms - times.Windows.RetentionMs + 1;
        JoinStore.Cursor cursor = Others(record, side.AfterMs, side.BeforeMs);
        while (cursor.MoveNext())
        {
            if (joinsItself && cursor.TimeMs > record.TimestampMs)
            {
                joinsItself = false;
                JoinItself(record);
            }
            side.ValueSerde.Deserialize(cursor.Value, ref _found);
            Forward(record, joiner(record.Key, _found, true, record.Value, true), cursor.TimeMs);
        }
        if (joinsItself)
            JoinItself(record);
    }

    private void JoinItself(in Record<TKey, TValue> record) => Forward(
        record, joiner(record.Key, record.Value, true, record.Value, true), record.TimestampMs);

    private JoinStore.Cursor Others(in Record<TKey, TValue> record, long beforeMs, long afterMs) =>
        side.Store.Fetch(
            _key.WrittenSpan, Math.Max(0, record.TimestampMs - beforeMs),
            Math.Max(0, record.TimestampMs + afterMs));

    private void Forward(in Record<TKey, TValue> record, TResult result, long otherMs)
    {
        Next.Process(new Record<TKey, TResult>(
            record.Key, result, Math.Max(record.TimestampMs, otherMs), record.Headers));
        Enter();
    }
}
