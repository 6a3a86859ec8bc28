using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace Streams.Records;

/// <summary>
/// An unsigned 256-bit number, as Ethereum counts wei and token units. Arithmetic is exact: what does not fit
/// throws, or is reported by the Try form; nothing wraps or rounds.
/// </summary>
/// <remarks>Source: Ethereum Yellow Paper, section 4.1 (values are unsigned 256-bit).
/// Four 64-bit limbs, the least significant first.</remarks>
public readonly partial struct UInt256 : IEquatable<UInt256>, IComparable<UInt256>
{
    /// <summary>The length of the full big-endian form.</summary>
    public const int Size = 32;

    private readonly ulong _0;
    private readonly ulong _1;
    private readonly ulong _2;
    private readonly ulong _3;

    /// <summary>The number whose limbs are given, least significant first.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public UInt256(ulong limb0, ulong limb1 = 0, ulong limb2 = 0, ulong limb3 = 0)
    {
        _0 = limb0;
        _1 = limb1;
        _2 = limb2;
        _3 = limb3;
    }

    /// <summary>0.</summary>
    public static UInt256 Zero => default;

    /// <summary>1.</summary>
    public static UInt256 One => new(1);

    /// <summary>2^256 - 1.</summary>
    public static UInt256 MaxValue => new(ulong.MaxValue, ulong.MaxValue, ulong.MaxValue, ulong.MaxValue);

    /// <summary>Whether it is 0.</summary>
    public bool IsZero
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => (_0 | _1 | _2 | _3) == 0;
    }

    /// <summary>Bits up to the highest one set: 0 for 0, 256 at most.</summary>
    public int BitLength
    {
        get
        {
            if (_3 != 0)
                return 256 - BitOperations.LeadingZeroCount(_3);
            if (_2 != 0)
                return 192 - BitOperations.LeadingZeroCount(_2);
            return _1 != 0
                ? 128 - BitOperations.LeadingZeroCount(_1)
                : 64 - BitOperations.LeadingZeroCount(_0);
        }
    }

    /// <summary>Bytes of the shortest big-endian form: 0 for 0, 32 at most.</summary>
    public int BigEndianLength => (BitLength + 7) / 8;

    /// <summary>Every 64-bit number is one.</summary>
    public static implicit operator UInt256(ulong value) => new(value);

    /// <summary>The number as 64 bits.</summary>
    /// <exception cref="OverflowException">It is larger.</exception>
    public static explicit operator ulong(in UInt256 value) =>
        (value._1 | value._2 | value._3) == 0
            ? value._0
            : throw new OverflowException($"{value} is over 64 bits.");

    /// <summary>The sum.</summary>
    /// <exception cref="OverflowException">It is over 256 bits.</exception>
    public static UInt256 operator +(in UInt256 left, in UInt256 right) =>
        TryAdd(left, right, out UInt256 sum)
            ? sum
            : throw new OverflowException($"{left} + {right} is over 256 bits.");

    /// <summary>The difference.</summary>
    /// <exception cref="OverflowException">It is below zero.</exception>
    public static UInt256 operator -(in UInt256 left, in UInt256 right) =>
        TrySubtract(left, right, out UInt256 difference)
            ? difference
            : throw new OverflowException($"{left} - {right} is below zero.");

    /// <summary>The product.</summary>
    /// <exception cref="OverflowException">It is over 256 bits.</exception>
    public static UInt256 operator *(in UInt256 left, in UInt256 right) =>
        TryMultiply(left, right, out UInt256 product)
            ? product
            : throw new OverflowException($"{left} * {right} is over 256 bits.");

    /// <summary>The whole part of the quotient.</summary>
    /// <exception cref="DivideByZeroException">The divisor is 0.</exception>
    public static UInt256 operator /(in UInt256 left, ulong right) => DivRem(left, right, out _);

    /// <summary>The rest of the division.</summary>
    /// <exception cref="DivideByZeroException">The divisor is 0.</exception>
    public static ulong operator %(in UInt256 left, ulong right)
    {
        DivRem(left, right, out ulong remainder);
        return remainder;
    }

    /// <summary>Whether the numbers are the same.</summary>
    public static bool operator ==(in UInt256 left, in UInt256 right) => left.Equals(in right);

    /// <summary>Whether the numbers differ.</summary>
    public static bool operator !=(in UInt256 left, in UInt256 right) => !left.Equals(in right);

    /// <summary>Whether the left number is smaller.</summary>
    public static bool operator <(in UInt256 left, in UInt256 right) => left.CompareTo(in right) < 0;

    /// <summary>Whether the left number is larger.</summary>
    public static bool operator >(in UInt256 left, in UInt256 right) => left.CompareTo(in right) > 0;

    /// <summary>Whether the left number is not larger.</summary>
    public static bool operator <=(in UInt256 left, in UInt256 right) => left.CompareTo(in right) <= 0;

    /// <summary>Whether the left number is not smaller.</summary>
    public static bool operator >=(in UInt256 left, in UInt256 right) => left.CompareTo(in right) >= 0;

    /// <summary>Adds.</summary>
    /// <returns>Whether the sum fits 256 bits; if not, <paramref name="sum"/> lacks the carry.</returns>
    public static bool TryAdd(in UInt256 left, in UInt256 right, out UInt256 sum)
    {
        ulong carry = 0;
        sum = new UInt256(
            AddLimb(left._0, right._0, ref carry),
            AddLimb(left._1, right._1, ref carry),
            AddLimb(left._2, right._2, ref carry),
            AddLimb(left._3, right._3, ref carry));
        return carry == 0;
    }

    /// <summary>Subtracts.</summary>
    /// <returns>Whether the difference is not below zero; if it is,
    /// <paramref name="difference"/> has wrapped.</returns>
    public static bool TrySubtract(in UInt256 left, in UInt256 right, out UInt256 difference)
    {
        ulong borrow = 0;
        difference = new UInt256(
            SubtractLimb(left._0, right._0, ref borrow),
            SubtractLimb(left._1, right._1, ref borrow),
            SubtractLimb(left._2, right._2, ref borrow),
            SubtractLimb(left._3, right._3, ref borrow));
        return borrow == 0;
    }

    /// <summary>Multiplies.</summary>
    /// <returns>Whether the product fits 256 bits; if not,
    /// <paramref name="product"/> is its lowest 256 bits.</returns>
    public static bool TryMultiply(in UInt256 left, in UInt256 right, out UInt256 product)
    {
        Span<ulong> wide = stackalloc ulong[8];
        wide.Clear();
        ReadOnlySpan<ulong> a = [left._0, left._1, left._2, left._3];
        ReadOnlySpan<ulong> b = [right._0, right._1, right._2, right._3];
        for (int i = 0; i < a.Length; i++)
        {
            ulong carry = 0;
            for (int j = 0; j < b.Length; j++)
            {
                // At most (2^64-1)^2 + 2 (2^64-1) = 2^128-1: the sum of product, limb and carry always fits.
                UInt128 t = Math.BigMul(a[i], b[j]) + (UInt128)wide[i + j] + carry;
                wide[i + j] = (ulong)t;
                carry = (ulong)(t >> 64);
            }
            wide[i + b.Length] = carry;
        }
        product = new UInt256(wide[0], wide[1], wide[2], wide[3]);
        return (wide[4] | wide[5] | wide[6] | wide[7]) == 0;
    }

    /// <summary>Divides by a 64-bit number.</summary>
    /// <returns>The whole part of the quotient.</returns>
    /// <exception cref="DivideByZeroException">The divisor is 0.</exception>
    public static UInt256 DivRem(in UInt256 dividend, ulong divisor, out ulong remainder)
    {
        ulong rest = 0;
        ulong limb3 = DivideLimb(dividend._3, divisor, ref rest);
        ulong limb2 = DivideLimb(dividend._2, divisor, ref rest);
        ulong limb1 = DivideLimb(dividend._1, divisor, ref rest);
        ulong limb0 = DivideLimb(dividend._0, divisor, ref rest);
        remainder = rest;
        return new UInt256(limb0, limb1, limb2, limb3);
    }

    /// <summary>Reads a big-endian number.</summary>
    /// <param name="bytes">At most 32 bytes; none is 0.</param>
    /// <exception cref="ArgumentException">There are more than 32.</exception>
    public static UInt256 FromBigEndian(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > Size)
            throw new ArgumentException($"{bytes.Length} bytes where at most {Size} fit.", nameof(bytes));
        Span<byte> full = stackalloc byte[Size];
        full.Clear();
        bytes.CopyTo(full[(Size - bytes.Length)..]);
        return new UInt256(
            BinaryPrimitives.ReadUInt64BigEndian(full[24..]),
            BinaryPrimitives.ReadUInt64BigEndian(full[16..]),
            BinaryPrimitives.ReadUInt64BigEndian(full[8..]),
            BinaryPrimitives.ReadUInt64BigEndian(full));
    }

    /// <summary>Writes all 32 bytes, big-endian.</summary>
    /// <param name="destination">At least <see cref="Size"/> bytes.</param>
    public void WriteBigEndian(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt64BigEndian(destination[24..], _0);
        BinaryPrimitives.WriteUInt64BigEndian(destination[16..], _1);
        BinaryPrimitives.WriteUInt64BigEndian(destination[8..], _2);
        BinaryPrimitives.WriteUInt64BigEndian(destination, _3);
    }

    /// <inheritdoc/>
    public bool Equals(UInt256 other) => Equals(in other);

    /// <summary>Whether the numbers are the same.</summary>
    public bool Equals(in UInt256 other) =>
        ((_0 ^ other._0) | (_1 ^ other._1) | (_2 ^ other._2) | (_3 ^ other._3)) == 0;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is UInt256 other && Equals(in other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(_0, _1, _2, _3);

    /// <inheritdoc/>
    public int CompareTo(UInt256 other) => CompareTo(in other);

    /// <summary>Which number is larger.</summary>
    public int CompareTo(in UInt256 other)
    {
        if (_3 != other._3)
            return _3.CompareTo(other._3);
        if (_2 != other._2)
            return _2.CompareTo(other._2);
        return _1 != other._1 ? _1.CompareTo(other._1) : _0.CompareTo(other._0);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong AddLimb(ulong left, ulong right, ref ulong carry)
    {
        ulong partial = left + carry;
        ulong sum = partial + right;
        carry = (partial < carry ? 1UL : 0) | (sum < right ? 1UL : 0);
        return sum;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong SubtractLimb(ulong left, ulong right, ref ulong borrow)
    {
        ulong partial = left - borrow;
        ulong difference = partial - right;
        borrow = (left < borrow ? 1UL : 0) | (partial < right ? 1UL : 0);
        return difference;
    }

    private static ulong DivideLimb(ulong limb, ulong divisor, ref ulong rest)
    {
        if (rest == 0)
        {
            (ulong simple, rest) = Math.DivRem(limb, divisor);
            return simple;
        }
        // The rest is below the divisor, so the quotient of the two limbs fits one.
        (UInt128 quotient, UInt128 remainder) = UInt128.DivRem(new UInt128(rest, limb), divisor);
        rest = (ulong)remainder;
        return (ulong)quotient;
    }
}
