using System.Globalization;
using Streams.Tests.Support;

namespace Streams.Tests.Conformance;

/// <summary>
/// <c>dotnet run --project tests -c Release -- conformance [DIR] [--generated N]</c>: runs every scenario of a
/// folder, or N drawn ones of each operator, and says per operator how many agree, with the first difference
/// where one does not.
/// </summary>
internal static class ConformanceCommand
{
    /// <returns>0 where all agree, 1 where some do not, 2 where there is nothing to run.</returns>
    internal static int Run(string[] args, TextWriter output)
    {
        if (args is ["--generated", var count]
            && int.TryParse(count, CultureInfo.InvariantCulture, out int seeds) && seeds > 0)
            return Compare(Generated(seeds), output);
        string folder = args.Length > 0 ? args[0] : ConformanceFolder.Path;
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
        return Compare(scenarios, output);
    }

    private static SortedDictionary<string, List<Scenario>> Generated(int seeds) => new(
        ReferenceTopology.Operators.ToDictionary(
            o => o, o => Enumerable.Range(1, seeds).Select(s => ScenarioGenerator.Make(o, s)).ToList()),
        StringComparer.Ordinal);

    private static int Compare(SortedDictionary<string, List<Scenario>> scenarios, TextWriter output)
    {
        int agree = 0;
        foreach ((string name, List<Scenario> all) in scenarios)
        {
            List<string> differences =
                [.. all.Select(ScenarioRunner.FirstDifferenceOrFailure).OfType<string>()];
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
