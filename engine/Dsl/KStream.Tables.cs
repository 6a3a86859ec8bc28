using Streams.Processing;
using Streams.Records;

namespace Streams.Dsl;

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
    /// dropped.</remarks>
    public KStream<TKey, TResult> Join<TTable, TResult>(
        KTable<TKey, TTable> table, Func<TKey, TValue, TTable, TResult> joiner, Joined? joined = null) =>
        JoinTable(table, joined, task =>
            new StreamTableJoin<TKey, TValue, TTable, TResult>(table.Getter(task), joiner));

    /// <summary>Joins each record with the table's value of its key, or with nothing.</summary>
    /// <param name="table">The table.</param>
    /// <param name="joiner">Gets the table's value, or default and false where there is none.</param>
    /// <param name="joined">The node's name.</param>
    public KStream<TKey, TResult> LeftJoin<TTable, TResult>(
        KTable<TKey, TTable> table, LeftJoiner<TKey, TValue, TTable, TResult> joiner,
            Joined? joined = null) =>
        JoinTable(
            table, joined, task =>
                new StreamTableLeftJoin<TKey, TValue, TTable, TResult>(table.Getter(task), joiner));

    private KStream<TKey, TResult> JoinTable<TTable, TResult>(
        KTable<TKey, TTable> table, Joined? joined,
        Func<TaskBuilder, Operator<TKey, TValue, TKey, TResult>> create)
    {
        KStream<TKey, TValue> stream = KeyChanged ? Repartition() : this;
        GraphOutput<TKey, TResult> output = Builder.Attach(
            stream.Output, joined?.Name, "KSTREAM-JOIN", [table.StoreName!], create);
        return new KStream<TKey, TResult>(Builder, output, stream.KeySerde, null, false);
    }
}

/// <summary>Joins a record with a table's value that may be absent.</summary>
public delegate TResult LeftJoiner<TKey, TValue, TTable, TResult>(
    TKey key, TValue value, TTable table, bool hasTable);

internal sealed class StreamTableJoin<TKey, TValue, TTable, TResult>(
    TableGetter<TKey, TTable> table, Func<TKey, TValue, TTable, TResult> joiner)
    : Operator<TKey, TValue, TKey, TResult>
{
    private TTable _found = default!;

    internal override void Process(in Record<TKey, TValue> record)
    {
        if (!record.HasKey || !record.HasValue)
            return;
        Enter();
        if (table.TryGet(record.Key, ref _found, out _))
            Next.Process(record.WithValue(joiner(record.Key, record.Value, _found)));
    }
}

internal sealed class StreamTableLeftJoin<TKey, TValue, TTable, TResult>(
    TableGetter<TKey, TTable> table, LeftJoiner<TKey, TValue, TTable, TResult> joiner)
    : Operator<TKey, TValue, TKey, TResult>
{
    private TTable _found = default!;

    internal override void Process(in Record<TKey, TValue> record)
    {
        if (!record.HasValue)
            return;
        Enter();
        bool has = record.HasKey && table.TryGet(record.Key, ref _found, out _);
        Next.Process(record.WithValue(joiner(record.Key, record.Value, has ? _found : default!, has)));
    }
}
