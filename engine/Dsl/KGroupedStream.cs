using Streams.Processing;
using Streams.Records;
using Streams.State;

namespace Streams.Dsl;

/// <summary>Combines an aggregate with one more value.</summary>
/// <remarks>The aggregate that comes in may be changed and returned; a null result deletes it.</remarks>
public delegate TAggregate Aggregator<TKey, TValue, TAggregate>(TKey key, TValue value, TAggregate aggregate);

/// <summary>Records grouped by key, to be aggregated.</summary>
/// <typeparam name="TKey">The key's type.</typeparam>
/// <typeparam name="TValue">The value's type.</typeparam>
public sealed class KGroupedStream<TKey, TValue>
{
    private readonly KStream<TKey, TValue> _stream;
    private readonly Serde<TKey>? _keySerde;

    internal KGroupedStream(KStream<TKey, TValue> stream, Serde<TKey>? keySerde)
    {
        _stream = stream;
        _keySerde = keySerde;
    }

    /// <summary>Number of records of each key.</summary>
    public KTable<TKey, long> Count(Materialized<TKey, long>? materialized = null) => Aggregate(
        () => 0L, (_, _, count) => count + 1, WithSerde(materialized, Serdes.Int64), "KSTREAM-AGGREGATE");

    /// <summary>Combines the values of each key.</summary>
    public KTable<TKey, TValue> Reduce(
        Func<TValue, TValue, TValue> reducer, Materialized<TKey, TValue>? materialized = null)
    {
        materialized ??= new Materialized<TKey, TValue>();
        Serde<TValue> values = materialized.ValueSerde ?? _stream.RequireValueSerde("Reduce");
        return Aggregated(
            materialized with { ValueSerde = values }, "KSTREAM-REDUCE",
            store => new StreamReduce<TKey, TValue>(store, reducer));
    }

    /// <summary>Folds the values of each key into an aggregate.</summary>
    /// <param name="initializer">Makes the aggregate of a key that has none.</param>
    /// <param name="aggregator">Adds a value to it.</param>
    /// <param name="materialized">Where it is kept; its value serde is needed.</param>
    public KTable<TKey, TAggregate> Aggregate<TAggregate>(
        Func<TAggregate> initializer, Aggregator<TKey, TValue, TAggregate> aggregator,
        Materialized<TKey, TAggregate> materialized) =>
        Aggregate(initializer, aggregator, materialized, "KSTREAM-AGGREGATE");

    /// <summary>Aggregates within tumbling or hopping windows.</summary>
    public TimeWindowedKStream<TKey, TValue> WindowedBy(TimeWindows windows) =>
        new(_stream, _keySerde, windows);

    internal static Materialized<TAnyKey, TAnyValue> WithSerde<TAnyKey, TAnyValue>(
        Materialized<TAnyKey, TAnyValue>? materialized, Serde<TAnyValue> serde)
    {
        materialized ??= new Materialized<TAnyKey, TAnyValue>();
        return materialized.ValueSerde is null ? materialized with { ValueSerde = serde } : materialized;
    }

    private KTable<TKey, TAggregate> Aggregate<TAggregate>(
        Func<TAggregate> initializer, Aggregator<TKey, TValue, TAggregate> aggregator,
        Materialized<TKey, TAggregate> materialized, string kind) =>
        Aggregated(
            materialized, kind,
            store => new StreamAggregate<TKey, TValue, TAggregate>(store, initializer, aggregator));

    private KTable<TKey, TAggregate> Aggregated<TAggregate>(
        Materialized<TKey, TAggregate> materialized, string kind,
        Func<KeyValueStore<TKey, TAggregate>, Operator<TKey, TValue, TKey, Change<TAggregate>>> create)
    {
        Serde<TKey> keys = materialized.KeySerde ?? _keySerde ?? _stream.RequireKeySerde("An aggregate");
        Serde<TAggregate> values = materialized.ValueSerde ?? throw new TopologyException(
            $"An aggregate of type {typeof(TAggregate).Name} needs a serde: Materialized.ValueSerde.");
        string store = _stream.Builder.NameFor(materialized.StoreName, $"{kind}-STATE-STORE");
        _stream.Builder.AddStore(Stores.KeyValue(
            KTable<TKey, TAggregate>.StoreOptionsOf(materialized, store), keys, values).Spec);
        GraphOutput<TKey, Change<TAggregate>> output = _stream.Builder.Attach(
            _stream.Output, null, kind, [store],
            task => create(task.Store<KeyValueStore<TKey, TAggregate>>(store)));
        return new KTable<TKey, TAggregate>(_stream.Builder, output, keys, values, store);
    }
}

/// <summary>Folds each record into the aggregate of its key. Records without key or value are
/// dropped.</summary>
internal sealed class StreamAggregate<TKey, TValue, TAggregate>(
    KeyValueStore<TKey, TAggregate> store, Func<TAggregate> initializer,
    Aggregator<TKey, TValue, TAggregate> aggregator) : Operator<TKey, TValue, TKey, Change<TAggregate>>
{
    private TAggregate _old = default!;
    private TAggregate _current = default!;

    internal override void Process(in Record<TKey, TValue> record)
    {
        if (!record.HasKey || !record.HasValue)
            return;
        Enter();
        bool existed = store.TryGet(record.Key, ref _current, out long storedMs);
        long timestampMs = existed ? Math.Max(storedMs, record.TimestampMs) : record.TimestampMs;
        // Read again rather than shared: the aggregator may change what it is given.
        if (existed)
            store.TryGet(record.Key, ref _old, out _);
        TAggregate result = aggregator(record.Key, record.Value, existed ? _current : initializer());
        bool has = result is not null;
        if (has)
            store.Put(record.Key, result, timestampMs);
        else
            store.Delete(record.Key);
        var change = new Change<TAggregate>(result, has, existed ? _old : default!, existed);
        Next.Process(new Record<TKey, Change<TAggregate>>(
            record.Key, true, change, true, timestampMs, record.Headers));
    }
}

/// <summary>Combines each record's value with the one before. Records without key or value are
/// dropped.</summary>
internal sealed class StreamReduce<TKey, TValue>(
    KeyValueStore<TKey, TValue> store, Func<TValue, TValue, TValue> reducer)
    : Operator<TKey, TValue, TKey, Change<TValue>>
{
    private TValue _old = default!;
    private TValue _current = default!;

    internal override void Process(in Record<TKey, TValue> record)
    {
        if (!record.HasKey || !record.HasValue)
            return;
        Enter();
        bool existed = store.TryGet(record.Key, ref _current, out long storedMs);
        long timestampMs = existed ? Math.Max(storedMs, record.TimestampMs) : record.TimestampMs;
        if (existed)
            store.TryGet(record.Key, ref _old, out _);
        TValue result = existed ? reducer(_current, record.Value) : record.Value;
        bool has = result is not null;
        if (has)
            store.Put(record.Key, result, timestampMs);
        else
            store.Delete(record.Key);
        var change = new Change<TValue>(result, has, existed ? _old : default!, existed);
        Next.Process(
            new Record<TKey, Change<TValue>>(record.Key, true, change, true, timestampMs, record.Headers));
    }
}
