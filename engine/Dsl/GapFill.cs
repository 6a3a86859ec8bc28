using System.Buffers.Binary;
using Streams.Buffers;
using Streams.Processing;
using Streams.Records;
using Streams.State;
using Streams.Telemetry;

namespace Streams.Dsl;

/// <content>Filling gaps.</content>
public sealed partial class KStream<TKey, TValue>
{
    /// <summary>Adds records for the slots of time in which a key has none, between its records or after its
    /// last one.</summary>
    /// <remarks>
    /// A filled record stands at its slot's beginning. A record that is older than what its key has given
    /// out already is late: it is counted and passed on, and changes nothing of what is filled. A record
    /// without a value ends its key. Records without a key are left out.
    /// </remarks>
    /// <param name="filling">How; see <see cref="GapFilling"/>.</param>
    /// <param name="lateRecords">Takes the late records instead; null passes them on.</param>
    /// <exception cref="TopologyException">The options contradict one another.</exception>
    public KStream<TKey, TValue> GapFill(
        GapFilling<TValue> filling, Action<KStream<TKey, TValue>>? lateRecords = null)
    {
        filling.Validate();
        KStream<TKey, TValue> stream = KeyChanged ? Repartition() : this;
        Serde<TKey> keys = stream.RequireKeySerde("GapFill");
        Serde<TValue> values = stream.RequireValueSerde("GapFill");
        string store = Builder.NameFor(
            filling.StoreName, "KSTREAM-GAPFILL-STATE-STORE", stream.Output.Origin);
        var options = new StoreOptions
        {
            Name = store,
            StateBytesMax = filling.StateBytesMax,
            Logged = filling.Logged,
        };
        string timers = KeyTimers.AddStores(Builder, options, StoreShape.Of("gap-fill", keys, values), keys);
        SideStream<TKey, TValue> late = SideStream<TKey, TValue>.Of(stream, lateRecords);
        var output = new GraphOutput<TKey, TValue>();
        OperatorNode<TKey, TValue, TKey, TValue> node = Builder.AttachTo(
            stream.Output, output, filling.Name, "KSTREAM-GAPFILL", [store, timers],
            task => new GapFill<TKey, TValue>(
                task.Store<BytesStore>(store), new KeyTimers(task.Store<OrderedStore>(timers)), filling, keys,
                values, task.Clock($"{store}/stream-time"), late.Resolve(task)));
        late.AttachTo(node);
        return stream.Then(output);
    }
}

/// <summary>Fills the slots in which a key has no record.</summary>
/// <remarks>
/// Of each key is kept its last record, the time of what it gave out last, and its timer: when its next slot
/// is to be filled, or else when it is forgotten because no gap can end that its last record begins.
/// </remarks>
internal sealed class GapFill<TKey, TValue>(
    BytesStore last, KeyTimers timers, GapFilling<TValue> filling, Serde<TKey> keySerde,
    Serde<TValue> valueSerde, StreamClock streamTime, Receiver<TKey, TValue>? late)
    : Operator<TKey, TValue, TKey, TValue>, IDisposable
{
    private const int LastAt = 0;
    private const int GivenAt = 8;
    private const int TimerAt = 16;
    private const int HeadBytes = 24;

    private readonly long _intervalMs = filling.IntervalMs;
    private readonly long _maxGapMs = filling.MaxGapMs;
    private readonly long _keepMs = filling.KeepFillingMs;
    private readonly long _graceMs = filling.GraceMs;
    private readonly Interpolator<TValue>? _interpolator = filling.Interpolator?.Invoke();
    private readonly Headers _headers = filling.Headers;
    private readonly PooledBuffer _key = new();
    private readonly PooledBuffer _value = new();
    private readonly PooledBuffer _before = new();
    private readonly PooledBuffer _timerKey = new();
    private TKey _quietKey = default!;
    private TValue _filled = default!;

    internal override void Process(in Record<TKey, TValue> record)
    {
        if (!record.HasKey)
        {
            SkipNull(false);
            return;
        }
        Enter();
        FillQuietKeys(streamTime.Observe(record.TimestampMs));
        _key.Clear();
        keySerde.Serialize(record.Key, _key);
        bool isKnown = last.TryGet(_key.WrittenSpan, out ReadOnlySpan<byte> entry);
        if (isKnown && record.TimestampMs < Read(entry, GivenAt))
        {
            EngineMeter.RecordSkipped(last.Name, "late");
            (late ?? Next).Process(record);
            return;
        }
        if (!record.HasValue)
            last.Delete(_key.WrittenSpan);
        else
            Take(record, entry, isKnown);
        Next.Process(record);
    }

    public void Dispose()
    {
        timers.Dispose();
        _key.Dispose();
        _value.Dispose();
        _before.Dispose();
        _timerKey.Dispose();
    }

    private static long Read(ReadOnlySpan<byte> entry, int at) =>
        BinaryPrimitives.ReadInt64LittleEndian(entry[at..]);

    private static void Write(Span<byte> entry, int at, long value) =>
        BinaryPrimitives.WriteInt64LittleEndian(entry[at..], value);

    private long SlotOf(long timeMs) => timeMs / _intervalMs * _intervalMs;

    // What is kept changes before anything is given out, so that an operator behind this one that throws
    // finds the key as it would have been.
    private void Take(in Record<TKey, TValue> record, ReadOnlySpan<byte> entry, bool isKnown)
    {
        long timeMs = record.TimestampMs;
        long lastMs = isKnown ? Read(entry, LastAt) : timeMs;
        long slotMs = isKnown ? SlotOf(Read(entry, GivenAt)) + _intervalMs : long.MaxValue;
        bool hasGap = slotMs < SlotOf(timeMs) && timeMs - lastMs <= _maxGapMs;
        if (hasGap)
        {
            _before.Clear();
            _before.Write(entry[HeadBytes..]);
        }
        long timerMs = isKnown ? Read(entry, TimerAt) : DueOf(timeMs, timeMs);
        _value.Clear();
        valueSerde.Serialize(record.Value, _value);
        Span<byte> kept = last.Put(_key.WrittenSpan, HeadBytes + _value.Length, out _);
        Write(kept, LastAt, timeMs);
        Write(kept, GivenAt, timeMs);
        Write(kept, TimerAt, timerMs);
        _value.WrittenSpan.CopyTo(kept[HeadBytes..]);
        if (!isKnown)
            timers.Set(timerMs, _key.WrittenSpan);
        for (; hasGap && slotMs < SlotOf(timeMs); slotMs += _intervalMs)
        {
            valueSerde.Deserialize(_before.WrittenSpan, ref _filled);
            Give(record.Key, slotMs, _interpolator is null
                ? _filled
                : _interpolator(_filled, record.Value, slotMs - lastMs, timeMs - lastMs));
        }
    }

    // The key's next slot that is filled without a record, or the time when it is forgotten.
    private long DueOf(long lastMs, long givenMs)
    {
        long slotMs = SlotOf(givenMs) + _intervalMs;
        return IsFilledQuietly(slotMs, lastMs)
            ? slotMs + _intervalMs + _graceMs
            : lastMs + _maxGapMs + _intervalMs + _graceMs;
    }

    private bool IsFilledQuietly(long slotMs, long lastMs) => slotMs - lastMs <= _keepMs;

    private void FillQuietKeys(long nowMs)
    {
        while (timers.TryTake(nowMs, _timerKey, out long dueMs))
        {
            ReadOnlySpan<byte> key = _timerKey.WrittenSpan;
            // The key has ended since, and perhaps begun anew with a timer of its own.
            if (!last.TryGet(key, out ReadOnlySpan<byte> entry) || Read(entry, TimerAt) != dueMs)
                continue;
            long lastMs = Read(entry, LastAt);
            long slotMs = SlotOf(Read(entry, GivenAt)) + _intervalMs;
            bool isDue = DueOf(lastMs, Read(entry, GivenAt)) <= dueMs;
            if (isDue && !IsFilledQuietly(slotMs, lastMs))
            {
                last.Delete(key);
                continue;
            }
            long givenMs = isDue ? slotMs : Read(entry, GivenAt);
            if (isDue)
                valueSerde.Deserialize(entry[HeadBytes..], ref _filled);
            last.TryChange(key, out Span<byte> kept);
            Write(kept, GivenAt, givenMs);
            Write(kept, TimerAt, DueOf(lastMs, givenMs));
            timers.Set(DueOf(lastMs, givenMs), key);
            if (!isDue)
                continue;
            keySerde.Deserialize(key, ref _quietKey);
            Give(_quietKey, slotMs, _filled);
        }
    }

    private void Give(TKey key, long slotMs, TValue value)
    {
        TValue flagged = filling.FlagFilled is null ? value : filling.FlagFilled(value);
        Next.Process(new Record<TKey, TValue>(key, true, flagged, true, slotMs, _headers));
        Enter();
    }
}
