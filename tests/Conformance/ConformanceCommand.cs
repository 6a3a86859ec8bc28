using System.Globalization;
using Streams.Tests.Support;

namespace Streams.Tests.Conformance;

/// <summary>
/// <c>dotnet run --project tests -c Release -- conformance [DIR] [--log memory|embedded] [--restart STEPS]
/// [--generated N]</c>: runs every scenario of a folder, or N drawn ones of each operator, and says per
/// operator how many agree, with the first difference where one does not.
/// </summary>
internal static class ConformanceCommand
{
    private const string Usage =
        "Usage: conformance [DIR] [--log memory|embedded] [--restart STEPS] [--generated N]";

    /// <returns>0 where all agree, 1 where some do not, 2 where there is nothing to run.</returns>
    internal static int Run(string[] args, TextWriter output)
    {
        string folder = ConformanceFolder.Path;
        (bool embedded, int restartEvery, int generated) = (false, 0, 0);
        for (int i = 0; i < args.Length; i++)
        {
            string value = i + 1 < args.Length ? args[i + 1] : "";
            bool isOption = args[i].StartsWith('-');
            bool understood = args[i] switch
            {
                "--log" => value is "memory" or "embedded",
                "--restart" => int.TryParse(value, CultureInfo.InvariantCulture, out restartEvery),
                "--generated" => int.TryParse(value, CultureInfo.InvariantCulture, out generated),
                _ => !isOption,
            };
            if (!understood)
            {
                output.WriteLine($"'{args[i]} {value}' is not understood. {Usage}");
                return 2;
            }
            embedded |= args[i] == "--log" && value == "embedded";
            if (isOption)
                i++;
            else
                folder = args[i];
        }
        string? Difference(Scenario scenario) => ScenarioRunner.FirstDifferenceOrFailure(
            scenario, ScenarioRunner.IsSameAfterRestart(scenario) ? restartEvery : 0, embedded);
        if (generated > 0)
            return Compare(Generated(generated), Difference, output);
        if (!Directory.Exists(folder))
        {
            output.WriteLine($"There is no folder '{folder}'. Name one that holds *.jsonl or *.jsonl.gz "
                + "files.");
            return 2;
        }
        SortedDictionary<string, List<Scenario>> scenarios = Scenario.ReadFolder(folder);
        if (scenarios.Count == 0)
        {
            output.WriteLine($"The folder '{folder}' holds no *.jsonl or *.jsonl.gz file with scenarios.");
            return 2;
        }
        return Compare(scenarios, Difference, output);
    }

    private static SortedDictionary<string, List<Scenario>> Generated(int seeds) => new(
        ReferenceTopology.Operators.ToDictionary(
            o => o, o => Enumerable.Range(1, seeds).Select(s => ScenarioGenerator.Make(o, s)).ToList()),
        StringComparer.Ordinal);

    private static int Compare(
        SortedDictionary<string, List<Scenario>> scenarios, Func<Scenario, string?> firstDifference,
        TextWriter output)
    {
        int agree = 0;
        foreach ((string name, List<Scenario> all) in scenarios)
        {
            List<string> differences =
                [.. all.Select(firstDifference).OfType<string>()];
            agree += all.Count - differences.Count;
            output.WriteLine($"{name,-36} {all.Count - differences.Count,5} of {all.Count,5} agree");
            if (differences.Count > 0)
                output.WriteLine("  " + differences[0].ReplaceLineEndings("\n  "));
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
