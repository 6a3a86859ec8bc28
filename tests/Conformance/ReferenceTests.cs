using Xunit;

namespace Streams.Tests.Conformance;

/// <summary>
/// The references agree with Kafka Streams on the golden scenarios, and the engine agrees with the references
/// on any number of others.
/// </summary>
public sealed class ReferenceTests
{
    private const int SeedsPerOperator = 60;

    public static IEnumerable<TheoryDataRow<string>> Operators =>
        ReferenceTopology.Operators.Order(StringComparer.Ordinal).Select(o => new TheoryDataRow<string>(o));

    [Fact]
    public void Every_operator_has_a_reference() =>
        Assert.Empty(ConformanceTopologies.Operators.Except(ReferenceTopology.Operators));

    [Theory]
    [MemberData(nameof(Operators))]
    public void A_reference_gives_the_records_of_Kafka_Streams(string operatorName)
    {
        if (!Scenario.ReadFolder(ConformanceFolder.Path).TryGetValue(operatorName, out var scenarios))
            Assert.Skip($"The folder has no scenario of {operatorName}.");
        foreach (Scenario scenario in scenarios)
        {
            List<List<Emitted>> found = ReferenceTopology.Run(scenario);
            for (int i = 0; i < found.Count; i++)
                Assert.Equal(scenario.Expected[i], found[i]);
        }
    }

    [Theory]
    [MemberData(nameof(Operators))]
    public void The_engine_agrees_with_the_reference_whatever_the_parameters(string operatorName)
    {
        for (int seed = 1; seed <= SeedsPerOperator; seed++)
            Assert.Null(ScenarioRunner.FirstDifferenceOrFailure(ScenarioGenerator.Make(operatorName, seed)));
    }

    [Theory]
    [MemberData(nameof(Operators))]
    public void A_scenario_is_the_same_for_the_same_seed(string operatorName) => Assert.Equal(
        string.Join('\n', ScenarioGenerator.Make(operatorName, 3).Steps),
        string.Join('\n', ScenarioGenerator.Make(operatorName, 3).Steps));
}
