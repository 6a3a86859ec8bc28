using Streams.Tests.Support;
using Xunit;

namespace Streams.Tests.Conformance;

/// <summary>The golden scenarios of Apache Kafka Streams' own test driver, for every operator that there
/// is.</summary>
public sealed class GoldenScenarioTests
{
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

    private static void AssertSame(string operatorName, Func<Scenario, string?> firstDifference)
    {
        string folder = Environment.GetEnvironmentVariable("STREAMS_CONFORMANCE_DIR") is { Length: > 0 } named
            ? named
            : SharedData.Path("kafka-streams");
        Assert.True(Scenario.ReadFolder(folder).TryGetValue(operatorName, out List<Scenario>? scenarios));
        List<string> differences = [.. scenarios.Select(firstDifference).OfType<string>()];
        Assert.True(differences.Count == 0,
            $"{differences.Count} of {scenarios.Count} differ.\n{differences.FirstOrDefault()}");
    }
}
