using Streams.Dsl;
using Streams.Processing;
using Streams.Records;
using Streams.State;
using Streams.Tests.Reference;

namespace Streams.Tests.Simulation.Operators;

/// <summary>Two tables joined by key.</summary>
internal sealed class TableJoinOperator(int id, TableOperator left, TableOperator right, JoinKind kind)
    : PlanOperator(id)
{
    internal override string Family => $"table-table {kind} join";

    internal override IReadOnlyList<PlanOperator> Tables => [left, right];

    internal override void Build(StreamsBuilder builder)
    {
        KTable<string, string> joined = kind switch
        {
            JoinKind.Inner => left.Table.Join(right.Table, (_, l, r) => UserFunctions.Pair(l, r)),
            JoinKind.Left => left.Table.LeftJoin(
                right.Table, (_, l, r, has) => UserFunctions.Pair(l, has ? r : null)),
            _ => left.Table.OuterJoin(right.Table, (_, l, hasLeft, r, hasRight) =>
                UserFunctions.Pair(hasLeft ? l : null, hasRight ? r : null)),
        };
        Built.Add(joined.ToStream().WithSerdes(Serdes.String, Serdes.String));
    }

    internal override ReferenceOperator CreateReference() => new Reference(left, right, kind);

    private sealed class Reference(TableOperator left, TableOperator right, JoinKind kind)
        : ReferenceOperator
    {
        internal override void Process(int input, Row row)
        {
        }

        internal override void Link(Func<PlanOperator, ReferenceOperator> find)
        {
            var l = (TableReference)find(left);
            var r = (TableReference)find(right);
            var join = new TableJoin(kind, l.Find, r.Find, UserFunctions.Pair)
            {
                Next = change => Emit(0, change.ToRow()),
            };
            l.Changed += change => RunIfActive(join.ProcessLeft, change);
            r.Changed += change => RunIfActive(join.ProcessRight, change);
        }

        private void RunIfActive(Action<Change> process, Change change)
        {
            if (IsActive())
                process(change);
        }
    }
}

/// <summary>Two tables joined by a foreign key, which may lie in other partitions.</summary>
internal sealed class ForeignKeyOperator(
    int id, TableOperator left, TableOperator right, bool isLeft, int a) : PlanOperator(id)
{
    private string Name => $"{StorePrefix}{Id}";

    internal override string Family => isLeft ? "foreign-key left join" : "foreign-key inner join";

    internal override IReadOnlyList<string> OwnTopics =>
    [
        $"{SimulatedRun.ApplicationId}-{Name}-subscription-repartition",
        $"{SimulatedRun.ApplicationId}-{Name}-response-repartition",
    ];

    internal override bool IsOpaque => true;

    internal override IReadOnlyList<PlanOperator> Tables => [left, right];

    internal override IEnumerable<PlanOperator> Neighbours => [left];

    internal override PlanOperator ReaderOf(int channel) => channel == 0 ? right : left;

    internal override void Build(StreamsBuilder builder)
    {
        var named = new TableJoined { Name = Name };
        KTable<string, string> joined = isLeft
            ? left.Table.LeftJoin(
                right.Table, (_, v) => UserFunctions.ForeignKey(a, v)!,
                (_, l, r, has) => UserFunctions.Pair(l, has ? r : null), joined: named)
            : left.Table.Join(
                right.Table, (_, v) => UserFunctions.ForeignKey(a, v)!,
                (_, l, r) => UserFunctions.Pair(l, r), joined: named);
        Built.Add(joined.ToStream().WithSerdes(Serdes.String, Serdes.String));
    }

    internal override ReferenceOperator CreateReference() => new Reference(left, right, isLeft, a);

    internal override string? CompareState(TaskScope scope, ReferenceOperator reference) =>
        scope.Stores.ContainsKey($"{Name}-subscriptions")
            ? StoreComparison.Compare(
                scope.Store<OrderedStore>($"{Name}-subscriptions"), ((Reference)reference).Subscriptions)
            : null;

    private sealed class Reference(TableOperator left, TableOperator right, bool isLeft, int a)
        : ReferenceOperator
    {
        private ForeignKeyJoin _join = null!;

        internal int Subscriptions => _join.Subscriptions.Count;

        internal override void Process(int input, Row row)
        {
        }

        internal override void Receive(int channel, Row row, object? message)
        {
            if (channel == 0)
                _join.ProcessSubscription((Subscription)message!);
            else
                _join.ProcessAnswer((Answer)message!);
        }

        internal override void Link(Func<PlanOperator, ReferenceOperator> find)
        {
            var l = (TableReference)find(left);
            var r = (TableReference)find(right);
            _join = new ForeignKeyJoin(isLeft, v => UserFunctions.ForeignKey(a, v), UserFunctions.Pair)
            {
                Left = l.Find,
                Right = r.Find,
                Send = s => Send(0, new Row(s.ForeignKey, null, s.TimestampMs, s.Headers), s),
                Reply = s => Send(1, new Row(s.Key, null, s.TimestampMs, s.Headers), s),
                Next = row => Emit(0, row),
            };
            l.Changed += change => RunIfActive(_join.ProcessLeft, change);
            r.Changed += change => RunIfActive(_join.ProcessRight, change);
        }

        private void RunIfActive(Action<Change> process, Change change)
        {
            if (IsActive())
                process(change);
        }
    }
}

/// <summary>A table's rows grouped by what is in them and aggregated, filtered before or not.</summary>
internal sealed class TableGroupOperator(int id, TableOperator table, int kind, bool isFiltered, int a)
    : PlanOperator(id)
{
    internal override string Family => isFiltered ? "filtered table group-by" : "table group-by";

    internal override IReadOnlyList<string> OwnTopics =>
        [$"{SimulatedRun.ApplicationId}-g{Id}-repartition"];

    internal override bool IsOpaque => true;

    internal override IReadOnlyList<PlanOperator> Tables => [table];

    internal override IEnumerable<PlanOperator> Neighbours => [];

    internal override void Build(StreamsBuilder builder)
    {
        KTable<string, string> rows = isFiltered
            ? table.Table.Filter((_, v) => UserFunctions.Holds(a, "", v)) : table.Table;
        KGroupedTable<string, string> groups = rows.GroupBy(
            (_, v) => (UserFunctions.ForeignKey(a, v)!, v),
            new Grouped<string, string> { Name = $"g{Id}" });
        var texts = new Materialized<string, string> { StoreName = StoreName, ValueSerde = Serdes.String };
        Built.Add((kind switch
        {
            0 => groups.Count(new Materialized<string, long> { StoreName = StoreName }).ToStream()
                .MapValues((_, count) => $"{count}"),
            1 => groups.Reduce(UserFunctions.Gather, UserFunctions.TakeOut, texts).ToStream(),
            _ => groups.Aggregate(
                () => "", (_, v, agg) => UserFunctions.Gather(agg, v),
                (_, v, agg) => UserFunctions.TakeOut(agg, v), texts).ToStream(),
        }).WithSerdes(Serdes.String, Serdes.String));
    }

    internal override ReferenceOperator CreateReference() => new Reference(table, kind, isFiltered, a);

    internal override string? CompareState(TaskScope scope, ReferenceOperator reference) => kind == 0
        ? StoreComparison.Compare(
            scope.Store<KeyValueStore<string, long>>(StoreName), ((Reference)reference).Aggregate.State)
        : StoreComparison.Compare(
            scope.Store<KeyValueStore<string, string>>(StoreName), ((Reference)reference).Aggregate.State);

    private sealed class Reference(TableOperator table, int kind, bool isFiltered, int a) : ReferenceOperator
    {
        internal TableAggregate Aggregate { get; } = kind == 0
            ? new TableAggregate(
                "0", (n, _) => $"{long.Parse(n, null) + 1}", (n, _) => $"{long.Parse(n, null) - 1}")
            : new TableAggregate(kind == 1 ? null : "", UserFunctions.Gather, UserFunctions.TakeOut);

        internal override void Process(int input, Row row)
        {
        }

        internal override void Receive(int channel, Row row, object? message) =>
            Aggregate.Process((Change)message!);

        internal override void Link(Func<PlanOperator, ReferenceOperator> find)
        {
            Aggregate.Next = change => Emit(0, change.ToRow());
            var groups = new Regroup((_, v) => (UserFunctions.ForeignKey(a, v), v))
            {
                Next = change => Send(0, change.ToRow() with { Value = null }, change),
            };
            Action<Change> first = isFiltered
                ? new TableFilter(v => UserFunctions.Holds(a, "", v), knowsOld: true)
                {
                    Next = groups.Process,
                }.Process
                : groups.Process;
            ((TableReference)find(table)).Changed += change =>
            {
                if (IsActive())
                    first(change);
            };
        }
    }
}
