using Streams.Buffers;
using Xunit;

namespace Streams.Tests.Engine.Buffers;

public sealed class VarintTests
{
    [Theory]
    [InlineData(0UL, 1)]
    [InlineData(127UL, 1)]
    [InlineData(128UL, 2)]
    [InlineData(16383UL, 2)]
    [InlineData(16384UL, 3)]
    [InlineData(uint.MaxValue, 5)]
    [InlineData(long.MaxValue, 9)]
    [InlineData(ulong.MaxValue, 10)]
    public void A_value_takes_the_bytes_it_needs_and_comes_back(ulong value, int size)
    {
        Span<byte> bytes = stackalloc byte[Varint.BytesMax];
        Assert.Equal(size, Varint.Size(value));
        Assert.Equal(size, Varint.Write(bytes, value));
        Assert.Equal(size, Varint.Read(bytes, out ulong read));
        Assert.Equal(value, read);
        for (int cut = 0; cut < size; cut++)
            Assert.Equal(0, Varint.Read(bytes[..cut], out _));
    }

    [Fact]
    public void More_than_64_bits_are_refused()
    {
        byte[] tooLarge = [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x02];
        byte[] endless = [.. Enumerable.Repeat((byte)0x80, 12)];
        Assert.Equal(-1, Varint.Read(tooLarge, out _));
        Assert.Equal(-1, Varint.Read(endless, out _));
    }

    [Fact]
    public void Zigzag_is_its_own_way_back()
    {
        foreach (long value in new[] { 0, -1, 1, long.MinValue, long.MaxValue, -123456789 })
            Assert.Equal(value, Varint.UnZigZag(Varint.ZigZag(value)));
        Assert.Equal(1UL, Varint.ZigZag(-1));
        Assert.Equal(2UL, Varint.ZigZag(1));
    }
}
