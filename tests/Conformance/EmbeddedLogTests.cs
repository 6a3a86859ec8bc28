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
            Assert.Null(ScenarioRunner.FirstDifference(scenario, restartEvery, embedded: true));
        }
    }
}
