using Streams.Topologies.Transactions.Tags;
using Xunit;

namespace Streams.Tests.Topologies.Transactions.Tags;

public sealed class TagPackTests : IDisposable
{
    private readonly TagFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_tag_inherits_from_the_header_what_it_does_not_say_itself()
    {
        TagTable table = _folder.LoadPack("""
            title: A pack
            currency: BTC
            category: exchange
            confidence: service_data
            label: From the header
            lastmod: 2024-01-01
            tags:
            - address: a1
            - address: ' a2 '
              label: Its own
              category: gambling
              confidence: ownership
            """).Table;
        Assert.Equal("exchange:From the header", table.Of("a1").ToString());
        Assert.Equal(50, table.Of("a1").Confidence);
        Assert.Equal("gambling:Its own", table.Of("a2").ToString());
        Assert.Equal(100, table.Of("a2").Confidence);
    }

    [Fact]
    public void The_header_may_follow_the_tags()
    {
        TagTable table = _folder.LoadPack("tags:\n- address: a1\nlabel: Late\ncurrency: BTC\n").Table;
        Assert.Equal("other:Late", table.Of("a1").ToString());
        Assert.Equal(TagConfidence.Unknown, table.Of("a1").Confidence);
    }

    [Fact]
    public void Categories_may_be_lists_and_come_together_with_abuses_and_concepts()
    {
        TagEntry entry = _folder.LoadPack("""
            tags:
            - { address: a1, currency: BTC, label: X, category: [exchange, Wallet Service],
                abuse: service_hack, concepts: [defi_bridge, no_such_word] }
            """).Table.Of("a1");
        Assert.Equal("hack, exchange, hosted_wallet, defi", entry.Categories.ToString());
        Assert.Equal("hack:X", entry.ToString());
        Assert.Equal("service_hack", entry.Abuse?.ToString());
        Assert.True(entry.IsIllicit && entry.IsService);
    }

    [Fact]
    public void Words_for_categories_that_nobody_knows_are_counted()
    {
        TagLoadReport report = _folder.LoadPack("""
            currency: BTC
            label: X
            tags:
            - { address: a1, category: No Such-Word }
            - { address: a2, category: no_such_word }
            """).Report;
        Assert.Equal(2, report.UnknownConcepts["no_such_word"]);
        Assert.Equal(2, report.AddressesByCategory[TagCategory.Other]);
    }

    [Fact]
    public void Aliases_and_merge_keys_are_followed()
    {
        TagTable table = _folder.LoadPack("""
            currency: BTC
            defaults: &exchange
              category: exchange
              label: &name Kraken
              actor: kraken
            more: &sure
              confidence: ownership
            tags:
            - &first { <<: *exchange, address: a1 }
            - { label: Own, <<: [*exchange, *sure], address: a2 }
            - { <<: *first, address: a3, category: gambling }
            - { address: a4, label: *name }
            """).Table;
        Assert.Equal("exchange:Kraken", table.Of("a1").ToString());
        Assert.Equal("exchange:Own", table.Of("a2").ToString());
        Assert.Equal(100, table.Of("a2").Confidence);
        Assert.Equal("gambling:Kraken", table.Of("a3").ToString());
        Assert.Equal("other:Kraken", table.Of("a4").ToString());
    }

    [Fact]
    public void The_network_decides_over_the_currency()
    {
        TagTable table = _folder.LoadPack("""
            label: X
            tags:
            - { address: '0xABCDEF0123456789abcdef0123456789ABCDEF01', currency: USDT, network: ETH }
            - { address: a2, currency: ETH, network: BTC }
            """, currency: "eth").Table;
        Assert.Equal(1, table.Count);
        Assert.True(table.Has("0xabcdef0123456789abcdef0123456789abcdef01"));
    }

    [Fact]
    public void What_is_not_case_sensitive_is_looked_up_in_lower_case()
    {
        TagTable table = _folder.LoadPack("""
            { currency: BTC, label: X, tags: [
              { address: BC1QAR0SRRR7XFKVY5L643LYDNW9RE59GTZZWF5MDQ },
              { address: 1BoatSLRHtKNngkdXEeobR76b53LETtpyT } ] }
            """).Table;
        Assert.True(table.Has("bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq"));
        Assert.True(table.Has("1BoatSLRHtKNngkdXEeobR76b53LETtpyT"));
    }

    [Fact]
    public void Labels_come_on_one_line()
    {
        TagTable table = _folder.LoadPack(
            "currency: BTC\ntags:\n- address: a1\n  label: \"two\\n  lines \\x07 and a bell \"\n").Table;
        Assert.Equal("other:two lines and a bell", table.Of("a1").ToString());
    }

    [Theory]
    [InlineData("ofac.yaml", true)]
    [InlineData("us-OFAC_2024.yaml", true)]
    [InlineData("profaced.yaml", false)]
    public void A_pack_named_ofac_is_a_sanctions_list(string name, bool isSanctioned)
    {
        const string Pack =
            "{currency: XBT, label: X, category: user, lastmod: 2024-02-26 12:00:00, tags: [{address: a1}]}";
        TagEntry entry = _folder.LoadPack(Pack, name: name).Table.Of("a1");
        Assert.Equal(isSanctioned, entry.IsSanctioned);
        Assert.Equal(isSanctioned ? TagConfidence.Authority : TagConfidence.Unknown, entry.Confidence);
        if (isSanctioned)
            Assert.StartsWith($"{name}@2024-02-26#", entry.SanctionLists.Or(), StringComparison.Ordinal);
        else
            Assert.Null(entry.SanctionLists);
    }

    [Fact]
    public void A_tag_that_says_sanction_is_an_entry_of_its_pack_as_a_list()
    {
        const string Pack = "{currency: BTC, label: X, category: user, abuse: sanction, tags: [address: a1]}";
        TagEntry entry = _folder.LoadPack(Pack).Table.Of("a1");
        Assert.Equal("sanction:X", entry.ToString());
        Assert.Matches("^pack.yaml#[0-9a-f]{12}$", entry.SanctionLists.Or());
    }

    [Theory]
    [InlineData("", "pack.yaml: is empty. Restore its content, or take it off the list.")]
    [InlineData("# only a comment\n", "pack.yaml: is empty. Restore its content, or take it off the list.")]
    [InlineData("title: x\ncreator: y\n", "pack.yaml: has no list `tags`, so it is not a tag pack. ")]
    [InlineData("title: x\ntags: 5\n", "pack.yaml, line 2: has no list `tags`, so it is not a tag pack. ")]
    [InlineData("- a\n- b\n", "pack.yaml, line 1: has no list `tags`, so it is not a tag pack. ")]
    [InlineData("tags: []\ntags: []\n", "pack.yaml, line 2: has a second `tags` list. Join the two.")]
    [InlineData("tags: []\n---\ntags: []\n", "pack.yaml, line 2: has a second YAML document. ")]
    [InlineData("tags: [\n", "pack.yaml, line 2: is not YAML (")]
    [InlineData("tags:\n- address: a\n\tlabel: x\n", "pack.yaml, line 2: is not YAML (")]
    [InlineData("label: {a: b}\ntags: []\n", "pack.yaml, line 1: has a field `label` that is not text. ")]
    [InlineData("? [a]\n: b\n", "pack.yaml, line 1: has a key that is not text. ")]
    public void A_file_that_is_no_pack_is_refused_even_when_bad_tags_are_skipped(
        string content, string refusal) =>
        Assert.StartsWith(refusal, _folder.Refusal(() => _folder.LoadPack(content, skipBad: true)));

    [Fact]
    public void A_file_that_is_not_utf8_is_refused()
    {
        string path = Path.Combine(_folder.Path, "latin.yaml");
        File.WriteAllBytes(path, [.. "label: caf"u8, 0xE9, (byte)'\n']);
        Assert.Equal(
            "latin.yaml: is not UTF-8 text. Save it as UTF-8, or take it off the list.",
            _folder.Refusal(() => TagLoader.Load(new TagOptions { Packs = [path] })));
    }

    [Theory]
    [InlineData("- {label: x, currency: BTC}", "has a tag without address")]
    [InlineData("- {address: , label: x, currency: BTC}", "has a tag without address")]
    [InlineData("- {address: a1, currency: BTC}", "has no label of 1 to 400 characters for a1")]
    [InlineData("- {address: a1, label: ' ', currency: BTC}", "has no label of 1 to 400 characters for a1")]
    [InlineData("- {address: a1, label: x}", "does not say the currency of a1")]
    [InlineData("- {address: a 1, label: x, currency: BTC}", "has address 'a 1', which is too long or ")]
    [InlineData("- {address: [a1], label: x, currency: BTC}", "has a field `address` that is not text")]
    [InlineData("- {address: a1, label: x, category: {a: b}}", "has a field `category` that is not text")]
    [InlineData("- {address: a1, label: x, currency: BTC, <<: *none}", "has a field `<<` that is not text")]
    [InlineData("- {address: a1, label: *none, currency: BTC}", "has a field `label` that is not text")]
    [InlineData("- {address: a1, label: x, currency: BTC, confidence: sure}", "has confidence 'sure', ")]
    [InlineData("- {address: a1, label: x, currency: BTC, confidence: 101}", "has confidence '101'")]
    [InlineData("- a1", "has a tag that is not a mapping of fields")]
    [InlineData("- [{address: a1}]", "has a tag that is not a mapping of fields")]
    public void A_bad_tag_stops_the_start_or_is_counted(string tag, string problem)
    {
        string pack = $$"""
            tags:
            - {address: a0, label: x, currency: BTC}
            {{tag}}
            - {address: a9, label: x, currency: BTC}
            """;
        string refusal = _folder.Refusal(() => _folder.LoadPack(pack));
        Assert.StartsWith($"pack.yaml, line 3: {problem}", refusal, StringComparison.Ordinal);
        Assert.EndsWith(". Correct it, or have bad tags skipped (SkipBadTags).", refusal);

        LoadedTags tags = _folder.LoadPack(pack, skipBad: true);
        Assert.Equal((3, 2, 1), (tags.Report.TagsRead, tags.Report.TagsKept, tags.Report.TagsSkipped));
        Assert.Contains($"line 3: {problem}", Assert.Single(tags.Report.SkippedReasons));
        Assert.True(tags.Table.Has("a0") && tags.Table.Has("a9"));
    }
}
