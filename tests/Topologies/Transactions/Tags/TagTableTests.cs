using System.Globalization;
using Streams.Records;
using Streams.Tests.Support;
using Streams.Topologies.Transactions.Tags;
using Xunit;

namespace Streams.Tests.Topologies.Transactions.Tags;

public sealed class TagTableTests : IDisposable
{
    private const string Header = "address,category,label,confidence,actor,country\n";

    private readonly TagFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_empty_table_has_nothing_and_a_version()
    {
        Assert.Equal(0, TagTable.Empty.Count);
        Assert.False(TagTable.Empty.Has(""));
        Assert.False(TagTable.Empty.Has("1BitcoinEaterAddressDontSendf59kuE"));
        Assert.Matches("^labels-[0-9a-f]{12}$", TagTable.Empty.Version.ToString());
        Assert.Empty(TagTable.Empty.ChangedSince(TagTable.Empty));
    }

    [Fact]
    public void Many_addresses_are_found_and_their_neighbours_are_not()
    {
        var rows = new System.Text.StringBuilder(Header);
        for (int i = 0; i < 20_000; i++)
            rows.Append(CultureInfo.InvariantCulture, $"addr{i * 2:D12}suffix,exchange,Label {i % 100},,,\n");
        TagTable table = _folder.LoadCsv(rows.ToString()).Table;
        Assert.Equal(20_000, table.Count);
        Assert.Equal(100, table.EntryCount);
        for (int i = 0; i < 40_000; i++)
        {
            string address = string.Create(CultureInfo.InvariantCulture, $"addr{i:D12}suffix");
            Assert.Equal(i % 2 == 0, table.Has(address));
            if (i % 2 == 0)
                Assert.Equal($"exchange:Label {i / 2 % 100}", table.Of(address).ToString());
        }
    }

    [Fact]
    public void A_prefix_or_an_extension_of_an_address_is_another_address()
    {
        TagTable table = _folder.LoadCsv(Header + "abcdefghij,exchange,X,,,\n").Table;
        Assert.True(table.Has("abcdefghij"));
        Assert.False(table.Has("abcdefghi"));
        Assert.False(table.Has("abcdefghijk"));
        Assert.False(table.Has(""));
    }

    [Fact]
    public void A_lookup_allocates_nothing_hit_or_miss()
    {
        TagTable table = _folder.LoadCsv(Header + "bc1qhit,ransomware,X,90,,\n").Table;
        int illicit = 0;
        Text first = default;
        Allocation.AssertNone(() =>
        {
            if (table.TryGet("bc1qhit"u8, out TagEntry? entry) && entry.IsIllicit)
            {
                first = entry.Tags[0];
                illicit++;
            }
            if (table.TryGet("bc1qmiss"u8, out _))
                illicit = 0;
        });
        Assert.True(illicit > 0);
        Assert.Equal("ransomware:X", first.ToString());
    }

    [Fact]
    public void Lookups_from_many_threads_agree()
    {
        TagTable table = _folder.LoadCsv(Header + "one,exchange,One,,,\ntwo,gambling,Two,,,\n").Table;
        Parallel.For(0, 10_000, i =>
        {
            Assert.Equal("exchange:One", table.Of("one").ToString());
            Assert.Equal("gambling:Two", table.Of("two").ToString());
            Assert.False(table.Has("three"));
        });
    }

    [Fact]
    public void The_order_of_files_and_of_tags_has_no_effect()
    {
        string[] rows = ["b2,scam,Fake dice,50,,\n", "a1,hack,Stolen,50,,\n", "a1,user,Me,50,,\n"];
        string one = _folder.Write("one.csv", Header + "a1,exchange,Kraken,50,x,\nb2,gambling,Dice,,,\n");
        string two = _folder.Write("two.csv", Header + string.Concat(rows));
        string turned = _folder.Write("turned/two.csv", Header + string.Concat(rows.Reverse()));
        TagTable forward = TagLoader.Load(new TagOptions { CsvFiles = [one, two] }).Table;
        TagTable backward = TagLoader.Load(new TagOptions { CsvFiles = [turned, one] }).Table;
        Assert.Equal(forward.Digest, backward.Digest);
        Assert.Equal(forward.Version, backward.Version);
        Assert.Empty(forward.ChangedSince(backward));
        Assert.Equal(["exchange:Kraken", "hack:Stolen", "user:Me"], backward.Of("a1").Tags.Texts());
        Assert.Equal(["scam:Fake dice", "gambling:Dice"], backward.Of("b2").Tags.Texts());
        Assert.Equal("one.csv two.csv", string.Join(' ', forward.Of("a1").Packs.Texts()));
    }

    [Fact]
    public void The_public_packs_have_one_digest_in_whatever_order()
    {
        TagOptions options = PublicTags.Options("BTC");
        string[] packs = Directory.GetFiles(options.Packs[0], "*.yaml", SearchOption.AllDirectories);
        new Random(7).Shuffle(packs);
        // Every third, to keep the test short, but the two largest.
        packs = [.. packs.Where((path, i) => i % 3 == 0 && new FileInfo(path).Length < 2_500_000)];
        TagTable forward = TagLoader.Load(options with { Packs = packs }).Table;
        Array.Reverse(packs);
        TagTable backward = TagLoader.Load(options with { Packs = packs, Currencies = ["xbt"] }).Table;
        Assert.Equal(forward.Digest, backward.Digest);
    }

    [Theory]
    [InlineData("a1,exchange,Kraken,50,,")]
    [InlineData("a1,gambling,X,50,,")]
    [InlineData("a1,exchange,X,51,,")]
    [InlineData("a1,exchange,X,50,kraken,")]
    [InlineData("a1,exchange,X,50,,US")]
    [InlineData("a2,exchange,X,50,,")]
    [InlineData("a1,exchange,X,50,,\na2,exchange,X,50,,")]
    [InlineData("")]
    public void Any_difference_of_content_changes_the_digest(string rows)
    {
        TagTable table = _folder.LoadCsv(Header + "a1,exchange,X,50,,\n").Table;
        TagTable other = _folder.LoadCsv(Header + rows + "\n").Table;
        Assert.NotEqual(table.Digest, other.Digest);
        Assert.NotEqual(table.Version, other.Version);
    }

    [Fact]
    public void A_change_of_labels_names_the_addresses_it_concerns()
    {
        const string A = "a,exchange,A,,,\n", B = "b,exchange,B,,,\n", C = "c,exchange,C,,,\n";
        TagTable before = _folder.LoadCsv(Header + A + B + C).Table;
        TagTable after = _folder.LoadCsv(Header + B + "c,hack,C,,,\nd,exchange,D,,,\n").Table;
        IReadOnlyList<TagChange> changes = after.ChangedSince(before);
        Assert.Equal(
            ["a: exchange:A -> ", "c: exchange:C -> hack:C", "d:  -> exchange:D"],
            changes.Select(change => $"{change.Address}: {change.Before} -> {change.After}"));
        Assert.Empty(after.ChangedSince(after));
    }

    [Fact]
    public void Equal_tags_of_many_addresses_share_one_entry()
    {
        TagTable table = _folder.LoadCsv(Header + "a,exchange,X,,,\nb,exchange,X,,,\n").Table;
        Assert.Same(table.Of("a"), table.Of("b"));
    }
}
