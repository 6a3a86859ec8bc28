using Streams.Processing;
using Streams.Records;
using Streams.State;

namespace Streams.Dsl;

/// <summary>How tables are joined by a foreign key.</summary>
public sealed record TableJoined
{
    /// <summary>Name of the nodes and the front of the names of the join's topics and store; null for a
    /// generated one, which changes when the topology does.</summary>
    public string? Name { get; init; }

    /// <summary>Bound on the memory of the store of subscriptions per task, in bytes. Default 8
    /// GiB.</summary>
    public long StateBytesMax { get; init; } = 8L << 30;
}

/// <content>Joins by a foreign key.</content>
public sealed partial class KTable<TKey, TValue>
{
    /// <summary>The rows of this table whose foreign key the other table has, with a value made of
    /// both.</summary>
    /// <remarks>
    /// The tables may be partitioned differently: rows of this table subscribe to their foreign key through a
    /// topic, and the answers come back through another. A change of the other table goes to every row that
    /// subscribed to it.
    /// </remarks>
    /// <param name="other">The table whose key the foreign key is.</param>
    /// <param name="foreignKey">The foreign key of a row; null for none.</param>
    /// <param name="joiner">Makes the result.</param>
    /// <param name="materialized">Keeps the result; needed where it is joined or grouped further.</param>
    /// <param name="joined">Names.</param>
    public KTable<TKey, TResult> Join<TForeignKey, TOther, TResult>(
        KTable<TForeignKey, TOther> other, Func<TKey, TValue, TForeignKey> foreignKey,
        Func<TKey, TValue, TOther, TResult> joiner, Materialized<TKey, TResult>? materialized = null,
        TableJoined? joined = null) => JoinForeign<TForeignKey, TOther, TResult>(
        other, foreignKey, (key, left, right, _) => joiner(key, left, right), false, materialized, joined);

    /// <summary>The rows of this table, each with the other table's row of its foreign key or
    /// without.</summary>
    /// <param name="other">The table whose key the foreign key is.</param>
    /// <param name="foreignKey">The foreign key of a row; null for none.</param>
    /// <param name="joiner">Gets the other table's value, or default and false where there is none.</param>
    /// <param name="materialized">Keeps the result; needed where it is joined or grouped further.</param>
    /// <param name="joined">Names.</param>
    public KTable<TKey, TResult> LeftJoin<TForeignKey, TOther, TResult>(
        KTable<TForeignKey, TOther> other, Func<TKey, TValue, TForeignKey> foreignKey,
        LeftJoiner<TKey, TValue, TOther, TResult> joiner, Materialized<TKey, TResult>? materialized = null,
        TableJoined? joined = null) =>
        JoinForeign(other, foreignKey, joiner, true, materialized, joined);

    private KTable<TKey, TResult> JoinForeign<TForeignKey, TOther, TResult>(
        KTable<TForeignKey, TOther> other, Func<TKey, TValue, TForeignKey> foreignKey,
        LeftJoiner<TKey, TValue, TOther, TResult> joiner, bool left,
        Materialized<TKey, TResult>? materialized, TableJoined? joined)
    {
        Serde<TKey> keys = Require(KeySerde, "this table's keys");
        Serde<TValue> values = Require(ValueSerde, "this table's values");
        Serde<TForeignKey> foreignKeys = Require(other.KeySerde, "the other table's keys");
        Serde<TOther> others = Require(other.ValueSerde, "the other table's values");
        joined ??= new TableJoined();
        string name = Builder.NameFor(joined.Name, "KTABLE-FK-JOIN", Output.Origin);
        string store = Builder.NameFor($"{name}-subscriptions", "");
        Builder.AddStore(Stores.Ordered(
            new StoreOptions { Name = store, StateBytesMax = joined.StateBytesMax },
            StoreShape.Of("subscriptions", foreignKeys, keys)));
        Old.Want();
        TableView<TKey, TValue> view = View;
        TableView<TForeignKey, TOther> otherView = other.View;
        var results = new GraphOutput<TKey, Change<TResult>>();
        var subscriptions = new GraphOutput<TForeignKey, ForeignSubscription>();
        OperatorNode<TKey, Change<TValue>, TForeignKey, ForeignSubscription> send = Builder.AttachTo(
            Output, subscriptions, $"{name}-subscribe", "", view.Stores,
            task => new ForeignKeySubscribe<TKey, TValue, TForeignKey, TOther, TResult>(
                keys, values, foreignKeys, foreignKey, joiner, left, view.IsVersioned,
                results.Resolve(task)));
        send.SideOutputs.Add(() => results.Nodes);
        KStream<TForeignKey, ForeignSubscription> received = Through(
            subscriptions, $"{name}-subscription", foreignKeys, new ForeignSubscriptionSerde());
        var answers = new GraphOutput<TKey, ForeignAnswer>();
        string[] rightStores = [.. otherView.Stores, store];
        Builder.AttachTo(
            received.Output, answers, $"{name}-answer", "", rightStores,
            task => new ForeignKeyAnswer<TKey, TForeignKey, TOther>(
                task.Store<OrderedStore>(store), otherView.Getter(task), keys, foreignKeys, others));
        Builder.AttachTo(
            other.Output, answers, $"{name}-notify", "", rightStores,
            task => new ForeignKeyNotify<TKey, TForeignKey, TOther>(
                task.Store<OrderedStore>(store), keys, foreignKeys, others, otherView.IsVersioned));
        KStream<TKey, ForeignAnswer> answered = Through(
            answers, $"{name}-response", keys, new ForeignAnswerSerde());
        Builder.AttachTo(
            answered.Output, results, $"{name}-resolve", "", view.Stores,
            task => new ForeignKeyResolve<TKey, TValue, TOther, TResult>(
                view.Getter(task), values, others, joiner, left));
        return ForeignResult(results, keys, materialized, name);
    }

    private KTable<TKey, TResult> ForeignResult<TResult>(
        GraphOutput<TKey, Change<TResult>> results, Serde<TKey> keys,
        Materialized<TKey, TResult>? materialized, string name)
    {
        var unkept = new TopologyException(
            $"The result of the foreign-key join '{name}' is joined, grouped or suppressed further, "
            + "which needs its old values: give the join a Materialized with a value serde.");
        var old = new OldValues();
        if (materialized is null)
            old.OnWanted(() => throw unkept);
        var result = new KTable<TKey, TResult>(
            Builder, results, () => throw unkept, old, keys, materialized?.ValueSerde, null);
        return materialized is null ? result : result.Stored(materialized, "KTABLE-FK-JOIN");
    }

    private KStream<TAnyKey, TAnyValue> Through<TAnyKey, TAnyValue>(
        GraphOutput<TAnyKey, TAnyValue> from, string name, Serde<TAnyKey> keys, Serde<TAnyValue> values) =>
        new KStream<TAnyKey, TAnyValue>(Builder, from, keys, values, true)
            .Repartition(new Repartitioned<TAnyKey, TAnyValue> { Name = name });

    private static Serde<T> Require<T>(Serde<T>? serde, string what) => serde ?? throw new TopologyException(
        $"A foreign-key join needs a serde for {what} ({typeof(T).Name}): materialize the table with one.");
}
