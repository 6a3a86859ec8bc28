using Google.Protobuf;
using Streams.Buffers;
using Streams.Records;
using Streams.Tests.Support;
using Xunit;

namespace Streams.Tests.Engine.Records;

/// <summary>Input that no encoder of ours writes: other orders, other versions, damage.</summary>
public sealed class ProtobufDecodingTests
{
    private static readonly Serde<EveryKind> Serde = RecordSerde.Protobuf<EveryKind>();

    [Fact]
    public void Fields_in_reversed_order_read_as_the_same_record()
    {
        var random = new RandomRecords(seed: 11);
        for (int i = 0; i < 200; i++)
        {
            byte[] bytes = ProtobufWireTests.Bytes(random.Next());
            List<byte[]> fields = Fields(bytes);
            fields.Reverse();
            byte[] reversed = [.. fields.SelectMany(field => field)];
            var expected = Wire.EveryKind.Parser.ParseFrom(reversed);
            EveryKind ours = Serde.Deserialize(reversed);
            WireComparison.AssertSame(ours, expected);
            Assert.Equal(expected.ToByteArray(), ProtobufWireTests.Bytes(ours));
        }
    }

    [Fact]
    public void Of_two_records_in_a_row_the_last_scalar_wins_lists_join_and_inner_records_merge()
    {
        var random = new RandomRecords(seed: 12);
        for (int i = 0; i < 500; i++)
        {
            byte[] first = ProtobufWireTests.Bytes(random.Next());
            byte[] bytes = [.. first, .. ProtobufWireTests.Bytes(random.Next())];
            var expected = Wire.EveryKind.Parser.ParseFrom(bytes);
            EveryKind ours = Serde.Deserialize(bytes);
            WireComparison.AssertSame(ours, expected);
            Assert.Equal(expected.ToByteArray(), ProtobufWireTests.Bytes(ours));
        }
    }

    [Fact]
    public void Lists_of_numbers_may_come_packed_unpacked_and_mixed()
    {
        byte[] bytes =
        [
            .. Tag(32, 0), 1, .. Tag(32, 2), 2, 2, 3, .. Tag(32, 0), 4, .. Tag(3, 0), 9, .. Tag(32, 2), 1, 5,
        ];

        EveryKind record = Serde.Deserialize(bytes);
        Assert.Equal([1, 2, 3, 4, 5], record.Int32s.Items.ToArray());
        Assert.Equal(9, record.Int32);
    }

    [Fact]
    public void Fields_of_a_newer_version_survive_byte_for_byte_at_every_depth()
    {
        byte[] newer =
        [
            .. Tag(60, 0), 0x96, 0x01, .. Tag(61, 2), 3, 1, 2, 3, .. Tag(62, 5), 1, 2, 3, 4,
            .. Tag(63, 1), 1, 2, 3, 4, 5, 6, 7, 8, .. Tag(64, 3), .. Tag(1, 0), 5, .. Tag(64, 4),
        ];
        byte[] part = [.. Tag(1, 0), 7, .. newer];
        byte[] bytes = [.. Tag(3, 0), 1, .. Tag(24, 2), (byte)part.Length, .. part, .. newer];
        EveryKind record = Serde.Deserialize(bytes);
        Assert.True(record.Memory.HasUnknownFields);
        Assert.True(record.Parts[0].Memory.HasUnknownFields);
        Assert.Equal(bytes, ProtobufWireTests.Bytes(record));
        Assert.Equal(Wire.EveryKind.Parser.ParseFrom(bytes).ToByteArray(), ProtobufWireTests.Bytes(record));
    }

    [Fact]
    public void Unknown_fields_among_known_ones_are_written_behind_them()
    {
        byte[] bytes =
            [.. Tag(60, 0), 1, .. Tag(3, 0), 2, .. Tag(61, 0), 3, .. Tag(1, 0), 1, .. Tag(60, 0), 4];

        byte[] sorted =
            [.. Tag(1, 0), 1, .. Tag(3, 0), 2, .. Tag(60, 0), 1, .. Tag(61, 0), 3, .. Tag(60, 0), 4];

        Assert.Equal(sorted, ProtobufWireTests.Bytes(Serde.Deserialize(bytes)));
    }

    [Fact]
    public void A_known_number_with_another_wire_type_is_kept_as_unknown()
    {
        byte[] bytes = [.. Tag(3, 2), 1, 7, .. Tag(15, 0), 5, .. Tag(23, 0), 1, .. Tag(11, 0), 1];
        EveryKind record = Serde.Deserialize(bytes);
        Assert.Equal(0, record.Int32);
        Assert.False(record.Part.IsPresent);
        Assert.Equal(bytes, ProtobufWireTests.Bytes(record));
        Assert.Equal(Wire.EveryKind.Parser.ParseFrom(bytes).ToByteArray(), ProtobufWireTests.Bytes(record));
    }

    [Fact]
    public void Bytes_of_an_older_version_with_fewer_fields_read_as_absent_not_as_zero()
    {
        EveryKind record = new RandomRecords(seed: 13).Next();
        Serde.Deserialize([.. Tag(3, 0), 5], ref record);
        Assert.Equal(5, record.Int32);
        WireComparison.AssertSame(record, new Wire.EveryKind { Int32 = 5 });
        Assert.Null(record.MaybeInt64);
        Assert.False(record.Part.IsPresent);
    }

    [Fact]
    public void Tags_and_numbers_with_more_bytes_than_needed_are_understood()
    {
        byte[] bytes = [0x98, 0x80, 0x00, 0x85, 0x80, 0x00, 0xE0, 0x83, 0x80, 0x00, 0x07];
        EveryKind record = Serde.Deserialize(bytes);
        Assert.Equal(5, record.Int32);
        byte[] shortest = [.. Tag(3, 0), 5, .. Tag(60, 0), 7];
        Assert.Equal(shortest, ProtobufWireTests.Bytes(record));
    }

    [Fact]
    public void Numbers_too_wide_for_their_field_lose_the_upper_bits_as_in_protoc()
    {
        byte[] wide = [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01];
        byte[] bytes =
            [.. Tag(1, 0), .. wide, .. Tag(3, 0), .. wide, .. Tag(7, 0), .. wide, .. Tag(13, 0), .. wide];

        WireComparison.AssertSame(Serde.Deserialize(bytes), Wire.EveryKind.Parser.ParseFrom(bytes));
    }

    [Fact]
    public void An_instance_shows_nothing_of_what_it_held_before()
    {
        var random = new RandomRecords(seed: 14);
        var reused = new EveryKind();
        for (int i = 0; i < 500; i++)
        {
            byte[] bytes = ProtobufWireTests.Bytes(random.Next());
            Serde.Deserialize(bytes, ref reused);
            Assert.Equal(bytes, ProtobufWireTests.Bytes(reused));
        }
    }

    [Fact]
    public void Decoding_and_encoding_allocate_nothing_once_warm()
    {
        var random = new RandomRecords(seed: 15);
        byte[][] inputs = [.. Enumerable.Range(0, 20).Select(_ => ProtobufWireTests.Bytes(random.Next()))];
        byte[] unknown = [.. inputs[0], .. Tag(60, 0), 1];
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
                Serde.Deserialize(unknown, ref record);
                Serde.Serialize(record, buffer);
            },
            warmupRuns: 50,
            measuredRuns: 100);
    }

    internal static byte[] Tag(int number, int wireType)
    {
        byte[] bytes = new byte[Varint.BytesMax];
        return bytes[..Varint.Write(bytes, ((ulong)number << 3) | (uint)wireType)];
    }

    /// <summary>Cuts a record into its fields.</summary>
    private static List<byte[]> Fields(byte[] record)
    {
        var fields = new List<byte[]>();
        var input = new CodedInputStream(record);
        int start = 0;
        while (input.ReadTag() is not 0)
        {
            input.SkipLastField();
            fields.Add(record[start..(int)input.Position]);
            start = (int)input.Position;
        }
        return fields;
    }
}
