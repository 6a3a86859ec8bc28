using System.Buffers.Binary;
using System.Text;
using Streams.Buffers;

namespace Streams.Records;

/// <summary>The serdes of plain types. Numbers are big-endian, as Kafka's own serdes write them.</summary>
/// <remarks>Source: Kafka clients, <c>org.apache.kafka.common.serialization</c>.</remarks>
public static class Serdes
{
    /// <summary>UTF-8 text. Reading allocates the string.</summary>
    public static Serde<string> String { get; } = new StringSerde();

    /// <summary>Bytes as they are. Reading allocates the array.</summary>
    public static Serde<byte[]> ByteArray { get; } = new ByteArraySerde();

    /// <summary>Four bytes, big-endian.</summary>
    public static Serde<int> Int32 { get; } = new Int32Serde();

    /// <summary>Eight bytes, big-endian.</summary>
    public static Serde<long> Int64 { get; } = new Int64Serde();

    /// <summary>The 32 bytes as they are.</summary>
    public static Serde<Bytes32> Bytes32 { get; } = new Bytes32Serde();

    /// <summary>UTF-8 text, which is not copied to a string; reading allocates its bytes.</summary>
    public static Serde<Text> Text { get; } = new TextSerde();

    /// <summary>Refuses bytes of another length than <paramref name="expected"/>.</summary>
    /// <exception cref="SerializationException">The length differs.</exception>
    internal static void RequireLength(string serde, ReadOnlySpan<byte> source, int expected)
    {
        if (source.Length != expected)
            throw new SerializationException(serde, $"{source.Length} bytes where {expected} are needed", 0);
    }

    private sealed class StringSerde : Serde<string>
    {
        private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

        public override string Name => "string";

        public override void Serialize(in string value, PooledBuffer destination)
        {
            Span<byte> span = destination.GetSpan(Strict.GetMaxByteCount(value.Length));
            destination.Advance(Strict.GetBytes(value, span));
        }

        public override void Deserialize(ReadOnlySpan<byte> source, ref string value)
        {
            try
            {
                value = Strict.GetString(source);
            }
            catch (DecoderFallbackException e)
            {
                throw new SerializationException(Name, "bytes that are not UTF-8", e.Index);
            }
        }
    }

    private sealed class ByteArraySerde : Serde<byte[]>
    {
        public override string Name => "bytes";

        public override void Serialize(in byte[] value, PooledBuffer destination) => destination.Write(value);

        public override void Deserialize(ReadOnlySpan<byte> source, ref byte[] value) =>
            value = source.ToArray();
    }

    private sealed class Int32Serde : Serde<int>
    {
        public override string Name => "int32";

        public override void Serialize(in int value, PooledBuffer destination) =>
            BinaryPrimitives.WriteInt32BigEndian(destination.Append(4), value);

        public override void Deserialize(ReadOnlySpan<byte> source, ref int value)
        {
            RequireLength(Name, source, 4);
            value = BinaryPrimitives.ReadInt32BigEndian(source);
        }
    }

    private sealed class Int64Serde : Serde<long>
    {
        public override string Name => "int64";

        public override void Serialize(in long value, PooledBuffer destination) =>
            BinaryPrimitives.WriteInt64BigEndian(destination.Append(8), value);

        public override void Deserialize(ReadOnlySpan<byte> source, ref long value)
        {
            RequireLength(Name, source, 8);
            value = BinaryPrimitives.ReadInt64BigEndian(source);
        }
    }

    private sealed class Bytes32Serde : Serde<Bytes32>
    {
        public override string Name => "bytes32";

        public override void Serialize(in Bytes32 value, PooledBuffer destination) =>
            destination.Write(value.Span);

        public override void Deserialize(ReadOnlySpan<byte> source, ref Bytes32 value)
        {
            RequireLength(Name, source, Records.Bytes32.Size);
            value = new Bytes32(source);
        }
    }

    private sealed class TextSerde : Serde<Text>
    {
        public override string Name => "text";

        public override void Serialize(in Text value, PooledBuffer destination) =>
            destination.Write(value.Span);

        public override void Deserialize(ReadOnlySpan<byte> source, ref Text value)
        {
            if (!System.Text.Unicode.Utf8.IsValid(source))
                throw new SerializationException(Name, "bytes that are not UTF-8", 0);
            value = new Text(source.ToArray(), 0, source.Length);
        }
    }
}
