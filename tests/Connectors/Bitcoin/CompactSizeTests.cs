using Streams.Connectors.Bitcoin;
using Xunit;

namespace Streams.Tests.Connectors.Bitcoin;

public sealed class CompactSizeTests
{
    [Theory]
    [InlineData(0UL, "00")]
    [InlineData(252UL, "fc")]
    [InlineData(253UL, "fdfd00")]
    [InlineData(65_535UL, "fdffff")]
    [InlineData(65_536UL, "fe00000100")]
    [InlineData(uint.MaxValue, "feffffffff")]
    [InlineData(4_294_967_296UL, "ff0000000001000000")]
    [InlineData(ulong.MaxValue, "ffffffffffffffffff")]
    public void A_value_takes_the_shortest_form_and_comes_back(ulong value, string hex)
    {
        byte[] expected = BitcoinData.Hex(hex);
        Span<byte> written = stackalloc byte[CompactSize.BytesMax];
        Assert.Equal(expected.Length, CompactSize.Size(value));
        Assert.Equal(expected.Length, CompactSize.Write(written, value));
        Assert.Equal(expected, written[..expected.Length].ToArray());
        Assert.Equal(expected.Length, CompactSize.Read(expected, out ulong read));
        Assert.Equal(value, read);
        for (int cut = 0; cut < expected.Length; cut++)
            Assert.Equal(0, CompactSize.Read(expected.AsSpan(0, cut), out _));
    }

    // Core's serialize_tests: noncanonical.
    [Theory]
    [InlineData("fd0000")]
    [InlineData("fdfc00")]
    [InlineData("fe00000000")]
    [InlineData("feffff0000")]
    [InlineData("ff0000000000000000")]
    [InlineData("ffffffffff00000000")]
    public void A_longer_form_than_needed_is_not_canonical(string hex) =>
        Assert.Equal(CompactSize.NotCanonical, CompactSize.Read(BitcoinData.Hex(hex), out _));
}
