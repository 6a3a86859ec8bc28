using Streams.Records;
using Streams.Tests.Support;
using Streams.Topologies.Transactions.Tags;
using Xunit;

namespace Streams.Tests.Topologies.Transactions.Tags;

public sealed class TagConceptsTests
{
    [Theory]
    [InlineData("service_hack", TagCategory.Hack)]
    [InlineData("Mixing Service", TagCategory.MixingService)]
    [InlineData("coinjoin", TagCategory.CoinJoin)]
    [InlineData("wallet_service", TagCategory.HostedWallet)]
    [InlineData("hosted-wallet", TagCategory.HostedWallet)]
    [InlineData("dark_web", TagCategory.DarknetMarket)]
    [InlineData("sextortion", TagCategory.Extortion)]
    [InlineData("black_list", TagCategory.Blacklist)]
    [InlineData("sanction", TagCategory.Sanction)]
    public void The_words_of_graphsense_have_their_category(string concept, TagCategory expected)
    {
        Assert.True(TagConcepts.TryFind(concept, "BTC", out TagCategory category));
        Assert.Equal(expected, category);
    }

    [Fact]
    public void A_market_is_a_darknet_market_only_on_bitcoin()
    {
        Assert.True(TagConcepts.TryFind("market", "BTC", out TagCategory bitcoin));
        Assert.True(TagConcepts.TryFind("market", "ETH", out TagCategory ethereum));
        Assert.Equal((TagCategory.DarknetMarket, TagCategory.Market), (bitcoin, ethereum));
    }

    [Fact]
    public void Every_category_is_known_by_its_own_name_which_is_the_name_that_records_use()
    {
        foreach (TagCategory category in Enum.GetValues<TagCategory>())
        {
            string name = TagConcepts.NameOf(category).ToString();
            Assert.Equal(System.Text.Encoding.UTF8.GetString(EnumNames<TagCategory>.NameOf(category)), name);
            Assert.True(TagConcepts.TryFind(name, "ETH", out TagCategory found));
            Assert.Equal(category, found);
        }
    }

    [Fact]
    public void The_weightiest_category_of_a_set_leads()
    {
        Assert.Equal(TagCategory.Other, default(TagCategorySet).Leading);
        Assert.Equal(TagCategory.User, TagCategorySet.Of(TagCategory.User, TagCategory.Other).Leading);
        var both = TagCategorySet.Of(TagCategory.Exchange, TagCategory.Sanction);
        Assert.Equal(TagCategory.Sanction, both.Leading);
        Assert.Equal(2, TagCategorySet.Of(TagCategory.User, TagCategory.Other).Count);
    }

    [Fact]
    public void No_category_is_both_a_trade_and_a_crime()
    {
        Assert.False(TagCategorySet.Services.Overlaps(TagCategorySet.Illicit));
        Assert.False(TagCategorySet.Services.Overlaps(TagCategorySet.Mixers));
        Assert.False(TagCategorySet.Illicit.Contains(TagCategory.Sanction));
    }

    [Fact]
    public void The_page_on_labels_has_every_category_by_weight_with_its_flag()
    {
        string page = Path.Combine(SharedData.RepositoryRoot, "docs", "labels.md");
        var rows = new List<string>();
        foreach (string line in File.ReadLines(page))
        {
            if (line.Split("|") is [_, [' ', '`', >= 'a' and <= 'z', ..] name, _, var flag, _])
                rows.Add($"{name.Trim(' ', '`')} {flag.Trim()}");
        }
        TagCategory[] byWeight = [.. Enum.GetValues<TagCategory>().Skip(1), TagCategory.Other];
        Assert.Equal(byWeight.Select(category => $"{TagConcepts.NameOf(category)} {FlagOf(category)}"), rows);

        static string FlagOf(TagCategory category) =>
            category == TagCategory.Sanction ? "sanctioned"
            : TagCategorySet.Illicit.Contains(category) ? "illicit"
            : TagCategorySet.Mixers.Contains(category) ? "mixer"
            : TagCategorySet.Services.Contains(category) ? "service" : "";
    }

    [Theory]
    [InlineData("ownership", true, 100)]
    [InlineData("Web Crawl", true, 20)]
    [InlineData("0", true, 0)]
    [InlineData("100", true, 100)]
    [InlineData("101", false, 101)]
    [InlineData("5.5", false, 0)]
    [InlineData("", false, 0)]
    public void A_confidence_is_a_number_or_one_of_the_names_of_graphsense(
        string text, bool isOne, int expected)
    {
        Assert.Equal(isOne, TagConfidence.TryParse(text, out int confidence));
        if (isOne)
            Assert.Equal(expected, confidence);
    }
}
