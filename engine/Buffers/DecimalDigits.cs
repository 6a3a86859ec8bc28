using System.Diagnostics;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace Streams.Buffers;

/// <summary>Whole numbers as ASCII digits, eight at a time.</summary>
/// <remarks>
/// Eight digits fit a word, one per byte, the first in the lowest byte. Two halves of four digits are split
/// side by side in the word, then four quarters of two, so that a few multiplications do what digit by digit
/// takes a loop. Invariant: the machine is little-endian, which whoever uses this has checked.
/// </remarks>
internal static class DecimalDigits
{
    /// <summary>Digits of the largest 64-bit number.</summary>
    public const int LengthMax = 20;

    /// <summary>Bytes that <see cref="Write"/> may touch behind its start: whole words are stored.</summary>
    public const int WriteBytesMax = 24;

    /// <summary>
    /// Bytes that <see cref="TryRead"/> may touch behind its start: whole words are loaded.
    /// </summary>
    public const int ReadBytesMax = 24;

    private const ulong EightDigitNumbers = 100_000_000;
    private const ulong Zeros = 0x3030303030303030;
    private const ulong UpperHalves = 0xF0F0F0F0F0F0F0F0;

    /// <summary>Writes a number without leading zeros.</summary>
    /// <param name="at">With <see cref="WriteBytesMax"/> bytes behind it.</param>
    /// <param name="value">Any number.</param>
    /// <returns>The place behind the last digit.</returns>
    public static ref byte Write(ref byte at, ulong value)
    {
        if (value < 10)
        {
            at = (byte)('0' + value);
            return ref Unsafe.Add(ref at, 1);
        }
        if (value < EightDigitNumbers)
            return ref WriteFirst(ref at, (uint)value);
        (ulong upper, ulong lowest) = Math.DivRem(value, EightDigitNumbers);
        if (upper < EightDigitNumbers)
            return ref WriteEight(ref WriteFirst(ref at, (uint)upper), (uint)lowest);
        (ulong first, ulong middle) = Math.DivRem(upper, EightDigitNumbers);
        return ref WriteEight(
            ref WriteEight(ref WriteFirst(ref at, (uint)first), (uint)middle), (uint)lowest);
    }

    /// <summary>Reads the digits that stand at a place, up to the first other byte.</summary>
    /// <remarks>How far the reader gets is decided by branches, not computed: a processor guesses branches
    /// and goes on to the next field, but would have to wait for a computed place.</remarks>
    /// <param name="at">With <see cref="ReadBytesMax"/> bytes behind it.</param>
    /// <param name="value">Their value.</param>
    /// <param name="count">How many digits there are, leading zeros included; 0 when there is none.</param>
    /// <returns>Whether the number fits 64 bits;
    /// false also for more than 20 digits, whatever they are.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryRead(ref byte at, out ulong value, out int count)
    {
        value = 0;
        count = 0;
        ulong word = Unsafe.ReadUnaligned<ulong>(ref at);
        while (AreDigits(word) && count < 16)
        {
            value = value * EightDigitNumbers + JoinEight(word);
            count += 8;
            word = Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref at, count));
        }
        for (uint digit; (digit = (uint)(byte)word - '0') <= 9; word >>= 8)
        {
            // Only the twentieth digit may not fit.
            if (count >= LengthMax - 1 && (count >= LengthMax || value > (ulong.MaxValue - digit) / 10))
                return false;
            value = value * 10 + digit;
            count++;
        }
        return true;
    }

    /// <summary>
    /// Whether eight bytes are digits: their upper halves are 3, and stay 3 when 6 is added.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool AreDigits(ulong word) =>
        ((word & UpperHalves) | (((word + 0x0606060606060606) & UpperHalves) >> 4)) == 0x3333333333333333;

    /// <summary>Joins eight digits to pairs, the pairs to fours, and those to the number.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong JoinEight(ulong word)
    {
        word = (word & 0x0F0F0F0F0F0F0F0F) * ((10 << 8) + 1) >> 8;
        word = (word & 0x00FF00FF00FF00FF) * ((100 << 16) + 1) >> 16;
        return (word & 0x0000FFFF0000FFFF) * ((10_000UL << 32) + 1) >> 32;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ref byte WriteFirst(ref byte at, uint value)
    {
        ulong digits = Split(value);
        // A last digit of zero is still written: the bit keeps it from counting as leading.
        int leading = BitOperations.TrailingZeroCount(digits | (1UL << 56)) >> 3;
        Unsafe.WriteUnaligned(ref at, (digits | Zeros) >> (8 * leading));
        return ref Unsafe.Add(ref at, 8 - leading);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ref byte WriteEight(ref byte at, uint value)
    {
        Unsafe.WriteUnaligned(ref at, Split(value) | Zeros);
        return ref Unsafe.Add(ref at, 8);
    }

    /// <summary>The eight digits of a number, a byte each, the first in the lowest byte.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Split(uint value)
    {
        Debug.Assert(value < EightDigitNumbers, "Eight digits at most.");
        (uint upper, uint lower) = Math.DivRem(value, 10_000);
        ulong fours = upper | ((ulong)lower << 32);
        // 10486 / 2^20 is 1/100 closely enough for numbers below 10,000, and 103 / 2^10 is 1/10 for those
        // below 100.
        ulong hundreds = ((fours * 10_486) >> 20) & 0x0000007F_0000007F;
        ulong twos = hundreds | ((fours - 100 * hundreds) << 16);
        ulong tens = ((twos * 103) >> 10) & 0x000F_000F_000F_000F;
        return tens | ((twos - 10 * tens) << 8);
    }
}
