using Streams.Tests.Support;
using Xunit;

namespace Streams.Tests.Integration;

/// <summary>The same input gives the same bytes on the embedded log and on Kafka (CSIC-011 to 017).</summary>
[Collection("Kafka alone")]
public sealed class SameBytesTests
{
    [Fact]
    public async Task Real_blocks_and_a_reorganisation_give_the_same_records_on_both_logs()
    {
        using var folder = new TemporaryFolder();
        SameBytesResult result = await CompareAsync(
            "transactions", $"bitcoin-files:{TransactionsInput.Make(folder)}/*", folder);
        Assert.True(result.Topics["transactions.enriched"] > 4_000, $"{result}");
        Assert.NotEqual(0, result.Topics["transactions.dead-letter"]);
    }

    [Theory]
    [InlineData("transactions", "bitcoin-simulated:7?blocks_max=150&transactions_per_second=0")]
    [InlineData("mining", "mining-simulated:7?machines=10&rounds_max=800")]
    public async Task A_simulated_feed_gives_the_same_records_on_both_logs(string topology, string source)
    {
        using var folder = new TemporaryFolder();
        SameBytesResult result = await CompareAsync(topology, source, folder);
        Assert.True(result.Records > 1_000, $"{result}");
    }

    private static async Task<SameBytesResult> CompareAsync(
        string topology, string source, TemporaryFolder folder)
    {
        using KafkaCluster cluster = KafkaCluster.Start(extra: SameBytes.KeepsAll);
        SameBytesResult result = await SameBytes.CompareAsync(
            topology, source, folder.File("run"), cluster.Brokers);
        Assert.True(result.Differences == 0, $"{result.Differences} keys differ. {result.FirstDifference}");
        TestContext.Current.TestOutputHelper?.WriteLine($"{result.Records} records of {result.Keys} keys");
        return result;
    }
}
