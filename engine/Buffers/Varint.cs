using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace Streams.Buffers;

/// <summary>Base-128 varints, least significant group first.</summary>
/// <remarks>Source: Protocol Buffers encoding guide, "Base 128 Varints" and "Signed Integers"
/// (zigzag).</remarks>
public static class Varint
{
    /// <summary>Bytes that any 64-bit value fits in.</summary>
    public const int BytesMax = 10;

    /// <summary>Bytes that <paramref name="value"/> takes: 1 to 10.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Size(ulong value) => (BitOperations.Log2(value | 1) * 9 + 73) / 64;

    /// <summary>Writes <paramref name="value"/> and returns the bytes used.</summary>
    /// <param name="destination">At least <see cref="BytesMax"/> bytes, or the value's own size.</param>
    /// <param name="value">Any value.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Write(Span<byte> destination, ulong value)
    {
        int count = 0;
        while (value >= 0x80)
        {
            destination[count++] = (byte)(value | 0x80);
            value >>= 7;
        }
        destination[count++] = (byte)value;
        return count;
    }

    /// <summary>Reads one varint from the start of <paramref name="source"/>.</summary>
    /// <returns>The bytes used; 0 when the bytes end inside the value; -1 when it does not fit 64
    /// bits.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Read(ReadOnlySpan<byte> source, out ulong value)
    {
        if (source.Length > 0 && source[0] < 0x80)
        {
            value = source[0];
            return 1;
        }
        return ReadLong(source, out value);
    }

    /// <summary>Maps a signed value so that small magnitudes become small varints.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong ZigZag(long value) => (ulong)((value << 1) ^ (value >> 63));

    /// <summary>The inverse of <see cref="ZigZag"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static long UnZigZag(ulong value) => (long)(value >> 1) ^ -(long)(value & 1);

    /// <summary>Spreads the low 56 bits over the eight bytes of a word, seven to each; the top bits are
    /// zero.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Spread(ulong value)
    {
        if (Bmi2.X64.IsSupported)
            return Bmi2.X64.ParallelBitDeposit(value, 0x7F7F7F7F7F7F7F7F);
        value = (value & 0x0000_0000_0FFF_FFFF) | ((value & 0x00FF_FFFF_F000_0000) << 4);
        value = (value & 0x0000_3FFF_0000_3FFF) | ((value & 0x0FFF_C000_0FFF_C000) << 2);
        return (value & 0x007F_007F_007F_007F) | ((value & 0x3F80_3F80_3F80_3F80) << 1);
    }

    /// <summary>The inverse of <see cref="Spread"/>; the top bit of each byte is ignored.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Compact(ulong word)
    {
        if (Bmi2.X64.IsSupported)
            return Bmi2.X64.ParallelBitExtract(word, 0x7F7F7F7F7F7F7F7F);
        word = (word & 0x007F_007F_007F_007F) | ((word & 0x7F00_7F00_7F00_7F00) >> 1);
        word = (word & 0x0000_3FFF_0000_3FFF) | ((word & 0x3FFF_0000_3FFF_0000) >> 2);
        return (word & 0x0000_0000_0FFF_FFFF) | ((word & 0x0FFF_FFFF_0000_0000) >> 4);
    }

    private static int ReadLong(ReadOnlySpan<byte> source, out ulong value)
    {
        value = 0;
        int limit = Math.Min(source.Length, BytesMax);
        for (int i = 0; i < limit; i++)
        {
            byte b = source[i];
            if (i == BytesMax - 1 && b > 1)
                return -1;
            value |= (ulong)(b & 0x7F) << (7 * i);
            if (b < 0x80)
                return i + 1;
        }
        return source.Length >= BytesMax ? -1 : 0;
    }
}
