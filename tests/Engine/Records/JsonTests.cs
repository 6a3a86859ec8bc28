using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Streams.Buffers;
using Streams.Records;
using Streams.Tests.Support;
using Xunit;

namespace Streams.Tests.Engine.Records;

/// <summary>Our JSON against System.Text.Json, and against itself.</summary>
public sealed class JsonTests
{
    private static readonly Serde<EveryKind> Serde = RecordSerde.Json<EveryKind>();

    private static readonly JsonSerializerOptions[] Styles =
    [
        new() { WriteIndented = false, Encoder = JavaScriptEncoder.Default },
        new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping },
        new() { WriteIndented = true, NewLine = "\r\n", IndentCharacter = '\t' },
    ];

    [Fact]
    public void What_we_write_an_independent_parser_reads_field_by_field()
    {
        var random = new RandomRecords(seed: 31);
        for (int i = 0; i < 1000; i++)
        {
            EveryKind record = random.Next();
            using var document = JsonDocument.Parse(Bytes(record));
            JsonComparison.AssertSame(record, document.RootElement);
        }
    }

    [Fact]
    public void What_an_independent_writer_writes_in_any_style_we_read_as_the_same_record()
    {
        var random = new RandomRecords(seed: 32);
        var reused = new EveryKind();
        for (int i = 0; i < 1000; i++)
        {
            byte[] bytes = Bytes(random.Next());
            string styled = JsonNode.Parse(bytes)!.ToJsonString(Styles[i % Styles.Length]);
            Serde.Deserialize(Encoding.UTF8.GetBytes(styled), ref reused);
            Assert.Equal(bytes, Bytes(reused));
        }
    }

    [Fact]
    public void Protobuf_and_JSON_say_the_same()
    {
        var random = new RandomRecords(seed: 33);
        for (int i = 0; i < 500; i++)
        {
            EveryKind record = random.Next();
            Assert.Equal(
                ProtobufWireTests.Bytes(record), ProtobufWireTests.Bytes(Serde.Deserialize(Bytes(record))));
        }
    }

    [Fact]
    public void Fields_in_reversed_order_read_as_the_same_record()
    {
        var random = new RandomRecords(seed: 34);
        for (int i = 0; i < 200; i++)
        {
            byte[] bytes = Bytes(random.Next());
            JsonObject json = JsonNode.Parse(bytes)!.AsObject();
            var reversed = new JsonObject(
                json.Reverse().Select(field => KeyValuePair.Create(field.Key, field.Value?.DeepClone())));
            Assert.Equal(bytes, Bytes(Serde.Deserialize(Encoding.UTF8.GetBytes(reversed.ToJsonString()))));
        }
    }

    [Theory]
    [InlineData("{}", "{}")]
    [InlineData(" \t\r\n{ \n } ", "{}")]
    [InlineData("{\"int32\":1}", "{\"int32\":1}")]
    [InlineData("{ \"int32\" : 1 , \"int64\" : 2 }", "{\"int32\":1,\"int64\":2}")]
    [InlineData("{\"int64\":\"-9223372036854775808\",\"uint64\":\"18446744073709551615\"}",
        "{\"int64\":-9223372036854775808,\"uint64\":18446744073709551615}")]
    [InlineData("{\"int32\":\"\\u0031\\u0032\",\"int64\":7}", "{\"int32\":12,\"int64\":7}")]
    [InlineData("{\"int\\u00332\":5,\"int64\":7}", "{\"int32\":5,\"int64\":7}")]
    [InlineData("{\"int64\":1,\"int64\":2}", "{\"int64\":2}")]
    [InlineData("{\"int64\":1,\"int32\":3,\"int64\":null}", "{\"int32\":3}")]
    [InlineData(
        "{\"maybe_int64\":null,\"maybe_text\":null,\"part\":null,\"parts\":null,\"texts\":null}", "{}")]
    [InlineData(
        "{\"maybe_int64\":0,\"maybe_text\":\"\",\"part\":{}}",
        "{\"maybe_int64\":0,\"maybe_text\":\"\",\"part\":{}}")]
    [InlineData("{\"part\":{\"id\":1,\"label\":\"a\"},\"part\":{\"id\":2}}", "{\"part\":{\"id\":2}}")]
    [InlineData("{\"int32s\":[1,2],\"int32s\":[3]}", "{\"int32s\":[3]}")]
    [InlineData("{\"int32s\":[],\"parts\":[ ]}", "{}")]
    [InlineData("{\"parts\":[{},{ \"id\" : 1 } ]}", "{\"parts\":[{},{\"id\":1}]}")]
    [InlineData(
        "{\"colour\":\"dark_red\",\"maybe_colour\":\"negative\"}",
        "{\"colour\":\"dark_red\",\"maybe_colour\":\"negative\"}")]
    [InlineData("{\"colour\":5,\"maybe_colour\":77}", "{\"colour\":\"green\",\"maybe_colour\":77}")]
    [InlineData("{\"text\":\"\\u00e9\\ud83d\\ude00\\/\\u0041\"}", "{\"text\":\"é😀/A\"}")]
    [InlineData(
        "{\"text\":\"\\u0000\\u001f\\b\\f\\n\\r\\t\\\"\\\\\"}",
        "{\"text\":\"\\u0000\\u001f\\b\\f\\n\\r\\t\\\"\\\\\"}")]
    [InlineData("{\"bytes\":\"AQI=\",\"maybe_bytes\":\"\"}", "{\"bytes\":\"AQI=\",\"maybe_bytes\":\"\"}")]
    [InlineData("{\"amount\":12,\"maybe_amount\":\"0\"}", "{\"amount\":\"12\",\"maybe_amount\":\"0\"}")]
    [InlineData("{\"double\":1e2,\"maybe_double\":-0.0}", "{\"double\":100,\"maybe_double\":-0}")]
    [InlineData("{\"double\":0.1,\"maybe_double\":\"2.5E-3\"}", "{\"double\":0.1,\"maybe_double\":0.0025}")]
    [InlineData(
        "{\"double\":123456.789,\"maybe_double\":1e300}", "{\"double\":123456.789,\"maybe_double\":1E+300}")]
    [InlineData("{\"flag\":true,\"maybe_flag\":false}", "{\"flag\":true,\"maybe_flag\":false}")]
    public void Every_way_to_write_a_record_reads_as_the_one_we_write(string input, string output) =>
        Assert.Equal(
            WholeJson.Of<EveryKind>(output),
            Encoding.UTF8.GetString(Bytes(Serde.Deserialize(Encoding.UTF8.GetBytes(input)))));

    [Fact]
    public void What_always_has_a_value_is_written_and_what_is_absent_is_not() =>
        Assert.Equal(
            "{\"flag\":false,\"int32\":0,\"int64\":0,\"uint32\":0,\"uint64\":0,\"double\":0,"
            + "\"colour\":\"clear\",\"text\":\"\",\"bytes\":\"\","
            + "\"hash\":\"0000000000000000000000000000000000000000000000000000000000000000\","
            + "\"amount\":\"0\",\"parts\":[],\"flags\":[],\"int32s\":[],\"int64s\":[],\"uint32s\":[],"
            + "\"uint64s\":[],\"doubles\":[],\"colours\":[],\"texts\":[],\"blobs\":[],\"hashes\":[],"
            + "\"amounts\":[],\"far\":0}",
            Encoding.UTF8.GetString(Bytes(new EveryKind())));

    [Fact]
    public void Fields_of_a_newer_version_survive_at_every_depth_byte_for_byte()
    {
        const string Newer =
            ",\"new\":{\"a\": [1, {\"b\":null}], \"c\":\"\\u00e9\"},\"n\\u0065wer\":-1.50e+2";
        const string Input = "{\"int32\":1,\"parts\":[{\"id\":7" + Newer + "}]" + Newer + "}";
        string whole = WholeJson.Of<EveryKind>(Input);
        EveryKind record = Serde.Deserialize(Encoding.UTF8.GetBytes(Input));
        Assert.True(record.Memory.HasUnknownFields);
        Assert.True(record.Parts[0].Memory.HasUnknownFields);
        Assert.Equal(whole, Encoding.UTF8.GetString(Bytes(record)));
    }

    [Fact]
    public void Unknown_fields_of_one_encoding_are_not_written_in_the_other()
    {
        EveryKind record = Serde.Deserialize("{\"new\":1,\"int32\":2}"u8);
        Assert.Equal([3 << 3, 2], ProtobufWireTests.Bytes(record));
        EveryKind other = RecordSerde.Protobuf<EveryKind>().Deserialize(
            [.. ProtobufDecodingTests.Tag(60, 0), 1, 3 << 3, 2]);
        Assert.Equal(WholeJson.Of<EveryKind>("{\"int32\":2}"), Encoding.UTF8.GetString(Bytes(other)));
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(double.NegativeInfinity)]
    public void What_is_not_a_number_is_refused_and_leaves_the_buffer_as_it_was(double value)
    {
        using var buffer = new PooledBuffer();
        buffer.Write("before"u8);
        Assert.Throws<SerializationException>(
            () => Serde.Serialize(new EveryKind { MaybeDouble = value }, buffer));
        var list = new EveryKind();
        list.Doubles.Add(value);
        list.Doubles.Add(1);
        Assert.Throws<SerializationException>(() => Serde.Serialize(list, buffer));
        Assert.Equal("before"u8.ToArray(), buffer.WrittenSpan.ToArray());
    }

    [Fact]
    public void A_hundred_thousand_doubles_read_back_as_themselves_here_and_elsewhere()
    {
        var random = new RandomRecords(seed: 35);
        var record = new EveryKind();
        var back = new EveryKind();
        var hundredths = new Random(36);
        for (int i = 0; i < 100_000; i++)
        {
            double value = i % 2 == 0 ? random.Double() : hundredths.Next(-1_000_000, 1_000_000) / 100.0;
            record.MaybeDouble = value;
            byte[] bytes = Bytes(record);
            Serde.Deserialize(bytes, ref back);
            Assert.Equal(Bits(value), Bits(back.MaybeDouble!.Value));
            var reader = new Utf8JsonReader(bytes);
            while (reader.TokenType != JsonTokenType.PropertyName
                || !reader.ValueTextEquals("maybe_double"u8))
                reader.Read();
            reader.Read();
            Assert.Equal(Bits(value), Bits(reader.GetDouble()));
        }
    }

    [Fact]
    public void Decoding_and_encoding_allocate_nothing_once_warm()
    {
        var random = new RandomRecords(seed: 37);
        byte[][] inputs =
        [
            .. Enumerable.Range(0, 20).Select(_ => Bytes(random.Next())),
            .. Enumerable.Range(0, 5).Select(_ => Indented(Bytes(random.Next()))),
            "{\"new\":[1,2],\"int32\":\"7\"}"u8.ToArray(),
        ];
        var record = new EveryKind();
        using var buffer = new PooledBuffer();
        Allocation.AssertNone(
            () =>
            {
                foreach (byte[] input in inputs)
                {
                    Serde.Deserialize(input, ref record);
                    buffer.Clear();
                    Serde.Serialize(record, buffer);
                }
            },
            warmupRuns: 50,
            measuredRuns: 100);
    }

    internal static byte[] Bytes(EveryKind record)
    {
        using var buffer = new PooledBuffer(16);
        Serde.Serialize(record, buffer);
        return buffer.WrittenSpan.ToArray();
    }

    private static long Bits(double value) => BitConverter.DoubleToInt64Bits(value);

    private static byte[] Indented(byte[] json) =>
        Encoding.UTF8.GetBytes(JsonNode.Parse(json)!.ToJsonString(Styles[1]));
}
