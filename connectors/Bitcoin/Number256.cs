using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace Streams.Connectors.Bitcoin;

/// <summary>An unsigned number of 256 bits, with the little arithmetic that targets and work need.</summary>
internal readonly record struct Number256(UInt128 High, UInt128 Low) : IComparable<Number256>
{
    public const int Bits = 256;
    public const int Bytes = 32;

    private const int HalfBits = 128;
    private const int HalfBytes = 16;

    public static Number256 One => new(UInt128.Zero, UInt128.One);

    public static Number256 ReadLittleEndian(ReadOnlySpan<byte> source) => new(
        BinaryPrimitives.ReadUInt128LittleEndian(source[HalfBytes..]),
        BinaryPrimitives.ReadUInt128LittleEndian(source));

    public static Number256 ReadBigEndian(ReadOnlySpan<byte> source) => new(
        BinaryPrimitives.ReadUInt128BigEndian(source),
        BinaryPrimitives.ReadUInt128BigEndian(source[HalfBytes..]));

    public void WriteBigEndian(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt128BigEndian(destination, High);
        BinaryPrimitives.WriteUInt128BigEndian(destination[HalfBytes..], Low);
    }

    public int LeadingZeroBits =>
        High != 0 ? (int)UInt128.LeadingZeroCount(High) : HalfBits + (int)UInt128.LeadingZeroCount(Low);

    /// <summary>Modulo 2^256.</summary>
    public static Number256 operator +(Number256 left, Number256 right)
    {
        UInt128 low = unchecked(left.Low + right.Low);
        UInt128 carry = low < left.Low ? UInt128.One : UInt128.Zero;
        return new Number256(unchecked(left.High + right.High + carry), low);
    }

    /// <summary>Modulo 2^256.</summary>
    public static Number256 operator -(Number256 left, Number256 right) => left + ~right + One;

    public static Number256 operator ~(Number256 value) => new(~value.High, ~value.Low);

    public static Number256 operator |(Number256 left, Number256 right) =>
        new(left.High | right.High, left.Low | right.Low);

    /// <summary>By 0 to 255 bits.</summary>
    public static Number256 operator <<(Number256 value, int bits) => bits switch
    {
        0 => value,
        >= HalfBits => new Number256(value.Low << (bits - HalfBits), UInt128.Zero),
        _ => new Number256((value.High << bits) | (value.Low >> (HalfBits - bits)), value.Low << bits),
    };

    /// <summary>The quotient, bit by bit: as many steps as it has bits. The divisor is not zero.</summary>
    public static Number256 operator /(Number256 dividend, Number256 divisor)
    {
        Number256 quotient = default;
        for (int bit = divisor.LeadingZeroBits - dividend.LeadingZeroBits; bit >= 0; bit--)
        {
            Number256 shifted = divisor << bit;
            if (dividend.CompareTo(shifted) < 0)
                continue;
            dividend -= shifted;
            quotient |= One << bit;
        }
        return quotient;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int CompareTo(Number256 other)
    {
        int order = High.CompareTo(other.High);
        return order != 0 ? order : Low.CompareTo(other.Low);
    }
}
