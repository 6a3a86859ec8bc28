using System.Buffers.Binary;
using Streams.Buffers;
using Streams.Processing;
using Streams.Records;
using Streams.State;
using Streams.Telemetry;

namespace Streams.Dsl;

/// <content>Detecting sequences.</content>
public sealed partial class KStream<TKey, TValue>
{
    /// <summary>Finds records of a key that follow one another within a time.</summary>
    /// <remarks>
    /// Each record that can begins a sequence; one that completes several completes them all, in the order in
    /// which they began. A record without a value ends all of its key's. A record that is later than stream
    /// time by more than the pattern's time cannot take part: it is counted. Records without a key are left
    /// out.
    /// </remarks>
    /// <param name="pattern">What follows what.</param>
    /// <param name="completed">Makes the result of the first and the last value; it has the last one's time
    /// and headers.</param>
    /// <param name="timedOut">Makes a result of a first value that nothing followed in time; it has the time
    /// at which that was over and no headers. Null for none.</param>
    /// <param name="lateRecords">Takes the records that came too late; null for nobody.</param>
    /// <exception cref="TopologyException">The pattern cannot match.</exception>
    public KStream<TKey, TResult> DetectSequence<TResult>(
        SequencePattern<TKey, TValue> pattern, Func<TKey, TValue, TValue, TResult> completed,
        Func<TKey, TValue, TResult>? timedOut = null, Action<KStream<TKey, TValue>>? lateRecords = null)
    {
        pattern.Validate();
        KStream<TKey, TValue> stream = KeyChanged ? Repartition() : this;
        Serde<TKey> keys = stream.RequireKeySerde("DetectSequence");
        Serde<TValue> values = stream.RequireValueSerde("DetectSequence");
        string store = Builder.NameFor(
            pattern.StoreName, "KSTREAM-SEQUENCE-STATE-STORE", stream.Output.Origin);
        var options = new StoreOptions
        {
            Name = store,
            StateBytesMax = pattern.StateBytesMax,
            Logged = pattern.Logged,
        };
        string timers = KeyTimers.AddStores(Builder, options, StoreShape.Of("sequences", keys, values), keys);
        SideStream<TKey, TValue> late = SideStream<TKey, TValue>.Of(stream, lateRecords);
        var output = new GraphOutput<TKey, TResult>();
        OperatorNode<TKey, TValue, TKey, TResult> node = Builder.AttachTo(
            stream.Output, output, pattern.Name, "KSTREAM-SEQUENCE", [store, timers],
            task => new DetectSequence<TKey, TValue, TResult>(
                task.Store<BytesStore>(store), new KeyTimers(task.Store<OrderedStore>(timers)), pattern,
                completed, timedOut, keys, values, task.Clock($"{store}/stream-time"), late.Resolve(task)));
        late.AttachTo(node);
        return new KStream<TKey, TResult>(Builder, output, keys, null, false);
    }
}

/// <summary>Keeps the sequences that a record has begun until another completes or ends them, or their time
/// is over.</summary>
/// <remarks>
/// A key's entry is its timer and its open sequences in the order in which they began, the time and the value
/// of the first record each. An entry without sequences stays until its timer is over, so that a key that
/// goes on and on has one timer at a time.
/// </remarks>
internal sealed class DetectSequence<TKey, TValue, TResult>(
    BytesStore open, KeyTimers timers, SequencePattern<TKey, TValue> pattern,
    Func<TKey, TValue, TValue, TResult> completed, Func<TKey, TValue, TResult>? timedOut,
    Serde<TKey> keySerde, Serde<TValue> valueSerde, StreamClock streamTime, Receiver<TKey, TValue>? late)
    : Operator<TKey, TValue, TKey, TResult>, IDisposable
{
    private const int TimeBytes = 8;

    private readonly long _withinMs = pattern.WithinMs;
    private readonly PooledBuffer _key = new();
    private readonly PooledBuffer _timerKey = new();
    private readonly PooledBuffer _value = new();
    private readonly PooledBuffer _kept = new();
    private readonly PooledBuffer _ended = new();
    private TKey _quietKey = default!;
    private TValue _first = default!;
    private int _keptCount;

    internal override void Process(in Record<TKey, TValue> record)
    {
        if (!record.HasKey)
        {
            SkipNull(false);
            return;
        }
        Enter();
        long nowMs = streamTime.Observe(record.TimestampMs);
        TimeOut(nowMs);
        if (record.TimestampMs + _withinMs < nowMs)
        {
            EngineMeter.RecordSkipped(open.Name, "late");
            late?.Process(record);
            return;
        }
        _key.Clear();
        keySerde.Serialize(record.Key, _key);
        bool isKnown = open.TryGet(_key.WrittenSpan, out ReadOnlySpan<byte> entry);
        long timerMs = isKnown ? Read(entry) : long.MaxValue;
        _kept.Clear();
        _ended.Clear();
        _keptCount = 0;
        bool isChanged = !record.HasValue
            ? isKnown
            : (isKnown && Advance(record, entry[TimeBytes..])) | Begin(record);
        if (!isChanged)
            return;
        Save(record.TimestampMs + _withinMs + 1, timerMs);
        GiveCompleted(record);
    }

    public void Dispose()
    {
        timers.Dispose();
        _key.Dispose();
        _timerKey.Dispose();
        _value.Dispose();
        _kept.Dispose();
        _ended.Dispose();
    }

    private static long Read(ReadOnlySpan<byte> source) => BinaryPrimitives.ReadInt64LittleEndian(source);

    // Sorts the open sequences into those that go on and those that the record completes.
    private bool Advance(in Record<TKey, TValue> record, ReadOnlySpan<byte> sequences)
    {
        bool isChanged = false;
        while (!sequences.IsEmpty)
        {
            ReadOnlySpan<byte> sequence = ItemList.Take(ref sequences);
            // A record that is older than the first one says nothing of what followed it.
            if (record.TimestampMs < Read(sequence))
            {
                Keep(sequence);
                continue;
            }
            valueSerde.Deserialize(sequence[TimeBytes..], ref _first);
            bool isEnded = pattern.Without is not null && pattern.Without(record.Key, _first, record.Value);
            bool isCompleted = !isEnded && pattern.Then(record.Key, _first, record.Value);
            if (isCompleted)
                ItemList.Write(_ended.Append(ItemList.ItemBytes(sequence.Length)), sequence);
            if (isEnded || isCompleted || pattern.Contiguity == Contiguity.Strict)
                isChanged = true;
            else
                Keep(sequence);
        }
        return isChanged;
    }

    private bool Begin(in Record<TKey, TValue> record)
    {
        if (!pattern.First(record.Key, record.Value))
            return false;
        if (_keptCount == pattern.OpenMax)
        {
            if (pattern.WhenFull == SequenceFull.ShutDown)
                throw new StateLimitException(
                    $"A key has {_keptCount:N0} open sequences in '{open.Name}', which is all that OpenMax "
                    + "allows: raise it, or let one be dropped.");
            EngineMeter.RecordSkipped(open.Name, "sequence_full");
            if (pattern.WhenFull == SequenceFull.DropNewest)
                return false;
        }
        _value.Clear();
        _value.WriteInt64(record.TimestampMs);
        valueSerde.Serialize(record.Value, _value);
        Keep(_value.WrittenSpan);
        return true;
    }

    private void Keep(ReadOnlySpan<byte> sequence)
    {
        ItemList.Write(_kept.Append(ItemList.ItemBytes(sequence.Length)), sequence);
        _keptCount++;
    }

    // What is kept changes before anything is given out, so that an operator behind this one that throws
    // does not complete a sequence twice.
    private void Save(long dueMs, long timerMs)
    {
        ReadOnlySpan<byte> kept = _kept.WrittenSpan;
        if (_keptCount > pattern.OpenMax)
            ItemList.Take(ref kept);
        bool isSooner = _keptCount > 0 && dueMs < timerMs;
        Put(_key.WrittenSpan, isSooner ? dueMs : timerMs, kept);
        if (isSooner)
            timers.Set(dueMs, _key.WrittenSpan);
    }

    private void Put(ReadOnlySpan<byte> key, long timerMs, ReadOnlySpan<byte> sequences)
    {
        Span<byte> stored = open.Put(key, TimeBytes + sequences.Length, out _);
        BinaryPrimitives.WriteInt64LittleEndian(stored, timerMs);
        sequences.CopyTo(stored[TimeBytes..]);
    }

    private void GiveCompleted(in Record<TKey, TValue> record)
    {
        ReadOnlySpan<byte> rest = _ended.WrittenSpan;
        while (!rest.IsEmpty)
        {
            valueSerde.Deserialize(ItemList.Take(ref rest)[TimeBytes..], ref _first);
            Next.Process(record.WithValue(completed(record.Key, _first, record.Value)));
            Enter();
        }
    }

    private void TimeOut(long nowMs)
    {
        while (timers.TryTake(nowMs, _timerKey, out long dueMs))
        {
            ReadOnlySpan<byte> key = _timerKey.WrittenSpan;
            if (!open.TryGet(key, out ReadOnlySpan<byte> entry) || Read(entry) != dueMs)
                continue;
            _kept.Clear();
            _ended.Clear();
            _keptCount = 0;
            long nextMs = long.MaxValue;
            ReadOnlySpan<byte> rest = entry[TimeBytes..];
            while (!rest.IsEmpty)
            {
                ReadOnlySpan<byte> sequence = ItemList.Take(ref rest);
                long overMs = Read(sequence) + _withinMs + 1;
                if (overMs > dueMs)
                {
                    Keep(sequence);
                    nextMs = Math.Min(nextMs, overMs);
                }
                else
                {
                    ItemList.Write(_ended.Append(ItemList.ItemBytes(sequence.Length)), sequence);
                }
            }
            if (_keptCount == 0)
            {
                open.Delete(key);
            }
            else
            {
                Put(key, nextMs, _kept.WrittenSpan);
                timers.Set(nextMs, key);
            }
            GiveTimedOut();
        }
    }

    private void GiveTimedOut()
    {
        if (timedOut is null)
            return;
        ReadOnlySpan<byte> rest = _ended.WrittenSpan;
        while (!rest.IsEmpty)
        {
            ReadOnlySpan<byte> sequence = ItemList.Take(ref rest);
            keySerde.Deserialize(_timerKey.WrittenSpan, ref _quietKey);
            valueSerde.Deserialize(sequence[TimeBytes..], ref _first);
            Next.Process(new Record<TKey, TResult>(
                _quietKey, timedOut(_quietKey, _first), Read(sequence) + _withinMs));
            Enter();
        }
    }
}
