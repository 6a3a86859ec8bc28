using System.Text;
using System.Text.Json;
using Streams.Records;
using Xunit;

namespace Streams.Tests.Engine.Records;

/// <summary>
/// Damaged and hostile JSON: a reason and a place, never another exception, never memory without bound.
/// </summary>
public sealed class JsonDamageTests
{
    private static readonly Serde<EveryKind> Serde = RecordSerde.Json<EveryKind>();

    [Theory]
    [InlineData("", 0, "the end where an object")]
    [InlineData("[]", 0, "an object is expected")]
    [InlineData("\uFEFF{}", 0, "an object is expected")]
    [InlineData("{", 1, "the end where a name or a closing brace")]
    [InlineData("{1:2}", 1, "a name or a closing brace")]
    [InlineData("{\"int32\"", 8, "the end where a colon")]
    [InlineData("{\"int32\" 1}", 9, "a colon")]
    [InlineData("{\"int32\":}", 9, "a whole number")]
    [InlineData("{\"int32\":1", 10, "the end where a comma or a closing brace")]
    [InlineData("{\"int32\":1,}", 11, "a name is expected")]
    [InlineData("{\"int32\":1 \"int64\":2}", 11, "a comma or a closing brace")]
    [InlineData("{\"int32\":1}}", 11, "something follows")]
    [InlineData("{\"int32\":1} x", 12, "something follows")]
    [InlineData("{\"int32\":01}", 9, "leading zero")]
    [InlineData("{\"int32\":-01}", 10, "leading zero")]
    [InlineData("{\"int32\":-}", 10, "a whole number")]
    [InlineData("{\"int32\":+1}", 9, "a whole number")]
    [InlineData("{\"int32\":1.0}", 10, "not whole")]
    [InlineData("{\"int32\":1e3}", 10, "not whole")]
    [InlineData("{\"int32\":0x10}", 10, "a comma or a closing brace")]
    [InlineData("{\"int32\":2147483648}", 9, "over 32 bits")]
    [InlineData("{\"int32\":-2147483649}", 9, "over 32 bits")]
    [InlineData("{\"uint32\":4294967296}", 10, "over 32 bits")]
    [InlineData("{\"uint32\":-1}", 10, "a whole number")]
    [InlineData("{\"int64\":9223372036854775808}", 9, "over 64 bits")]
    [InlineData("{\"int64\":-9223372036854775809}", 9, "over 64 bits")]
    [InlineData("{\"uint64\":18446744073709551616}", 10, "over 64 bits")]
    [InlineData("{\"uint64\":99999999999999999999}", 10, "over 64 bits")]
    [InlineData("{\"uint64\":100000000000000000000000000000}", 10, "over 64 bits")]
    [InlineData("{\"int32\":\"1 \"}", 9, "a number is expected")]
    [InlineData("{\"int32\":\"\"}", 10, "a whole number")]
    [InlineData("{\"int32\":true}", 9, "a whole number")]
    [InlineData("{\"int32\":nul}", 9, "a value is expected")]
    [InlineData("{\"flag\":1}", 8, "true or false")]
    [InlineData("{\"flag\":truth}", 8, "true or false")]
    [InlineData("{\"text\":1}", 8, "a text is expected")]
    [InlineData("{\"text\":\"a", 10, "without an end")]
    [InlineData("{\"text\":\"a\n\"}", 10, "a control character")]
    [InlineData("{\"text\":\"\\x\"}", 9, "an escape that JSON does not have")]
    [InlineData("{\"text\":\"\\u12g4\"}", 9, "four hexadecimal digits")]
    [InlineData("{\"text\":\"\\u12", 9, "four hexadecimal digits")]
    [InlineData("{\"text\":\"\\ud800\"}", 9, "half of a surrogate pair")]
    [InlineData("{\"text\":\"\\udc00\"}", 9, "half of a surrogate pair")]
    [InlineData("{\"text\":\"\\ud800\\u0041\"}", 9, "half of a surrogate pair")]
    [InlineData("{\"new\":\"\\ud800\"}", 8, "half of a surrogate pair")]
    [InlineData("{\"double\":.5}", 10, "a digit")]
    [InlineData("{\"double\":1.}", 12, "a digit")]
    [InlineData("{\"double\":1e}", 12, "a digit")]
    [InlineData("{\"double\":00}", 10, "leading zero")]
    [InlineData("{\"double\":1e999}", 10, "over the range of a double")]
    [InlineData("{\"double\":NaN}", 10, "a digit")]
    [InlineData("{\"double\":\"NaN\"}", 11, "a digit")]
    [InlineData("{\"double\":\"1x\"}", 10, "a number is expected")]
    [InlineData("{\"colour\":\"blue\"}", 10, "not one of Colour")]
    [InlineData("{\"colour\":\"DarkRed\"}", 10, "not one of Colour")]
    [InlineData("{\"bytes\":\"A\"}", 9, "not base64")]
    [InlineData("{\"bytes\":\"AQI\"}", 9, "not base64")]
    [InlineData("{\"bytes\":\"A Q I =\"}", 9, "not base64")]
    [InlineData("{\"bytes\":\"A_==\"}", 9, "not base64")]
    [InlineData("{\"hash\":\"00\"}", 8, "64 hexadecimal digits")]
    [InlineData("{\"amount\":\"-1\"}", 10, "a decimal number of at most 256 bits")]
    [InlineData("{\"amount\":\"1.5\"}", 12, "not whole")]
    [InlineData("{\"amount\":\"007\"}", 10, "a decimal number of at most 256 bits")]
    [InlineData("{\"parts\":{}}", 9, "an array")]
    [InlineData("{\"parts\":[{},]}", 13, "an object")]
    [InlineData("{\"parts\":[{} {}]}", 13, "a comma or a closing bracket")]
    [InlineData("{\"parts\":[", 10, "the end where an object")]
    [InlineData("{\"int32s\":[1,null]}", 13, "a whole number")]
    [InlineData("{\"new\":}", 7, "a value")]
    [InlineData("{\"new\":{\"a\":1,}}", 14, "a text")]
    [InlineData("{\"new\":{a:1}}", 8, "a text")]
    [InlineData("{\"new\":[1 2]}", 10, "a comma or a closing bracket")]
    [InlineData("{\"new\":tru}", 7, "a value")]
    [InlineData("{\"new\":-}", 8, "a digit")]
    public void Each_defect_has_its_reason_and_offset(string json, long offset, string reason)
    {
        var e = Assert.Throws<SerializationException>(() => Serde.Deserialize(Encoding.UTF8.GetBytes(json)));
        Assert.StartsWith("json:every_kind: ", e.Message);
        Assert.Contains(reason, e.Message);
        Assert.Equal(offset, e.Offset);
    }

    [Fact]
    public void Text_that_is_not_UTF8_is_refused_wherever_it_stands()
    {
        foreach (string name in (string[])["text", "new", "labels\\u0020"])
        {
            byte[] json = [.. Encoding.UTF8.GetBytes($"{{\"{name}\":\""), 0xC3, 0x28, .. "\"}"u8];
            Assert.Contains(
                "not UTF-8", Assert.Throws<SerializationException>(() => Serde.Deserialize(json)).Message);
        }
        Assert.Throws<SerializationException>(() => Serde.Deserialize([.. "{\"a"u8, 0xFF, .. "\":1}"u8]));
    }

    [Fact]
    public void Unknown_values_nest_as_deep_as_the_limit_and_no_deeper()
    {
        Serde<EveryKind> serde = RecordSerde.Json<EveryKind>(new RecordLimits { DepthMax = 3 });
        serde.Deserialize("{\"new\":[{\"a\":[1]}]}"u8);
        Assert.Throws<SerializationException>(() => serde.Deserialize("{\"new\":[{\"a\":[[]]}]}"u8));
        byte[] hostile = [.. "{\"new\":"u8, .. Enumerable.Repeat((byte)'[', 1_000_000)];
        Assert.Throws<SerializationException>(() => Serde.Deserialize(hostile));
    }

    [Fact]
    public void A_record_has_as_many_items_as_the_limit_and_no_more()
    {
        Serde<EveryKind> serde = RecordSerde.Json<EveryKind>(new RecordLimits { ItemsMax = 3 });
        serde.Deserialize("{\"parts\":[{}],\"int32s\":[1,2]}"u8);
        Assert.Throws<SerializationException>(
            () => serde.Deserialize("{\"parts\":[{}],\"int32s\":[1,2,3]}"u8));
    }

    [Fact]
    public void Every_truncation_is_refused()
    {
        var random = new RandomRecords(seed: 41);
        for (int i = 0; i < 20; i++)
        {
            byte[] bytes = JsonTests.Bytes(random.Next());
            for (int length = 0; length < bytes.Length; length++)
            {
                byte[] cut = bytes[..length];
                var e = Assert.Throws<SerializationException>(() => Serde.Deserialize(cut));
                Assert.InRange(e.Offset, 0, length);
            }
        }
    }

    [Fact]
    public void A_hundred_thousand_damaged_records_are_refused_or_are_JSON_to_an_independent_parser_too()
    {
        var records = new RandomRecords(seed: 42);
        byte[][] originals = [.. Enumerable.Range(0, 50).Select(_ => JsonTests.Bytes(records.Next()))];
        var random = new Random(43);
        var reused = new EveryKind();
        int accepted = 0;
        for (int i = 0; i < 100_000; i++)
        {
            byte[] bytes = Damage(originals[random.Next(originals.Length)], random);
            long before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                Serde.Deserialize(bytes, ref reused);
            }
            catch (SerializationException e)
            {
                Assert.InRange(e.Offset, 0, bytes.Length);
                continue;
            }
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 20_000 + 200L * bytes.Length);
            using var document = JsonDocument.Parse(bytes);
            accepted++;
        }
        Assert.InRange(accepted, 1000, 99_000);
    }

    private static byte[] Damage(byte[] original, Random random)
    {
        const string Structure = "{}[],:\"\\0-+.eEtfn u\t";
        byte[] bytes = [.. original];
        for (int i = random.Next(3); i >= 0; i--)
        {
            int at = random.Next(bytes.Length);
            bytes[at] = random.Next(4) switch
            {
                0 => (byte)random.Next(256),
                1 => (byte)(bytes[at] ^ (1 << random.Next(8))),
                _ => (byte)Structure[random.Next(Structure.Length)],
            };
        }
        return bytes;
    }
}
