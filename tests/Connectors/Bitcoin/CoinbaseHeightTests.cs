using Streams.Connectors.Bitcoin;
using Xunit;

namespace Streams.Tests.Connectors.Bitcoin;

public sealed class CoinbaseHeightTests
{
    [Theory]
    [InlineData(0, "00")]
    [InlineData(1, "51")]
    [InlineData(16, "60")]
    [InlineData(17, "0111")]
    [InlineData(127, "017f")]
    [InlineData(128, "028000")]
    [InlineData(255, "02ff00")]
    [InlineData(256, "020001")]
    [InlineData(702_861, "038db90a")]
    [InlineData(8_388_608, "0400008000")]
    [InlineData(int.MaxValue, "04ffffff7f")]
    public void A_height_is_pushed_as_scripts_push_numbers_whatever_follows(int height, string hex)
    {
        byte[] script = BitcoinData.Hex(hex);
        byte[] written = new byte[CoinbaseHeight.BytesMax];
        Assert.Equal(script, written[..CoinbaseHeight.Write(written, height)]);
        Assert.Equal(height, CoinbaseHeight.Read(script));
        Assert.Equal(height, CoinbaseHeight.Read([.. script, 0x7F, 0xFF]));
    }

    // Nothing; a push that breaks off; numbers in a longer form than needed; below zero; too large; other
    // opcodes.
    [Theory]
    [InlineData("")]
    [InlineData("0311")]
    [InlineData("0110")]
    [InlineData("0101")]
    [InlineData("021100")]
    [InlineData("03ff7f00")]
    [InlineData("0191")]
    [InlineData("0411000080")]
    [InlineData("04b4ffffff")]
    [InlineData("05ffffffff00")]
    [InlineData("4c0111")]
    [InlineData("50")]
    [InlineData("61")]
    public void Anything_else_is_no_height(string hex) =>
        Assert.Null(CoinbaseHeight.Read(BitcoinData.Hex(hex)));
}
