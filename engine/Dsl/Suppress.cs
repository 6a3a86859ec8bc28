using Streams.Buffers;
using Streams.Processing;
using Streams.Records;
using Streams.State;

namespace Streams.Dsl;

/// <content>Holding updates back.</content>
public sealed partial class KTable<TKey, TValue>
{
    /// <summary>Holds updates back, so that fewer come out: each window once when it closes, or each key at
    /// most
    /// once in a while.</summary>
    /// <remarks>Time is the highest timestamp of the updates that arrive here. A table's deletion is held
    /// back
    /// and emitted like an update; that of a window is left out where only final results are asked
    /// for.</remarks>
    /// <exception cref="TopologyException">The keys are not windows, or the table is versioned.</exception>
    public KTable<TKey, TValue> Suppress(Suppressed suppressed)
    {
        if (suppressed.TimeLimit is null && Closing is null)
            throw new TopologyException(
                "Suppress until a window closes needs a windowed table: this one's keys are not windows. "
                + "Use Suppressed.UntilTimeLimit.");
        if (View.IsVersioned)
            throw new TopologyException("A versioned table cannot be suppressed.");
        Serde<TKey> keys = KeySerde ?? throw new TopologyException(
            $"Suppress needs a serde for keys of type {typeof(TKey).Name}: give the table one.");
        Serde<TValue> values = ValueSerde ?? throw new TopologyException(
            $"Suppress needs a serde for values of type {typeof(TValue).Name}: materialize the table "
            + "with one.");
        string store = Builder.NameFor(suppressed.StoreName, "KTABLE-SUPPRESS-STATE-STORE", Output.Origin);
        var options = new StoreOptions
        {
            Name = store,
            StateBytesMax = suppressed.StateBytesMax,
            Logged = suppressed.Logged,
        };
        Builder.AddStore(new StoreSpec(
            options, StoreShape.Of("suppress", keys, values),
            (undo, number) => new SuppressBuffer(options, suppressed.TimeLimit is null, undo, number))
        {
            // Until windows close, it holds no more than the windows' own store does.
            LookbackMs = suppressed.TimeLimit is null ? 0 : null,
        });
        var old = new OldValues(Old);
        GraphOutput<TKey, Change<TValue>> output = Builder.Attach(
            Output, suppressed.Name, "KTABLE-SUPPRESS", [store],
            task => new Suppress<TKey, TValue>(
                task.Store<SuppressBuffer>(store), keys, values, suppressed, Closing, old));
        return new KTable<TKey, TValue>(
            Builder, output, () => SuppressedView(store, keys, values, suppressed.TimeLimit is null, old),
            old,
            keys, values, null, Closing);
    }

    // Whoever reads the table before an update is let go sees what it was before.
    private TableView<TKey, TValue> SuppressedView(
        string store, Serde<TKey> keys, Serde<TValue> values, bool finalOnly, OldValues old)
    {
        old.Want();
        return new TableView<TKey, TValue>(
            [.. View.Stores, store],
            task => new SuppressedGetter<TKey, TValue>(
                View.Getter(task), task.Store<SuppressBuffer>(store), keys, values,
                finalOnly ? Closing!.EndMs : static _ => 0));
    }
}

/// <summary>Holds the last update of each key back and lets it go when its time has come.</summary>
/// <remarks>
/// An update's place is the end of its window, or the time of the first update of its key that was held back.
/// Source: Kafka Streams' KTableSuppressProcessor.
/// </remarks>
internal sealed class Suppress<TKey, TValue>(
    SuppressBuffer buffer, Serde<TKey> keySerde, Serde<TValue> valueSerde, Suppressed suppressed,
    WindowClosing<TKey>? closing, OldValues old)
    : Operator<TKey, Change<TValue>, TKey, Change<TValue>>, IDisposable
{
    private readonly bool _finalOnly = suppressed.TimeLimit is null;
    private readonly long _waitMs =
        (long?)suppressed.TimeLimit?.TotalMilliseconds ?? closing!.DelayMs;
    private readonly long _recordsMax = suppressed.Buffer.RecordsMax ?? long.MaxValue;
    private readonly long _bytesMax = suppressed.Buffer.BytesMax ?? long.MaxValue;
    private readonly PooledBuffer _bytes = new();
    private readonly PooledBuffer _headers = new();
    private TKey _key = default!;
    private TValue _new = default!;
    private TValue _old = default!;

    internal override void Process(in Record<TKey, Change<TValue>> record)
    {
        Enter();
        buffer.ObservedMs = Math.Max(buffer.ObservedMs, record.TimestampMs);
        Hold(record);
        while (buffer.TryFirst(out long placeMs, out ReadOnlySpan<byte> key, out HeldUpdate update)
            && (placeMs <= buffer.ObservedMs - _waitMs || IsOverfull()))
            Release(placeMs, key, update);
    }

    public void Dispose()
    {
        _bytes.Dispose();
        _headers.Dispose();
    }

    private void Hold(in Record<TKey, Change<TValue>> record)
    {
        Change<TValue> change = record.Value;
        _bytes.Clear();
        keySerde.Serialize(record.Key, _bytes);
        int keyEnd = _bytes.Length;
        if (change.HasNew)
            valueSerde.Serialize(change.New, _bytes);
        int newEnd = _bytes.Length;
        bool hasOld = old.Wanted && change.HasOld;
        if (hasOld)
            valueSerde.Serialize(change.Old, _bytes);
        ReadOnlySpan<byte> bytes = _bytes.WrittenSpan;
        var update = new HeldUpdate
        {
            TimestampMs = record.TimestampMs,
            HasNew = change.HasNew,
            HasOld = hasOld,
            New = bytes[keyEnd..newEnd],
            Old = bytes[newEnd..],
            Headers = record.Headers.Encoded,
        };
        buffer.Put(_finalOnly ? closing!.EndMs(record.Key) : record.TimestampMs, bytes[..keyEnd], update);
    }

    private bool IsOverfull()
    {
        if (buffer.Count <= _recordsMax && buffer.BytesHeld <= _bytesMax)
            return false;
        return suppressed.Buffer.WhenFull == BufferFull.EmitEarly
            ? true
            : throw new StateLimitException(
                $"The suppression buffer '{buffer.Name}' holds {buffer.Count:N0} updates of "
                + $"{buffer.BytesHeld:N0} bytes, over its bound of "
                + (buffer.Count > _recordsMax ? $"{_recordsMax:N0} updates" : $"{_bytesMax:N0} bytes")
                + ": raise the bound, or let it emit early.");
    }

    private void Release(long placeMs, ReadOnlySpan<byte> key, in HeldUpdate update)
    {
        keySerde.Deserialize(key, ref _key);
        if (update.HasNew)
            valueSerde.Deserialize(update.New, ref _new);
        if (update.HasOld)
            valueSerde.Deserialize(update.Old, ref _old);
        _headers.Clear();
        _headers.Write(update.Headers);
        bool hasNew = update.HasNew;
        bool hasOld = update.HasOld;
        long timestampMs = update.TimestampMs;
        buffer.Remove(placeMs, key);
        // A window that was deleted before anybody heard of it.
        if (!hasNew && _finalOnly)
            return;
        var change = new Change<TValue>(
            hasNew ? _new : default!, hasNew, hasOld ? _old : default!, hasOld);
        Next.Process(new Record<TKey, Change<TValue>>(
            _key, true, change, true, timestampMs,
            _headers.Length == 0 ? default : new Headers(_headers.WrittenMemory)));
        Enter();
    }
}

/// <summary>Reads a table as its suppression has let it be known.</summary>
internal sealed class SuppressedGetter<TKey, TValue>(
    TableGetter<TKey, TValue> source, SuppressBuffer buffer, Serde<TKey> keySerde, Serde<TValue> valueSerde,
    Func<TKey, long> placeMs) : TableGetter<TKey, TValue>
{
    internal override bool TryGet(in TKey key, ref TValue value, out long timestampMs)
    {
        if (!buffer.TryGet(placeMs(key), key, keySerde, out HeldUpdate update))
            return source.TryGet(key, ref value, out timestampMs);
        timestampMs = update.TimestampMs;
        if (update.HasOld)
            valueSerde.Deserialize(update.Old, ref value);
        return update.HasOld;
    }
}
