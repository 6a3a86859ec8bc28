using Streams.Topologies.Transactions.Tags;
using Xunit;

namespace Streams.Tests.Topologies.Transactions.Tags;

public sealed class TagCsvTests : IDisposable
{
    private const string Header = "address,category,label,source,confidence,actor,country\n";

    private readonly TagFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_row_says_all_that_a_tag_can()
    {
        TagEntry entry = _folder.LoadCsv(
            "Country,actor,confidence,source,label,category,abuse,currency,address\n"
            + "LI,bank,ownership,https://example.com,Our bank,exchange,phishing,btc,a1\n").Table.Of("a1");
        Assert.Equal("phishing:Our bank", entry.ToString());
        Assert.Equal((100, "bank", "LI", "phishing"),
            (entry.Confidence, entry.Actor.Or(), entry.Country.Or(), entry.Abuse.Or()));
        Assert.True(entry.IsService && entry.IsIllicit);
    }

    [Theory]
    [InlineData("a1,exchange,\"Smith, \"\"Sons\"\"\",,,,", "exchange:Smith, \"Sons\"")]
    [InlineData("a1,exchange,\"two\r\nlines\",,,,", "exchange:two lines")]
    [InlineData("\"a1\",\"exchange\",\"X\",,,,", "exchange:X")]
    [InlineData("a1,darknet_market,\u00D6l,,,,", "darknet_market:\u00D6l")]
    [InlineData("  a1 , Wallet Service , X ,,,,", "hosted_wallet:X")]
    [InlineData("a1,other,a:b,,,,", "other:a:b")]
    public void Fields_are_unquoted_and_trimmed(string row, string tag)
    {
        foreach (string end in new[] { "", "\n", "\r\n", "\r", "\r\n\r\n\n" })
            Assert.Equal(tag, _folder.LoadCsv(Header + row + end).Table.Of("a1").ToString());
    }

    [Fact]
    public void A_byte_order_mark_and_empty_lines_are_passed()
    {
        LoadedTags tags = _folder.LoadCsv("\uFEFF\r\naddress,category,label\r\n\r\na1,exchange,X\r\n\r\n");
        Assert.Equal(1, tags.Report.TagsRead);
        Assert.True(tags.Table.Has("a1"));
    }

    [Fact]
    public void A_header_alone_is_no_tag() => Assert.Equal(0, _folder.LoadCsv(Header).Report.TagsRead);

    [Theory]
    [InlineData("", "labels.csv: is empty. ")]
    [InlineData("\n\n", "labels.csv: is empty. ")]
    [InlineData("a1,exchange,X\n", "labels.csv, line 1: has no header, or an unknown column 'a1'. ")]
    [InlineData("address,category\n", "labels.csv, line 1: has no column 'label'. ")]
    [InlineData("address,category,label,label\n", "labels.csv, line 1: has column 'label' twice. ")]
    [InlineData("address,\"cat\"egory,label\n", "labels.csv, line 1: has text after a closing quote. ")]
    [InlineData("address,category,label\na1,\"exchange,X\n\n", "labels.csv, line 2: has a quote that is")]
    public void A_bad_file_is_refused(string content, string refusal) =>
        Assert.StartsWith(refusal, _folder.Refusal(() => _folder.LoadCsv(content, skipBad: true)));

    [Theory]
    [InlineData("a1,exchange,X", "has 3 fields where the header has 7")]
    [InlineData("a1,exchange,X,,,,,", "has 8 fields where the header has 7")]
    [InlineData(",exchange,X,,,,", "has a tag without address")]
    [InlineData("a1,,X,,,,", "has no category")]
    [InlineData("a1,exchanges,X,,,,", "has an unknown category 'exchanges'")]
    [InlineData("a1,exchange,,,,,", "has no label of 1 to 400 characters for a1")]
    [InlineData("a1,exchange,X,,-1,,", "has confidence '-1', which is neither")]
    [InlineData("a1,exchange,X,,,,Malta", "has country 'Malta', which is not two capitals")]
    [InlineData("a1,exchange,X \"Y\",,,,", "has a quote inside a field that does not start with one")]
    [InlineData("a1,exchange,\"X\"Y,,,,", "has text after a closing quote")]
    public void A_bad_row_stops_the_start_or_is_counted(string row, string problem)
    {
        string content = Header + "a0,exchange,\"on\ntwo lines\",,,,\n" + row + "\na9,exchange,X,,,,\n";
        Assert.StartsWith($"labels.csv, line 4: {problem}", _folder.Refusal(() => _folder.LoadCsv(content)));
        LoadedTags tags = _folder.LoadCsv(content, skipBad: true);
        Assert.Equal((3, 2, 1), (tags.Report.TagsRead, tags.Report.TagsKept, tags.Report.TagsSkipped));
        Assert.True(tags.Table.Has("a0") && tags.Table.Has("a9"));
    }

    [Fact]
    public void Rows_need_a_currency_where_several_are_loaded()
    {
        string path = _folder.Write("labels.csv", "address,category,label\na1,exchange,X\n");
        var options = new TagOptions { CsvFiles = [path], Currencies = ["ETH", "USDT"] };
        Assert.StartsWith(
            "labels.csv, line 2: does not say the currency of a1. ",
            _folder.Refusal(() => TagLoader.Load(options)));
    }
}
