using Google.Protobuf;
using Streams.Buffers;
using Streams.Records;
using Xunit;

namespace Streams.Tests.Engine.Records;

/// <summary>
/// Our Protobuf against Google's, through the code that protoc made from our own .proto file.
/// </summary>
public sealed class ProtobufWireTests
{
    private const int Records = 2000;

    private static readonly Serde<EveryKind> Serde = RecordSerde.Protobuf<EveryKind>();

    [Fact]
    public void What_we_write_protoc_reads_field_by_field_and_writes_again_as_the_same_bytes()
    {
        var random = new RandomRecords(seed: 1);
        var record = new EveryKind();
        using var buffer = new PooledBuffer(16);
        for (int i = 0; i < Records; i++)
        {
            random.Fill(record);
            buffer.Clear();
            Serde.Serialize(record, buffer);
            Wire.EveryKind theirs = Wire.EveryKind.Parser.ParseFrom(buffer.WrittenSpan);
            WireComparison.AssertSame(record, theirs);
            Assert.Equal(theirs.ToByteArray(), buffer.WrittenSpan.ToArray());
        }
    }

    [Fact]
    public void What_protoc_writes_we_read_field_by_field_and_write_again_as_the_same_bytes()
    {
        var random = new RandomRecords(seed: 2);
        var ours = new EveryKind();
        using var buffer = new PooledBuffer(16);
        for (int i = 0; i < Records; i++)
        {
            Wire.EveryKind theirs = Wire.EveryKind.Parser.ParseFrom(Bytes(random.Next()));
            byte[] bytes = theirs.ToByteArray();
            Serde.Deserialize(bytes, ref ours);
            WireComparison.AssertSame(ours, theirs);
            buffer.Clear();
            Serde.Serialize(ours, buffer);
            Assert.Equal(bytes, buffer.WrittenSpan.ToArray());
        }
    }

    [Fact]
    public void An_empty_record_is_no_bytes_and_no_bytes_are_an_empty_record()
    {
        Assert.Empty(Bytes(new EveryKind()));
        EveryKind full = new RandomRecords(seed: 3).Next();
        Serde.Deserialize([], ref full);
        Assert.Empty(Bytes(full));
        WireComparison.AssertSame(full, new Wire.EveryKind());
    }

    [Fact]
    public void Writing_appends_to_what_the_buffer_holds_however_often_it_grows()
    {
        EveryKind record = new RandomRecords(seed: 4).Next();
        byte[] alone = Bytes(record);
        using var buffer = new PooledBuffer(1);
        buffer.Write("before"u8);
        for (int i = 0; i < 50; i++)
            Serde.Serialize(record, buffer);
        Assert.Equal("before"u8.ToArray(), buffer.WrittenSpan[..6].ToArray());
        for (int i = 0; i < 50; i++)
            Assert.Equal(alone, buffer.WrittenSpan.Slice(6 + i * alone.Length, alone.Length).ToArray());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(127)]
    [InlineData(128)]
    [InlineData(16_383)]
    [InlineData(16_384)]
    [InlineData(2_100_000)]
    public void An_inner_record_of_any_length_has_the_shortest_length_before_it(int labelBytes)
    {
        var record = new EveryKind();
        string label = new('x', labelBytes);
        record.Part.Set().Label = record.Memory.Text(label);
        record.Parts.Add().Label = record.Memory.Text(label);
        record.Parts.Add().Id = 1;
        record.Parts.Add().Label = record.Memory.Text(label);
        byte[] bytes = Bytes(record);
        Assert.Equal(Wire.EveryKind.Parser.ParseFrom(bytes).ToByteArray(), bytes);
    }

    [Fact]
    public void Minus_zero_is_not_the_default_and_is_written()
    {
        byte[] bytes = Bytes(new EveryKind { Double = -0.0 });
        Assert.Equal([(11 << 3) | 1, 0, 0, 0, 0, 0, 0, 0, 0x80], bytes);
        Assert.True(double.IsNegative(Wire.EveryKind.Parser.ParseFrom(bytes).Double));
    }

    internal static byte[] Bytes(EveryKind record)
    {
        using var buffer = new PooledBuffer();
        Serde.Serialize(record, buffer);
        return buffer.WrittenSpan.ToArray();
    }
}
