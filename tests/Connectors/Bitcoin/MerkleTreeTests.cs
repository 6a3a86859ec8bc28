using System.Security.Cryptography;
using Streams.Connectors.Bitcoin;
using Xunit;

namespace Streams.Tests.Connectors.Bitcoin;

public sealed class MerkleTreeTests
{
    [Fact]
    public void The_root_is_that_of_a_plain_recursive_computation()
    {
        for (int count = 1; count <= 70; count++)
        {
            BitcoinHash[] leaves = Leaves(count);
            byte[] expected = Root([.. leaves.Select(l => l.AsSpan().ToArray())]);
            BitcoinHash actual = MerkleTree.ComputeRoot(leaves, out bool isMutated);
            Assert.Equal(expected, actual.AsSpan().ToArray());
            Assert.False(isMutated);
        }
    }

    // CVE-2012-2459: six leaves, and the same with the last two again, have one root.
    [Theory]
    [InlineData(6, 2)]
    [InlineData(3, 1)]
    [InlineData(5, 1)]
    [InlineData(12, 4)]
    public void A_list_with_its_end_doubled_has_the_same_root_and_is_called_mutated(int count, int doubled)
    {
        BitcoinHash[] leaves = Leaves(count);
        BitcoinHash[] mutated = [.. leaves, .. leaves[^doubled..]];
        BitcoinHash root = MerkleTree.ComputeRoot(leaves, out bool isMutated);
        Assert.False(isMutated);
        Assert.Equal(root, MerkleTree.ComputeRoot(mutated, out isMutated));
        Assert.True(isMutated);
    }

    private static BitcoinHash[] Leaves(int count)
    {
        var random = new Random(count);
        byte[] bytes = new byte[32];
        var leaves = new BitcoinHash[count];
        for (int i = 0; i < count; i++)
        {
            random.NextBytes(bytes);
            leaves[i] = new BitcoinHash(bytes);
        }
        return leaves;
    }

    private static byte[] Root(List<byte[]> level)
    {
        if (level.Count == 1)
            return level[0];
        if (level.Count % 2 != 0)
            level.Add(level[^1]);
        return Root([.. level.Chunk(2).Select(p => SHA256.HashData(SHA256.HashData([.. p[0], .. p[1]])))]);
    }
}
