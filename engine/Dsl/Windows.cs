using Streams.Buffers;
using Streams.Records;

namespace Streams.Dsl;

/// <summary>Tumbling or hopping windows of a fixed size over event time; a window's end is
/// exclusive.</summary>
/// <remarks>Windows start at multiples of the advance, never before 1970. Source: Kafka Streams'
/// TimeWindows.</remarks>
public sealed record TimeWindows
{
    private TimeWindows(long sizeMs, long advanceMs, long graceMs)
    {
        SizeMs = sizeMs;
        AdvanceMs = advanceMs;
        GraceMs = graceMs;
    }

    /// <summary>Length of a window, in milliseconds.</summary>
    public long SizeMs { get; }

    /// <summary>Distance from one window's start to the next one's, in milliseconds.</summary>
    public long AdvanceMs { get; }

    /// <summary>How long after its end a window still takes late records, in milliseconds of stream
    /// time.</summary>
    public long GraceMs { get; }

    /// <summary>Tumbling windows that take no late records.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The size is under a millisecond.</exception>
    public static TimeWindows OfSizeWithNoGrace(TimeSpan size) => OfSizeAndGrace(size, TimeSpan.Zero);

    /// <summary>Tumbling windows that take late records for a while.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The size is under a millisecond or the grace
    /// negative.</exception>
    public static TimeWindows OfSizeAndGrace(TimeSpan size, TimeSpan grace)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(size.TotalMilliseconds, 1, nameof(size));
        ArgumentOutOfRangeException.ThrowIfLessThan(grace.TotalMilliseconds, 0, nameof(grace));
        long sizeMs = (long)size.TotalMilliseconds;
        return new TimeWindows(sizeMs, sizeMs, (long)grace.TotalMilliseconds);
    }

    /// <summary>The same windows, one beginning at each multiple of the advance: hopping windows.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The advance is under a millisecond or over the
    /// size.</exception>
    public TimeWindows AdvanceBy(TimeSpan advance)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(advance.TotalMilliseconds, 1, nameof(advance));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(advance.TotalMilliseconds, SizeMs, nameof(advance));
        return new TimeWindows(SizeMs, (long)advance.TotalMilliseconds, GraceMs);
    }

    /// <summary>The start of the first window that holds a time.</summary>
    internal long FirstStart(long timeMs) =>
        Math.Max(0, timeMs - SizeMs + AdvanceMs) / AdvanceMs * AdvanceMs;
}

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

    private sealed class TimeWindowedSerde<TKey>(Serde<TKey> inner, long sizeMs) : Serde<Windowed<TKey>>
    {
        public override string Name => $"windowed<{inner.Name}>";

        public override void Serialize(in Windowed<TKey> value, PooledBuffer destination)
        {
            inner.Serialize(value.Key, destination);
            System.Buffers.Binary.BinaryPrimitives.WriteInt64BigEndian(destination.Append(8), value.StartMs);
        }

        public override void Deserialize(ReadOnlySpan<byte> source, ref Windowed<TKey> value)
        {
            if (source.Length < 8)
                throw new SerializationException(
                    Name, $"{source.Length} bytes where 8 are needed for the start", 0);
            TKey key = value.Key;
            inner.Deserialize(source[..^8], ref key);
            long start = System.Buffers.Binary.BinaryPrimitives.ReadInt64BigEndian(source[^8..]);
            value = new Windowed<TKey>(key, start, start + sizeMs);
        }
    }
}
