using Streams.Buffers;
using Streams.Records;
using Xunit;

namespace Streams.Tests.Engine.Records;

public sealed class RecordSerdeTests
{
    public static TheoryData<string> Formats => ["protobuf", "json"];

    [Theory]
    [MemberData(nameof(Formats))]
    public void A_serde_is_named_after_its_format_and_record(string format) =>
        Assert.Equal($"{format}:every_kind", Serde(format).Name);

    [Theory]
    [MemberData(nameof(Formats))]
    public void Threads_share_a_serde(string format)
    {
        Serde<EveryKind> serde = Serde(format);
        Parallel.For(0, 8, seed =>
        {
            var random = new RandomRecords(seed);
            var reused = new EveryKind();
            using var buffer = new PooledBuffer();
            for (int i = 0; i < 200; i++)
            {
                buffer.Clear();
                serde.Serialize(random.Next(), buffer);
                byte[] bytes = buffer.WrittenSpan.ToArray();
                serde.Deserialize(bytes, ref reused);
                buffer.Clear();
                serde.Serialize(reused, buffer);
                Assert.True(buffer.WrittenSpan.SequenceEqual(bytes));
            }
        });
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void A_record_over_the_limit_is_refused_before_it_is_copied(string format)
    {
        Serde<EveryKind> serde = Serde(format, new RecordLimits { RecordBytesMax = 1000 });
        byte[] bytes = new byte[10_000_000];
        long before = GC.GetAllocatedBytesForCurrentThread();
        var e = Assert.Throws<SerializationException>(() => serde.Deserialize(bytes));
        Assert.Equal(1000, e.Offset);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 100_000);
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void After_a_refused_record_the_instance_reads_the_next_one_as_if_nothing_had_been(string format)
    {
        Serde<EveryKind> serde = Serde(format);
        var random = new RandomRecords(seed: 91);
        var reused = new EveryKind();
        using var buffer = new PooledBuffer();
        for (int i = 0; i < 200; i++)
        {
            buffer.Clear();
            serde.Serialize(random.Next(), buffer);
            byte[] bytes = buffer.WrittenSpan.ToArray();
            byte[] cut = bytes[..(bytes.Length / 2)];
            try
            {
                serde.Deserialize(cut, ref reused);
            }
            catch (SerializationException)
            {
                // What the instance holds now is nobody's business.
            }
            serde.Deserialize(bytes, ref reused);
            buffer.Clear();
            serde.Serialize(reused, buffer);
            Assert.Equal(bytes, buffer.WrittenSpan.ToArray());
        }
    }

    private static Serde<EveryKind> Serde(string format, RecordLimits? limits = null) =>
        format == "json" ? RecordSerde.Json<EveryKind>(limits) : RecordSerde.Protobuf<EveryKind>(limits);
}
