using System.Text;
using Streams.Connect;
using Streams.Topologies.Transactions.Tags;
using Xunit;

namespace Streams.Tests.Topologies.Transactions.Tags;

/// <summary>Whatever a file holds, it is read or refused in one line, and nothing else happens.</summary>
public sealed class TagFuzzTests
{
    private const int Rounds = 20_000;

    private const string Pack = """
        title: A pack
        currency: BTC
        label: &l "A \u00e9 label"
        more: &m { actor: x, confidence: forensic }
        tags:
        - address: '1abc'
          category: [exchange, market]
          context: '{"a": [1, 2]}'
        - { <<: *m, address: 2abc, label: *l }
        """;

    private const string Actors = """
        actors:
        - id: '01'
          label: A
          jurisdictions: [US, MT]
          context: {a: [b]}
        - id: b
        """;

    private const string Csv = "address,category,label\na1,exchange,\"X, \"\"Y\"\"\"\r\na2,gambling,Z\n";

    private const string Json = "[\n  \"a1\",\n  \"\\u0041\"\n]\n";

    private static readonly string Alphabet =
        "abc:-[]{}&*!|>'\"%@`,?# \n\t\r~<=.\\0\u0085\u2028\uFEFF\u00E9\U0001F600";

    [Theory]
    [InlineData("pack.yaml", Pack)]
    [InlineData("actors.yaml", Actors)]
    [InlineData("labels.csv", Csv)]
    [InlineData("list_XBT.json", Json)]
    public void A_damaged_file_is_read_or_refused(string name, string sample)
    {
        byte[] good = Encoding.UTF8.GetBytes(sample);
        Read(name, good);
        for (int seed = 0; seed < Rounds; seed++)
            ReadOrRefuse(name, Damage(good, new Random(seed)), seed);
    }

    [Theory]
    [InlineData("pack.yaml")]
    [InlineData("actors.yaml")]
    [InlineData("labels.csv")]
    [InlineData("list_XBT.json")]
    public void Random_bytes_and_random_text_are_read_or_refused(string name)
    {
        byte[] alphabet = Encoding.UTF8.GetBytes(Alphabet);
        for (int seed = 0; seed < Rounds; seed++)
        {
            var random = new Random(seed);
            byte[] bytes = new byte[random.Next(80)];
            random.NextBytes(bytes);
            ReadOrRefuse(name, bytes, seed);
            ReadOrRefuse(name, random.GetItems(alphabet, random.Next(80)), seed);
            // Whole characters of the alphabet, so that more gets past the decoding.
            char[] text = random.GetItems<char>(Alphabet, random.Next(80));
            ReadOrRefuse(name, Encoding.UTF8.GetBytes(text), seed);
        }
    }

    [Theory]
    [InlineData("pack.yaml", "tags: ", "[")]
    [InlineData("pack.yaml", "tags: ", "- ")]
    [InlineData("pack.yaml", "tags: [{context: ", "{a: ")]
    [InlineData("pack.yaml", "defaults: ", "&a {b: ")]
    [InlineData("pack.yaml", "tags: [&a {<<: ", "&a {<<: ")]
    [InlineData("actors.yaml", "actors: ", "[")]
    [InlineData("list_XBT.json", "", "[")]
    public void A_file_that_nests_very_deep_is_refused(string name, string start, string nest)
    {
        string content = start + string.Concat(Enumerable.Repeat(nest, 20_000));
        Assert.Throws<ConfigurationException>(() => Read(name, Encoding.UTF8.GetBytes(content)));
    }

    private static byte[] Damage(byte[] good, Random random)
    {
        var bytes = new List<byte>(good);
        for (int i = random.Next(1, 4); i > 0 && bytes.Count > 0; i--)
        {
            int at = random.Next(bytes.Count);
            switch (random.Next(4))
            {
                case 0:
                    bytes.RemoveRange(at, random.Next(1, bytes.Count - at + 1));
                    break;
                case 1:
                    bytes[at] = (byte)Alphabet[random.Next(30)];
                    break;
                case 2:
                    bytes.Insert(at, (byte)Alphabet[random.Next(30)]);
                    break;
                default:
                    bytes[at] = (byte)random.Next(256);
                    break;
            }
        }
        return [.. bytes];
    }

    private static void ReadOrRefuse(string name, byte[] content, int seed)
    {
        try
        {
            Read(name, content);
        }
        catch (ConfigurationException e)
        {
            Assert.StartsWith(name, e.Message, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', e.Message);
        }
        catch (Exception e)
        {
            Assert.Fail($"Seed {seed}: {Convert.ToHexString(content)} gave {e}");
        }
    }

    private static void Read(string name, byte[] content)
    {
        var file = new TagFile(name, content);
        if (name == "actors.yaml")
        {
            _ = ActorPackReader.Read(file);
            return;
        }
        TagPack pack = Path.GetExtension(name) switch
        {
            ".csv" => TagCsvReader.Read(file, "BTC"),
            ".json" => SanctionListReader.Read(file),
            _ => TagPackReader.Read(file),
        };
        var source = new TagSource(file, pack.Header, isSanctionList: false);
        HashSet<string> currencies = ["BTC"];
        var interpreter = new TagInterpreter(currencies, new Dictionary<string, TagActor>());
        var builder = new TagTableBuilder();
        foreach (TagFields fields in pack.Tags)
        {
            fields.Inherit(pack.Header);
            (string? problem, AddressTag? tag) = interpreter.Interpret(fields, source);
            Assert.True(problem is null || tag is null);
            if (tag is { } usable)
                builder.Add(usable.Address, usable.Facts);
        }
        Assert.InRange(builder.Build().Count, 0, pack.Tags.Count);
    }
}
