using System.Runtime.CompilerServices;
using Streams.Buffers;

namespace Streams.Log.Embedded.Format;

/// <summary>The encoding of records inside a batch.</summary>
/// <remarks>
/// One byte of flags; where the offset does not follow on the one before, how many were left out (varint);
/// the time less the batch's base (zigzag varint); then key, value and headers, each where its flag is set,
/// as varint length and bytes. Only the flags and the gap depend on a record's neighbours, so compaction
/// copies the rest as it is.
/// </remarks>
internal static class RecordCodec
{
    /// <summary>Bytes that a record takes beyond its key, value and headers, at most.</summary>
    public const int OverheadBytesMax = 1 + Varint.BytesMax + Varint.BytesMax + 3 * LengthBytesMax;

    /// <summary>Bytes that a record with a key and a value takes beyond them, at least.</summary>
    public const int OverheadBytesMin = 4;

    private const int LengthBytesMax = 5;
    private const byte KeyFlag = 1;
    private const byte ValueFlag = 2;
    private const byte HeadersFlag = 4;
    private const byte GapFlag = 8;
    private const byte KnownFlags = KeyFlag | ValueFlag | HeadersFlag | GapFlag;

    /// <summary>Appends a record that follows on the one before it.</summary>
    public static void Write(PooledBuffer destination, in LogRecord record, long baseTimestampMs)
    {
        int bytesMax = OverheadBytesMax + record.Key.Length + record.Value.Length + record.Headers.Length;
        Span<byte> span = destination.GetSpan(bytesMax);
        int flags = (record.HasKey ? KeyFlag : 0) | (record.HasValue ? ValueFlag : 0)
            | (record.Headers.IsEmpty ? 0 : HeadersFlag);
        span[0] = (byte)flags;
        int at = 1 + Varint.Write(span[1..], Varint.ZigZag(record.TimestampMs - baseTimestampMs));
        if (record.HasKey)
            at += WriteBytes(span[at..], record.Key);
        if (record.HasValue)
            at += WriteBytes(span[at..], record.Value);
        if ((flags & HeadersFlag) != 0)
            at += WriteBytes(span[at..], record.Headers);
        destination.Advance(at);
    }

    /// <summary>Reads the record at <paramref name="at"/>.</summary>
    /// <param name="source">The batch's payload.</param>
    /// <param name="at">Moved behind the record.</param>
    /// <param name="nextOffset">The offset that would follow on the record before; moved behind this
    /// record's.</param>
    /// <param name="baseTimestampMs">The batch's.</param>
    /// <param name="record">Views of <paramref name="source"/>.</param>
    /// <returns>Whether the bytes are a record.</returns>
    public static bool TryRead(
        ReadOnlySpan<byte> source, scoped ref int at, scoped ref long nextOffset, long baseTimestampMs,
        out LogRecord record)
    {
        record = default;
        if ((uint)at >= (uint)source.Length)
            return false;
        int flags = source[at];
        int next = at + 1;
        if ((flags & ~KnownFlags) != 0)
            return false;
        ulong gap = 0;
        if ((flags & GapFlag) != 0 && !TryReadVarint(source, ref next, out gap))
            return false;
        if (!TryReadVarint(source, ref next, out ulong time))
            return false;
        ReadOnlySpan<byte> key = default, value = default, headers = default;
        if ((flags & KeyFlag) != 0 && !TryReadBytes(source, ref next, out key))
            return false;
        if ((flags & ValueFlag) != 0 && !TryReadBytes(source, ref next, out value))
            return false;
        if ((flags & HeadersFlag) != 0 && !TryReadBytes(source, ref next, out headers))
            return false;
        long offset = nextOffset + (long)gap;
        record = new LogRecord
        {
            Offset = offset,
            TimestampMs = baseTimestampMs + Varint.UnZigZag(time),
            HasKey = (flags & KeyFlag) != 0,
            Key = key,
            HasValue = (flags & ValueFlag) != 0,
            Value = value,
            Headers = headers,
        };
        at = next;
        nextOffset = offset + 1;
        return true;
    }

    /// <summary>Appends a record that was read from another batch with the same base timestamp.</summary>
    /// <param name="destination">Where to.</param>
    /// <param name="encoded">The record's bytes, whole.</param>
    /// <param name="gap">How many offsets are left out between the record before and this one.</param>
    public static void Copy(PooledBuffer destination, ReadOnlySpan<byte> encoded, long gap)
    {
        int rest = 1;
        if ((encoded[0] & GapFlag) != 0)
            rest += Varint.Read(encoded[1..], out _);
        destination.WriteByte((byte)(gap > 0 ? encoded[0] | GapFlag : encoded[0] & ~GapFlag));
        if (gap > 0)
            destination.WriteVarint((ulong)gap);
        destination.Write(encoded[rest..]);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int WriteBytes(Span<byte> destination, ReadOnlySpan<byte> bytes)
    {
        int used = Varint.Write(destination, (ulong)bytes.Length);
        bytes.CopyTo(destination[used..]);
        return used + bytes.Length;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool TryReadVarint(ReadOnlySpan<byte> source, scoped ref int at, out ulong value)
    {
        int used = Varint.Read(source[at..], out value);
        at += used;
        return used > 0;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool TryReadBytes(
        ReadOnlySpan<byte> source, scoped ref int at, out ReadOnlySpan<byte> bytes)
    {
        bytes = default;
        if (!TryReadVarint(source, ref at, out ulong length) || length > (ulong)(source.Length - at))
            return false;
        bytes = source.Slice(at, (int)length);
        at += (int)length;
        return true;
    }
}
