using System.Collections.Concurrent;
using System.Globalization;
using Streams.Tests.Support;

namespace Streams.Tests.Conformance;

/// <summary>
/// <c>dotnet run --project tests -c Release -- conformance [DIR] [--log memory|embedded|kafka] [--brokers
/// HOST:PORT] [--restart STEPS] [--generated N] [--first N]</c>: runs every scenario of a folder, or N drawn
/// ones of each operator, and says per operator how many agree, with the first difference where one does not.
/// On Kafka it starts a broker of its own where none is named.
/// </summary>
internal static class ConformanceCommand
{
    private const string Usage = "Usage: conformance [DIR] [--log memory|embedded|kafka] "
        + "[--brokers HOST:PORT] [--restart STEPS] [--generated N] [--first N]";

    // Scenarios on Kafka mostly wait for a broker.
    private const int AtOnceOnKafka = 8;

    /// <returns>0 where all agree, 1 where some do not, 2 where there is nothing to run.</returns>
    internal static int Run(string[] args, TextWriter output)
    {
        (string folder, string log, string? brokers) = (ConformanceFolder.Path, "memory", null);
        (int restartEvery, int generated, int first) = (0, 0, int.MaxValue);
        for (int i = 0; i < args.Length; i++)
        {
            string value = i + 1 < args.Length ? args[i + 1] : "";
            bool isOption = args[i].StartsWith('-');
            bool understood = args[i] switch
            {
                "--log" => (log = value) is "memory" or "embedded" or "kafka",
                "--brokers" => (brokers = value).Length > 0,
                "--restart" => int.TryParse(value, CultureInfo.InvariantCulture, out restartEvery),
                "--generated" => int.TryParse(value, CultureInfo.InvariantCulture, out generated),
                "--first" => int.TryParse(value, CultureInfo.InvariantCulture, out first),
                _ => !isOption,
            };
            if (!understood)
            {
                output.WriteLine($"'{args[i]} {value}' is not understood. {Usage}");
                return 2;
            }
            if (isOption)
                i++;
            else
                folder = args[i];
        }
        if (generated == 0 && !Directory.Exists(folder))
        {
            output.WriteLine($"There is no folder '{folder}'. Name one that holds *.jsonl or *.jsonl.gz "
                + "files.");
            return 2;
        }
        SortedDictionary<string, List<Scenario>> scenarios =
            generated > 0 ? Generated(generated) : Scenario.ReadFolder(folder);
        if (scenarios.Count == 0)
        {
            output.WriteLine($"The folder '{folder}' holds no *.jsonl or *.jsonl.gz file with scenarios.");
            return 2;
        }
        foreach (string name in scenarios.Keys.ToList())
            scenarios[name] = [.. scenarios[name].Take(first)];
        return log == "kafka"
            ? RunOnKafka(scenarios, brokers, restartEvery, output)
            : Compare(
                scenarios, restartEvery, log == "embedded" ? ThreadScenarioLog.Embedded : null, 1, output);
    }

    private static int RunOnKafka(
        SortedDictionary<string, List<Scenario>> scenarios, string? brokers, int restartEvery,
        TextWriter output)
    {
        using KafkaCluster? cluster = brokers is null ? KafkaCluster.Start() : null;
        string reached = cluster?.Brokers ?? brokers!;
        (int leftOut, int moved) = (0, 0);
        foreach (string name in scenarios.Keys.ToList())
        {
            var able = new List<Scenario>();
            foreach (Scenario scenario in scenarios[name])
            {
                if (KafkaScenario.Of(scenario, out bool isMoved) is { } runs)
                    able.Add(runs);
                else
                    leftOut++;
                moved += isMoved ? 1 : 0;
            }
            scenarios[name] = able;
            if (able.Count == 0)
                scenarios.Remove(name);
        }
        int result = Compare(
            scenarios, restartEvery, made => ThreadScenarioLog.Kafka(made, reached), AtOnceOnKafka, output);
        output.WriteLine(
            $"{moved} of them have the time 0, which Kafka does not know: compared with what the test driver "
            + "gives for 1 ms");
        output.WriteLine(
            $"{leftOut} left out: a global table takes in records beside the tasks, so no step of theirs "
            + "has an end");
        return result;
    }

    private static SortedDictionary<string, List<Scenario>> Generated(int seeds) => new(
        ReferenceTopology.Operators.ToDictionary(
            o => o, o => Enumerable.Range(1, seeds).Select(s => ScenarioGenerator.Make(o, s)).ToList()),
        StringComparer.Ordinal);

    private static int Compare(
        SortedDictionary<string, List<Scenario>> scenarios, int restartEvery,
        Func<ConformanceTopology, IScenarioLog>? open, int atOnce, TextWriter output)
    {
        // Each of those at once keeps a thread of the pool, which commits need too.
        ThreadPool.SetMinThreads(8 * atOnce, 8 * atOnce);
        // One by one and in order, so that each operator is printed when it is done.
        using IEnumerator<string?> differences = Partitioner
            .Create(scenarios.Values.SelectMany(s => s), EnumerablePartitionerOptions.NoBuffering)
            .AsParallel().AsOrdered().WithDegreeOfParallelism(atOnce)
            .WithMergeOptions(ParallelMergeOptions.NotBuffered)
            .Select(s => ScenarioRunner.FirstDifferenceOrFailure(
                s, ScenarioRunner.IsSameAfterRestart(s) ? restartEvery : 0, open))
            .GetEnumerator();
        int agree = 0;
        foreach ((string name, List<Scenario> all) in scenarios)
        {
            int agreeing = 0;
            string? first = null;
            for (int i = 0; i < all.Count && differences.MoveNext(); i++)
            {
                agreeing += differences.Current is null ? 1 : 0;
                first ??= differences.Current;
            }
            agree += agreeing;
            output.WriteLine($"{name,-36} {agreeing,5} of {all.Count,5} agree");
            if (first is not null)
                output.WriteLine("  " + first.ReplaceLineEndings("\n  "));
        }
        int total = scenarios.Values.Sum(s => s.Count);
        output.WriteLine($"{scenarios.Count} operators, {agree} of {total} scenarios agree");
        return agree == total ? 0 : 1;
    }
}

/// <summary>Where the scenarios are.</summary>
internal static class ConformanceFolder
{
    /// <summary>The folder that STREAMS_CONFORMANCE_DIR names, or the golden scenarios of the test
    /// data.</summary>
    internal static string Path => Named ?? SharedData.Path("kafka-streams");

    /// <summary>What STREAMS_CONFORMANCE_DIR says; null where it says nothing.</summary>
    internal static string? Named =>
        Environment.GetEnvironmentVariable("STREAMS_CONFORMANCE_DIR") is { Length: > 0 } named ? named : null;
}
