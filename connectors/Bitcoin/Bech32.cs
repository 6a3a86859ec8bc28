using System.Buffers.Binary;
using System.Text;
using Streams.Buffers;

namespace Streams.Connectors.Bitcoin;

/// <summary>Which constant ends the checksum.</summary>
public enum Bech32Variant : byte
{
    /// <summary>BIP173: witness version 0.</summary>
    Bech32,

    /// <summary>BIP350: witness versions 1 to 16.</summary>
    Bech32m,
}

/// <summary>Text of a prefix, the digit 1, five-bit values and a checksum that finds any 4 errors.</summary>
/// <remarks>Sources: BIP173; BIP350.</remarks>
public static class Bech32
{
    /// <summary>The most characters of a text.</summary>
    public const int TextBytesMax = 90;

    /// <summary>The most values between separator and checksum.</summary>
    public const int ValuesMax = TextBytesMax - ChecksumValues - 2;

    private const int ChecksumValues = 6;
    private const int ValueBits = 5;
    private const int ByteBits = 8;
    private const int GroupBytes = 5;
    private const int GroupValues = 8;
    private const byte Separator = (byte)'1';
    private const byte PrefixCharacterMin = 33;
    private const byte PrefixCharacterMax = 126;
    private const byte NotAValue = 0xFF;

    // What a checksum of 30 bits is multiplied through; the constants that it must end as.
    private const int StateBits = 30;

    // As many as the longest witness program asks for, with the state before it: a table that stays near.
    private const int RemainderSteps = 80;
    private const uint Bech32End = 1;
    private const uint Bech32mEnd = 0x2BC830A3;

    private static readonly byte[] Values = BuildValues();
    private static readonly uint[] Feedback = BuildFeedback();
    private static readonly uint[] Remainders = BuildRemainders();

    private static ReadOnlySpan<byte> Alphabet => "qpzry9x8gf2tvdw0s3jn54khce6mua7l"u8;

    /// <summary>Writes prefix, values and checksum, and returns the characters used.</summary>
    /// <param name="prefix">Lower case.</param>
    /// <param name="values">Five bits each.</param>
    /// <param name="variant">The checksum's constant.</param>
    /// <param name="destination">Room for the prefix, the values and seven characters more.</param>
    public static int Encode(
        string prefix, ReadOnlySpan<byte> values, Bech32Variant variant, Span<byte> destination)
    {
        int at = Encoding.ASCII.GetBytes(prefix, destination);
        uint state = Checksum(AbsorbPrefix(destination[..at]), values) ^ End(variant);
        destination[at++] = Separator;
        ReadOnlySpan<byte> alphabet = Alphabet;
        foreach (byte value in values)
            destination[at++] = alphabet[value & 31];
        for (int shift = StateBits - ValueBits; shift >= 0; shift -= ValueBits)
            destination[at++] = alphabet[(int)(state >> shift) & 31];
        return at;
    }

    /// <summary>Reads a text of either variant.</summary>
    /// <param name="text">UTF-8, all upper or all lower case.</param>
    /// <param name="values">At least <see cref="ValuesMax"/>: the values without the checksum.</param>
    /// <param name="prefixBytes">How many characters stand before the separator.</param>
    /// <param name="valueCount">How many values there are.</param>
    /// <param name="variant">Whose checksum it is.</param>
    public static ParseResult<BitcoinTextDefect> TryDecode(
        ReadOnlySpan<byte> text, Span<byte> values, out int prefixBytes, out int valueCount,
        out Bech32Variant variant)
    {
        valueCount = 0;
        variant = default;
        prefixBytes = text.LastIndexOf(Separator);
        ParseResult<BitcoinTextDefect> result = CheckCharacters(text, prefixBytes);
        if (!result.IsDone)
            return result;
        ReadOnlySpan<byte> data = text[(prefixBytes + 1)..];
        uint state = AbsorbPrefix(text[..prefixBytes]);
        for (int i = 0; i < data.Length; i++)
        {
            byte value = Values[data[i]];
            if (value == NotAValue)
                return BitcoinTextDefect.Character.At(prefixBytes + 1 + i);
            state = Absorb(state, value);
            if (i < data.Length - ChecksumValues)
                values[valueCount++] = value;
        }
        if (state is not (Bech32End or Bech32mEnd))
            return BitcoinTextDefect.Checksum.At(text.Length - ChecksumValues);
        variant = state == Bech32End ? Bech32Variant.Bech32 : Bech32Variant.Bech32m;
        return ParseResult<BitcoinTextDefect>.Done;
    }

    /// <summary>Spreads bytes over five-bit values, filling the last one up; returns how many.</summary>
    public static int ToValues(ReadOnlySpan<byte> bytes, Span<byte> values)
    {
        int count = 0;
        for (; bytes.Length >= sizeof(ulong); bytes = bytes[GroupBytes..], count += GroupValues)
            Spread(BinaryPrimitives.ReadUInt64BigEndian(bytes), values.Slice(count, GroupValues));
        uint bits = 0;
        int held = 0;
        foreach (byte b in bytes)
        {
            bits = (bits << ByteBits) | b;
            for (held += ByteBits; held >= ValueBits; held -= ValueBits)
                values[count++] = (byte)((bits >> (held - ValueBits)) & 31);
        }
        if (held > 0)
            values[count++] = (byte)((bits << (ValueBits - held)) & 31);
        return count;
    }

    // The first five bytes of a word, as eight values.
    private static void Spread(ulong word, Span<byte> values)
    {
        values[7] = (byte)((word >> 24) & 31);
        values[6] = (byte)((word >> 29) & 31);
        values[5] = (byte)((word >> 34) & 31);
        values[4] = (byte)((word >> 39) & 31);
        values[3] = (byte)((word >> 44) & 31);
        values[2] = (byte)((word >> 49) & 31);
        values[1] = (byte)((word >> 54) & 31);
        values[0] = (byte)(word >> 59);
    }

    /// <summary>Joins five-bit values to bytes.</summary>
    /// <param name="values">Five bits each.</param>
    /// <param name="bytes">Room for five bytes for each eight values.</param>
    /// <param name="count">How many bytes there are.</param>
    /// <returns>Whether what is left over is less than a value, and zero.</returns>
    public static bool TryToBytes(ReadOnlySpan<byte> values, Span<byte> bytes, out int count)
    {
        count = 0;
        uint bits = 0;
        int held = 0;
        foreach (byte value in values)
        {
            bits = (bits << ValueBits) | value;
            held += ValueBits;
            if (held < ByteBits)
                continue;
            held -= ByteBits;
            bytes[count++] = (byte)(bits >> held);
        }
        uint left = bits & ((1u << held) - 1);
        return held < ValueBits && left == 0;
    }

    private static ParseResult<BitcoinTextDefect> CheckCharacters(ReadOnlySpan<byte> text, int prefixBytes)
    {
        int bad = text.IndexOfAnyExceptInRange(PrefixCharacterMin, PrefixCharacterMax);
        if (bad >= 0)
            return BitcoinTextDefect.Character.At(bad);
        int upper = text.IndexOfAnyInRange((byte)'A', (byte)'Z');
        int lower = text.IndexOfAnyInRange((byte)'a', (byte)'z');
        if (upper >= 0 && lower >= 0)
            return BitcoinTextDefect.MixedCase.At(Math.Max(upper, lower));
        if (prefixBytes < 1)
            return BitcoinTextDefect.Prefix.At(0);
        bool fits = text.Length <= TextBytesMax && text.Length - prefixBytes - 1 >= ChecksumValues;
        return fits ? ParseResult<BitcoinTextDefect>.Done : BitcoinTextDefect.Length.At(text.Length);
    }

    private static uint End(Bech32Variant variant) =>
        variant == Bech32Variant.Bech32 ? Bech32End : Bech32mEnd;

    // The high bits of every character, a zero, and the low bits of every character, in lower case.
    private static uint AbsorbPrefix(ReadOnlySpan<byte> prefix)
    {
        uint state = 1;
        foreach (byte character in prefix)
            state = Absorb(state, ToLower(character) >> ValueBits);
        state = Absorb(state, 0);
        foreach (byte character in prefix)
            state = Absorb(state, ToLower(character) & 31);
        return state;
    }

    // The state after the values and six zeros. The code is linear: each value, and each five bits of the
    // state before, add a remainder that depends only on how many steps follow, so none waits for another.
    private static uint Checksum(uint state, ReadOnlySpan<byte> values)
    {
        int after = values.Length + ChecksumValues;
        if (after + ChecksumValues > RemainderSteps)
            return ChecksumBySteps(state, values);
        ReadOnlySpan<uint> remainders = Remainders;
        uint sum = 0;
        for (int i = 0; i < ChecksumValues; i++)
            sum ^= remainders[((after + i) << ValueBits) | (int)((state >> (ValueBits * i)) & 31)];
        foreach (byte value in values)
            sum ^= remainders[(--after << ValueBits) | (value & 31)];
        return sum;
    }

    private static uint ChecksumBySteps(uint state, ReadOnlySpan<byte> values)
    {
        foreach (byte value in values)
            state = Absorb(state, value);
        for (int i = 0; i < ChecksumValues; i++)
            state = Absorb(state, 0);
        return state;
    }

    // By the number of steps that follow a value, and the value.
    private static uint[] BuildRemainders()
    {
        uint[] remainders = new uint[RemainderSteps << ValueBits];
        for (int value = 0; value < 1 << ValueBits; value++)
        {
            uint state = (uint)value;
            for (int after = 0; after < RemainderSteps; after++, state = Absorb(state, 0))
                remainders[(after << ValueBits) | value] = state;
        }
        return remainders;
    }

    // One step of a division of polynomials over 32 elements; the table holds the multiples of the generator.
    private static uint Absorb(uint state, int value)
    {
        uint top = state >> (StateBits - ValueBits);
        return ((state & 0x01FF_FFFF) << ValueBits) ^ (uint)value ^ Feedback[(int)(top & 31)];
    }

    private static int ToLower(byte character) =>
        character is >= (byte)'A' and <= (byte)'Z' ? character | 0x20 : character;

    private static uint[] BuildFeedback()
    {
        ReadOnlySpan<uint> generator = [0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3];
        uint[] feedback = new uint[32];
        for (int top = 0; top < feedback.Length; top++)
        {
            for (int bit = 0; bit < generator.Length; bit++)
                feedback[top] ^= (top >> bit & 1) != 0 ? generator[bit] : 0;
        }
        return feedback;
    }

    private static byte[] BuildValues()
    {
        byte[] values = new byte[128];
        Array.Fill(values, NotAValue);
        for (int i = 0; i < Alphabet.Length; i++)
        {
            values[Alphabet[i]] = (byte)i;
            values[char.ToUpperInvariant((char)Alphabet[i])] = (byte)i;
        }
        return values;
    }
}
