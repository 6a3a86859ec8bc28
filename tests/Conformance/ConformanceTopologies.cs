using System.Globalization;
using Streams.Dsl;
using Streams.Processing;
using Streams.Records;

namespace Streams.Tests.Conformance;

/// <summary>The topologies of the golden scenarios, as their README defines them.</summary>
public static partial class ConformanceTopologies
{
    private static readonly Consumed<string, string> Text = new(Serdes.String, Serdes.String);
    private static readonly Materialized<string, string> TextStore = new() { ValueSerde = Serdes.String };

    private static Dictionary<string, TopologyBody> StreamBodies => new()
    {
        ["filter"] = (b, s) =>
            b.Stream("a", Text).Filter((_, v) => v is not null && N(v) % s.Number("mod") == 0).To("out"),
        ["filter-not"] =
            (b, s) => b.Stream("a", Text).FilterNot(
                (_, v) => v is not null && N(v) % s.Number("mod") == 0).To("out"),
        ["map-values"] = (b, _) =>
            b.Stream("a", Text).MapValues((_, v) => v is null ? null! : v + "!").To("out"),
        ["map"] = (b, _) => b.Stream("a", Text).Map(
            (k, v) => ("n" + N(v) % 3, (k ?? "null") + ":" + (v ?? "null"))).To("out"),
        ["select-key"] = (b, _) => SelectKey(b).To("out"),
        ["repartition"] = (b, _) => SelectKey(b).Repartition().To("out"),
        ["flat-map-values"] = (b, _) => b.Stream("a", Text).FlatMapValues((_, v) => Split(v, ',')).To("out"),
        ["flat-map"] = (b, _) => b.Stream("a", Text).FlatMap<string, string>(FlatMap).To("out"),
        ["branch"] = (b, _) => b.Stream("a", Text).Split()
            .Branch((_, v) => v is not null && N(v) % 3 == 0, s => s.To("out-three"))
            .Branch((_, v) => v is not null && N(v) % 2 == 0, s => s.To("out-two"))
            .DefaultBranch(s => s.To("out-rest")),
        ["merge"] = (b, _) => b.Stream("a", Text).MapValues((_, v) => "a:" + (v ?? "null"))
            .Merge(b.Stream("b", Text).MapValues((_, v) => "b:" + (v ?? "null"))).To("out"),
        ["count"] = (b, _) => Numbers(b.Stream("a", Text).GroupByKey().Count().ToStream()).To("out"),
        ["reduce"] = (b, _) =>
            b.Stream("a", Text).GroupByKey().Reduce((x, y) => x + "+" + y).ToStream().To("out"),
        ["aggregate"] = (b, s) => b.Stream("a", Text).GroupByKey().Aggregate(
            () => "0", (_, v, agg) =>
                agg.Count(c => c == '+') >= s.Number("drop_above") ? null! : agg + "+" + v, TextStore)
            .ToStream().To("out"),
        ["group-by-count"] = (b, _) =>
            Numbers(b.Stream("a", Text).GroupBy((_, v) => Group(v)).Count().ToStream()).To("out"),
        ["group-by-aggregate"] = (b, _) => b.Stream("a", Text).GroupBy((_, v) => Group(v))
            .Aggregate(() => "0", Plus, TextStore).ToStream().To("out"),
        ["to-table"] = (b, _) => b.Stream("a", Text).ToTable().ToStream().To("out"),
        ["punctuate-stream-time"] = (b, s) => Punctuate(b, s, PunctuationType.StreamTime),
        ["punctuate-wall-clock"] = (b, s) => Punctuate(b, s, PunctuationType.WallClockTime),
        ["dedupe"] = Dedupe,
    };

    private static readonly Produced<string, string> TextOut = new()
    {
        KeySerde = Serdes.String,
        ValueSerde = Serdes.String,
    };

    private static readonly Lazy<Dictionary<string, TopologyBody>> Bodies = new(
        () => StreamBodies.Concat(TableBodies).Concat(WindowBodies).Concat(JoinBodies).ToDictionary());

    /// <summary>The operators that there is a topology for.</summary>
    public static IEnumerable<string> Operators => Bodies.Value.Keys;

    /// <summary>The topology of a scenario; null where there is none.</summary>
    public static ConformanceTopology? Make(Scenario scenario)
    {
        if (!Bodies.Value.TryGetValue(scenario.Operator, out TopologyBody? body))
            return null;
        var builder = new StreamsBuilder();
        body(builder, scenario);
        Topology topology = builder.Build();
        return new ConformanceTopology(topology, topology.SinkTopics);
    }

    /// <summary>The number in <c>v7</c>; -1 for null.</summary>
    internal static int N(string? value) =>
        value is null ? -1 : int.Parse(value.AsSpan(value.IndexOf('v') + 1), CultureInfo.InvariantCulture);

    /// <summary>The part before the bar; null where there is none.</summary>
    internal static string Group(string? value) =>
        value?.IndexOf('|') is >= 0 and int bar ? value[..bar] : null!;

    private static string Plus(string key, string value, string aggregate) =>
        aggregate + "+" + (value ?? "null");

    private static string[] Split(string? value, char separator) =>
        string.IsNullOrEmpty(value) ? [] : value.Split(separator);

    private static KStream<string, string> SelectKey(StreamsBuilder builder) =>
        builder.Stream("a", Text).SelectKey((_, v) => v is null ? null! : "n" + N(v) % 3);

    private static void FlatMap(in Record<string, string> record, Emit<string, string> emit)
    {
        foreach (string part in Split(record.Value, ';'))
        {
            int equals = part.IndexOf('=');
            emit(record.WithKey(part[..equals]).WithValue(part[(equals + 1)..]));
        }
    }

    private static KStream<string, string> Numbers(KStream<string, long> counts) =>
        counts.MapValues((_, n) => n.ToString(CultureInfo.InvariantCulture)).WithSerdes(
            Serdes.String, Serdes.String);
}
