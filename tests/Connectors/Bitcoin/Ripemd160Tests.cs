using System.Text;
using Streams.Connectors.Bitcoin;
using Streams.Tests.Support;
using Xunit;

namespace Streams.Tests.Connectors.Bitcoin;

public sealed class Ripemd160Tests
{
    // The authors' test values, https://homes.esat.kuleuven.be/~bosselae/ripemd160.html.
    [Theory]
    [InlineData("", "9c1185a5c5e9fc54612808977ee8f548b2258d31")]
    [InlineData("a", "0bdc9d2d256b3ee9daae347be6f4dc835a467ffe")]
    [InlineData("abc", "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc")]
    [InlineData("message digest", "5d0689ef49d2fae572b881b123a85ffa21595f36")]
    [InlineData("abcdefghijklmnopqrstuvwxyz", "f71c27109c692c1b56bbdceb5b9d2865b3708dbc")]
    [InlineData(
        "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
        "12a053384a9c0c88e405a06c27dcf49ada62eb2b")]
    [InlineData(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
        "b0e20b6e3116640286ed3a87a5713079b21f5189")]
    public void The_vectors_of_the_authors_hold(string text, string expected) =>
        Assert.Equal(expected, Hash(Encoding.ASCII.GetBytes(text)));

    [Fact]
    public void The_long_vectors_of_the_authors_hold()
    {
        byte[] digits = [.. Enumerable.Repeat("1234567890"u8.ToArray(), 8).SelectMany(b => b)];
        Assert.Equal("9b752e45573d4b39f4dbd3323cab82bf63326bfb", Hash(digits));
        byte[] million = new byte[1_000_000];
        million.AsSpan().Fill((byte)'a');
        Assert.Equal("52783243c1697bdbe16d37f97f68f08325dc1528", Hash(million));
    }

    // Each length ends in another place of its last block; the sum was made with OpenSSL 3 (legacy provider).
    [Fact]
    public void Every_length_over_three_blocks_gives_a_hash_of_its_own()
    {
        byte[] data = [.. Enumerable.Range(0, 192).Select(i => (byte)i)];
        string[] hashes = [.. Enumerable.Range(0, 193).Select(length => Hash(data[..length]))];
        Assert.Equal(193, hashes.Distinct().Count());
        Assert.Equal(EveryLength, Hash(Encoding.ASCII.GetBytes(string.Concat(hashes))));
    }

    // Genesis of the main network: the key of its coinbase and the address
    // 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa.
    [Fact]
    public void Hash160_is_RIPEMD_160_of_SHA_256()
    {
        byte[] key = BitcoinData.Hex(
            "04678afdb0fe5548271967f1a67130b7105cd6a828e03909a67962e0ea1f61deb6"
            + "49f6bc3f4cef38c4f35504e51ec112de5c384df7ba0b8d578a4c702b6bf11d5f");
        byte[] hash = new byte[20];
        Hash160.Hash(key, hash);
        Assert.Equal("62e907b15cbf27d5425399ebf6f0fb50ebb88f18", Convert.ToHexStringLower(hash));
    }

    [Fact]
    public void Hashing_allocates_nothing()
    {
        byte[] data = new byte[100];
        byte[] hash = new byte[20];
        Allocation.AssertNone(() => Hash160.Hash(data, hash));
    }

    private const string EveryLength = "2ad81ec66c1ffff0d8456fe5d7a61e69bf739ba9";

    private static string Hash(byte[] source)
    {
        byte[] hash = new byte[20];
        Ripemd160.Hash(source, hash);
        return Convert.ToHexStringLower(hash);
    }
}
