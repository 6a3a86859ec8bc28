using Streams.Dsl;

namespace Streams.Tests.Conformance;

/// <content>Joins of streams with streams, tables and global tables.</content>
public static partial class ConformanceTopologies
{
    private static Dictionary<string, TopologyBody> JoinBodies => new()
    {
        ["stream-table-inner-join"] = (b, _) =>
            b.Stream("a", Text).Join(b.Table("b", Text), (_, l, r) => l + "/" + r).To("out", TextOut),
        ["stream-table-left-join"] = (b, _) => b.Stream("a", Text)
            .LeftJoin(b.Table("b", Text), (_, l, r, has) => l + "/" + (has ? r : "null")).To("out", TextOut),
        ["stream-global-table-inner-join"] = (b, _) => b.Stream("a", Text)
            .Join(b.GlobalTable("b", Text), (_, v) => Group(v), (_, l, r) => l + "/" + r).To("out", TextOut),
        ["stream-global-table-left-join"] = (b, _) => b.Stream("a", Text)
            .LeftJoin(
                b.GlobalTable("b", Text), (_, v) => Group(v), (_, l, r, has) => l + "/" + (has ? r : "null"))
            .To("out", TextOut),
        ["stream-versioned-table-join"] = (b, s) => JoinVersioned(b, s, null),
        ["stream-versioned-table-join-grace"] = (b, s) => JoinVersioned(b, s, s.Duration("grace_ms")),
        ["stream-stream-inner-join"] = (b, s) => b.Stream("a", Text)
            .Join(b.Stream("b", Text), (_, l, r) => l + "/" + r, Within(s)).To("out", TextOut),
        ["stream-stream-left-join"] = (b, s) => b.Stream("a", Text)
            .LeftJoin(b.Stream("b", Text), (_, l, r, has) => l + "/" + (has ? r : "null"), Within(s))
            .To("out", TextOut),
        ["stream-stream-outer-join"] = (b, s) => b.Stream("a", Text)
            .OuterJoin(
                b.Stream("b", Text), (_, l, hasL, r, hasR) => OuterPair(l, hasL, r, hasR), Within(s))
            .To("out", TextOut),
        ["stream-stream-self-join"] = SelfJoin,
        ["headers"] = WithHeaders,
    };

    private static JoinWindows Within(Scenario scenario) => JoinWindows
        .OfTimeDifferenceAndGrace(TimeSpan.Zero, scenario.Duration("grace_ms"))
        .Before(scenario.Duration("before_ms")).After(scenario.Duration("after_ms"));

    private static void SelfJoin(StreamsBuilder builder, Scenario scenario)
    {
        KStream<string, string> stream = builder.Stream("a", Text);
        stream.Join(stream, (_, l, r) => l + "/" + r, Within(scenario), new StreamJoined
        {
            SingleStoreSelfJoin = scenario.Text("optimization") == "single.store.self.join",
        }).To("out", TextOut);
    }

    private static void JoinVersioned(StreamsBuilder builder, Scenario scenario, TimeSpan? grace)
    {
        KStream<string, string> stream = builder.Stream("a", Text);
        KTable<string, string> table = builder.Table("b", Text, History(scenario));
        var joined = new Joined { GracePeriod = grace };
        (scenario.Text("join") == "left"
            ? stream.LeftJoin(table, (_, l, r, has) => l + "/" + (has ? r : "null"), joined)
            : stream.Join(table, (_, l, r) => l + "/" + r, joined)).To("out", TextOut);
    }

    private static void WithHeaders(StreamsBuilder builder, Scenario scenario)
    {
        KStream<string, string> stream = builder.Stream("a", Text);
        JoinWindows within = JoinWindows.OfTimeDifferenceAndGrace(
            scenario.Duration("size_ms"), scenario.Duration("grace_ms"));
        stream.MapValues((_, v) => v + "!").To("out-map");
        Numbers(stream.GroupByKey().Count().ToStream()).To("out-count");
        stream.LeftJoin(
            builder.Stream("b", Text), (_, l, r, has) => l + "/" + (has ? r : "null"), within)
            .To("out-join", TextOut);
        Rendered(Aggregate(stream.GroupByKey().WindowedBy(Windows(scenario)), scenario).Suppress(Final),
            "out-suppress");
        Rendered(Aggregate(
            stream.GroupByKey().WindowedBy(Windows(scenario)).EmitStrategy(EmitStrategy.OnWindowClose),
            scenario), "out-final");
    }
}
