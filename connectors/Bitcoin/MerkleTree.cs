using Streams.Buffers;

namespace Streams.Connectors.Bitcoin;

/// <summary>The binary tree of double hashes through which a header commits to its transactions.</summary>
/// <remarks>Source: Bitcoin developer reference, "Merkle Trees"; CVE-2012-2459 for the mutation.</remarks>
public static class MerkleTree
{
    /// <summary>Computes the root in place.</summary>
    /// <param name="leaves">Overwritten level by level; at least one.</param>
    /// <param name="isMutated">Whether two equal hashes stand as a pair. A level of odd length is completed
    /// with its own last hash, so a list with its end doubled has the same root as the list without: the pair
    /// gives it away.</param>
    public static BitcoinHash ComputeRoot(Span<BitcoinHash> leaves, out bool isMutated)
    {
        isMutated = false;
        int count = leaves.Length;
        while (count > 1)
        {
            int pairs = count / 2;
            for (int i = 0; i < pairs; i++)
            {
                BitcoinHash left = leaves[2 * i];
                BitcoinHash right = leaves[(2 * i) + 1];
                isMutated |= left == right;
                leaves[i] = HashPair(left, right);
            }
            if (count % 2 != 0)
                leaves[pairs] = HashPair(leaves[count - 1], leaves[count - 1]);
            count = (count + 1) / 2;
        }
        return leaves[0];
    }

    /// <summary>The node above two.</summary>
    internal static BitcoinHash HashPair(in BitcoinHash left, in BitcoinHash right)
    {
        BitcoinHash parent = default;
        Sha256.HashTwice(left.AsSpan(), right.AsSpan(), default, BitcoinHash.BytesOf(ref parent));
        return parent;
    }
}
