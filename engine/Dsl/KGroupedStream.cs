using Streams.Processing;
using Streams.Records;
using Streams.State;

namespace Streams.Dsl;

/// <summary>Combines an aggregate with one more value.</summary>
/// <remarks>The aggregate that comes in may be changed and returned; a null result deletes it.</remarks>
public delegate TAggregate Aggregator<TKey, TValue, TAggregate>(TKey key, TValue value, TAggregate aggregate);

/// <summary>Combines the aggregates of two sessions that became one.</summary>
public delegate TAggregate Merger<TKey, TAggregate>(TKey key, TAggregate first, TAggregate second);

/// <summary>Adds a value to an aggregate that may not be there yet.</summary>
internal delegate TAggregate Fold<TKey, TValue, TAggregate>(
    TKey key, TValue value, TAggregate current, bool hasCurrent);

/// <summary>Records grouped by key, to be aggregated.</summary>
/// <typeparam name="TKey">The key's type.</typeparam>
/// <typeparam name="TValue">The value's type.</typeparam>
public sealed class KGroupedStream<TKey, TValue>
{
    internal KGroupedStream(KStream<TKey, TValue> stream, Serde<TKey>? keySerde)
    {
        Stream = stream;
        KeySerde = keySerde;
    }

    internal KStream<TKey, TValue> Stream { get; }

    internal Serde<TKey>? KeySerde { get; }

    /// <summary>Number of records of each key.</summary>
    public KTable<TKey, long> Count(Materialized<TKey, long>? materialized = null) => Aggregated(
        WithSerde(materialized, Serdes.Int64), "KSTREAM-AGGREGATE", Folds<TKey, TValue>.Count);

    /// <summary>Combines the values of each key.</summary>
    public KTable<TKey, TValue> Reduce(
        Func<TValue, TValue, TValue> reducer, Materialized<TKey, TValue>? materialized = null) => Aggregated(
        WithSerde(materialized, () => Stream.RequireValueSerde("Reduce")), "KSTREAM-REDUCE",
        Folds<TKey, TValue>.Reduce(reducer));

    /// <summary>Folds the values of each key into an aggregate.</summary>
    /// <param name="initializer">Makes the aggregate of a key that has none.</param>
    /// <param name="aggregator">Adds a value to it.</param>
    /// <param name="materialized">Where it is kept; its value serde is needed.</param>
    public KTable<TKey, TAggregate> Aggregate<TAggregate>(
        Func<TAggregate> initializer, Aggregator<TKey, TValue, TAggregate> aggregator,
        Materialized<TKey, TAggregate> materialized) => Aggregated(
        materialized, "KSTREAM-AGGREGATE", Folds<TKey, TValue>.Aggregate(initializer, aggregator));

    /// <summary>Aggregates within tumbling or hopping windows.</summary>
    public TimeWindowedKStream<TKey, TValue> WindowedBy(TimeWindows windows) => new(this, new(windows));

    /// <summary>Aggregates within sliding windows.</summary>
    public TimeWindowedKStream<TKey, TValue> WindowedBy(SlidingWindows windows) => new(this, new(windows));

    /// <summary>Aggregates within sessions.</summary>
    public SessionWindowedKStream<TKey, TValue> WindowedBy(SessionWindows windows) => new(this, new(windows));

    /// <summary>Aggregates these records and those of further streams into one aggregate per key.</summary>
    public CogroupedKStream<TKey, TAggregate> Cogroup<TAggregate>(
        Aggregator<TKey, TValue, TAggregate> aggregator, Action<KStream<TKey, TValue>>? lateRecords = null) =>
        new CogroupedKStream<TKey, TAggregate>(Stream.Builder, KeySerde, [])
            .Cogroup(this, aggregator, lateRecords);

    internal static Materialized<TAnyKey, TAnyValue> WithSerde<TAnyKey, TAnyValue>(
        Materialized<TAnyKey, TAnyValue>? materialized, Serde<TAnyValue> serde) =>
        WithSerde(materialized, () => serde);

    internal static Materialized<TAnyKey, TAnyValue> WithSerde<TAnyKey, TAnyValue>(
        Materialized<TAnyKey, TAnyValue>? materialized, Func<Serde<TAnyValue>> serde)
    {
        materialized ??= new Materialized<TAnyKey, TAnyValue>();
        return materialized.ValueSerde is null ? materialized with { ValueSerde = serde() } : materialized;
    }

    private KTable<TKey, TAggregate> Aggregated<TAggregate>(
        Materialized<TKey, TAggregate> materialized, string kind, Fold<TKey, TValue, TAggregate> fold)
    {
        var old = new OldValues();
        AggregateStore<TKey, TAggregate> kept = AggregateStore<TKey, TAggregate>.Add(
            Stream.Builder, materialized, KeySerde, kind, Stream.Output.Origin);
        GraphOutput<TKey, Change<TAggregate>> output = Stream.Builder.Attach(
            Stream.Output, null, kind, [kept.Name],
            task => new StreamAggregate<TKey, TValue, TAggregate>(
                task.Store<KeyValueStore<TKey, TAggregate>>(kept.Name), fold, old));
        return kept.Table(Stream.Builder, output, old);
    }
}

/// <summary>The ways of adding a value to an aggregate.</summary>
internal static class Folds<TKey, TValue>
{
    internal static readonly Fold<TKey, TValue, long> Count = (_, _, count, has) => has ? count + 1 : 1;

    // The first value is the aggregate.
    internal static Fold<TKey, TValue, TValue> Reduce(Func<TValue, TValue, TValue> reducer) =>
        (_, value, current, has) => has ? reducer(current, value) : value;

    internal static Fold<TKey, TValue, TAggregate> Aggregate<TAggregate>(
        Func<TAggregate> initializer, Aggregator<TKey, TValue, TAggregate> aggregator) =>
        (key, value, current, has) => aggregator(key, value, has ? current : initializer());
}

/// <summary>Folds each record into the aggregate of its key. Records without key or value are
/// dropped.</summary>
internal sealed class StreamAggregate<TKey, TValue, TAggregate>(
    KeyValueStore<TKey, TAggregate> store, Fold<TKey, TValue, TAggregate> fold, OldValues old)
    : Operator<TKey, TValue, TKey, Change<TAggregate>>
{
    private TAggregate _old = default!;
    private TAggregate _current = default!;

    internal override void Process(in Record<TKey, TValue> record)
    {
        if (!record.HasKey || !record.HasValue)
        {
            SkipNull(record.HasKey);
            return;
        }
        Enter();
        bool existed = store.TryGet(record.Key, ref _current, out long storedMs);
        long timestampMs = existed ? Math.Max(storedMs, record.TimestampMs) : record.TimestampMs;
        // Read again rather than shared: the fold may change what it is given.
        bool hasOld = existed && old.Wanted && store.TryGet(record.Key, ref _old, out _);
        TAggregate result = fold(record.Key, record.Value, _current, existed);
        bool has = result is not null;
        if (has)
            store.Put(record.Key, result, timestampMs);
        else
            store.Delete(record.Key);
        var change = new Change<TAggregate>(result, has, hasOld ? _old : default!, hasOld);
        Next.Process(new Record<TKey, Change<TAggregate>>(
            record.Key, true, change, true, timestampMs, record.Headers));
    }
}
