using Streams.Processing;
using Streams.Records;
using Streams.State;

namespace Streams.Dsl;

/// <summary>A table: for each key the last value, which further records replace or delete.</summary>
/// <typeparam name="TKey">The key's type.</typeparam>
/// <typeparam name="TValue">The value's type.</typeparam>
public sealed class KTable<TKey, TValue>
{
    internal KTable(
        StreamsBuilder builder, GraphOutput<TKey, Change<TValue>> output, Serde<TKey>? keySerde,
        Serde<TValue>? valueSerde, string? storeName)
    {
        Builder = builder;
        Output = output;
        KeySerde = keySerde;
        ValueSerde = valueSerde;
        StoreName = storeName;
    }

    /// <summary>The name of the store that holds it; null where it is computed from another table.</summary>
    public string? StoreName { get; }

    internal StreamsBuilder Builder { get; }

    internal GraphOutput<TKey, Change<TValue>> Output { get; }

    internal Serde<TKey>? KeySerde { get; }

    internal Serde<TValue>? ValueSerde { get; }

    /// <summary>The table's changes as a stream: each new value, and a tombstone for each deletion.</summary>
    public KStream<TKey, TValue> ToStream(string? name = null) =>
        new(Builder,
            Builder.Attach(Output, name, "KTABLE-TOSTREAM", [], _ => new ToStream<TKey, TValue>()),
            KeySerde, ValueSerde, false);

    /// <summary>Reads the table in a task of the part of the topology that it belongs to.</summary>
    internal TableGetter<TKey, TValue> Getter(TaskBuilder task) =>
        new StoreGetter<TKey, TValue>(task.Store<KeyValueStore<TKey, TValue>>(StoreName!));

    /// <summary>Keeps the last value of each key of a stream.</summary>
    internal static KTable<TKey, TValue> FromStream(
        StreamsBuilder builder, GraphOutput<TKey, TValue> from, Serde<TKey>? keySerde,
            Serde<TValue>? valueSerde,
        Materialized<TKey, TValue> materialized, string kind)
    {
        Serde<TKey> keys = materialized.KeySerde ?? keySerde ?? throw new TopologyException(
            $"A table needs a serde for keys of type {typeof(TKey).Name}.");
        Serde<TValue> values = materialized.ValueSerde ?? valueSerde ?? throw new TopologyException(
            $"A table needs a serde for values of type {typeof(TValue).Name}.");
        string store = builder.NameFor(materialized.StoreName, $"{kind}-STATE-STORE");
        builder.AddStore(Stores.KeyValue(StoreOptionsOf(materialized, store), keys, values).Spec);
        GraphOutput<TKey, Change<TValue>> output = builder.Attach(
            from, null, kind, [store], task =>
                new ToTable<TKey, TValue>(task.Store<KeyValueStore<TKey, TValue>>(store)));
        return new KTable<TKey, TValue>(builder, output, keys, values, store);
    }

    internal static StoreOptions StoreOptionsOf<TAnyKey, TAnyValue>(
        Materialized<TAnyKey, TAnyValue> materialized, string name) => new()
        {
            Name = name,
            StateBytesMax = materialized.StateBytesMax,
            Logged = materialized.Logged,
        };
}
