using System.Security.Cryptography;
using System.Text;
using Streams.Topologies.Transactions.Tags;
using Xunit;

namespace Streams.Tests.Topologies.Transactions.Tags;

public sealed class SanctionListTests : IDisposable
{
    private readonly TagFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void An_entry_is_sanctioned_and_names_the_list_and_its_digest()
    {
        const string Content = "[\n  \"a1\",\n  \"a2\"\n]\n";
        TagEntry entry = _folder.LoadList(Content).Table.Of("a2");
        string digest = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Content)))[..12];
        Assert.True(entry.IsSanctioned);
        Assert.Equal("sanction:OFAC SDN list", entry.ToString());
        Assert.Equal("sanction", entry.Abuse.Or());
        Assert.Equal(TagConfidence.Authority, entry.Confidence);
        Assert.Equal($"sanctioned_addresses_XBT.json#{digest}", entry.SanctionLists.Or());
    }

    [Fact]
    public void A_list_of_another_currency_is_counted_and_left_out()
    {
        LoadedTags tags = _folder.LoadList("[\"a1\"]", "sanctioned_addresses_BCH.json");
        TagLoadReport report = tags.Report;
        Assert.Equal((1, 0, 1), (report.TagsRead, report.TagsKept, report.TagsOfOtherCurrency));
    }

    [Fact]
    public void Packs_and_csv_may_be_sanctions_lists_too()
    {
        string eu = _folder.Write(
            "eu.yaml", "{currency: BTC, lastmod: 2025-03-01, label: EU, tags: [address: a1]}");
        string uk = _folder.Write("uk.csv", "address,category,label\na2,user,UK\n");
        TagTable table = TagLoader.Load(new TagOptions { SanctionLists = [eu, uk] }).Table;
        Assert.StartsWith("eu.yaml@2025-03-01#", table.Of("a1").SanctionLists.Or(), StringComparison.Ordinal);
        Assert.True(table.Of("a2").IsSanctioned);
        Assert.Equal("sanction:UK", table.Of("a2").ToString());
    }

    [Theory]
    [InlineData("{}", "sanctioned_addresses_XBT.json, line 1: is not a JSON array of addresses. ")]
    [InlineData("", "sanctioned_addresses_XBT.json, line 1: is not JSON. ")]
    [InlineData("[\n\"a1\",\n", "sanctioned_addresses_XBT.json, line 3: is not JSON. ")]
    [InlineData("[\"a1\"]\n[]", "sanctioned_addresses_XBT.json, line 2: is not JSON. ")]
    [InlineData("[]", "sanctioned_addresses_XBT.json: has no address. ")]
    public void A_bad_list_is_refused(string content, string refusal) =>
        Assert.StartsWith(refusal, _folder.Refusal(() => _folder.LoadList(content, skipBad: true)));

    [Theory]
    [InlineData("[\"a0\",\n5]")]
    [InlineData("[\"a0\",\n{\"a\": [1]}]")]
    [InlineData("[\"a0\",\n\"\\ud800\"]")]
    public void A_bad_entry_stops_the_start_or_is_counted(string content)
    {
        Assert.StartsWith(
            "sanctioned_addresses_XBT.json, line 2: has an address that is not a text.",
            _folder.Refusal(() => _folder.LoadList(content)), StringComparison.Ordinal);
        LoadedTags tags = _folder.LoadList(content, skipBad: true);
        Assert.Equal((1, 1), (tags.Report.TagsKept, tags.Report.TagsSkipped));
    }

    [Fact]
    public void A_list_that_does_not_say_its_currency_is_refused() =>
        Assert.Equal(
            "list.json: does not say its currency. Name it like addresses_XBT.json.",
            _folder.Refusal(() => _folder.LoadList("[\"a1\"]", "list.json")));
}
