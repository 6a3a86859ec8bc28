using System.Text;
using Streams.Connect;
using Streams.Dsl;
using Streams.Processing;
using Streams.Records;
using Streams.State.Disk;
using Streams.Testing;

namespace Streams.Tests.Conformance;

/// <summary>Runs scenarios through the test driver and compares.</summary>
public static class ScenarioRunner
{
    // Kafka Streams lets some of their results wait, so the step in which one comes out is not part of them.
    private static readonly string[] ComparedAsSets = ["stream-stream-left-join", "stream-stream-outer-join"];

    /// <summary>What differs from the expected output; null where nothing does.</summary>
    /// <param name="scenario">The scenario.</param>
    /// <param name="restartEvery">Stops and restarts the topology after so many steps; 0 for never.</param>
    /// <param name="onDisk">Keeps every store on disk that can be.</param>
    public static string? FirstDifference(Scenario scenario, int restartEvery = 0, bool onDisk = false)
    {
        string? difference = null;
        var all = new List<Emitted>();
        bool run = Run(scenario, restartEvery, (step, actual) =>
        {
            all.AddRange(actual);
            if (difference is null && !actual.SequenceEqual(scenario.Expected[step]))
                difference = Describe(scenario, step, actual);
        }, onDisk);
        if (!run)
            return $"{scenario.Id}: there is no topology for the operator '{scenario.Operator}'";
        bool sameSet = ComparedAsSets.Contains(scenario.Operator)
            && Sorted(all).SequenceEqual(Sorted(scenario.Expected.SelectMany(e => e)));
        return sameSet ? null : difference;
    }

    /// <summary>Runs a scenario and hands on what each step emitted.</summary>
    /// <returns>Whether there is a topology for it.</returns>
    internal static bool Run(
        Scenario scenario, int restartEvery, Action<int, List<Emitted>> emitted, bool onDisk = false)
    {
        ConformanceTopology? made = ConformanceTopologies.Make(scenario);
        if (made is null)
            return false;
        using var driver = new TopologyTestDriver(
            made.Topology, onDisk ? OnDisk(made.Topology) : new TestDriverOptions());
        var inputs = new Dictionary<string, TestInputTopic<string, string>>();
        List<TestOutputTopic<string, string>> outputs =
            [.. made.Outputs.Select(o => driver.CreateOutputTopic(o, Serdes.String, Serdes.String))];
        for (int i = 0; i < scenario.Steps.Count; i++)
        {
            if (restartEvery > 0 && i % restartEvery == restartEvery - 1)
                driver.Restart();
            Perform(driver, inputs, scenario.Steps[i]);
            emitted(i, [.. made.Outputs.Zip(outputs).SelectMany(
                pair => pair.Second.ReadAll().Select(record => Text(pair.First, record)))]);
        }
        return true;
    }

    private static TestDriverOptions OnDisk(Topology topology) => new()
    {
        Runtime = new RuntimeOptions
        {
            DecodingFailures = FailurePolicy.Fail,
            Disk = new DiskOptions
            {
                Stores = StoresOnDisk.Able(topology),
                BlockCacheBytes = 1 << 20,
                WriteBufferBytes = 1 << 20,
            },
        },
    };

    /// <summary>The same, with what a topology throws as its difference.</summary>
    public static string? FirstDifferenceOrFailure(Scenario scenario)
    {
        try
        {
            return FirstDifference(scenario);
        }
        catch (Exception e)
        {
            return $"{scenario.Id} {scenario.Parameters}: {e.GetType().Name}: {e.Message}";
        }
    }

    private static IEnumerable<string> Sorted(IEnumerable<Emitted> records) =>
        records.Select(r => r.ToString()).Order(StringComparer.Ordinal);

    private static void Perform(
        TopologyTestDriver driver, Dictionary<string, TestInputTopic<string, string>> inputs, Step step)
    {
        if (step.Record is not { } record)
        {
            driver.AdvanceWallClock(TimeSpan.FromMilliseconds(step.AdvanceMs));
            return;
        }
        if (!inputs.TryGetValue(record.Topic, out TestInputTopic<string, string>? input))
            inputs[record.Topic] = input = driver.CreateInputTopic(
                record.Topic, Serdes.String, Serdes.String);
        Headers headers = default;
        foreach (string header in record.Headers.Split(',', StringSplitOptions.RemoveEmptyEntries))
            headers = headers.With(header[..header.IndexOf('=')], header[(header.IndexOf('=') + 1)..]);
        input.Pipe(record.Key!, record.Value!, record.TimestampMs, headers);
    }

    private static Emitted Text(string topic, Record<string, string> record)
    {
        var headers = new List<string>();
        foreach (Headers.Header header in record.Headers)
            headers.Add($"{Encoding.UTF8.GetString(header.Name)}={Encoding.UTF8.GetString(header.Value)}");
        return new Emitted(
            topic, record.HasKey ? record.Key : null, record.HasValue ? record.Value
                : null, record.TimestampMs,
            string.Join(",", headers));
    }

    private static string Describe(Scenario scenario, int step, List<Emitted> actual) =>
        $"{scenario.Id} {scenario.Parameters}, step {step} ({scenario.Steps[step]}):\n"
        + $"  expected [{string.Join("; ", scenario.Expected[step])}]\n"
        + $"  but was  [{string.Join("; ", actual)}]";
}

/// <summary>A topology of a scenario and the topics it writes, in ascending order.</summary>
public sealed record ConformanceTopology(Topology Topology, IReadOnlyList<string> Outputs);

/// <summary>Builds a topology into a builder.</summary>
public delegate void TopologyBody(StreamsBuilder builder, Scenario scenario);
