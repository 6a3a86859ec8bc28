using Streams.Topologies.Transactions.Tags;
using Xunit;

namespace Streams.Tests.Topologies.Transactions.Tags;

public sealed class TagLoaderTests : IDisposable
{
    private const string Csv = "address,category,label\n";

    private readonly TagFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("", "a1 b1 c1 d1")]
    [InlineData("*.csv", "a1")]
    [InlineData("one/*.csv", "b1 c1")]
    [InlineData("one/?.csv", "b1 c1")]
    [InlineData("one/b.*", "b1")]
    [InlineData("*/*.csv", "b1 c1")]
    [InlineData("**/*.csv", "a1 b1 c1 d1")]
    [InlineData("one/**", "b1 c1 d1")]
    [InlineData("**/two/*.csv", "d1")]
    [InlineData("a.csv", "a1")]
    public void Paths_may_be_files_folders_and_patterns(string pattern, string addresses)
    {
        _folder.Write("a.csv", Csv + "a1,exchange,X\n");
        _folder.Write("one/b.csv", Csv + "b1,exchange,X\n");
        _folder.Write("one/c.csv", Csv + "c1,exchange,X\n");
        _folder.Write("one/two/d.csv", Csv + "d1,exchange,X\n");
        LoadedTags tags = TagLoader.Load(new TagOptions { CsvFiles = [Path.Combine(_folder.Path, pattern)] });
        var found = new List<string>();
        foreach (TaggedAddress tagged in tags.Table)
            found.Add(System.Text.Encoding.UTF8.GetString(tagged.Address));
        Assert.Equal(addresses, string.Join(' ', found));
    }

    [Fact]
    public void A_file_that_several_paths_find_is_read_once()
    {
        string path = _folder.Write("a.csv", Csv + "a1,exchange,X\n");
        Assert.Equal(1, TagLoader.Load(new TagOptions { CsvFiles = [path, _folder.Path] }).Report.TagsRead);
    }

    [Theory]
    [InlineData("none.csv")]
    [InlineData("none/*.csv")]
    [InlineData("*.none")]
    public void A_path_that_finds_nothing_is_refused(string path)
    {
        _folder.Write("a.csv", Csv);
        var options = new TagOptions { CsvFiles = [Path.Combine(_folder.Path, path)] };
        Assert.Equal(
            $"Tags: {path} stands for no file. Correct or remove it.",
            _folder.Refusal(() => TagLoader.Load(options)));
    }

    [Fact]
    public void Limits_are_kept()
    {
        string path = _folder.Write("a.csv", Csv + "a1,exchange,X\na2,exchange,X\n");
        long bytes = new FileInfo(path).Length;
        var options = new TagOptions { CsvFiles = [path], TagsMax = 2, FileBytesMax = bytes };
        Assert.Equal(2, TagLoader.Load(options).Table.Count);
        Assert.Equal(
            "Tags: there are over 1. Raise TagsMax or give less.",
            _folder.Refusal(() => TagLoader.Load(options with { TagsMax = 1 })));
        Assert.StartsWith(
            "a.csv: is over ",
            _folder.Refusal(() => TagLoader.Load(options with { FileBytesMax = bytes - 1 })));
    }

    [Fact]
    public void Options_that_can_never_work_are_refused()
    {
        Assert.Contains("no currency", Refusal(new TagOptions { Currencies = [] }));
        Assert.Contains("TagsMax", Refusal(new TagOptions { TagsMax = 0 }));
        Assert.Contains("FileBytesMax", Refusal(new TagOptions { FileBytesMax = -1 }));

        string Refusal(TagOptions options) => _folder.Refusal(() => TagLoader.Load(options));
    }

    [Fact]
    public void No_files_make_the_empty_table() =>
        Assert.Equal(TagTable.Empty.Version, TagLoader.Load(new TagOptions()).Table.Version);

    [Fact]
    public void The_report_reads_as_a_line()
    {
        string path = _folder.Write("a.csv", Csv + "a1,exchange,X\na1,exchange,X\n");
        TagLoadReport report = TagLoader.Load(new TagOptions { CsvFiles = [path] }).Report;
        Assert.Equal(1, report.AddressesMerged);
        Assert.Matches(
            @": 1 addresses from 2 tags \(0 of other currencies, 0 skipped\) in 1 files, \d\.\d s$",
            report.ToString());
    }
}
