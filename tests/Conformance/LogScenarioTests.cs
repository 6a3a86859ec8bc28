using Streams.Tests.Support;
using Xunit;

namespace Streams.Tests.Conformance;

/// <summary>What passes in the test driver gives the same on the embedded log: files, threads,
/// commits.</summary>
public sealed class EmbeddedLogTests
{
    private const int ScenariosPerOperator = 2;

    public static IEnumerable<TheoryDataRow<string>> Operators => GoldenScenarioTests.Operators;

    [Theory]
    [MemberData(nameof(Operators))]
    public void Scenarios_give_the_same_on_the_embedded_log_over_restarts(string operatorName)
    {
        if (!Scenario.ReadFolder(ConformanceFolder.Path).TryGetValue(operatorName, out var scenarios))
            Assert.Skip($"The folder has no scenario of {operatorName}.");
        foreach (Scenario scenario in scenarios.Take(ScenariosPerOperator))
        {
            int restartEvery = ScenarioRunner.IsSameAfterRestart(scenario) ? 11 : 0;
            Assert.Null(ScenarioRunner.FirstDifference(scenario, restartEvery, ThreadScenarioLog.Embedded));
        }
    }
}

/// <summary>A sample of the scenarios on a real broker; the command <c>conformance --log kafka</c> runs
/// all.</summary>
[Collection("Kafka")]
public sealed class KafkaScenarioTests(KafkaBroker broker)
{
    [Theory]
    [InlineData("aggregate-sliding")]
    [InlineData("fk-join-left")]
    [InlineData("group-by-count")]
    [InlineData("headers")]
    [InlineData("punctuate-wall-clock")]
    [InlineData("stream-stream-outer-join")]
    [InlineData("suppress-session")]
    [InlineData("table-table-left-join")]
    public void A_scenario_gives_the_same_on_Kafka_over_a_restart(string operatorName)
    {
        Scenario scenario = KafkaScenario.Of(
            Scenario.ReadFolder(ConformanceFolder.Path)[operatorName][0], out _)!;
        int restartEvery = ScenarioRunner.IsSameAfterRestart(scenario) ? scenario.Steps.Count / 2 : 0;
        string brokers = broker.Cluster.Brokers;
        Assert.Null(ScenarioRunner.FirstDifference(
            scenario, restartEvery, made => ThreadScenarioLog.Kafka(made, brokers)));
    }
}
