using Streams.Dsl;
using Streams.Processing;
using Streams.Records;
using Streams.Testing;

namespace Streams.Tests.Engine.Dsl;

/// <summary>A topology of texts in the test driver, with what comes out as lines.</summary>
internal sealed class DslRun : IDisposable
{
    private readonly Dictionary<string, TestOutputTopic<string, string>> _outputs = [];

    internal DslRun(Action<StreamsBuilder> write, TestDriverOptions? options = null)
    {
        var builder = new StreamsBuilder();
        write(builder);
        Topology = builder.Build();
        Driver = new TopologyTestDriver(Topology, options);
    }

    internal static Consumed<string, string> Text { get; } = new(Serdes.String, Serdes.String);

    internal static Produced<string, string> TextOut { get; } = new()
    {
        KeySerde = Serdes.String,
        ValueSerde = Serdes.String,
    };

    internal static Materialized<string, string> TextStore { get; } = new() { ValueSerde = Serdes.String };

    internal Topology Topology { get; }

    internal TopologyTestDriver Driver { get; }

    internal void Pipe(string topic, string? key, string? value, long timestampMs) =>
        Driver.CreateInputTopic(topic, Serdes.String, Serdes.String).Pipe(key!, value!, timestampMs);

    /// <summary>What came out since the last call: <c>key=value@time</c>, a dash for no value.</summary>
    internal string[] Read(string topic = "out")
    {
        if (!_outputs.TryGetValue(topic, out TestOutputTopic<string, string>? output))
            _outputs[topic] = output = Driver.CreateOutputTopic(topic, Serdes.String, Serdes.String);
        return [.. output.ReadAll().Select(r =>
            $"{(r.HasKey ? r.Key : "-")}={(r.HasValue ? r.Value : "-")}@{r.TimestampMs}")];
    }

    public void Dispose() => Driver.Dispose();

    /// <summary>The windows of a table as text.</summary>
    internal static void Render<TValue>(KTable<Windowed<string>, TValue> table, string topic = "out") =>
        table.ToStream().MapValues((_, v) => v is null ? null! : v.ToString()!)
            .SelectKey((k, _) => k.ToString()).To(topic, TextOut);
}
