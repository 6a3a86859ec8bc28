using System.Numerics;
using System.Text;
using Streams.Records;
using Xunit;

namespace Streams.Tests.Engine.Records;

/// <summary>Our 256-bit numbers against System.Numerics.BigInteger.</summary>
public sealed class UInt256Tests
{
    private const int Pairs = 20_000;

    private static readonly BigInteger Limit = BigInteger.One << 256;

    [Fact]
    public void Sums_differences_and_products_are_exact_or_refused()
    {
        foreach ((UInt256 a, UInt256 b) in RandomPairs(seed: 51))
        {
            AssertExactOrRefused(Big(a) + Big(b), () => a + b, UInt256.TryAdd(a, b, out UInt256 sum), sum);
            AssertExactOrRefused(
                Big(a) - Big(b), () => a - b, UInt256.TrySubtract(a, b, out UInt256 difference), difference);
            AssertExactOrRefused(
                Big(a) * Big(b), () => a * b, UInt256.TryMultiply(a, b, out UInt256 product), product);
        }
    }

    [Fact]
    public void Quotients_and_remainders_by_64_bits_are_exact()
    {
        foreach ((UInt256 a, UInt256 b) in RandomPairs(seed: 52))
        {
            ulong divisor = (ulong)(Big(b) % ulong.MaxValue) + 1;
            UInt256 quotient = UInt256.DivRem(a, divisor, out ulong remainder);
            Assert.Equal(Big(a) / divisor, Big(quotient));
            Assert.Equal(Big(a) % divisor, remainder);
            Assert.Equal(quotient, a / divisor);
            Assert.Equal(remainder, a % divisor);
        }
        Assert.Throws<DivideByZeroException>(() => UInt256.One / 0);
        Assert.Throws<DivideByZeroException>(() => UInt256.MaxValue / 0);
    }

    [Fact]
    public void Numbers_are_ordered_and_hashed_by_value()
    {
        foreach ((UInt256 a, UInt256 b) in RandomPairs(seed: 53))
        {
            Assert.Equal(Math.Sign(Big(a).CompareTo(Big(b))), Math.Sign(a.CompareTo(b)));
            Assert.Equal(Big(a) < Big(b), a < b);
            Assert.Equal(Big(a) > Big(b), a > b);
            Assert.Equal(Big(a) <= Big(b), a <= b);
            Assert.Equal(Big(a) >= Big(b), a >= b);
            Assert.Equal(Big(a) == Big(b), a == b);
            Assert.Equal(Big(a) != Big(b), a != b);
            Assert.Equal(a.GetHashCode(), UInt256.Parse(a.ToString()).GetHashCode());
        }
    }

    [Fact]
    public void Decimal_and_hexadecimal_digits_read_back_as_the_number()
    {
        Span<byte> digits = stackalloc byte[UInt256.DecimalLengthMax];
        foreach ((UInt256 a, _) in RandomPairs(seed: 54))
        {
            string text = Big(a).ToString();
            Assert.Equal(text, a.ToString());
            Assert.Equal(text, Encoding.ASCII.GetString(digits[..a.Format(digits)]));
            Assert.Equal(a, UInt256.Parse(text));
            Assert.Equal(a, UInt256.Parse("000" + text));
            Assert.Equal(a, UInt256.ParseHex(a.ToHexString()));
            Assert.Equal(a, UInt256.ParseHex("0" + a.ToHexString()[2..].ToUpperInvariant()));
        }
        Assert.Equal("0x0", UInt256.Zero.ToHexString());
        Assert.Equal("0", UInt256.Zero.ToString());
    }

    [Fact]
    public void Big_endian_bytes_of_any_length_read_back_as_the_number()
    {
        Span<byte> full = stackalloc byte[UInt256.Size];
        foreach ((UInt256 a, _) in RandomPairs(seed: 55))
        {
            a.WriteBigEndian(full);
            Assert.Equal(Big(a), new BigInteger(full, isUnsigned: true, isBigEndian: true));
            Assert.Equal(a, UInt256.FromBigEndian(full));
            Assert.Equal(a, UInt256.FromBigEndian(full[(UInt256.Size - a.BigEndianLength)..]));
            Assert.Equal(Big(a).IsZero ? 0 : Big(a).GetByteCount(isUnsigned: true), a.BigEndianLength);
            Assert.Equal((int)Big(a).GetBitLength(), a.BitLength);
        }
        Assert.Throws<ArgumentException>(() => UInt256.FromBigEndian(new byte[33]));
    }

    [Theory]
    [InlineData("")]
    [InlineData("-1")]
    [InlineData("+1")]
    [InlineData("1 ")]
    [InlineData("1.0")]
    [InlineData("12345678901234567890x")]
    [InlineData("115792089237316195423570985008687907853269984665640564039457584007913129639936")]
    [InlineData("1157920892373161954235709850086879078532699846656405640394575840079131296399350")]
    public void What_is_not_a_number_of_256_bits_is_refused(string digits)
    {
        Assert.False(UInt256.TryParse(Encoding.ASCII.GetBytes(digits), out UInt256 value));
        Assert.Equal(UInt256.Zero, value);
        Assert.Throws<FormatException>(() => UInt256.Parse(digits));
    }

    [Theory]
    [InlineData("")]
    [InlineData("0x")]
    [InlineData("0xg")]
    [InlineData("0x10000000000000000000000000000000000000000000000000000000000000000")]
    public void What_is_not_a_hexadecimal_number_of_256_bits_is_refused(string digits)
    {
        Assert.False(UInt256.TryParseHex(Encoding.ASCII.GetBytes(digits), out _));
        Assert.Throws<FormatException>(() => UInt256.ParseHex(digits));
    }

    [Fact]
    public void The_largest_number_is_2_to_the_256_less_1()
    {
        Assert.Equal(Limit - 1, Big(UInt256.MaxValue));
        Assert.Equal(UInt256.MaxValue, UInt256.Parse((Limit - 1).ToString()));
        Assert.Throws<OverflowException>(() => UInt256.MaxValue + UInt256.One);
        Assert.Throws<OverflowException>(() => UInt256.Zero - UInt256.One);
        Assert.Throws<OverflowException>(() => (ulong)UInt256.MaxValue);
        Assert.Equal(7UL, (ulong)(UInt256)7UL);
    }

    private static void AssertExactOrRefused(
        BigInteger expected, Func<UInt256> compute, bool fits, UInt256 tried)
    {
        bool isInRange = expected >= 0 && expected < Limit;
        Assert.Equal(isInRange, fits);
        if (isInRange)
        {
            Assert.Equal(expected, Big(tried));
            Assert.Equal(expected, Big(compute()));
        }
        else
        {
            Assert.Throws<OverflowException>(() => compute());
        }
    }

    private static IEnumerable<(UInt256 A, UInt256 B)> RandomPairs(int seed)
    {
        var random = new RandomRecords(seed);
        yield return (UInt256.Zero, UInt256.Zero);
        yield return (UInt256.MaxValue, UInt256.MaxValue);
        yield return (UInt256.MaxValue, UInt256.One);
        for (int i = 0; i < Pairs; i++)
            yield return (random.Amount(), random.Amount());
    }

    private static BigInteger Big(UInt256 value)
    {
        Span<byte> bytes = stackalloc byte[UInt256.Size];
        value.WriteBigEndian(bytes);
        return new BigInteger(bytes, isUnsigned: true, isBigEndian: true);
    }
}
