using System.Buffers.Binary;
using Streams.Buffers;

namespace Streams.Connectors.Bitcoin;

/// <summary>Base 58: bytes as one big number, in digits and letters that are hard to confuse.</summary>
/// <remarks>
/// The cost grows with the square of the length, so lengths are bounded. The number is kept in limbs of 58^5,
/// which fit 32 bits: one pass of 64-bit divisions then makes five characters at once. Each leading zero byte
/// becomes a leading 1. Source: Bitcoin developer reference, "Base58 Encoding"; draft-msporny-base58.
/// </remarks>
public static class Base58
{
    /// <summary>The most bytes that are encoded.</summary>
    public const int BytesMax = 512;

    /// <summary>The most characters that are decoded, and what <see cref="BytesMax"/> bytes take.</summary>
    public const int TextBytesMax = (BytesMax * 138 / 100) + 1;

    private const int LimbDigits = 5;
    private const uint LimbBase = 58 * 58 * 58 * 58 * 58;
    private const byte NotADigit = 0xFF;

    private static readonly byte[] Values = BuildValues();

    private static ReadOnlySpan<byte> Alphabet =>
        "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"u8;

    /// <summary>Writes <paramref name="source"/> as text, and returns the characters used.</summary>
    /// <param name="source">At most <see cref="BytesMax"/> bytes.</param>
    /// <param name="destination">Room for 138 characters for each 100 bytes, and one more.</param>
    public static int Encode(ReadOnlySpan<byte> source, Span<byte> destination)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(source.Length, BytesMax);
        int zeros = source.IndexOfAnyExcept((byte)0);
        if (zeros < 0)
            zeros = source.Length;
        Span<uint> limbs = stackalloc uint[(source.Length * 2 / 7) + 2];
        int limbCount = ToLimbs(source[zeros..], limbs);
        destination[..zeros].Fill(Alphabet[0]);
        return zeros + WriteDigits(limbs[..limbCount], destination[zeros..]);
    }

    /// <summary>Reads text into <paramref name="destination"/>.</summary>
    /// <param name="text">UTF-8.</param>
    /// <param name="destination">Filled from its start.</param>
    /// <param name="bytes">How many bytes the text stands for.</param>
    /// <returns>Done, or Invalid: a character, or more bytes than there is room for.</returns>
    public static ParseResult<BitcoinTextDefect> TryDecode(
        ReadOnlySpan<byte> text, Span<byte> destination, out int bytes)
    {
        bytes = 0;
        if (text.Length > TextBytesMax)
            return BitcoinTextDefect.Length.At(TextBytesMax);
        int ones = text.IndexOfAnyExcept(Alphabet[0]);
        if (ones < 0)
            ones = text.Length;
        // A digit carries 5.858 bits, a word 32.
        Span<uint> words = stackalloc uint[(text.Length * 3 / 16) + 2];
        int wordCount = 0;
        int at = ones;
        while (at < text.Length)
        {
            uint group = 0;
            uint scale = 1;
            int end = Math.Min(text.Length, at + LimbDigits);
            for (; at < end; at++)
            {
                byte value = text[at] < Values.Length ? Values[text[at]] : NotADigit;
                if (value == NotADigit)
                    return BitcoinTextDefect.Character.At(at);
                group = (group * 58) + value;
                scale *= 58;
            }
            wordCount = MultiplyAdd(words, wordCount, scale, group);
        }
        return TryWriteBytes(words[..wordCount], ones, destination, out bytes)
            ? ParseResult<BitcoinTextDefect>.Done
            : BitcoinTextDefect.Length.At(text.Length);
    }

    // Lowest limb first. The first word takes what is over a multiple of four bytes.
    private static int ToLimbs(ReadOnlySpan<byte> source, Span<uint> limbs)
    {
        int count = 0;
        int head = source.Length % sizeof(uint);
        uint word = 0;
        foreach (byte b in source[..head])
            word = (word << 8) | b;
        if (head > 0)
            limbs[count++] = word;
        for (ReadOnlySpan<byte> rest = source[head..]; !rest.IsEmpty; rest = rest[sizeof(uint)..])
        {
            ulong carry = BinaryPrimitives.ReadUInt32BigEndian(rest);
            for (int i = 0; i < count; i++)
            {
                ulong sum = ((ulong)limbs[i] << 32) + carry;
                carry = sum / LimbBase;
                limbs[i] = (uint)(sum - (carry * LimbBase));
            }
            for (; carry > 0; carry /= LimbBase)
                limbs[count++] = (uint)(carry % LimbBase);
        }
        return count;
    }

    private static int WriteDigits(ReadOnlySpan<uint> limbs, Span<byte> destination)
    {
        if (limbs.IsEmpty)
            return 0;
        Span<byte> digits = stackalloc byte[LimbDigits];
        SplitLimb(limbs[^1], digits);
        ReadOnlySpan<byte> first = digits[digits.IndexOfAnyExcept(Alphabet[0])..];
        first.CopyTo(destination);
        int written = first.Length;
        for (int i = limbs.Length - 2; i >= 0; i--, written += LimbDigits)
            SplitLimb(limbs[i], destination.Slice(written, LimbDigits));
        return written;
    }

    // Each quotient is taken from the limb itself, so that none waits for another.
    private static void SplitLimb(uint limb, Span<byte> digits)
    {
        uint first = limb / (58 * 58 * 58 * 58);
        uint second = limb / (58 * 58 * 58);
        uint third = limb / (58 * 58);
        uint fourth = limb / 58;
        ReadOnlySpan<byte> alphabet = Alphabet;
        digits[4] = alphabet[(int)(limb - (fourth * 58))];
        digits[3] = alphabet[(int)(fourth - (third * 58))];
        digits[2] = alphabet[(int)(third - (second * 58))];
        digits[1] = alphabet[(int)(second - (first * 58))];
        digits[0] = alphabet[(int)first];
    }

    // Lowest word first.
    private static int MultiplyAdd(Span<uint> words, int count, uint scale, uint addend)
    {
        ulong carry = addend;
        for (int i = 0; i < count; i++)
        {
            carry += (ulong)words[i] * scale;
            words[i] = (uint)carry;
            carry >>= 32;
        }
        if (carry > 0)
            words[count++] = (uint)carry;
        return count;
    }

    private static bool TryWriteBytes(
        ReadOnlySpan<uint> words, int zeros, Span<byte> destination, out int bytes)
    {
        Span<byte> number = stackalloc byte[words.Length * sizeof(uint)];
        Span<byte> rest = number;
        for (int i = words.Length - 1; i >= 0; i--, rest = rest[sizeof(uint)..])
            BinaryPrimitives.WriteUInt32BigEndian(rest, words[i]);
        number = number.TrimStart((byte)0);
        bytes = zeros + number.Length;
        if (bytes > destination.Length)
            return false;
        destination[..zeros].Clear();
        number.CopyTo(destination[zeros..]);
        return true;
    }

    private static byte[] BuildValues()
    {
        byte[] values = new byte[128];
        Array.Fill(values, NotADigit);
        for (int i = 0; i < Alphabet.Length; i++)
            values[Alphabet[i]] = (byte)i;
        return values;
    }
}
