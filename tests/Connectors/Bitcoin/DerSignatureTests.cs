using Streams.Connectors.Bitcoin;
using Xunit;

namespace Streams.Tests.Connectors.Bitcoin;

public sealed class DerSignatureTests
{
    // BIP66, DER encoding reference: one case for each of its conditions.
    [Theory]
    [InlineData("300602010102010101", true, "the shortest")]
    [InlineData("30070202008002010101", true, "a zero that keeps R positive")]
    [InlineData("30070201010202008001", true, "a zero that keeps S positive")]
    [InlineData("300602010002010001", true, "R and S of zero, in one byte")]
    [InlineData("310602010102010101", false, "another tag")]
    [InlineData("300702010102010101", false, "a length that is too large")]
    [InlineData("300502010102010101", false, "a length that is too small")]
    [InlineData("3006020101020101", false, "no hash type")]
    [InlineData("30060201010201010101", false, "two hash types")]
    [InlineData("300603010102010101", false, "another tag before R")]
    [InlineData("300602010103010101", false, "another tag before S")]
    [InlineData("30060200020201010101", false, "no R")]
    [InlineData("300602020101020001", false, "no S")]
    [InlineData("300602018002010101", false, "a negative R")]
    [InlineData("300602010102018001", false, "a negative S")]
    [InlineData("30070202000102010101", false, "a zero that R does not need")]
    [InlineData("30070201010202000101", false, "a zero that S does not need")]
    [InlineData("30060204010201010101", false, "an R that runs into S")]
    [InlineData("300602ff0102010101", false, "an R that runs past the end")]
    [InlineData("300602010102ff0101", false, "an S that runs past the end")]
    [InlineData("", false, "nothing")]
    public void A_signature_has_exactly_one_encoding(string hex, bool expected, string what)
    {
        bool actual = DerSignature.IsWellFormed(BitcoinData.Hex(hex));
        Assert.True(expected == actual, what);
    }

    [Fact]
    public void Numbers_of_33_bytes_are_the_longest()
    {
        byte[] longest = Encode(33, 33);
        Assert.Equal(73, longest.Length);
        Assert.True(DerSignature.IsWellFormed(longest));
        Assert.False(DerSignature.IsWellFormed(Encode(33, 34)));
    }

    private static byte[] Encode(int rBytes, int sBytes)
    {
        byte[] r = [0, 0x80, .. new byte[rBytes - 2]];
        byte[] s = [0, 0x80, .. new byte[sBytes - 2]];
        byte[] body = [2, (byte)rBytes, .. r, 2, (byte)sBytes, .. s];
        return [0x30, (byte)body.Length, .. body, 1];
    }
}
