using Streams.Records;
using Xunit;
using static Streams.Tests.Engine.Records.ProtobufDecodingTests;

namespace Streams.Tests.Engine.Records;

/// <summary>
/// Damaged and hostile bytes: a reason and a place, never another exception, never memory without bound.
/// </summary>
public sealed class ProtobufDamageTests
{
    private static readonly Serde<EveryKind> Serde = RecordSerde.Protobuf<EveryKind>();

    public static TheoryData<string, byte[], long> Defects => new()
    {
        { "cut off", [.. Tag(3, 0), 0x80], 1 },
        { "cut off", [.. Tag(3, 0)], 1 },
        { "cut off", [.. Tag(11, 1), 1, 2, 3], 1 },
        { "cut off", [.. Tag(60, 5), 1, 2, 3], 2 },
        { "cut off", [0x80], 0 },
        { "over 64 bits", [.. Tag(3, 0), 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x02], 1 },
        { "past the end", [.. Tag(15, 2), 5, 1, 2], 1 },
        { "past the end", [.. Tag(15, 2), 0xFF, 0xFF, 0xFF, 0xFF, 0x0F], 1 },
        { "past the end", [.. Tag(15, 2), 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01], 1 },
        { "past the end", [.. Tag(23, 2), 3, .. Tag(2, 2), 9, 1, 1, 1, 1, 1, 1, 1, 1, 1], 4 },
        { "not UTF-8", [.. Tag(15, 2), 2, 0xC3, 0x28], 2 },
        { "not UTF-8", [.. Tag(15, 2), 1, 0xC3], 2 },
        { "not UTF-8", [.. Tag(38, 2), 17, .. new byte[16], 0xFF], 3 },
        { "31 bytes where 32 are needed", [.. Tag(19, 2), 31, .. new byte[31]], 2 },
        { "33 bytes where at most 32 fit", [.. Tag(21, 2), 33, .. new byte[33]], 2 },
        { "field number", [0x00, 0x00], 0 },
        { "field number", [0x07], 0 },
        { "field number", [0xF8, 0xFF, 0xFF, 0xFF, 0x1F, 0x01], 0 },
        { "does not begin a field", [.. Tag(60, 4)], 0 },
        { "does not begin a field", [.. Tag(60, 6)], 0 },
        { "without an end", [.. Tag(60, 3), .. Tag(1, 0), 1], 0 },
        { "does not begin a field", [.. Tag(60, 3), .. Tag(61, 4)], 2 },
        { "cut off", [.. Tag(32, 2), 2, 0x01, 0x80], 4 },
    };

    [Theory]
    [MemberData(nameof(Defects))]
    public void Each_defect_has_its_reason_and_offset(string reason, byte[] bytes, long offset)
    {
        var e = Assert.Throws<SerializationException>(() => Serde.Deserialize(bytes));
        Assert.StartsWith("protobuf:every_kind: ", e.Message);
        Assert.Contains(reason, e.Message);
        Assert.Equal(offset, e.Offset);
    }

    [Fact]
    public void Groups_nest_as_deep_as_the_limit_and_no_deeper()
    {
        Serde<EveryKind> serde = RecordSerde.Protobuf<EveryKind>(new RecordLimits { DepthMax = 3 });
        byte[] start = Tag(60, 3);
        byte[] end = Tag(60, 4);
        serde.Deserialize([.. start, .. start, .. start, .. end, .. end, .. end]);
        byte[] deeper = [.. start, .. start, .. start, .. start, .. end, .. end, .. end, .. end];
        Assert.Throws<SerializationException>(() => serde.Deserialize(deeper));
        byte[] hostile = [.. Enumerable.Repeat(start, 100_000).SelectMany(tag => tag)];
        Assert.Throws<SerializationException>(() => Serde.Deserialize(hostile));
    }

    [Fact]
    public void A_record_has_as_many_bytes_and_items_as_the_limits_and_no_more()
    {
        Serde<EveryKind> serde = RecordSerde.Protobuf<EveryKind>(
            new RecordLimits { ItemsMax = 3, RecordBytesMax = 20 });
        serde.Deserialize([.. Tag(32, 2), 2, 1, 1, .. Tag(24, 2), 0]);
        Assert.Throws<SerializationException>(() => serde.Deserialize([.. Tag(32, 2), 4, 1, 1, 1, 1]));
        Assert.Throws<SerializationException>(
            () => serde.Deserialize(
                [.. Tag(24, 2), 0, .. Tag(24, 2), 0, .. Tag(24, 2), 0, .. Tag(24, 2), 0]));
        serde.Deserialize([.. Tag(15, 2), 18, .. new byte[18]]);
        Assert.Throws<SerializationException>(() => serde.Deserialize([.. Tag(15, 2), 19, .. new byte[19]]));
    }

    [Fact]
    public void Every_truncation_is_refused_or_is_a_shorter_record()
    {
        var random = new RandomRecords(seed: 21);
        for (int i = 0; i < 20; i++)
        {
            byte[] bytes = ProtobufWireTests.Bytes(random.Next());
            for (int length = 0; length < bytes.Length; length++)
                AssertReadsOrRefuses(bytes[..length]);
        }
    }

    [Fact]
    public void A_hundred_thousand_damaged_records_are_refused_or_read_within_bounded_memory()
    {
        var records = new RandomRecords(seed: 22);
        byte[][] originals =
            [.. Enumerable.Range(0, 50).Select(_ => ProtobufWireTests.Bytes(records.Next()))];

        // The first exception of a process loads what describes exceptions, whichever test runs first.
        AssertReadsOrRefuses([0xff]);
        var random = new Random(23);
        var reused = new EveryKind();
        for (int i = 0; i < 100_000; i++)
        {
            byte[] bytes = i % 4 == 0
                ? Noise(random)
                : Damage(originals[random.Next(originals.Length)], random);
            long before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                Serde.Deserialize(bytes, ref reused);
            }
            catch (SerializationException e)
            {
                Assert.InRange(e.Offset, 0, bytes.Length);
            }
            // Two bytes can make an inner record of about 200, and lists double when they grow.
            long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            Assert.InRange(allocated, 0, 20_000 + 600L * bytes.Length);
        }
    }

    private static void AssertReadsOrRefuses(byte[] bytes)
    {
        EveryKind record;
        try
        {
            record = Serde.Deserialize(bytes);
        }
        catch (SerializationException)
        {
            return;
        }
        WireComparison.AssertSame(record, Wire.EveryKind.Parser.ParseFrom(bytes));
    }

    private static byte[] Noise(Random random)
    {
        byte[] bytes = new byte[random.Next(100)];
        random.NextBytes(bytes);
        return bytes;
    }

    private static byte[] Damage(byte[] original, Random random)
    {
        byte[] bytes = [.. original];
        for (int i = random.Next(4); i >= 0 && bytes.Length > 0; i--)
        {
            int at = random.Next(bytes.Length);
            bytes[at] = random.Next(3) switch
            {
                0 => (byte)random.Next(256),
                1 => (byte)(bytes[at] ^ (1 << random.Next(8))),
                _ => 0xFF,
            };
        }
        return random.Next(3) == 0 ? bytes[..random.Next(bytes.Length + 1)] : bytes;
    }
}
