using System.Text.Json;
using Streams.Connectors.Bitcoin;
using Streams.Connectors.Chain;
using Streams.Tests.Support;
using Streams.Topologies.Transactions;
using Streams.Topologies.Transactions.Tags;
using Xunit;

namespace Streams.Tests.Topologies.Transactions;

/// <summary>Two blocks of the main network, whose facts were computed independently (CSIC-018, 039,
/// 102).</summary>
public sealed class RealBlockTests
{
    [Theory]
    [InlineData(413567)]
    [InlineData(702861)]
    public void Every_transaction_of_a_block_comes_out_once_with_the_counts_that_were_computed_independently(
        int height)
    {
        JsonElement facts = Facts(height);
        using var run = new TransactionsRun();
        run.Drain(new BitcoinFilesOptions { Files = BlockFile(facts) });
        List<ChainTransaction> enriched = run.Read<ChainTransaction>(TransactionsTopology.Enriched);

        Assert.Equal(facts.GetProperty("tx").GetInt32(), enriched.Count);
        Assert.Equal(enriched.Count, enriched.Select(t => t.TxId).Distinct().Count());
        Assert.Equal(facts.GetProperty("segwitTx").GetInt32(), enriched.Count(t => t.WtxId is not null));
        // The coinbase spends nothing; the independent count has its one empty input.
        Assert.Equal(facts.GetProperty("inputs").GetInt32(),
            enriched.Sum(t => t.Inputs.Count) + CoinbaseInput(facts, enriched));
        Assert.Equal(facts.GetProperty("outputs").GetInt32(), enriched.Sum(t => t.Outputs.Count));
        Assert.Equal(
            facts.GetProperty("inBlockSpends").GetInt32(), enriched.Sum(t => t.Analysis.Value.KnownInputs));
        Assert.All(enriched, t => Assert.Equal(height, t.BlockHeight));
        Assert.Equal(facts.GetProperty("bytes").GetInt64(), run.Counts.Bytes);
    }

    [Theory]
    [InlineData(413567)]
    [InlineData(702861)]
    public void The_CoinJoins_of_a_block_are_found_and_no_others(int height)
    {
        JsonElement facts = Facts(height);
        using var run = new TransactionsRun();
        run.Drain(new BitcoinFilesOptions { Files = BlockFile(facts) });
        var found = run.Read<ChainTransaction>(TransactionsTopology.Enriched)
            .Where(t => t.Analysis.Value.CoinJoin != CoinJoinKind.None)
            .Select(t => $"{t.Analysis.Value.CoinJoin} {t.TxId}").Order();
        Assert.Equal(ExpectedCoinJoins(facts).Order(), found);
    }

    [Fact]
    public void Exactly_the_five_tagged_outputs_are_found()
    {
        TagTable tags = TagLoader.Load(
            new TagOptions { Packs = [SharedData.Path("tags/graphsense/packs")] }).Table;
        using var folder = new TemporaryFolder();
        foreach (int height in new[] { 413567, 702861 })
            File.CreateSymbolicLink(folder.File($"{height}.raw"), BlockFile(Facts(height)));
        using var run = new TransactionsRun(tags);
        run.Drain(new BitcoinFilesOptions { Files = folder.File("*.raw") });
        var found = run.Read<ChainTransaction>(TransactionsTopology.Enriched)
            .SelectMany(t => Outputs(t).Where(o => o.Tags.Count > 0).Select(
                o => $"{t.TxId}:{o.Vout} {o.Address} {o.Value}"));
        JsonElement expected = JsonDocument.Parse(
            File.ReadAllText(SharedData.Path("btc/expected_tag_hits.json"))).RootElement;
        Assert.Equal(
            expected.EnumerateArray().Select(h =>
                $"{h.GetProperty("txid").GetString()}:{h.GetProperty("vout")} " +
                    $"{h.GetProperty("address").GetString()} {h.GetProperty("valueSat")}").Order(),
            found.Order());
    }

    private static int CoinbaseInput(JsonElement facts, List<ChainTransaction> enriched) =>
        facts.GetProperty("inputs").GetInt32() == enriched.Sum(t => t.Inputs.Count) ? 0 : 1;

    private static IEnumerable<TransactionOutput> Outputs(ChainTransaction tx)
    {
        for (int i = 0; i < tx.Outputs.Count; i++)
            yield return tx.Outputs[i];
    }

    private static IEnumerable<string> ExpectedCoinJoins(JsonElement facts)
    {
        if (facts.TryGetProperty("whirlpoolStructural", out JsonElement whirlpool))
        {
            foreach (JsonElement id in whirlpool.EnumerateArray())
                yield return $"Whirlpool {id.GetString()}";
        }
        if (facts.TryGetProperty("wasabi1Like", out JsonElement wasabi))
        {
            foreach (JsonElement found in wasabi.EnumerateArray())
                yield return $"Wasabi1 {found.GetProperty("txid").GetString()}";
        }
        if (facts.TryGetProperty("joinmarketLike", out JsonElement joinMarket))
        {
            foreach (JsonElement id in joinMarket.EnumerateArray())
                yield return $"JoinMarket {id.GetString()}";
        }
    }

    private static string BlockFile(JsonElement facts) =>
        SharedData.Path("btc/" + facts.GetProperty("file").GetString());

    private static JsonElement Facts(int height) =>
        JsonDocument.Parse(File.ReadAllText(SharedData.Path("btc/expected_block_facts.json"))).RootElement
            .EnumerateArray().Single(f => f.GetProperty("height").GetInt32() == height);
}
