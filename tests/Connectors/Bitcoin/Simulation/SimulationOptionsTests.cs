using Streams.Connect;
using Streams.Connectors.Bitcoin.Simulation;
using Xunit;

namespace Streams.Tests.Connectors.Bitcoin.Simulation;

/// <summary>What a simulation can be set to.</summary>
public sealed class SimulationOptionsTests
{
    public static TheoryData<SimulationOptions, string> Bad => new()
    {
        { new() { BlockInterval = TimeSpan.FromSeconds(59) }, "block_interval" },
        { new() { BlockInterval = TimeSpan.FromMinutes(41) }, "block_interval" },
        { new() { TransactionsPerBlock = 4 }, "transactions_per_block" },
        { new() { TransactionsPerBlock = 2_001 }, "transactions_per_block" },
        { new() { TransactionsPerBlock = 500, BlockInterval = TimeSpan.FromMinutes(1) },
            "transactions_per_block" },
        { new() { TransactionsPerSecond = -1 }, "transactions_per_second" },
        { new() { BlocksMax = -1 }, "blocks_max" },
        { new() { Duration = TimeSpan.FromSeconds(-1) }, "duration" },
        { new() { StartTime = new DateTimeOffset(2100, 1, 1, 0, 0, 0, TimeSpan.Zero) }, "start_time" },
        { new() { ReportingLimitSatoshi = 1 }, "reporting_limit_satoshi" },
        { new() { CorruptBlocksPerThousand = 1_001 }, "corrupt_blocks_per_thousand" },
        { new() { DuplicateBlocksPerThousand = -1 }, "duplicate_blocks_per_thousand" },
        { new() { InjectionsPerMillion = -1 }, "injections_per_million" },
    };

    [Theory]
    [MemberData(nameof(Bad))]
    public void What_cannot_work_is_refused_with_the_name_of_the_option(
        SimulationOptions options, string name)
    {
        var e = Assert.Throws<ConfigurationException>(() => new BlockSimulator(options));
        Assert.StartsWith("bitcoin-simulated: ", e.Message, StringComparison.Ordinal);
        Assert.Contains(name, e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(30, 10_000)]
    [InlineData(30, 1_000)]
    [InlineData(30, 200)]
    [InlineData(10, 50_000)]
    [InlineData(5, 1_000)]
    [InlineData(600, 100)]
    public void A_demonstration_covers_the_days_that_habits_need(int seconds, int rate)
    {
        var options = SimulationOptions.ForDemo(TimeSpan.FromSeconds(seconds), rate);
        options.Validate();
        double blocks = (double)seconds * rate / options.TransactionsPerBlock;
        TimeSpan chain = blocks * options.BlockInterval;
        // Fewer than ten transactions in a block are no traffic; where there are so few, days are.
        bool isTiny = options.BlockInterval == SimulationOptions.BlockIntervalMax;
        Assert.True(isTiny || chain >= TimeSpan.FromDays(7.5), $"{chain.TotalDays:0.0} days");
    }
}
