using Streams.Connect;
using Streams.Dsl;
using Streams.Processing;
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
    /// <param name="open">Where it runs; in the test driver where nothing is said.</param>
    /// <param name="onDisk">In the test driver: keeps every store on disk that can be.</param>
    public static string? FirstDifference(
        Scenario scenario, int restartEvery = 0, Func<ConformanceTopology, IScenarioLog>? open = null,
        bool onDisk = false)
    {
        string? difference = null;
        var all = new List<Emitted>();
        bool run = Run(scenario, restartEvery, open, (step, actual) =>
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
        Scenario scenario, int restartEvery, Func<ConformanceTopology, IScenarioLog>? open,
        Action<int, List<Emitted>> emitted, bool onDisk = false)
    {
        ConformanceTopology? made = ConformanceTopologies.Make(scenario);
        if (made is null)
            return false;
        using IScenarioLog log = open?.Invoke(made)
            ?? new DriverScenarioLog(made, onDisk ? OnDisk(made.Topology) : new TestDriverOptions());
        for (int i = 0; i < scenario.Steps.Count; i++)
        {
            if (restartEvery > 0 && i % restartEvery == restartEvery - 1)
                log.Restart();
            if (scenario.Steps[i].Record is { } record)
                log.Pipe(record);
            else
                log.AdvanceWallClock(TimeSpan.FromMilliseconds(scenario.Steps[i].AdvanceMs));
            emitted(i, [.. log.ReadAll()]);
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
    public static string? FirstDifferenceOrFailure(
        Scenario scenario, int restartEvery = 0, Func<ConformanceTopology, IScenarioLog>? open = null)
    {
        try
        {
            return FirstDifference(scenario, restartEvery, open);
        }
        catch (Exception e)
        {
            return $"{scenario.Id} {scenario.Parameters}: {e.GetType().Name}: {e.Message}";
        }
    }

    /// <summary>Whether a restart changes nothing: a punctuation's schedule begins anew with the process, as
    /// in Kafka Streams.</summary>
    internal static bool IsSameAfterRestart(Scenario scenario) =>
        !scenario.Operator.StartsWith("punctuate", StringComparison.Ordinal);

    private static IEnumerable<string> Sorted(IEnumerable<Emitted> records) =>
        records.Select(r => r.ToString()).Order(StringComparer.Ordinal);

    private static string Describe(Scenario scenario, int step, List<Emitted> actual) =>
        $"{scenario.Id} {scenario.Parameters}, step {step} ({scenario.Steps[step]}):\n"
        + $"  expected [{string.Join("; ", scenario.Expected[step])}]\n"
        + $"  but was  [{string.Join("; ", actual)}]";
}

/// <summary>A topology of a scenario and the topics it writes, in ascending order.</summary>
public sealed record ConformanceTopology(Topology Topology, IReadOnlyList<string> Outputs);

/// <summary>Builds a topology into a builder.</summary>
public delegate void TopologyBody(StreamsBuilder builder, Scenario scenario);
