using Streams.Buffers;
using Streams.Processing;
using Streams.Records;
using Streams.State;

namespace Streams.Dsl;

/// <summary>Lets the rows through for which a predicate holds, and a tombstone for each other.</summary>
internal sealed class TableFilter<TKey, TValue>(Func<TKey, TValue, bool> predicate, bool keep, OldValues old)
    : Operator<TKey, Change<TValue>, TKey, Change<TValue>>
{
    internal override void Process(in Record<TKey, Change<TValue>> record)
    {
        Enter();
        Change<TValue> change = record.Value;
        bool hasNew = change.HasNew && predicate(record.Key, change.New) == keep;
        bool hasOld = old.Wanted && change.HasOld && predicate(record.Key, change.Old) == keep;
        // Who knows the old values knows that there was no row; the others get a tombstone to be sure.
        if (old.Wanted && !hasNew && !hasOld)
            return;
        var kept = new Change<TValue>(
            hasNew ? change.New : default!, hasNew, hasOld ? change.Old : default!, hasOld, change.IsLatest);
        Next.Process(new Record<TKey, Change<TValue>>(
            record.Key, true, kept, true, record.TimestampMs, record.Headers));
    }
}

/// <summary>Makes another value of each row.</summary>
internal sealed class TableMap<TKey, TValue, TNewValue>(Func<TKey, TValue, TNewValue> mapper, OldValues old)
    : Operator<TKey, Change<TValue>, TKey, Change<TNewValue>>
{
    internal override void Process(in Record<TKey, Change<TValue>> record)
    {
        Enter();
        Change<TValue> change = record.Value;
        TNewValue newValue = change.HasNew ? mapper(record.Key, change.New) : default!;
        bool hasOld = old.Wanted && change.HasOld;
        TNewValue oldValue = hasOld ? mapper(record.Key, change.Old) : default!;
        var mapped = new Change<TNewValue>(
            newValue, change.HasNew && newValue is not null, oldValue, hasOld && oldValue is not null,
            change.IsLatest);
        Next.Process(new Record<TKey, Change<TNewValue>>(
            record.Key, true, mapped, true, record.TimestampMs, record.Headers));
    }
}

/// <summary>Keeps a computed table.</summary>
internal sealed class StoreTable<TKey, TValue>(KeyValueStore<TKey, TValue> store)
    : Operator<TKey, Change<TValue>, TKey, Change<TValue>>
{
    private TValue _old = default!;

    internal override void Process(in Record<TKey, Change<TValue>> record)
    {
        Enter();
        Change<TValue> change = record.Value;
        bool hasOld = store.TryGet(record.Key, ref _old, out _);
        if (change.HasNew)
            store.Put(record.Key, change.New, record.TimestampMs);
        else
            store.Delete(record.Key);
        var kept = new Change<TValue>(
            change.New, change.HasNew, hasOld ? _old : default!, hasOld, change.IsLatest);
        Next.Process(new Record<TKey, Change<TValue>>(
            record.Key, true, kept, true, record.TimestampMs, record.Headers));
    }
}

/// <summary>Gives rows another key and value: the subtraction goes to the old group, then the addition to the
/// new one; both at once where the group is the same.</summary>
/// <remarks>Source: Kafka Streams' KTableRepartitionMap, with KIP-904.</remarks>
internal sealed class TableRegroup<TKey, TValue, TNewKey, TNewValue>(
    Func<TKey, TValue, (TNewKey Key, TNewValue Value)> selector, Serde<TNewKey> keySerde, bool versioned)
    : Operator<TKey, Change<TValue>, TNewKey, Change<TNewValue>>, IDisposable
{
    private readonly PooledBuffer _oldKey = new();
    private readonly PooledBuffer _newKey = new();

    internal override void Process(in Record<TKey, Change<TValue>> record)
    {
        Change<TValue> change = record.Value;
        if (versioned && !change.IsLatest)
            return;
        Enter();
        (TNewKey Key, TNewValue Value) added = change.HasNew ? selector(record.Key, change.New) : default;
        (TNewKey Key, TNewValue Value) taken = change.HasOld ? selector(record.Key, change.Old) : default;
        bool hasAdded = change.HasNew && added.Key is not null && added.Value is not null;
        bool hasTaken = change.HasOld && taken.Key is not null && taken.Value is not null;
        if (hasAdded && hasTaken && IsSame(added.Key, taken.Key))
        {
            Forward(record, added.Key, new Change<TNewValue>(added.Value, true, taken.Value, true));
            return;
        }
        if (hasTaken)
            Forward(record, taken.Key, new Change<TNewValue>(default!, false, taken.Value, true));
        if (hasAdded)
            Forward(record, added.Key, new Change<TNewValue>(added.Value, true, default!, false));
    }

    public void Dispose()
    {
        _oldKey.Dispose();
        _newKey.Dispose();
    }

    private bool IsSame(in TNewKey added, in TNewKey taken)
    {
        _newKey.Clear();
        _oldKey.Clear();
        keySerde.Serialize(added, _newKey);
        keySerde.Serialize(taken, _oldKey);
        return _newKey.WrittenSpan.SequenceEqual(_oldKey.WrittenSpan);
    }

    private void Forward(
        in Record<TKey, Change<TValue>> record, TNewKey key, in Change<TNewValue> change) =>
        Next.Process(new Record<TNewKey, Change<TNewValue>>(
            key, true, change, true, record.TimestampMs, record.Headers));
}

/// <summary>Takes the old value out of an aggregate and puts the new one in.</summary>
/// <remarks>Source: Kafka Streams' KTableAggregate and KTableReduce; without an initializer it is a
/// reduction.</remarks>
internal sealed class TableAggregate<TKey, TValue, TAggregate>(
    KeyValueStore<TKey, TAggregate> store, Func<TAggregate>? initializer,
    Aggregator<TKey, TValue, TAggregate> adder, Aggregator<TKey, TValue, TAggregate> subtractor,
    OldValues old)
    : Operator<TKey, Change<TValue>, TKey, Change<TAggregate>>
{
    private TAggregate _current = default!;
    private TAggregate _old = default!;

    internal override void Process(in Record<TKey, Change<TValue>> record)
    {
        Enter();
        bool existed = store.TryGet(record.Key, ref _current, out long storedMs);
        bool hasOld = existed && old.Wanted && store.TryGet(record.Key, ref _old, out _);
        long timestampMs = existed ? Math.Max(storedMs, record.TimestampMs) : record.TimestampMs;
        TAggregate result = existed ? _current : default!;
        bool has = existed;
        if (record.Value.HasOld && has)
        {
            result = subtractor(record.Key, record.Value.Old, result);
            has = result is not null;
        }
        if (record.Value.HasNew)
        {
            result = Add(record, result, has);
            has = result is not null;
        }
        if (has)
            store.Put(record.Key, result, timestampMs);
        else
            store.Delete(record.Key);
        var change = new Change<TAggregate>(result, has, hasOld ? _old : default!, hasOld);
        Next.Process(new Record<TKey, Change<TAggregate>>(
            record.Key, true, change, true, timestampMs, record.Headers));
    }

    private TAggregate Add(in Record<TKey, Change<TValue>> record, TAggregate current, bool has)
    {
        if (has)
            return adder(record.Key, record.Value.New, current);
        return initializer is null
            ? (TAggregate)(object)record.Value.New!
            : adder(record.Key, record.Value.New, initializer());
    }
}
