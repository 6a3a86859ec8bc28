using System.Globalization;
using Streams.Dsl;
using Streams.Records;

namespace Streams.Tests.Conformance;

/// <content>Windows of every kind.</content>
public static partial class ConformanceTopologies
{
    private static Dictionary<string, TopologyBody> WindowBodies => new()
    {
        ["count-tumbling"] = (b, s) => Rendered(Grouped(b).WindowedBy(Windows(s)).Count()),
        ["count-hopping"] = (b, s) => Rendered(Grouped(b).WindowedBy(Windows(s)).Count()),
        ["count-sliding"] = (b, s) => Rendered(Grouped(b).WindowedBy(Sliding(s)).Count()),
        ["session-count"] = (b, s) => Rendered(Grouped(b).WindowedBy(Sessions(s)).Count(
            new Materialized<string, long> { Retention = s.Duration("retention_ms") })),
        ["aggregate-tumbling"] = (b, s) => Rendered(Aggregate(Grouped(b).WindowedBy(Windows(s)), s)),
        ["aggregate-hopping"] = (b, s) => Rendered(Aggregate(Grouped(b).WindowedBy(Windows(s)), s)),
        ["aggregate-sliding"] = (b, s) => Rendered(Aggregate(Grouped(b).WindowedBy(Sliding(s)), s)),
        ["session-aggregate"] = (b, s) => Rendered(Aggregate(Grouped(b).WindowedBy(Sessions(s)), s)),
        ["reduce-tumbling"] = (b, s) => Rendered(Grouped(b).WindowedBy(Windows(s)).Reduce(Join)),
        ["session-reduce"] = (b, s) => Rendered(Grouped(b).WindowedBy(Sessions(s)).Reduce(
            Join, Retained(s))),
        ["suppress-tumbling"] = (b, s) =>
            Rendered(Aggregate(Grouped(b).WindowedBy(Windows(s)), s).Suppress(Final)),
        ["suppress-hopping"] = (b, s) =>
            Rendered(Aggregate(Grouped(b).WindowedBy(Windows(s)), s).Suppress(Final)),
        ["suppress-session"] = (b, s) =>
            Rendered(Aggregate(Grouped(b).WindowedBy(Sessions(s)), s).Suppress(Final)),
        ["emit-final-tumbling"] = (b, s) => Rendered(Aggregate(
            Grouped(b).WindowedBy(Windows(s)).EmitStrategy(EmitStrategy.OnWindowClose), s)),
        ["emit-final-hopping"] = (b, s) => Rendered(Aggregate(
            Grouped(b).WindowedBy(Windows(s)).EmitStrategy(EmitStrategy.OnWindowClose), s)),
        ["emit-final-sliding"] = (b, s) => Rendered(Aggregate(
            Grouped(b).WindowedBy(Sliding(s)).EmitStrategy(EmitStrategy.OnWindowClose), s)),
        ["emit-final-session"] = (b, s) => Rendered(Aggregate(
            Grouped(b).WindowedBy(Sessions(s)).EmitStrategy(EmitStrategy.OnWindowClose), s)),
        ["cogroup"] = (b, _) =>
            Cogrouped(b).Aggregate(() => "0", TextStore).ToStream().To("out", TextOut),
        ["cogroup-tumbling"] = (b, s) =>
            Rendered(Cogrouped(b).WindowedBy(Windows(s)).Aggregate(() => "0", Retained(s))),
        ["cogroup-sliding"] = (b, s) =>
            Rendered(Cogrouped(b).WindowedBy(Sliding(s)).Aggregate(() => "0", Retained(s))),
        ["cogroup-session"] = (b, s) =>
            Rendered(Cogrouped(b).WindowedBy(Sessions(s)).Aggregate(() => "0", Merged, Retained(s))),
        ["timestamp-extractor"] = ExtractedTimes,
    };

    private static readonly Suppressed Final = Suppressed.UntilWindowCloses(BufferConfig.Unbounded());

    private static KGroupedStream<string, string> Grouped(StreamsBuilder builder) =>
        builder.Stream("a", Text).GroupByKey();

    private static CogroupedKStream<string, string> Cogrouped(StreamsBuilder builder) => Grouped(builder)
        .Cogroup<string>(Plus)
        .Cogroup(builder.Stream("b", Text).GroupByKey(), (_, v, agg) => agg + "*" + (v ?? "null"));

    private static string Join(string first, string second) => (first ?? "null") + "+" + (second ?? "null");

    private static string Merged(string key, string first, string second) => "(" + first + "&" + second + ")";

    private static TimeWindows Windows(Scenario scenario)
    {
        TimeWindows windows = TimeWindows.OfSizeAndGrace(
            scenario.Duration("size_ms"), scenario.Duration("grace_ms"));
        return scenario.Has("advance_ms") ? windows.AdvanceBy(scenario.Duration("advance_ms")) : windows;
    }

    private static SlidingWindows Sliding(Scenario scenario) => SlidingWindows.OfTimeDifferenceAndGrace(
        scenario.Duration("size_ms"), scenario.Duration("grace_ms"));

    private static SessionWindows Sessions(Scenario scenario) => SessionWindows.OfInactivityGapAndGrace(
        scenario.Duration("gap_ms"), scenario.Duration("grace_ms"));

    private static Materialized<string, string> Retained(Scenario scenario) => TextStore with
    {
        Retention = scenario.Has("retention_ms") ? scenario.Duration("retention_ms") : null,
    };

    private static KTable<Windowed<string>, string> Aggregate(
        TimeWindowedKStream<string, string> windowed, Scenario scenario) =>
        windowed.Aggregate(() => "0", Plus, Retained(scenario));

    private static KTable<Windowed<string>, string> Aggregate(
        SessionWindowedKStream<string, string> windowed, Scenario scenario) =>
        windowed.Aggregate(() => "0", Plus, Merged, Retained(scenario));

    private static void Rendered<TValue>(KTable<Windowed<string>, TValue> table, string topic = "out") =>
        RenderedStream(table).To(topic, TextOut);

    // A tombstone stays one, whatever the value's type.
    private static KStream<string, string> RenderedStream<TValue>(KTable<Windowed<string>, TValue> table) =>
        table.ToStream()
            .MapValues((_, v) => v is null ? null! : string.Create(CultureInfo.InvariantCulture, $"{v}"))
            .SelectKey((k, _) => k.ToString());

    private static void ExtractedTimes(StreamsBuilder builder, Scenario scenario)
    {
        bool usesPartitionTime = scenario.Text("on_invalid") == "partition-time";
        KStream<string, string> stream = builder.Stream("a", Text with
        {
            TimestampExtractor = (in Record<string, string> record, long partitionTimeMs) =>
                long.TryParse(Group(record.Value), CultureInfo.InvariantCulture, out long timeMs)
                    && timeMs >= 0
                    ? timeMs
                    : usesPartitionTime ? partitionTimeMs : -1,
        });
        stream.To("out");
        Rendered(stream.GroupByKey().WindowedBy(Windows(scenario)).Count(), "out-count");
    }
}
