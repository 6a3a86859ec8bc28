using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Streams.Tests.Support;
using Streams.Topologies.Transactions.Tags;
using Xunit;

namespace Streams.Tests.Topologies.Transactions.Tags;

/// <summary>
/// The public packs as a whole (CSIC-106, CSIC-108, CSIC-109). Every number was counted by another program, a
/// YAML library of another language, before it was written down here.
/// </summary>
public sealed class PublicTagsTests
{
    [Fact]
    public void Every_tag_of_the_71_packs_is_read_and_those_of_bitcoin_are_kept()
    {
        TagLoadReport report = TagLoader.Load(PublicTags.Options("BTC") with { SanctionLists = [] }).Report;
        Assert.Equal(71, report.Files.Count(file => file.Kind == TagFileKind.Pack));
        Assert.Equal(235_451, report.TagsRead);
        Assert.Equal(213_119, report.TagsKept);
        Assert.Equal(22_332, report.TagsOfOtherCurrency);
        Assert.Equal(0, report.TagsSkipped);
        Assert.Equal(197_090, report.Addresses);
        Assert.Equal(15_982, report.AddressesMerged);
        Assert.Equal(0, report.TagsOfUnknownActor);
        Assert.Empty(report.UnknownConcepts);
        Assert.True(report.Duration < TimeSpan.FromSeconds(10), $"loading took {report.Duration}");
    }

    [Fact]
    public void Of_3813_actors_700_have_a_country()
    {
        TagLoadReport report = PublicTags.Bitcoin.Report;
        Assert.Equal(3_813, report.Actors);
        Assert.Equal(700, report.ActorsWithCountry);
    }

    [Fact]
    public void The_list_of_ofac_has_435_addresses_of_bitcoin_50_of_them_in_no_pack()
    {
        LoadedTags tags = PublicTags.Bitcoin;
        string list = SharedData.Path("tags/ofac/sanctioned_addresses_XBT.json");
        TagFileReport file = tags.Report.Files.Single(file => file.Path == list);
        Assert.Equal((435, 435, 0, 0), (file.EntriesRead, file.Kept, file.OtherCurrency, file.Skipped));
        Assert.Equal(197_140, tags.Table.Count);
        foreach (string address in JsonSerializer.Deserialize<string[]>(File.ReadAllBytes(list))!)
        {
            TagEntry entry = tags.Table.Of(address);
            Assert.True(entry.IsSanctioned);
            Assert.Contains("sanctioned_addresses_XBT.json#", entry.SanctionLists.Or());
        }
    }

    [Fact]
    public void The_categories_of_addresses_count_as_another_program_counts_them()
    {
        IReadOnlyDictionary<TagCategory, int> counts =
            TagLoader.Load(PublicTags.Options("BTC") with { SanctionLists = [] }).Report.AddressesByCategory;
        var expected = new Dictionary<TagCategory, int>
        {
            [TagCategory.Other] = 5,
            [TagCategory.Sanction] = 391,
            [TagCategory.Terrorism] = 155,
            [TagCategory.Ransomware] = 7_512,
            [TagCategory.Hack] = 223,
            [TagCategory.DarknetMarket] = 133,
            [TagCategory.Extortion] = 62_507,
            [TagCategory.Phishing] = 28,
            [TagCategory.Fraud] = 52,
            [TagCategory.Scam] = 216,
            [TagCategory.Extremism] = 428,
            [TagCategory.MixingService] = 156,
            [TagCategory.CoinJoin] = 36_550,
            [TagCategory.Gambling] = 63,
            [TagCategory.Exchange] = 50_734,
            [TagCategory.HostedWallet] = 261,
            [TagCategory.Miner] = 37_691,
            [TagCategory.Service] = 134,
            [TagCategory.Organization] = 3,
            [TagCategory.User] = 410,
        };
        Assert.Equal(expected.OrderBy(pair => pair.Key), counts.OrderBy(pair => pair.Key));
    }

    [Theory]
    [InlineData("BTC", 197_140, "60961de9080d8399d88dd765550d748a7f61e09dded5f7eb974d78929ec03715")]
    [InlineData("ETH", 13_973, "1ea8352e0c0c6b20b974c5ab5a0b54ae33d12baeba89f54830afbf9530fb2725")]
    public void The_addresses_are_those_that_another_program_finds(string currency, int count, string sha256)
    {
        TagTable table = (currency == "BTC" ? PublicTags.Bitcoin : PublicTags.Ethereum).Table;
        var addresses = new List<string>();
        foreach (TaggedAddress tagged in table)
            addresses.Add(Encoding.ASCII.GetString(tagged.Address));
        Assert.Equal(count, addresses.Count);
        byte[] lines = Encoding.ASCII.GetBytes(string.Join('\n', addresses));
        Assert.Equal(sha256, Convert.ToHexStringLower(SHA256.HashData(lines)));
        foreach (string address in addresses)
            Assert.True(table.Has(address));
    }

    [Fact]
    public void The_tagged_outputs_of_two_blocks_have_the_packs_that_they_should()
    {
        string path = SharedData.Path("btc/expected_tag_hits.json");
        using var hits = JsonDocument.Parse(File.ReadAllBytes(path));
        TagTable table = PublicTags.Bitcoin.Table;
        int count = 0;
        foreach (JsonElement hit in hits.RootElement.EnumerateArray())
        {
            TagEntry entry = table.Of(hit.GetProperty("address").GetString()!);
            Assert.Equal(hit.GetProperty("packs").Deserialize<string[]>()!, entry.Packs.Texts());
            count++;
        }
        Assert.Equal(5, count);
    }

    [Theory]
    [InlineData("1KFHE7w8BhaENAswwryaoccDb6qcT6DbYY", "miner:F2pool", 50, "f2pool", "CN")]
    [InlineData("1NxaBCFQwejSZbQfWcYNwgqML5wWoE3rK4", "gambling:LuckyB.it", 50, "luckybit", null)]
    [InlineData("1MXK3LHnqbjEKavuQLFCXGkNUeaLKy7oGX", "service:CrimeNet.biz", 50, "crimenetbiz", null)]
    [InlineData("35DVAzDtZDKAU94kFT9sxoscnuLCTxgwYc", "exchange:Xapo.com", 50, "xapo", "US")]
    [InlineData("bc1qx9t2l3pyny2spqpqlye8svce70nppwtaxwdrp4", "miner:Binance Pool", 5, "binance", "MT")]
    [InlineData("1JoFwz68wWLPHmEBeiBHA9XkanVLcWALNt", "exchange:Bittrex.com", 50, "bittrex", "US")]
    public void Known_addresses_have_their_tags(
        string address, string tag, int confidence, string actor, string? country)
    {
        TagEntry entry = PublicTags.Bitcoin.Table.Of(address);
        Assert.Equal([tag], entry.Tags.Texts());
        Assert.Equal(confidence, entry.Confidence);
        Assert.Equal(actor, entry.Actor.Or());
        Assert.Equal(country, entry.Country.Or());
        Assert.False(entry.IsSanctioned || entry.IsIllicit || entry.IsMixer);
    }

    [Fact]
    public void A_darknet_market_on_two_lists_is_one_entry_that_says_all()
    {
        // Hydra: in its own pack, in that of OFAC and on the list of OFAC.
        TagEntry entry = PublicTags.Bitcoin.Table.Of(FirstAddressOf("hydra.yaml"));
        Assert.Equal("Hydra Market", entry.Label.ToString());
        Assert.Equal("hydramarket", entry.Actor.Or());
        Assert.Equal("RU", entry.Country.Or());
        Assert.Equal(60, entry.Confidence);
        Assert.True(entry.IsSanctioned && entry.IsIllicit);
        Assert.Equal(TagCategory.Sanction, entry.Category);
        Assert.True(entry.Categories.Contains(TagCategory.DarknetMarket));
        Assert.Equal(["hydra.yaml", "ofac.yaml", "sanctioned_addresses_XBT.json"], entry.Packs.Texts());
        Assert.Equal(
            [
                "darknet_market:Hydra Market",
                "sanction:Asset listed under US Treasury OFAC Sanctions List",
                "sanction:OFAC SDN list",
            ],
            entry.Tags.Texts());
        Assert.Matches(
            "^ofac.yaml@2024-02-26#[0-9a-f]{12}, sanctioned_addresses_XBT.json#[0-9a-f]{12}$",
            entry.SanctionLists.Or());
    }

    [Fact]
    public void Other_chains_stay_out_of_a_table_of_bitcoin()
    {
        TagTable table = PublicTags.Bitcoin.Table;
        // Bitcoin Cash of the same demonstration pack, Ethereum, and a Bitcoin Cash address of OFAC.
        Assert.False(table.Has("1K1rgZ1dz9w7dsR1HGS1drmzfUHMtqx1Tc"));
        Assert.False(table.Has("0xfa8e3920daf271dab92be9b87d9998ddd94fef08"));
        Assert.False(table.Has("qpusmp27l90vunhlmqljxkghlzdf5jxrxvmlgnlsdf"));
        Assert.True(PublicTags.Ethereum.Table.Has("0xfa8e3920daf271dab92be9b87d9998ddd94fef08"));
    }

    [Fact]
    public void Markets_of_ethereum_are_not_taken_for_darknet_markets()
    {
        IReadOnlyDictionary<TagCategory, int> counts = PublicTags.Ethereum.Report.AddressesByCategory;
        Assert.Equal(224, counts[TagCategory.Market]);
        Assert.DoesNotContain(TagCategory.DarknetMarket, counts.Keys);
        Assert.Equal(152, counts[TagCategory.Sanction]);
    }

    private static string FirstAddressOf(string pack)
    {
        string path = SharedData.Path($"tags/graphsense/packs/{pack}");
        const string Start = "- address:";
        string line = File.ReadLines(path).First(line => line.StartsWith(Start, StringComparison.Ordinal));
        return line[Start.Length..].Trim().Trim('\'');
    }
}
