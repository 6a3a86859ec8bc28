using Streams.Dsl;

namespace Streams.Tests.Conformance;

/// <content>Tables: filters, groups, joins, suppression.</content>
public static partial class ConformanceTopologies
{
    private static Dictionary<string, TopologyBody> TableBodies => new()
    {
        ["table-filter"] = (b, s) => b.Table("a", Text).Filter(
            (_, v) => N(v) % s.Number("mod") == 0, StoredIfAsked(s)).ToStream().To("out"),
        ["table-filter-not"] = (b, s) => b.Table("a", Text).FilterNot(
            (_, v) => N(v) % s.Number("mod") == 0, StoredIfAsked(s)).ToStream().To("out"),
        ["table-map-values"] = (b, s) =>
            b.Table("a", Text).MapValues((_, v) => v + "!", StoredIfAsked(s)).ToStream().To("out"),
        ["table-group-by-aggregate"] = (b, _) => Aggregated(Regrouped(b.Table("a", Text))).To("out", TextOut),
        ["table-filter-group-by-aggregate"] = (b, s) => Aggregated(Regrouped(
            b.Table("a", Text).Filter((_, v) => N(v) % s.Number("mod") == 0))).To("out", TextOut),
        ["table-group-by-count"] = (b, _) =>
            Numbers(Regrouped(b.Table("a", Text)).Count().ToStream()).To("out"),
        ["table-group-by-reduce"] = (b, _) => Regrouped(b.Table("a", Text))
            .Reduce((x, y) => x + "+" + y, (x, y) => x + "-" + y).ToStream().To("out", TextOut),
        ["table-table-inner-join"] = (b, _) => b.Table("a", Text)
            .Join(b.Table("b", Text), (_, l, r) => l + "/" + r).ToStream().To("out", TextOut),
        ["table-table-left-join"] = (b, _) => b.Table("a", Text)
            .LeftJoin(b.Table("b", Text), (_, l, r, has) => l + "/" + (has ? r : "null"))
            .ToStream().To("out", TextOut),
        ["table-table-outer-join"] = (b, _) => b.Table("a", Text)
            .OuterJoin(b.Table("b", Text), (_, l, hasL, r, hasR) => OuterPair(l, hasL, r, hasR))
            .ToStream().To("out", TextOut),
        ["fk-join-inner"] = (b, _) => b.Table("a", Text)
            .Join(b.Table("b", Text), (_, v) => Group(v), (_, l, r) => l + "/" + r)
            .ToStream().To("out", TextOut),
        ["fk-join-left"] = (b, _) => b.Table("a", Text)
            .LeftJoin(
                b.Table("b", Text), (_, v) => Group(v), (_, l, r, has) => l + "/" + (has ? r : "null"))
            .ToStream().To("out", TextOut),
        ["versioned-table-table-join"] = (b, s) => VersionedTables(b, s).ToStream().To("out", TextOut),
        ["suppress-time-limit-count"] = (b, s) => Numbers(
            b.Stream("a", Text).GroupByKey().Count().Suppress(TimeLimit(s)).ToStream()).To("out"),
        ["suppress-time-limit-table"] = (b, s) =>
            b.Table("a", Text).Suppress(TimeLimit(s)).ToStream().To("out"),
    };

    /// <summary>The part after the bar; the whole where there is none.</summary>
    private static string Payload(string value) => value[(value.IndexOf('|') + 1)..];

    private static string OuterPair(string left, bool hasLeft, string right, bool hasRight) =>
        (hasLeft ? left : "null") + "/" + (hasRight ? right : "null");

    private static Materialized<string, string>? StoredIfAsked(Scenario scenario) =>
        scenario.Parameters.GetProperty("materialized").GetBoolean() ? TextStore : null;

    private static KGroupedTable<string, string> Regrouped(KTable<string, string> table) =>
        table.GroupBy((_, v) => (Group(v), Payload(v)));

    private static KStream<string, string> Aggregated(KGroupedTable<string, string> groups) =>
        groups.Aggregate(() => "0", Plus, (_, v, agg) => agg + "-" + v, TextStore).ToStream();

    private static Suppressed TimeLimit(Scenario scenario) => Suppressed.UntilTimeLimit(
        scenario.Duration("wait_ms"),
        BufferConfig.MaxRecords(scenario.Number("max_records")).EmitEarlyWhenFull());

    private static KTable<string, string> VersionedTables(StreamsBuilder builder, Scenario scenario)
    {
        KTable<string, string> left = builder.Table("a", Text, History(scenario));
        KTable<string, string> right = builder.Table("b", Text, History(scenario));
        return scenario.Text("join") == "left"
            ? left.LeftJoin(right, (_, l, r, has) => l + "/" + (has ? r : "null"))
            : left.Join(right, (_, l, r) => l + "/" + r);
    }

    private static Materialized<string, string> History(Scenario scenario) =>
        new() { HistoryRetention = scenario.Duration("history_retention_ms") };
}
