using System.Globalization;
using Streams.Dsl;
using Streams.Processing;
using Streams.Records;
using Streams.State;

namespace Streams.Tests.Conformance;

/// <summary>The topologies of the golden scenarios, as their README defines them.</summary>
public static class ConformanceTopologies
{
    private static readonly Consumed<string, string> Text = new(Serdes.String, Serdes.String);
    private static readonly Materialized<string, string> TextStore = new() { ValueSerde = Serdes.String };

    private static readonly Dictionary<string, TopologyBody> Bodies = new()
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
        ["stream-table-inner-join"] = (b, _) =>
            b.Stream("a", Text).Join(b.Table("b", Text), (_, l, r) => l + "/" + r).To("out", TextOut),
        ["stream-table-left-join"] = (b, _) => b.Stream("a", Text)
            .LeftJoin(b.Table("b", Text), (_, l, r, has) => l + "/" + (has ? r : "null")).To("out", TextOut),
        ["count-tumbling"] = CountWindows,
        ["count-hopping"] = CountWindows,
        ["aggregate-tumbling"] = AggregateWindows,
        ["aggregate-hopping"] = AggregateWindows,
        ["reduce-tumbling"] = (b, s) => Rendered(b.Stream("a", Text).GroupByKey().WindowedBy(Windows(s))
            .Reduce((x, y) => (x ?? "null") + "+" + (y ?? "null"))).To("out", TextOut),
        ["suppress-tumbling"] = SuppressWindows,
        ["suppress-hopping"] = SuppressWindows,
        ["punctuate-stream-time"] = (b, s) => Punctuate(b, s, PunctuationType.StreamTime),
        ["punctuate-wall-clock"] = (b, s) => Punctuate(b, s, PunctuationType.WallClockTime),
        ["dedupe"] = Dedupe,
    };

    private static readonly Produced<string, string> TextOut = new(
        )
    { KeySerde = Serdes.String, ValueSerde = Serdes.String };

    /// <summary>The operators that there is a topology for.</summary>
    public static IEnumerable<string> Operators => Bodies.Keys;

    /// <summary>The topology of a scenario; null where there is none.</summary>
    public static ConformanceTopology? Make(Scenario scenario)
    {
        if (!Bodies.TryGetValue(scenario.Operator, out TopologyBody? body))
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

    private static TimeWindows Windows(Scenario scenario)
    {
        TimeWindows windows = TimeWindows.OfSizeAndGrace(
            scenario.Duration("size_ms"), scenario.Duration("grace_ms"));
        return scenario.Parameters.TryGetProperty("advance_ms", out _)
            ? windows.AdvanceBy(scenario.Duration("advance_ms"))
            : windows;
    }

    private static void CountWindows(StreamsBuilder builder, Scenario scenario) =>
        Rendered(builder.Stream("a", Text).GroupByKey().WindowedBy(Windows(scenario)).Count()).To(
            "out", TextOut);

    private static void AggregateWindows(StreamsBuilder builder, Scenario scenario) =>
        Rendered(Aggregated(builder, scenario)).To("out", TextOut);

    private static void SuppressWindows(StreamsBuilder builder, Scenario scenario) =>
        Rendered(Aggregated(builder, scenario).SuppressUntilWindowCloses()).To("out", TextOut);

    private static WindowedTable<string, string> Aggregated(StreamsBuilder builder, Scenario scenario) =>
        builder.Stream("a", Text).GroupByKey().WindowedBy(Windows(scenario)).Aggregate(
            () => "0", Plus, TextStore);

    private static KStream<string, string> Rendered<TValue>(WindowedTable<string, TValue> table) =>
        table.ToStream().Map((k, v) =>
            (k.ToString(), v is null ? null! : string.Create(CultureInfo.InvariantCulture, $"{v}")));

    private static void Punctuate(StreamsBuilder builder, Scenario scenario, PunctuationType type)
    {
        builder.AddStateStore(
            Stores.KeyValue(new StoreOptions { Name = "kept" }, Serdes.String, Serdes.String));
        builder.Stream("a", Text)
            .Process(() =>
                new Punctuated(type, scenario.Duration("interval_ms")), new ProcessOptions("collect", "kept"))
            .Main.To("out", TextOut);
    }

    private static void Dedupe(StreamsBuilder builder, Scenario scenario)
    {
        builder.AddStateStore(
            Stores.KeyValue(new StoreOptions { Name = "seen" }, Serdes.String, Serdes.Int64));
        builder.Stream("a", Text)
            .Process(
                () => new DedupeProcessor(scenario.Number("within_ms")), new ProcessOptions("dedupe", "seen"))
            .Main.To("out", TextOut);
    }

    private sealed class Punctuated(PunctuationType type, TimeSpan interval)
        : IProcessor<string, string, string, string>
    {
        private ProcessorContext<string, string> _context = null!;
        private KeyValueStore<string, string> _store = null!;

        public void Init(ProcessorContext<string, string> context)
        {
            _context = context;
            _store = context.GetStore<KeyValueStore<string, string>>("kept");
            context.Schedule(interval, type, Emit);
        }

        public void Process(in Record<string, string> record)
        {
            bool has = _store.TryGet(record.Key, out string old);
            string value = record.Value ?? "null";
            _store.Put(record.Key, has ? old + "," + value : value, record.TimestampMs);
        }

        private void Emit(long timeMs)
        {
            foreach ((string key, string value) in _store.All().ToList())
            {
                _context.Forward(new Record<string, string>(key, value, timeMs));
                _store.Delete(key);
            }
        }
    }

    private sealed class DedupeProcessor(long withinMs) : IProcessor<string, string, string, string>
    {
        private ProcessorContext<string, string> _context = null!;
        private KeyValueStore<string, long> _seen = null!;

        public void Init(ProcessorContext<string, string> context)
        {
            _context = context;
            _seen = context.GetStore<KeyValueStore<string, long>>("seen");
        }

        public void Process(in Record<string, string> record)
        {
            string key = record.Key + "|" + record.Value;
            bool has = _seen.TryGet(key, out long last);
            if (has && Math.Abs(record.TimestampMs - last) < withinMs)
                return;
            _seen.Put(key, Math.Max(has ? last : long.MinValue, record.TimestampMs), record.TimestampMs);
            _context.Forward(record);
        }
    }
}
