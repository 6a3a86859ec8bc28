using Streams.Tests.Reference;

namespace Streams.Tests.Conformance;

/// <content>Tables, what is made of them, and their joins.</content>
internal sealed partial class ReferenceTopology
{
    private static Dictionary<string, Body> TableBodies => new()
    {
        ["to-table"] = t => t.Table("a").Next = t.OutRow,
        ["table-filter"] = t => t.Filter(t.HasMod),
        ["table-filter-not"] = t => t.Filter(v => !t.HasMod(v)),
        ["table-map-values"] = t => t.Table("a").Next =
            c => t.OutRow(c with { New = c.New is null ? null : c.New + "!" }),
        ["table-group-by-aggregate"] = t => t.Regrouped(null, "0", Add, Subtract),
        ["table-filter-group-by-aggregate"] = t => t.Regrouped(t.HasMod, "0", Add, Subtract),
        ["table-group-by-count"] = t => t.Regrouped(
            null, "0", (n, _) => $"{long.Parse(n, null) + 1}", (n, _) => $"{long.Parse(n, null) - 1}"),
        ["table-group-by-reduce"] = t => t.Regrouped(null, null, Add, Subtract),
        ["table-table-inner-join"] = t => t.JoinTables(JoinKind.Inner),
        ["table-table-left-join"] = t => t.JoinTables(JoinKind.Left),
        ["table-table-outer-join"] = t => t.JoinTables(JoinKind.Outer),
        ["fk-join-inner"] = t => t.JoinByForeignKey(isLeft: false),
        ["fk-join-left"] = t => t.JoinByForeignKey(isLeft: true),
        ["stream-table-inner-join"] = t => t.JoinTable(isLeft: false, isGlobal: false),
        ["stream-table-left-join"] = t => t.JoinTable(isLeft: true, isGlobal: false),
        ["stream-global-table-inner-join"] = t => t.JoinTable(isLeft: false, isGlobal: true),
        ["stream-global-table-left-join"] = t => t.JoinTable(isLeft: true, isGlobal: true),
        ["stream-versioned-table-join"] = t => t.JoinVersioned(null),
        ["stream-versioned-table-join-grace"] = t => t.JoinVersioned(t.Number("grace_ms")),
        ["versioned-table-table-join"] = t => t.JoinVersionedTables(),
        ["suppress-time-limit-count"] = t =>
        {
            Suppression held = t.TimeLimit();
            var count = new StreamAggregate(Folds.Count) { Next = held.Process };
            t.From("a", row => count.Process(0, row));
        },
        ["suppress-time-limit-table"] = t => t.Table("a").Next = t.TimeLimit().Process,
    };

    private bool IsLeft => _scenario.Text("join") == "left";

    private static string Add(string aggregate, string value) => aggregate + "+" + value;

    private static string Subtract(string aggregate, string value) => aggregate + "-" + value;

    private Table Table(string topic)
    {
        var table = new Table();
        From(topic, table.Process);
        return table;
    }

    private VersionedTable Versioned(string topic)
    {
        var table = new VersionedTable(Number("history_retention_ms"));
        From(topic, table.Process);
        return table;
    }

    private Suppression TimeLimit() => new(false, Number("wait_ms"), Number("max_records")) { Next = OutRow };

    // A stored result is a table of its own, whose readers are told of every update all the same.
    private void Filter(Func<string, bool> keeps) => Table("a").Next =
        new TableFilter(keeps, knowsOld: false) { Next = OutRow }.Process;

    private void Regrouped(
        Func<string, bool>? filter, string? initial, Func<string, string, string?> add,
        Func<string, string, string?> subtract)
    {
        var aggregate = new TableAggregate(initial, add, subtract) { Next = OutRow };
        var groups = new Regroup((_, v) => (Group(v), Payload(v))) { Next = aggregate.Process };
        Table("a").Next = filter is null ? groups.Process
            : new TableFilter(filter, knowsOld: true) { Next = groups.Process }.Process;
    }

    private void JoinTables(JoinKind kind)
    {
        Table a = Table("a");
        Table b = Table("b");
        var join = new TableJoin(kind, a.Find, b.Find, Pair) { Next = OutRow };
        a.Next = join.ProcessLeft;
        b.Next = join.ProcessRight;
    }

    private void JoinByForeignKey(bool isLeft)
    {
        Table a = Table("a");
        Table b = Table("b");
        var join = new ForeignKeyJoin(isLeft, Group, Pair) { Left = a.Find, Right = b.Find, Next = Out };
        join.Send = join.ProcessSubscription;
        join.Reply = join.ProcessAnswer;
        a.Next = join.ProcessLeft;
        b.Next = join.ProcessRight;
    }

    private void JoinTable(bool isLeft, bool isGlobal)
    {
        Table b = Table("b");
        if (!isGlobal)
        {
            From("a", new StreamTableJoin(isLeft, (key, _) => b.Find(key)?.Value, Pair)
            {
                Next = Out,
            }.Process);
            return;
        }
        From("a", row =>
        {
            string? found = Group(row.Value) is { } key ? b.Find(key)?.Value : null;
            if (row.Value is not null && (found is not null || isLeft))
                Out(row with { Value = Pair(row.Value, found) });
        });
    }

    private void JoinVersioned(long? graceMs)
    {
        VersionedTable b = Versioned("b");
        From("a", new StreamTableJoin(IsLeft, b.FindAsOf, Pair, graceMs) { Next = Out }.Process);
    }

    private void JoinVersionedTables()
    {
        VersionedTable a = Versioned("a");
        VersionedTable b = Versioned("b");
        var join = new TableJoin(
            IsLeft ? JoinKind.Left : JoinKind.Inner, a.FindLatest, b.FindLatest, Pair)
        {
            Next = OutRow,
        };
        a.Next = join.ProcessLeft;
        b.Next = join.ProcessRight;
    }
}
