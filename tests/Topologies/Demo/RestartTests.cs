using Streams.Connectors.Bitcoin.Simulation;
using Streams.Topologies.Demo;
using Streams.Topologies.Transactions;
using Xunit;

namespace Streams.Tests.Topologies.Demo;

/// <summary>A run that is stopped and started again gives the same topics, byte for byte (invariants 2 and
/// 10).</summary>
public sealed class RestartTests
{
    [Fact]
    public void A_run_that_is_interrupted_twice_gives_the_same_bytes()
    {
        var options = new SimulationOptions
        {
            Seed = 21,
            TransactionsPerBlock = 60,
            TransactionsPerSecond = 0,
            BlocksMax = 500,
            InjectionsPerMillion = 1_000,
            CorruptBlocksPerThousand = 20,
            DuplicateBlocksPerThousand = 20,
        };
        using var whole = new SimulationRun();
        whole.Drain(options);
        using var interrupted = new SimulationRun();
        interrupted.Run(options, a => interrupted.TransactionsWritten > 2_000);
        long first = interrupted.TransactionsWritten;
        interrupted.Run(options, a => interrupted.TransactionsWritten > first + 6_000);
        Assert.True(interrupted.TransactionsWritten < whole.TransactionsWritten);
        interrupted.Drain(options);

        foreach (string topic in new[
            ] { "transactions", TransactionsTopology.Enriched, TransactionsTopology.Alerts })
            Assert.Equal(Bytes(whole, topic), Bytes(interrupted, topic));
        DemoResult result = interrupted.Evaluate();
        Assert.Empty(result.Missed);
        Assert.True(result.Injected > 100);
    }

    private static List<byte[]> Bytes(SimulationRun run, string topic)
    {
        var records = new List<byte[]>();
        run.ReadRaw(topic, records.Add);
        return records;
    }
}
