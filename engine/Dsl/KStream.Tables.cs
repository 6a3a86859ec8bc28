using Streams.Processing;
using Streams.Records;
using Streams.State;

namespace Streams.Dsl;

/// <summary>Joins a record with a table's value that may be absent.</summary>
public delegate TResult LeftJoiner<TKey, TValue, TTable, TResult>(
    TKey key, TValue value, TTable table, bool hasTable);

/// <content>Grouping, tables and joins with them.</content>
public sealed partial class KStream<TKey, TValue>
{
    /// <summary>Groups the records by their key, through a topic of its own where an operator changed
    /// it.</summary>
    public KGroupedStream<TKey, TValue> GroupByKey(Grouped<TKey, TValue>? grouped = null)
    {
        grouped ??= new Grouped<TKey, TValue>();
        KStream<TKey, TValue> stream = KeyChanged
            ? Repartition(new Repartitioned<TKey, TValue>
            {
                KeySerde = grouped.KeySerde,
                ValueSerde = grouped.ValueSerde,
                Name = grouped.Name,
            })
            : this;
        return new KGroupedStream<TKey, TValue>(stream, grouped.KeySerde ?? stream.KeySerde);
    }

    /// <summary>Groups the records by another key.</summary>
    public KGroupedStream<TNewKey, TValue> GroupBy<TNewKey>(
        Func<TKey, TValue, TNewKey> selector, Grouped<TNewKey, TValue>? grouped = null) =>
        SelectKey(selector).GroupByKey(grouped);

    /// <summary>The last value of each key.</summary>
    public KTable<TKey, TValue> ToTable(Materialized<TKey, TValue>? materialized = null)
    {
        KStream<TKey, TValue> stream = KeyChanged ? Repartition() : this;
        return KTable<TKey, TValue>.FromStream(
            Builder, stream.Output, stream.KeySerde, stream.ValueSerde, materialized
                ?? new(), "KSTREAM-TOTABLE");
    }

    /// <summary>Joins each record with the table's value of its key; a record without a match is
    /// dropped.</summary>
    /// <remarks>Stream and table must be partitioned alike. A null key or value on the stream's side is
    /// dropped. A versioned table answers as it was at the record's time.</remarks>
    public KStream<TKey, TResult> Join<TTable, TResult>(
        KTable<TKey, TTable> table, Func<TKey, TValue, TTable, TResult> joiner, Joined? joined = null) =>
        JoinTable<TTable, TResult>(table, (key, value, found, _) => joiner(key, value, found), false, joined);

    /// <summary>Joins each record with the table's value of its key, or with nothing.</summary>
    /// <param name="table">The table; a versioned one answers as it was at the record's time.</param>
    /// <param name="joiner">Gets the table's value, or default and false where there is none.</param>
    /// <param name="joined">The node's name, and whether records wait for the table.</param>
    public KStream<TKey, TResult> LeftJoin<TTable, TResult>(
        KTable<TKey, TTable> table, LeftJoiner<TKey, TValue, TTable, TResult> joiner,
        Joined? joined = null) => JoinTable(table, joiner, true, joined);

    /// <summary>Joins each record with the global table's value of a key made of it; a record without a match
    /// is dropped.</summary>
    /// <param name="table">The table.</param>
    /// <param name="keySelector">The key to look up; null for none.</param>
    /// <param name="joiner">Makes the result.</param>
    /// <param name="name">The node's name.</param>
    public KStream<TKey, TResult> Join<TTableKey, TTable, TResult>(
        GlobalKTable<TTableKey, TTable> table, Func<TKey, TValue, TTableKey> keySelector,
        Func<TKey, TValue, TTable, TResult> joiner, string? name = null) => JoinGlobal<TTableKey, TTable,
            TResult>(
        table, keySelector, (key, value, found, _) => joiner(key, value, found), false, name);

    /// <summary>Joins each record with the global table's value of a key made of it, or with
    /// nothing.</summary>
    /// <param name="table">The table.</param>
    /// <param name="keySelector">The key to look up; null for none.</param>
    /// <param name="joiner">Gets the table's value, or default and false where there is none.</param>
    /// <param name="name">The node's name.</param>
    public KStream<TKey, TResult> LeftJoin<TTableKey, TTable, TResult>(
        GlobalKTable<TTableKey, TTable> table, Func<TKey, TValue, TTableKey> keySelector,
        LeftJoiner<TKey, TValue, TTable, TResult> joiner, string? name = null) =>
        JoinGlobal(table, keySelector, joiner, true, name);

    private KStream<TKey, TResult> JoinGlobal<TTableKey, TTable, TResult>(
        GlobalKTable<TTableKey, TTable> table, Func<TKey, TValue, TTableKey> keySelector,
        LeftJoiner<TKey, TValue, TTable, TResult> joiner, bool left, string? name)
    {
        GraphOutput<TKey, TResult> output = Builder.Attach(
            Output, name, left ? "KSTREAM-LEFTJOIN" : "KSTREAM-JOIN", [],
            task => new StreamGlobalTableJoin<TKey, TValue, TTableKey, TTable, TResult>(
                task.Store<KeyValueStore<TTableKey, TTable>>(table.StoreName), keySelector, joiner, left));
        return new KStream<TKey, TResult>(Builder, output, KeySerde, null, KeyChanged);
    }

    private KStream<TKey, TResult> JoinTable<TTable, TResult>(
        KTable<TKey, TTable> table, LeftJoiner<TKey, TValue, TTable, TResult> joiner, bool left,
        Joined? joined)
    {
        KStream<TKey, TValue> stream = KeyChanged ? Repartition() : this;
        string kind = left ? "KSTREAM-LEFTJOIN" : "KSTREAM-JOIN";
        TableView<TKey, TTable> view = table.View;
        if (joined?.GracePeriod is not { } grace)
        {
            GraphOutput<TKey, TResult> output = Builder.Attach(
                stream.Output, joined?.Name, kind, view.Stores,
                task => new StreamTableJoin<TKey, TValue, TTable, TResult>(view.Getter(task), joiner, left));
            return new KStream<TKey, TResult>(Builder, output, stream.KeySerde, null, false);
        }
        if (!view.IsVersioned)
            throw new TopologyException(
                "A join with a grace period needs a versioned table: Materialized.HistoryRetention.");
        ArgumentOutOfRangeException.ThrowIfLessThan(grace, TimeSpan.Zero, nameof(joined));
        Serde<TKey> keys = stream.RequireKeySerde("A join with a grace period");
        Serde<TValue> values = stream.RequireValueSerde("A join with a grace period");
        string store = Builder.NameFor(joined.StoreName, "KSTREAM-JOIN-BUFFER", stream.Output.Origin);
        Builder.AddStore(Stores.Ordered(
            new StoreOptions { Name = store }, StoreShape.Of("join-buffer", keys, values)));
        GraphOutput<TKey, TResult> buffered = Builder.Attach(
            stream.Output, joined.Name, kind, [.. view.Stores, store],
            task => new BufferedTableJoin<TKey, TValue, TTable, TResult>(
                view.Getter(task), task.Store<OrderedStore>(store), keys, values, joiner, left,
                (long)grace.TotalMilliseconds));
        return new KStream<TKey, TResult>(Builder, buffered, stream.KeySerde, null, false);
    }
}
