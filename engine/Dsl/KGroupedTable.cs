using Streams.Processing;
using Streams.Records;
using Streams.State;

namespace Streams.Dsl;

/// <summary>The rows of a table grouped by another key, to be aggregated.</summary>
/// <typeparam name="TKey">The group's type.</typeparam>
/// <typeparam name="TValue">The value's type.</typeparam>
public sealed class KGroupedTable<TKey, TValue>
{
    private readonly KStream<TKey, Change<TValue>> _changes;
    private readonly Serde<TValue> _valueSerde;

    internal KGroupedTable(KStream<TKey, Change<TValue>> changes, Serde<TValue> valueSerde)
    {
        _changes = changes;
        _valueSerde = valueSerde;
    }

    /// <summary>Number of rows of each group; a group that had rows stays, with 0.</summary>
    public KTable<TKey, long> Count(Materialized<TKey, long>? materialized = null) => Aggregated(
        KGroupedStream<TKey, TValue>.WithSerde(materialized, Serdes.Int64), () => 0L,
        (_, _, count) => count + 1, (_, _, count) => count - 1);

    /// <summary>Combines the values of each group.</summary>
    /// <param name="adder">Adds a value to the aggregate.</param>
    /// <param name="subtractor">Takes a value out of the aggregate.</param>
    /// <param name="materialized">Where it is kept.</param>
    public KTable<TKey, TValue> Reduce(
        Func<TValue, TValue, TValue> adder, Func<TValue, TValue, TValue> subtractor,
        Materialized<TKey, TValue>? materialized = null) => Aggregated(
        KGroupedStream<TKey, TValue>.WithSerde(materialized, _valueSerde), null,
        (_, value, aggregate) => adder(aggregate, value),
        (_, value, aggregate) => subtractor(aggregate, value));

    /// <summary>Folds the values of each group into an aggregate.</summary>
    /// <param name="initializer">Makes the aggregate of a group that has none.</param>
    /// <param name="adder">Adds a value to it.</param>
    /// <param name="subtractor">Takes a value out of it; a null result deletes it.</param>
    /// <param name="materialized">Where it is kept; its value serde is needed.</param>
    public KTable<TKey, TAggregate> Aggregate<TAggregate>(
        Func<TAggregate> initializer, Aggregator<TKey, TValue, TAggregate> adder,
        Aggregator<TKey, TValue, TAggregate> subtractor, Materialized<TKey, TAggregate> materialized) =>
        Aggregated(materialized, initializer, adder, subtractor);

    private KTable<TKey, TAggregate> Aggregated<TAggregate>(
        Materialized<TKey, TAggregate> materialized, Func<TAggregate>? initializer,
        Aggregator<TKey, TValue, TAggregate> adder, Aggregator<TKey, TValue, TAggregate> subtractor)
    {
        StreamsBuilder builder = _changes.Builder;
        var old = new OldValues();
        AggregateStore<TKey, TAggregate> kept = AggregateStore<TKey, TAggregate>.Add(
            builder, materialized, _changes.KeySerde, "KTABLE-AGGREGATE", _changes.Output.Origin);
        GraphOutput<TKey, Change<TAggregate>> output = builder.Attach(
            _changes.Output, null, "KTABLE-AGGREGATE", [kept.Name],
            task => new TableAggregate<TKey, TValue, TAggregate>(
                task.Store<KeyValueStore<TKey, TAggregate>>(kept.Name), initializer, adder, subtractor, old));
        return kept.Table(builder, output, old);
    }
}

/// <summary>The store of an aggregate, as a topology declares it.</summary>
internal sealed record AggregateStore<TKey, TAggregate>(
    string Name, Serde<TKey> KeySerde, Serde<TAggregate> ValueSerde)
{
    /// <summary>Declares the store.</summary>
    /// <exception cref="TopologyException">A serde is missing.</exception>
    internal static AggregateStore<TKey, TAggregate> Add(
        StreamsBuilder builder, Materialized<TKey, TAggregate> materialized, Serde<TKey>? keySerde,
        string kind, string? origin)
    {
        (Serde<TKey> keys, Serde<TAggregate> values) = RequireSerdes(materialized, keySerde);
        if (materialized.HistoryRetention is not null)
            throw new TopologyException(
                "A history is kept of tables that are read from a topic or made of a stream, not of an "
                + "aggregate: send the aggregate through ToStream and ToTable.");
        string store = builder.NameFor(materialized.StoreName, $"{kind}-STATE-STORE", origin);
        builder.AddStore(Stores.KeyValue(
            KTable<TKey, TAggregate>.StoreOptionsOf(materialized, store), keys, values).Spec);
        return new AggregateStore<TKey, TAggregate>(store, keys, values);
    }

    internal static (Serde<TKey> Keys, Serde<TAggregate> Values) RequireSerdes(
        Materialized<TKey, TAggregate> materialized, Serde<TKey>? keySerde) => (
        materialized.KeySerde ?? keySerde ?? throw new TopologyException(
            $"An aggregate needs a serde for keys of type {typeof(TKey).Name}: an operator changed the type, "
            + "so name one."),
        materialized.ValueSerde ?? throw new TopologyException(
            $"An aggregate of type {typeof(TAggregate).Name} needs a serde: Materialized.ValueSerde."));

    /// <summary>The table of what the store holds.</summary>
    internal KTable<TKey, TAggregate> Table(
        StreamsBuilder builder, GraphOutput<TKey, Change<TAggregate>> output, OldValues old) => new(
        builder, output, () => KTable<TKey, TAggregate>.StoreView(Name), old, KeySerde, ValueSerde, Name);
}
