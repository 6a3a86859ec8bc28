using Streams.Connectors.Bitcoin;
using Xunit;

namespace Streams.Tests.Connectors.Bitcoin;

public sealed class BitcoinHashTests
{
    private const string Genesis = "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f";

    public static BitcoinHash Parse(string hex)
    {
        Assert.True(BitcoinHash.TryParse(BitcoinData.Utf8(hex), out BitcoinHash hash));
        return hash;
    }

    [Fact]
    public void Display_order_is_wire_order_reversed()
    {
        BitcoinHash hash = Parse(Genesis);
        byte[] display = new byte[32];
        byte[] wire = new byte[32];
        hash.CopyDisplayTo(display);
        hash.CopyTo(wire);
        Assert.Equal(BitcoinData.Hex(Genesis), display);
        Assert.Equal(display.Reverse(), wire);
        Assert.Equal(wire, hash.AsSpan().ToArray());
        Assert.Equal(hash, new BitcoinHash(wire));
        Assert.Equal(hash, BitcoinHash.FromDisplay(display));
        Assert.Equal(Genesis, hash.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("00")]
    [InlineData("000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26")]
    [InlineData("000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f0")]
    [InlineData("000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26g")]
    public void Only_64_hexadecimal_digits_are_a_hash(string text) =>
        Assert.False(BitcoinHash.TryParse(BitcoinData.Utf8(text), out _));

    [Fact]
    public void Any_differing_byte_makes_a_different_hash()
    {
        byte[] wire = new byte[32];
        Assert.True(new BitcoinHash(wire).IsZero);
        for (int i = 0; i < wire.Length; i++)
        {
            wire[i] = 1;
            Assert.False(new BitcoinHash(wire).IsZero);
            Assert.True(new BitcoinHash(wire) != default);
            wire[i] = 0;
        }
        Assert.True(new BitcoinHash(wire) == default);
        Assert.Throws<ArgumentOutOfRangeException>(() => new BitcoinHash(wire.AsSpan(1)));
    }
}
