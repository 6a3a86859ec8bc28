using Streams.Processing;
using Streams.Records;
using Streams.State;

namespace Streams.Dsl;

/// <summary>How the value of a table's key changed.</summary>
internal readonly struct Change<TValue>
{
    internal readonly TValue New;
    internal readonly TValue Old;
    internal readonly bool HasNew;
    internal readonly bool HasOld;

    internal Change(TValue newValue, bool hasNew, TValue oldValue, bool hasOld)
    {
        New = newValue;
        HasNew = hasNew;
        Old = oldValue;
        HasOld = hasOld;
    }
}

/// <summary>Reads the current values of a table in a running task.</summary>
internal abstract class TableGetter<TKey, TValue>
{
    /// <summary>Reads a value, refilling <paramref name="value"/> where its type allows that.</summary>
    internal abstract bool TryGet(in TKey key, ref TValue value, out long timestampMs);
}

/// <summary>Reads the values of a table that has a store.</summary>
internal sealed class StoreGetter<TKey, TValue>(KeyValueStore<TKey, TValue> store) : TableGetter<TKey, TValue>
{
    internal override bool TryGet(in TKey key, ref TValue value, out long timestampMs) =>
        store.TryGet(key, ref value, out timestampMs);
}

/// <summary>Makes a table of a stream: keeps the last value of each key.</summary>
internal sealed class ToTable<TKey, TValue>(KeyValueStore<TKey, TValue> store)
    : Operator<TKey, TValue, TKey, Change<TValue>>
{
    private TValue _old = default!;

    internal override void Process(in Record<TKey, TValue> record)
    {
        if (!record.HasKey)
            return;
        Enter();
        bool hadOld = store.TryGet(record.Key, ref _old, out _);
        if (record.HasValue)
            store.Put(record.Key, record.Value, record.TimestampMs);
        else
            store.Delete(record.Key);
        var change = new Change<TValue>(record.Value, record.HasValue, hadOld ? _old : default!, hadOld);
        Next.Process(new Record<TKey, Change<TValue>>(
            record.Key, true, change, true, record.TimestampMs, record.Headers));
    }
}

/// <summary>Makes a stream of a table's changes: the new value, or a tombstone.</summary>
internal sealed class ToStream<TKey, TValue> : Operator<TKey, Change<TValue>, TKey, TValue>
{
    internal override void Process(in Record<TKey, Change<TValue>> record) =>
        Next.Process(new Record<TKey, TValue>(
        record.Key, record.HasKey, record.Value.New, record.Value.HasNew, record.TimestampMs,
            record.Headers));
}
