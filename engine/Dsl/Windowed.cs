using System.Buffers.Binary;
using Streams.Buffers;
using Streams.Records;

namespace Streams.Dsl;

/// <summary>A key in a window.</summary>
/// <typeparam name="TKey">The key's type.</typeparam>
/// <param name="Key">The key.</param>
/// <param name="StartMs">The window's start, Unix milliseconds, inclusive.</param>
/// <param name="EndMs">The window's end; exclusive for tumbling and hopping windows, inclusive for
/// others.</param>
public readonly record struct Windowed<TKey>(TKey Key, long StartMs, long EndMs)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Key}@{StartMs}/{EndMs}";
}

/// <summary>Serdes of windowed keys.</summary>
public static class WindowedSerdes
{
    /// <summary>The key's bytes, then the window's start, eight bytes big-endian; the end follows from the
    /// size.</summary>
    /// <remarks>Source: Kafka Streams' TimeWindowedSerializer.</remarks>
    public static Serde<Windowed<TKey>> TimeWindowed<TKey>(Serde<TKey> inner, TimeSpan size) =>
        new TimeWindowedSerde<TKey>(inner, (long)size.TotalMilliseconds);

    /// <summary>The key's bytes, then the session's end and its start, eight bytes big-endian each.</summary>
    /// <remarks>Source: Kafka Streams' SessionWindowedSerializer.</remarks>
    public static Serde<Windowed<TKey>> SessionWindowed<TKey>(Serde<TKey> inner) =>
        new SessionWindowedSerde<TKey>(inner);

    private sealed class SessionWindowedSerde<TKey>(Serde<TKey> inner) : Serde<Windowed<TKey>>
    {
        private const int SpanBytes = 16;

        public override string Name => $"session<{inner.Name}>";

        public override void Serialize(in Windowed<TKey> value, PooledBuffer destination)
        {
            inner.Serialize(value.Key, destination);
            Span<byte> span = destination.Append(SpanBytes);
            BinaryPrimitives.WriteInt64BigEndian(span, value.EndMs);
            BinaryPrimitives.WriteInt64BigEndian(span[8..], value.StartMs);
        }

        public override void Deserialize(ReadOnlySpan<byte> source, ref Windowed<TKey> value)
        {
            if (source.Length < SpanBytes)
                throw new SerializationException(
                    Name, $"{source.Length} bytes where {SpanBytes} are needed for end and start", 0);
            TKey key = value.Key;
            inner.Deserialize(source[..^SpanBytes], ref key);
            long end = BinaryPrimitives.ReadInt64BigEndian(source[^SpanBytes..]);
            value = new Windowed<TKey>(key, BinaryPrimitives.ReadInt64BigEndian(source[^8..]), end);
        }
    }

    private sealed class TimeWindowedSerde<TKey>(Serde<TKey> inner, long sizeMs) : Serde<Windowed<TKey>>
    {
        public override string Name => $"windowed<{inner.Name}>";

        public override void Serialize(in Windowed<TKey> value, PooledBuffer destination)
        {
            inner.Serialize(value.Key, destination);
            BinaryPrimitives.WriteInt64BigEndian(destination.Append(8), value.StartMs);
        }

        public override void Deserialize(ReadOnlySpan<byte> source, ref Windowed<TKey> value)
        {
            if (source.Length < 8)
                throw new SerializationException(
                    Name, $"{source.Length} bytes where 8 are needed for the start", 0);
            TKey key = value.Key;
            inner.Deserialize(source[..^8], ref key);
            long start = BinaryPrimitives.ReadInt64BigEndian(source[^8..]);
            value = new Windowed<TKey>(key, start, start + sizeMs);
        }
    }
}
