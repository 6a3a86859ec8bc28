using System.Globalization;
using System.Text;
using Streams.Buffers;
using Xunit;

namespace Streams.Tests.Engine.Buffers;

public sealed class DecimalDigitsTests
{
    [Fact]
    public void Numbers_of_every_length_are_written_and_read_as_the_framework_does()
    {
        byte[] bytes = new byte[64];
        foreach (ulong value in Numbers())
        {
            string text = value.ToString(CultureInfo.InvariantCulture);
            Array.Fill(bytes, (byte)'x');
            Assert.Equal(text, Written(bytes, value));
            bytes.AsSpan(text.Length).Fill((byte)'/');
            Assert.True(DecimalDigits.TryRead(ref bytes[0], out ulong read, out int count));
            Assert.Equal(value, read);
            Assert.Equal(text.Length, count);
        }
    }

    [Theory]
    [InlineData("18446744073709551616", 0)]
    [InlineData("18446744073709551620", 0)]
    [InlineData("99999999999999999999", 0)]
    [InlineData("000000000000000000000", 0)]
    [InlineData("123456789012345678901234567890", 0)]
    public void Numbers_over_64_bits_are_refused(string text, int at)
    {
        byte[] bytes = Encoding.ASCII.GetBytes(text + new string(' ', DecimalDigits.ReadBytesMax));
        Assert.False(DecimalDigits.TryRead(ref bytes[at], out _, out _));
    }

    [Theory]
    [InlineData("")]
    [InlineData(":")]
    [InlineData("/1")]
    [InlineData("-1")]
    [InlineData("\u00B9")]
    public void Where_no_digit_stands_none_is_read(string text)
    {
        byte[] bytes = Encoding.Latin1.GetBytes(text + new string('\0', DecimalDigits.ReadBytesMax));
        Assert.True(DecimalDigits.TryRead(ref bytes[0], out ulong value, out int count));
        Assert.Equal(0UL, value);
        Assert.Equal(0, count);
    }

    private static IEnumerable<ulong> Numbers()
    {
        for (ulong power = 1; ; power *= 10)
        {
            yield return power - 1;
            yield return power;
            yield return power + 1;
            if (power > ulong.MaxValue / 10)
                break;
        }
        yield return ulong.MaxValue;
        var random = new Random(71);
        for (int i = 0; i < 200_000; i++)
            yield return (ulong)random.NextInt64(long.MinValue, long.MaxValue) >> random.Next(64);
    }

    private static string Written(byte[] bytes, ulong value)
    {
        ref byte end = ref DecimalDigits.Write(ref bytes[0], value);
        int length = (int)System.Runtime.CompilerServices.Unsafe.ByteOffset(ref bytes[0], ref end);
        return Encoding.ASCII.GetString(bytes, 0, length);
    }
}
