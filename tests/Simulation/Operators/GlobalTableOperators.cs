using Streams.Dsl;
using Streams.Records;
using Streams.Tests.Reference;

namespace Streams.Tests.Simulation.Operators;

/// <summary>A table that every thread has whole, straight from its topic.</summary>
internal sealed class GlobalTableOperator(int id, string topic) : PlanOperator(id)
{
    internal override string Family => "global table";

    internal string Topic => topic;

    internal GlobalKTable<string, string> Table { get; private set; } = null!;

    internal override void Build(StreamsBuilder builder) => Table = builder.GlobalTable(
        topic, new Consumed<string, string>(Serdes.String, Serdes.String),
        new Materialized<string, string> { StoreName = StoreName });

    internal override ReferenceOperator CreateReference() => new ReferenceFunction(_ => []);
}

/// <summary>A stream with a global table, by a key that its values name.</summary>
internal sealed class GlobalLookupOperator(
    int id, PlanStream input, GlobalTableOperator table, bool isLeft, int a) : PlanOperator(id, input)
{
    internal override string Family => isLeft ? "global-table left join" : "global-table inner join";

    /// <summary>The table's topic.</summary>
    internal string Topic => table.Topic;

    internal override void Build(StreamsBuilder builder)
    {
        KStream<string, string> joined = isLeft
            ? Input().LeftJoin<string, string, string>(
                table.Table, (_, value) => UserFunctions.ForeignKey(a, value)!,
                (_, value, found, has) => UserFunctions.Pair(value, has ? found : null))
            : Input().Join<string, string, string>(
                table.Table, (_, value) => UserFunctions.ForeignKey(a, value)!,
                (_, value, found) => UserFunctions.Pair(value, found));
        Built.Add(joined.WithSerdes(Serdes.String, Serdes.String));
    }

    internal override ReferenceOperator CreateReference() => new Reference(isLeft, a);

    internal sealed class Reference(bool isLeft, int a) : ReferenceOperator
    {
        /// <summary>What the thread that processes has of the table.</summary>
        internal Func<string, string?> Find { get; set; } = _ => null;

        internal override void Process(int input, Row row)
        {
            if (row.Value is null)
                return;
            string? found = UserFunctions.ForeignKey(a, row.Value) is { } key ? Find(key) : null;
            if (found is not null || isLeft)
                Emit(0, row with { Value = UserFunctions.Pair(row.Value, found) });
        }
    }
}
