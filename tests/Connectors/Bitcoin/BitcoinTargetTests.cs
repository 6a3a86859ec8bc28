using System.Numerics;
using System.Text.Json;
using Streams.Connectors.Bitcoin;
using Xunit;

namespace Streams.Tests.Connectors.Bitcoin;

public sealed class BitcoinTargetTests
{
    // Bitcoin Core's arith_uint256_tests, bignum_SetCompact.
    [Theory]
    [InlineData(0x01120000u, "12")]
    [InlineData(0x02123400u, "1234")]
    [InlineData(0x03123456u, "123456")]
    [InlineData(0x04123456u, "12345600")]
    [InlineData(0x05009234u, "92340000")]
    [InlineData(0x20123456u, "1234560000000000000000000000000000000000000000000000000000000000")]
    [InlineData(0x1D00FFFFu, "ffff0000000000000000000000000000000000000000000000000000")]
    [InlineData(0x207FFFFFu, "7fffff0000000000000000000000000000000000000000000000000000000000")]
    [InlineData(0x2100FFFFu, "ffff000000000000000000000000000000000000000000000000000000000000")]
    [InlineData(0x220000FFu, "ff00000000000000000000000000000000000000000000000000000000000000")]
    public void Bits_are_a_floating_point_number(uint bits, string expected)
    {
        Assert.True(BitcoinTarget.TryFromBits(bits, out BitcoinTarget target));
        Assert.Equal(expected.PadLeft(64, '0'), target.ToString());
    }

    [Theory]
    [InlineData(0u)]
    [InlineData(0x00123456u)]
    [InlineData(0x01003456u)]
    [InlineData(0x02000056u)]
    [InlineData(0x03000000u)]
    [InlineData(0x04000000u)]
    [InlineData(0x00923456u)]
    [InlineData(0x01803456u)]
    [InlineData(0x20000000u)]
    [InlineData(0xFF000000u)]
    public void Zero_is_no_target(uint bits) => Assert.False(BitcoinTarget.TryFromBits(bits, out _));

    [Theory]
    [InlineData(0x01FEDCBAu)]
    [InlineData(0x04923456u)]
    [InlineData(0x1D80FFFFu)]
    public void A_negative_number_is_no_target(uint bits) =>
        Assert.False(BitcoinTarget.TryFromBits(bits, out _));

    [Theory]
    [InlineData(0xFF123456u)]
    [InlineData(0x23000001u)]
    [InlineData(0x22000100u)]
    [InlineData(0x21010000u)]
    public void A_number_beyond_256_bits_is_no_target(uint bits) =>
        Assert.False(BitcoinTarget.TryFromBits(bits, out _));

    [Fact]
    public void A_hash_meets_a_target_up_to_the_target_itself()
    {
        Assert.True(BitcoinTarget.TryFromBits(0x1D00FFFF, out BitcoinTarget target));
        Assert.True(target.IsMetBy(BitcoinHashTests.Parse(target.ToString())));
        Assert.True(target.IsMetBy(default));
        BigInteger above = BigInteger.Parse("0" + target, System.Globalization.NumberStyles.HexNumber) + 1;
        Assert.False(target.IsMetBy(BitcoinHashTests.Parse(above.ToString("x64"))));
    }

    [Fact]
    public void Work_is_two_to_the_256_over_the_target_and_one()
    {
        var random = new Random(7);
        for (int i = 0; i < 10_000; i++)
        {
            uint bits = ((uint)random.Next(1, 0x23) << 24) | (uint)random.Next(0, 0x800000);
            if (!BitcoinTarget.TryFromBits(bits, out BitcoinTarget target))
                continue;
            BigInteger number = BigInteger.Parse("0" + target, System.Globalization.NumberStyles.HexNumber);
            BigInteger expected = BigInteger.Pow(2, 256) / (number + 1);
            Assert.Equal(expected, ToBigInteger(target.Work));
        }
        Assert.Equal(default, default(BitcoinTarget).Work);
        Assert.Equal(default, new BitcoinHeader { Bits = 0 }.Work);
    }

    [Fact]
    public void Work_adds_and_compares_as_numbers_do()
    {
        var random = new Random(8);
        byte[] bytes = new byte[32];
        for (int i = 0; i < 10_000; i++)
        {
            ChainWork left = Next();
            ChainWork right = i % 10 == 0 ? left : Next();
            BigInteger a = ToBigInteger(left);
            BigInteger b = ToBigInteger(right);
            Assert.Equal((a + b) % BigInteger.Pow(2, 256), ToBigInteger(left + right));
            Assert.Equal(Math.Sign(a.CompareTo(b)), Math.Sign(left.CompareTo(right)));
            Assert.Equal(a < b, left < right);
            Assert.Equal(a > b, left > right);
            Assert.Equal(a <= b, left <= right);
            Assert.Equal(a >= b, left >= right);
            Assert.Equal(a == b, left == right);
            Assert.Equal(a != b, left != right);
            Assert.Equal(a == b, left.GetHashCode() == right.GetHashCode());
        }

        ChainWork Next()
        {
            bytes.AsSpan().Clear();
            random.NextBytes(bytes.AsSpan(random.Next(0, 31)));
            var work = new ChainWork(bytes);
            byte[] back = new byte[32];
            work.CopyTo(back);
            Assert.Equal(bytes, back);
            return work;
        }
    }

    [Fact]
    public void The_chain_work_that_RPC_gives_grows_by_the_work_of_each_header()
    {
        const string Folder = "bitcoin-etl/test_export_blocks_job/bitcoin/";
        JsonElement earlier = Rpc(Folder + "block_without_transactions/rpc_response_getblock_"
            + "000000001aeae195809d120b5d66a39c83eb48792e068f8ea1fea19d84a4278a_2.json");
        JsonElement later = Rpc(Folder + "block_with_transactions/rpc_response_getblock_"
            + "000000001c920d495e1eeef2452b6d1c6c229a919b28196c103ecffebabee141_2.json");
        var header = new BitcoinHeader { Bits = Convert.ToUInt32(later.GetProperty("bits").GetString(), 16) };
        Assert.Equal(Work(later), Work(earlier) + header.Work);

        ChainWork Work(JsonElement block) => new(BitcoinData.Hex(block.GetProperty("chainwork").GetString()));
        JsonElement Rpc(string file)
        {
            JsonElement root = BitcoinData.Json(file);
            root = root.ValueKind == JsonValueKind.Array ? root[0] : root;
            return root.TryGetProperty("result", out JsonElement result) ? result : root;
        }
    }

    private static BigInteger ToBigInteger(ChainWork work) =>
        BigInteger.Parse("0" + work, System.Globalization.NumberStyles.HexNumber);
}
