using Streams.Processing;
using Streams.Records;
using Streams.State;

namespace Streams.Dsl;

/// <summary>A table: for each key the last value, which further records replace or delete.</summary>
/// <remarks>
/// A table that is computed from another (by a filter, a function, a join) has no store of its own: who reads
/// it computes its values from the store of the other. Where Materialized is given, it has one, which costs
/// memory and can be queried.
/// </remarks>
/// <typeparam name="TKey">The key's type.</typeparam>
/// <typeparam name="TValue">The value's type.</typeparam>
public sealed partial class KTable<TKey, TValue>
{
    private readonly Func<TableView<TKey, TValue>> _view;

    internal KTable(
        StreamsBuilder builder, GraphOutput<TKey, Change<TValue>> output, Func<TableView<TKey, TValue>> view,
        OldValues old, Serde<TKey>? keySerde, Serde<TValue>? valueSerde, string? storeName,
        WindowClosing<TKey>? closing = null)
    {
        Builder = builder;
        Output = output;
        _view = view;
        Old = old;
        KeySerde = keySerde;
        ValueSerde = valueSerde;
        StoreName = storeName;
        Closing = closing;
    }

    /// <summary>The name of the store that holds it; null where it is computed from another table.</summary>
    public string? StoreName { get; }

    internal StreamsBuilder Builder { get; }

    internal GraphOutput<TKey, Change<TValue>> Output { get; }

    internal OldValues Old { get; }

    internal Serde<TKey>? KeySerde { get; }

    internal Serde<TValue>? ValueSerde { get; }

    /// <summary>When windows close, where the keys are windows; else null.</summary>
    internal WindowClosing<TKey>? Closing { get; }

    /// <summary>How others read the table.</summary>
    internal TableView<TKey, TValue> View => _view();

    /// <summary>The table's changes as a stream: each new value, and a tombstone for each deletion.</summary>
    public KStream<TKey, TValue> ToStream(string? name = null) =>
        new(Builder,
            Builder.Attach(Output, name, "KTABLE-TOSTREAM", [], _ => new ToStream<TKey, TValue>()),
            KeySerde, ValueSerde, false);

    /// <summary>The rows for which the predicate holds.</summary>
    /// <remarks>A row that ceases to match, or never did, is a tombstone downstream.</remarks>
    public KTable<TKey, TValue> Filter(
        Func<TKey, TValue, bool> predicate, Materialized<TKey, TValue>? materialized = null,
        string? name = null) => Filtered(predicate, true, materialized, name);

    /// <summary>The rows for which the predicate does not hold.</summary>
    public KTable<TKey, TValue> FilterNot(
        Func<TKey, TValue, bool> predicate, Materialized<TKey, TValue>? materialized = null,
        string? name = null) => Filtered(predicate, false, materialized, name);

    /// <summary>The table with another value in each row; a null result deletes the row.</summary>
    public KTable<TKey, TNewValue> MapValues<TNewValue>(
        Func<TKey, TValue, TNewValue> mapper, Materialized<TKey, TNewValue>? materialized = null,
        string? name = null)
    {
        var old = new OldValues(Old);
        GraphOutput<TKey, Change<TNewValue>> output = Builder.Attach(
            Output, name, "KTABLE-MAPVALUES", [],
            _ => new TableMap<TKey, TValue, TNewValue>(mapper, old));
        var mapped = new KTable<TKey, TNewValue>(
            Builder, output,
            () => new TableView<TKey, TNewValue>(
                View.Stores, task => new MapGetter<TKey, TValue, TNewValue>(View.Getter(task), mapper),
                View.IsVersioned),
            old, KeySerde, ValueSerde as Serde<TNewValue>, null, Closing);
        return materialized is null ? mapped : mapped.Stored(materialized, "KTABLE-MAPVALUES");
    }

    /// <summary>The rows under another key, to be aggregated: an update takes the old value out of its old
    /// group and puts the new one into its new group.</summary>
    /// <param name="selector">The new key and value; a null key or value leaves the row out.</param>
    /// <param name="grouped">Serdes of the new key and value where their types change.</param>
    /// <param name="name">The node's name.</param>
    public KGroupedTable<TNewKey, TNewValue> GroupBy<TNewKey, TNewValue>(
        Func<TKey, TValue, (TNewKey Key, TNewValue Value)> selector,
        Grouped<TNewKey, TNewValue>? grouped = null, string? name = null)
    {
        Serde<TNewKey> keys = grouped?.KeySerde ?? KeySerde as Serde<TNewKey> ?? throw new TopologyException(
            $"GroupBy needs a serde for keys of type {typeof(TNewKey).Name}: Grouped.KeySerde.");
        Serde<TNewValue> values = grouped?.ValueSerde ?? ValueSerde as Serde<TNewValue>
            ?? throw new TopologyException(
                $"GroupBy needs a serde for values of type {typeof(TNewValue).Name}: Grouped.ValueSerde.");
        Old.Want();
        bool versioned = View.IsVersioned;
        GraphOutput<TNewKey, Change<TNewValue>> output = Builder.Attach(
            Output, name, "KTABLE-SELECT", [],
            _ => new TableRegroup<TKey, TValue, TNewKey, TNewValue>(selector, keys, versioned));
        var changes = new KStream<TNewKey, Change<TNewValue>>(
            Builder, output, keys, new ChangeSerde<TNewValue>(values), true);
        return new KGroupedTable<TNewKey, TNewValue>(
            changes.Repartition(new Repartitioned<TNewKey, Change<TNewValue>> { Name = grouped?.Name }),
            values);
    }

    /// <summary>Keeps the last value of each key of a stream.</summary>
    internal static KTable<TKey, TValue> FromStream(
        StreamsBuilder builder, GraphOutput<TKey, TValue> from, Serde<TKey>? keySerde,
        Serde<TValue>? valueSerde,
        Materialized<TKey, TValue> materialized, string kind)
    {
        (Serde<TKey> keys, Serde<TValue> values) = RequireSerdes(materialized, keySerde, valueSerde);
        string store = builder.NameFor(materialized.StoreName, $"{kind}-STATE-STORE", from.Origin);
        StoreOptions options = StoreOptionsOf(materialized, store);
        if (materialized.HistoryRetention is not { } history)
        {
            builder.AddStore(Stores.KeyValue(options, keys, values).Spec);
            return new KTable<TKey, TValue>(
                builder,
                builder.Attach(from, null, kind, [store],
                    task => new ToTable<TKey, TValue>(task.Store<KeyValueStore<TKey, TValue>>(store))),
                () => StoreView(store), OldValues.Given, keys, values, store);
        }
        ArgumentOutOfRangeException.ThrowIfNegative(history.Ticks, nameof(materialized));
        builder.AddStore(Stores.Versioned(options, history, keys, values).Spec);
        SideStream<TKey, TValue> late = SideStream<TKey, TValue>.Of(
            new KStream<TKey, TValue>(builder, from, keys, values, false),
            materialized.LateTopic is { } topic ? stream => stream.To(topic) : null);
        var output = new GraphOutput<TKey, Change<TValue>>();
        late.AttachTo(builder.AttachTo(
            from, output, null, kind, [store],
            task => new ToVersionedTable<TKey, TValue>(
                task.Store<VersionedStore<TKey, TValue>>(store),
                new LateRecords<TKey, TValue>(store, late.Resolve(task)))));
        return new KTable<TKey, TValue>(
            builder, output,
            () => new TableView<TKey, TValue>(
                [store],
                task => new VersionedGetter<TKey, TValue>(task.Store<VersionedStore<TKey, TValue>>(store)),
                true),
            OldValues.Given, keys, values, store);
    }

    internal static TableView<TKey, TValue> StoreView(string store) => new(
        [store], task => new StoreGetter<TKey, TValue>(task.Store<KeyValueStore<TKey, TValue>>(store)));

    internal static StoreOptions StoreOptionsOf<TAnyKey, TAnyValue>(
        Materialized<TAnyKey, TAnyValue> materialized, string name) => new()
        {
            Name = name,
            StateBytesMax = materialized.StateBytesMax,
            Logged = materialized.Logged,
            OnDisk = materialized.OnDisk,
            TimeToLive = materialized.TimeToLive,
        };

    /// <summary>The same table in a store of its own.</summary>
    internal KTable<TKey, TValue> Stored(Materialized<TKey, TValue> materialized, string kind)
    {
        if (materialized.HistoryRetention is not null)
            throw new TopologyException(
                "A history is kept of tables that are read from a topic or made of a stream; a computed "
                + "table has none of its own.");
        (Serde<TKey> keys, Serde<TValue> values) = RequireSerdes(materialized, KeySerde, ValueSerde);
        string store = Builder.NameFor(materialized.StoreName, $"{kind}-STATE-STORE", Output.Origin);
        Builder.AddStore(Stores.KeyValue(StoreOptionsOf(materialized, store), keys, values).Spec);
        GraphOutput<TKey, Change<TValue>> output = Builder.Attach(
            Output, null, $"{kind}-MATERIALIZE", [store],
            task => new StoreTable<TKey, TValue>(task.Store<KeyValueStore<TKey, TValue>>(store)));
        return new KTable<TKey, TValue>(
            Builder, output, () => StoreView(store), new OldValues(Old), keys, values, store, Closing);
    }

    private static (Serde<TKey> Keys, Serde<TValue> Values) RequireSerdes(
        Materialized<TKey, TValue> materialized, Serde<TKey>? keySerde, Serde<TValue>? valueSerde) => (
        materialized.KeySerde ?? keySerde ?? throw new TopologyException(
            $"A table needs a serde for keys of type {typeof(TKey).Name}: Materialized.KeySerde."),
        materialized.ValueSerde ?? valueSerde ?? throw new TopologyException(
            $"A table needs a serde for values of type {typeof(TValue).Name}: Materialized.ValueSerde."));

    private KTable<TKey, TValue> Filtered(
        Func<TKey, TValue, bool> predicate, bool keep, Materialized<TKey, TValue>? materialized, string? name)
    {
        var old = new OldValues(Old);
        GraphOutput<TKey, Change<TValue>> output = Builder.Attach(
            Output, name, "KTABLE-FILTER", [], _ => new TableFilter<TKey, TValue>(predicate, keep, old));
        var filtered = new KTable<TKey, TValue>(
            Builder, output,
            () => new TableView<TKey, TValue>(
                View.Stores, task => new FilterGetter<TKey, TValue>(View.Getter(task), predicate, keep),
                View.IsVersioned),
            old, KeySerde, ValueSerde, null, Closing);
        return materialized is null ? filtered : filtered.Stored(materialized, "KTABLE-FILTER");
    }
}
