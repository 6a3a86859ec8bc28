using Streams.Processing;
using Streams.Records;

namespace Streams.Dsl;

/// <summary>Joins two values of which either may be absent.</summary>
public delegate TResult OuterJoiner<TKey, TLeft, TRight, TResult>(
    TKey key, TLeft left, bool hasLeft, TRight right, bool hasRight);

/// <content>Joins of tables by their keys.</content>
public sealed partial class KTable<TKey, TValue>
{
    /// <summary>The keys that both tables have, with a value made of both.</summary>
    /// <remarks>Both topics must be partitioned alike.</remarks>
    public KTable<TKey, TResult> Join<TOther, TResult>(
        KTable<TKey, TOther> other, Func<TKey, TValue, TOther, TResult> joiner,
        Materialized<TKey, TResult>? materialized = null, string? name = null) =>
        Joined<TOther, TResult>(
            other, (key, left, _, right, _) => joiner(key, left, right), false, false, materialized, name);

    /// <summary>The keys of this table, with the other's value or without.</summary>
    public KTable<TKey, TResult> LeftJoin<TOther, TResult>(
        KTable<TKey, TOther> other, LeftJoiner<TKey, TValue, TOther, TResult> joiner,
        Materialized<TKey, TResult>? materialized = null, string? name = null) =>
        Joined<TOther, TResult>(
            other, (key, left, _, right, hasRight) => joiner(key, left, right, hasRight), true, false,
            materialized, name);

    /// <summary>The keys of either table, with the values that there are.</summary>
    public KTable<TKey, TResult> OuterJoin<TOther, TResult>(
        KTable<TKey, TOther> other, OuterJoiner<TKey, TValue, TOther, TResult> joiner,
        Materialized<TKey, TResult>? materialized = null, string? name = null) =>
        Joined(other, joiner, true, true, materialized, name);

    private KTable<TKey, TResult> Joined<TOther, TResult>(
        KTable<TKey, TOther> other, OuterJoiner<TKey, TValue, TOther, TResult> joiner, bool leftPreserved,
        bool rightPreserved, Materialized<TKey, TResult>? materialized, string? name)
    {
        var old = new OldValues(Old, other.Old);
        if (leftPreserved)
            Old.Want();
        if (rightPreserved)
            other.Old.Want();
        TableView<TKey, TValue> left = View;
        TableView<TKey, TOther> right = other.View;
        string[] stores = [.. left.Stores.Concat(right.Stores).Distinct()];
        var output = new GraphOutput<TKey, Change<TResult>>();
        string node = Builder.NameFor(name, "KTABLE-JOIN", Output.Origin);
        Builder.AttachTo(
            Output, output, $"{node}-left", "KTABLE-JOINTHIS", stores,
            task => new TableJoin<TKey, TValue, TOther, TResult>(
                right.Getter(task), (k, l, hasLeft, r, hasRight) => joiner(k, l, hasLeft, r, hasRight),
                leftPreserved, rightPreserved, left.IsVersioned, old));
        Builder.AttachTo(
            other.Output, output, $"{node}-right", "KTABLE-JOINOTHER", stores,
            task => new TableJoin<TKey, TOther, TValue, TResult>(
                left.Getter(task), (k, r, hasRight, l, hasLeft) => joiner(k, l, hasLeft, r, hasRight),
                rightPreserved, leftPreserved, right.IsVersioned, old));
        var joined = new KTable<TKey, TResult>(
            Builder, output,
            () => new TableView<TKey, TResult>(
                stores,
                task => new JoinGetter<TKey, TValue, TOther, TResult>(
                    left.Getter(task), right.Getter(task), joiner, leftPreserved, rightPreserved)),
            old, KeySerde ?? other.KeySerde, null, null, Closing);
        return materialized is null ? joined : joined.Stored(materialized, "KTABLE-JOIN");
    }
}

/// <summary>One side of a join of two tables: joins its changes with the other's current row.</summary>
/// <remarks>Source: Kafka Streams' KTableKTableInnerJoin, LeftJoin, RightJoin and OuterJoin.</remarks>
internal sealed class TableJoin<TKey, TThis, TOther, TResult>(
    TableGetter<TKey, TOther> other, OuterJoiner<TKey, TThis, TOther, TResult> joiner, bool thisPreserved,
    bool otherPreserved, bool versioned, OldValues old)
    : Operator<TKey, Change<TThis>, TKey, Change<TResult>>
{
    private TOther _found = default!;

    internal override void Process(in Record<TKey, Change<TThis>> record)
    {
        Change<TThis> change = record.Value;
        if (versioned && !change.IsLatest)
            return;
        Enter();
        bool hasOther = other.TryGet(record.Key, ref _found, out long otherMs);
        if (!hasOther && (!thisPreserved || (!change.HasNew && !change.HasOld)))
            return;
        TOther found = hasOther ? _found : default!;
        bool hasNew = change.HasNew || (hasOther && otherPreserved);
        TResult newValue = hasNew ? joiner(record.Key, change.New, change.HasNew, found, hasOther) : default!;
        bool hasOld = old.Wanted && (change.HasOld || (hasOther && otherPreserved));
        TResult oldValue = hasOld ? joiner(record.Key, change.Old, change.HasOld, found, hasOther) : default!;
        var result = new Change<TResult>(
            newValue, hasNew && newValue is not null, oldValue, hasOld && oldValue is not null);
        Next.Process(new Record<TKey, Change<TResult>>(
            record.Key, true, result, true,
            hasOther ? Math.Max(record.TimestampMs, otherMs) : record.TimestampMs, record.Headers));
    }
}
