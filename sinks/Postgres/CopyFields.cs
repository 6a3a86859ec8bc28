using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using Streams.Buffers;
using Streams.Records;

namespace Streams.Sinks.Postgres;

/// <summary>Writes fields of binary COPY: a length of four bytes, then the value as the server's type has
/// it.</summary>
/// <remarks>Source: PostgreSQL 15, "COPY", section "Binary Format"; types as their <c>*_recv</c> functions
/// read them. All numbers are big-endian.</remarks>
internal static class CopyFields
{
    /// <summary>2000-01-01, from which the server counts, in microseconds since 1970.</summary>
    private const long EpochMicroseconds = 946_684_800_000_000;

    private const int UuidBytes = 16;
    private const int UInt64DigitsMax = 20;

    // numeric_recv: a group holds four decimal digits; 0x4000 marks a number below zero.
    private const int DigitsPerGroup = 4;
    private const short NumericNegative = 0x4000;
    private const int GroupsMax = (UInt256.DecimalLengthMax + 2 * DigitsPerGroup) / DigitsPerGroup + 1;

    internal static void Null(PooledBuffer to) => BinaryPrimitives.WriteInt32BigEndian(to.Append(4), -1);

    internal static void Bool(PooledBuffer to, bool value)
    {
        Span<byte> field = Begin(to, 1);
        field[0] = value ? (byte)1 : (byte)0;
    }

    internal static void Int32(PooledBuffer to, int value) =>
        BinaryPrimitives.WriteInt32BigEndian(Begin(to, sizeof(int)), value);

    internal static void Int64(PooledBuffer to, long value) =>
        BinaryPrimitives.WriteInt64BigEndian(Begin(to, sizeof(long)), value);

    internal static void Double(PooledBuffer to, double value) =>
        BinaryPrimitives.WriteDoubleBigEndian(Begin(to, sizeof(double)), value);

    internal static void Bytes(PooledBuffer to, ReadOnlySpan<byte> value) =>
        value.CopyTo(Begin(to, value.Length));

    internal static void Bytes32(PooledBuffer to, in Bytes32 value) =>
        value.Span.CopyTo(Begin(to, Records.Bytes32.Size));

    /// <summary>An instant; what is below a microsecond is cut off, towards the past.</summary>
    internal static void Instant(PooledBuffer to, long nanoseconds)
    {
        (long microseconds, long rest) = Math.DivRem(nanoseconds, 1_000);
        Int64(to, microseconds - (rest < 0 ? 1 : 0) - EpochMicroseconds);
    }

    internal static void Numeric(PooledBuffer to, long value, int scale)
    {
        Span<byte> digits = stackalloc byte[UInt64DigitsMax];
        // The magnitude of the smallest number does not fit the signed type.
        ulong magnitude = value < 0 ? 0 - (ulong)value : (ulong)value;
        Utf8Formatter.TryFormat(magnitude, digits, out int count);
        Numeric(to, digits[..count], scale, value < 0);
    }

    internal static void Numeric(PooledBuffer to, ulong value, int scale)
    {
        Span<byte> digits = stackalloc byte[UInt64DigitsMax];
        Utf8Formatter.TryFormat(value, digits, out int count);
        Numeric(to, digits[..count], scale, isNegative: false);
    }

    internal static void Numeric(PooledBuffer to, in UInt256 value, int scale)
    {
        Span<byte> digits = stackalloc byte[UInt256.DecimalLengthMax];
        Numeric(to, digits[..value.Format(digits)], scale, isNegative: false);
    }

    /// <summary>An identifier of 32 bytes as a UUID: its first 16, with version and variant set.</summary>
    internal static void Uuid(PooledBuffer to, in Bytes32 value) => WriteUuid(to, value.Span);

    /// <summary>A text as a UUID: the first 16 bytes of its SHA-256, with version and variant set.</summary>
    internal static void Uuid(PooledBuffer to, ReadOnlySpan<byte> text)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(text, hash);
        WriteUuid(to, hash);
    }

    // Source: RFC 9562, section 5.8: the version stands in the upper half of byte 6, the variant in the upper
    // two bits of byte 8.
    private static void WriteUuid(PooledBuffer to, ReadOnlySpan<byte> bytes)
    {
        Span<byte> field = Begin(to, UuidBytes);
        bytes[..UuidBytes].CopyTo(field);
        field[6] = (byte)((field[6] & 0x0F) | 0x80);
        field[8] = (byte)((field[8] & 0x3F) | 0x80);
    }

    // Digits are grouped by four from the point on, to both sides; the weight is the first group's place.
    private static void Numeric(PooledBuffer to, ReadOnlySpan<byte> digits, int scale, bool isNegative)
    {
        Span<short> groups = stackalloc short[GroupsMax];
        int whole = digits.Length - scale;
        int weight = FloorDivide(whole - 1, DigitsPerGroup);
        int count = 0, group = 0, at = weight;
        for (int i = 0; i < digits.Length; i++)
        {
            int exponent = whole - 1 - i;
            int place = FloorDivide(exponent, DigitsPerGroup);
            if (place != at)
            {
                groups[count++] = (short)group;
                group = 0;
                at = place;
            }
            group = group * 10 + (digits[i] - '0');
        }
        // The last group lacks the zeros up to its right end.
        for (int left = whole - digits.Length - at * DigitsPerGroup; left > 0; left--)
            group *= 10;
        groups[count++] = (short)group;
        while (count > 0 && groups[count - 1] == 0)
            count--;
        Span<byte> field = Begin(to, 8 + 2 * count);
        BinaryPrimitives.WriteInt16BigEndian(field, (short)count);
        BinaryPrimitives.WriteInt16BigEndian(field[2..], (short)(count == 0 ? 0 : weight));
        BinaryPrimitives.WriteInt16BigEndian(field[4..], isNegative ? NumericNegative : (short)0);
        BinaryPrimitives.WriteInt16BigEndian(field[6..], (short)scale);
        for (int i = 0; i < count; i++)
            BinaryPrimitives.WriteInt16BigEndian(field[(8 + 2 * i)..], groups[i]);
    }

    private static int FloorDivide(int value, int by) => value >= 0 ? value / by : -((by - 1 - value) / by);

    private static Span<byte> Begin(PooledBuffer to, int bytes)
    {
        Span<byte> field = to.Append(sizeof(int) + bytes);
        BinaryPrimitives.WriteInt32BigEndian(field, bytes);
        return field[sizeof(int)..];
    }
}
