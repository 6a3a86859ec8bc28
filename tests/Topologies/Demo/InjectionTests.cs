using Streams.Connectors.Bitcoin.Simulation;
using Streams.Connectors.Chain;
using Streams.Topologies.Demo;
using Xunit;

namespace Streams.Tests.Topologies.Demo;

/// <summary>
/// Everything that is put into the traffic is found by the topology as it runs, and next to nothing else
/// (DOMAIN rules R1 to R10; CSIC-044, 102, 105, 108).
/// </summary>
public sealed class InjectionTests
{
    private static readonly SimulationOptions Options = new()
    {
        TransactionsPerBlock = 50,
        TransactionsPerSecond = 0,
        BlocksMax = 1400,
        InjectionsPerMillion = 400,
        InjectionsPerMillionOf =
            new Dictionary<SimulatedTypology, int> { [SimulatedTypology.Velocity] = 1200 },
    };

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public void Every_typology_is_found_each_time_and_next_to_nothing_else(long seed)
    {
        using var run = new SimulationRun();
        run.Drain(Options with { Seed = seed });
        DemoResult result = run.Evaluate();
        Report(result);
        Assert.Empty(result.Missed);
        Assert.All(result.Typologies, t => Assert.Equal(1.0, t.Recall));
        Assert.All(result.Typologies, t => Assert.Equal(ScoresForAlerts(t) ? t.Injected : 0, t.Alerted));
        AssertFewFalseAlarms(result);
    }

    [Theory]
    [InlineData(11, 50, 1400)]
    [InlineData(12, 250, 500)]
    [InlineData(13, 10, 4000)]
    public void Ordinary_traffic_alone_sets_off_next_to_nothing(
        long seed, int transactionsPerBlock, int blocks)
    {
        using var run = new SimulationRun();
        run.Drain(Options.WithoutInjections() with
        {
            Seed = seed,
            TransactionsPerBlock = transactionsPerBlock,
            BlocksMax = blocks,
        });
        DemoResult result = run.Evaluate();
        Report(result);
        Assert.True(result.Transactions > 30_000);
        Assert.Equal(0, result.Injected);
        AssertFewFalseAlarms(result);
    }

    // The one that cannot be avoided: somebody whose payments happen to be just under the limit three times a
    // day.
    private static void AssertFewFalseAlarms(DemoResult result)
    {
        Assert.All(result.Typologies, t => Assert.InRange(
            t.FalseAlarms, 0, t.Typology == SimulatedTypology.Structuring ? 2 : 0));
    }

    private static bool ScoresForAlerts(TypologyResult result) =>
        result.Rule is > RiskRule.None and <= RiskRule.Structuring;

    private static void Report(DemoResult result)
    {
        ITestOutputHelper? output = TestContext.Current.TestOutputHelper;
        output?.WriteLine(
            $"{result.Transactions:N0} transactions, {result.Found} of {result.Injected} found");
        foreach (TypologyResult t in result.Typologies)
            output?.WriteLine(
                $"{t.Typology,-20} {t.Injected,4} {t.Found,4} {t.Alerted,4} false {t.FalseAlarms}");
        foreach (FalseAlarm alarm in result.FalseAlarms)
            output?.WriteLine($"{alarm}");
        foreach (Injection missed in result.Missed)
            output?.WriteLine($"{missed.Typology} {missed.FiresOn}: {string.Join(' ', missed.Transactions)}");
    }
}
