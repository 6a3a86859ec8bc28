using Streams.Tests.Engine.State.Disk;
using Xunit;

namespace Streams.Tests.Conformance;

/// <summary>The golden scenarios of Apache Kafka Streams' own test driver, for every operator.</summary>
public sealed class GoldenScenarioTests
{
    private static readonly Lazy<SortedDictionary<string, List<Scenario>>> Scenarios =
        new(() => Scenario.ReadFolder(ConformanceFolder.Path));

    public static IEnumerable<TheoryDataRow<string>> Operators =>
        ConformanceTopologies.Operators.Order(StringComparer.Ordinal).Select(
            o => new TheoryDataRow<string>(o));

    [Theory]
    [MemberData(nameof(Operators))]
    public void Every_scenario_gives_the_records_of_Kafka_Streams(string operatorName) =>
        AssertSame(operatorName, scenario => ScenarioRunner.FirstDifference(scenario));

    [Theory]
    [MemberData(nameof(Operators))]
    public void A_restart_after_every_third_step_changes_nothing(string operatorName)
    {
        // A punctuation's schedule begins anew with the process, as in Kafka Streams.
        if (!operatorName.StartsWith("punctuate", StringComparison.Ordinal))
            AssertSame(operatorName, scenario => ScenarioRunner.FirstDifference(scenario, restartEvery: 3));
    }

    [Theory]
    [InlineData("aggregate")]
    [InlineData("cogroup")]
    [InlineData("count")]
    [InlineData("dedupe")]
    [InlineData("fk-join-inner")]
    [InlineData("fk-join-left")]
    [InlineData("group-by-aggregate")]
    [InlineData("reduce")]
    [InlineData("stream-table-left-join")]
    [InlineData("table-filter-group-by-aggregate")]
    [InlineData("table-group-by-aggregate")]
    [InlineData("table-group-by-count")]
    [InlineData("table-group-by-reduce")]
    [InlineData("table-map-values")]
    [InlineData("table-table-inner-join")]
    [InlineData("table-table-left-join")]
    [InlineData("table-table-outer-join")]
    [InlineData("to-table")]
    public void Tables_on_disk_give_the_same_over_restarts(string operatorName)
    {
        Assert.SkipUnless(DiskTableTests.HasLibrary(), "librocksdb7.8 is not installed.");
        AssertSame(operatorName, scenario => ScenarioRunner.FirstDifference(scenario, 5, onDisk: true), 2);
    }

    [Fact]
    public void Every_operator_that_has_scenarios_has_a_topology() =>
        Assert.Empty(Scenarios.Value.Keys.Except(ConformanceTopologies.Operators));

    [Fact]
    public void The_command_counts_what_agrees_and_says_what_does_not()
    {
        using var folder = new Support.TemporaryFolder();
        string line = File.ReadLines(Path.Combine(ConformanceFolder.Path, "count.jsonl")).First();
        File.WriteAllText(
            Path.Combine(folder.Path, "count.jsonl"), line + "\n" + line.Replace("\"out\"",
                "\"other\"") + "\n");
        using var output = new StringWriter();
        Assert.Equal(1, ConformanceCommand.Run([folder.Path], output));
        Assert.Contains("1 of     2 agree", output.ToString(), StringComparison.Ordinal);
        Assert.Contains("step 0", output.ToString(), StringComparison.Ordinal);
    }

    private static void AssertSame(
        string operatorName, Func<Scenario, string?> firstDifference, int scenariosMax = int.MaxValue)
    {
        if (!Scenarios.Value.TryGetValue(operatorName, out List<Scenario>? scenarios))
        {
            Assert.SkipWhen(
                ConformanceFolder.Named is not null,
                $"STREAMS_CONFORMANCE_DIR has no scenario of {operatorName}.");
            Assert.Fail($"There is no scenario of {operatorName}.");
        }
        List<string> differences =
            [.. scenarios.Take(scenariosMax).Select(firstDifference).OfType<string>()];
        Assert.True(differences.Count == 0,
            $"{differences.Count} of {scenarios.Count} differ.\n{differences.FirstOrDefault()}");
    }
}
