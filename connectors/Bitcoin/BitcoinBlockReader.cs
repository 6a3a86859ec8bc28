using Streams.Buffers;

namespace Streams.Connectors.Bitcoin;

/// <summary>Reads and validates whole blocks: everything about a block that needs no other block.</summary>
/// <remarks>
/// <code>header 80 | count | transactions</code>
/// One pass finds and hashes the transactions; then the rules of Bitcoin Core's CheckBlock are applied in its
/// order, and those of ContextualCheckBlock that need no context: the witness commitment and the weight. Not
/// looked at: scripts and signatures, the values of spent outputs, signature operation counts, and whether
/// bits, time and height fit the chain before. Sources: Bitcoin developer reference, "Serialized Blocks";
/// BIP34, BIP141.
/// </remarks>
public sealed class BitcoinBlockReader
{
    // From this version on the coinbase's script begins with the height. Source: BIP34.
    private const int HeightVersion = 2;

    // Version, two empty lists, lock time: what the wire allows. The rules ask for more.
    private const int TransactionBytesMin = 10;

    private readonly BitcoinReaderOptions _options;

    /// <summary>Reads blocks of the options' network, within the options' bounds.</summary>
    public BitcoinBlockReader(BitcoinReaderOptions options)
    {
        options.Validate();
        _options = options;
    }

    /// <summary>Reads and validates one block from the start of <paramref name="source"/>.</summary>
    /// <param name="source">Bytes that begin with a block; more may follow it.</param>
    /// <param name="index">Refilled. Unless Done it is empty, save the header and its hash where there was
    /// one: a dead letter can name its block.</param>
    /// <param name="block">A view, when Done; <see cref="BitcoinBlock.Raw"/> is as long as the block.</param>
    /// <returns>Done, NeedMoreData, or Invalid with the offset from the block's first byte.</returns>
    public ParseResult<BitcoinDefect> TryRead(
        ReadOnlySpan<byte> source, BitcoinBlockIndex index, out BitcoinBlock block)
    {
        index.Clear();
        ParseResult<BitcoinDefect> result = ReadHeader(source, index);
        if (result.IsDone)
            result = ReadTransactions(source, index);
        if (result.IsDone)
            result = CheckMerkleRoot(index);
        if (result.IsDone)
            result = CheckRules(index.View(source));
        if (!result.IsDone)
            index.Clear();
        block = result.IsDone ? index.View(source) : default;
        return result;
    }

    /// <summary>Reads bytes that must be one block and nothing else, as a frame or an RPC body.</summary>
    /// <returns>Done or Invalid; the end of the bytes is final here.</returns>
    public ParseResult<BitcoinDefect> ReadWhole(
        ReadOnlySpan<byte> source, BitcoinBlockIndex index, out BitcoinBlock block)
    {
        ParseResult<BitcoinDefect> result = TryRead(source, index, out block);
        if (result.Status == ParseStatus.NeedMoreData)
            return BitcoinDefect.Truncated.At(source.Length);
        if (!result.IsDone || block.Raw.Length == source.Length)
            return result;
        result = BitcoinDefect.TrailingBytes.At(block.Raw.Length);
        index.Clear();
        block = default;
        return result;
    }

    private ParseResult<BitcoinDefect> ReadHeader(ReadOnlySpan<byte> source, BitcoinBlockIndex index)
    {
        ParseResult<BitcoinDefect> result = BitcoinHeader.TryRead(source, out BitcoinHeader header);
        index.Header = header;
        index.Hash = result.IsDone ? header.ComputeHash() : default;
        return result.IsDone ? header.CheckWork(index.Hash, _options.Network) : result;
    }

    private ParseResult<BitcoinDefect> ReadTransactions(ReadOnlySpan<byte> source, BitcoinBlockIndex index)
    {
        int used = CompactSize.Read(source[BitcoinHeader.Bytes..], out ulong count);
        if (used == CompactSize.NotCanonical)
            return BitcoinDefect.CompactSizeNotCanonical.At(BitcoinHeader.Bytes);
        if (used == 0)
            return ParseResult<BitcoinDefect>.NeedMoreData;
        if (count == 0)
            return BitcoinDefect.TransactionsMissing.At(BitcoinHeader.Bytes);
        if (count > (uint)(_options.BlockBytesMax / TransactionBytesMin))
            return BitcoinDefect.BlockTooLarge.At(BitcoinHeader.Bytes);

        int offset = BitcoinHeader.Bytes + used;
        index.StrippedBytes = offset;
        for (ulong i = 0; i < count; i++)
        {
            ParseResult<BitcoinDefect> result =
                ReadTransaction(source[offset..], offset, index, out int bytes);
            if (!result.IsDone)
                return result;
            offset += bytes;
        }
        index.Bytes = offset;
        return ParseResult<BitcoinDefect>.Done;
    }

    private ParseResult<BitcoinDefect> ReadTransaction(
        ReadOnlySpan<byte> source, int offset, BitcoinBlockIndex index, out int bytes)
    {
        int leftMax = _options.BlockBytesMax - offset;
        int bytesMax = Math.Min(_options.TransactionBytesMax, leftMax);
        ParseResult<BitcoinDefect> result =
            BitcoinTransactionReader.TryReadLayout(source, bytesMax, out BitcoinTransactionLayout layout);
        bytes = layout.Bytes;
        if (result.IsDone)
        {
            var transaction = new BitcoinTransaction(source[..bytes], layout);
            index.Add(offset, layout, transaction);
            index.StrippedBytes += transaction.StrippedBytes;
            return result;
        }
        if (!result.IsInvalid)
            return result;
        bool isBlockAtFault = result.Defect == BitcoinDefect.TransactionTooLarge && bytesMax == leftMax;
        BitcoinDefect defect = isBlockAtFault ? BitcoinDefect.BlockTooLarge : result.Defect;
        return defect.At(offset + result.Offset);
    }

    private static ParseResult<BitcoinDefect> CheckMerkleRoot(BitcoinBlockIndex index)
    {
        BitcoinHash root = index.ComputeMerkleRoot(out bool isMutated);
        if (root != index.Header.MerkleRoot)
            return BitcoinDefect.MerkleRootMismatch.At(BitcoinHeader.MerkleRootOffset);
        return isMutated
            ? BitcoinDefect.MerkleTreeMutated.At(BitcoinHeader.Bytes)
            : ParseResult<BitcoinDefect>.Done;
    }

    private ParseResult<BitcoinDefect> CheckRules(in BitcoinBlock block)
    {
        ParseResult<BitcoinDefect> result = CheckCoinbases(block);
        if (result.IsDone)
            result = CheckTransactions(block);
        if (!result.IsDone)
            return result;
        block.Index.Height = ReadHeight(block);
        result = CheckWitnesses(block);
        return result.IsDone && block.Index.Weight > BitcoinTransactionRules.BlockWeightMax
            ? BitcoinDefect.BlockWeightTooLarge.At(0)
            : result;
    }

    private static ParseResult<BitcoinDefect> CheckCoinbases(in BitcoinBlock block)
    {
        if (!block[0].IsCoinbase)
            return BitcoinDefect.CoinbaseMissing.At(block.OffsetOf(0));
        for (int i = 1; i < block.Count; i++)
        {
            if (block[i].IsCoinbase)
                return BitcoinDefect.CoinbaseMultiple.At(block.OffsetOf(i));
        }
        return ParseResult<BitcoinDefect>.Done;
    }

    private static ParseResult<BitcoinDefect> CheckTransactions(in BitcoinBlock block)
    {
        for (int i = 0; i < block.Count; i++)
        {
            ParseResult<BitcoinDefect> result = BitcoinTransactionRules.Check(block[i]);
            if (!result.IsDone)
                return result.Defect.At(block.OffsetOf(i) + result.Offset);
        }
        return ParseResult<BitcoinDefect>.Done;
    }

    // A miner could announce the commitment before it was binding, and then without the reserved value; hence
    // the height.
    private ParseResult<BitcoinDefect> CheckWitnesses(in BitcoinBlock block)
    {
        int firstWitness = block.Index.FirstWitness;
        BitcoinTransaction coinbase = block[0];
        int coinbaseOffset = block.OffsetOf(0);
        if (!WitnessCommitment.TryFind(coinbase, out BitcoinHash commitment, out int commitmentOffset))
        {
            return firstWitness < 0
                ? ParseResult<BitcoinDefect>.Done
                : BitcoinDefect.WitnessUnexpected.At(block.OffsetOf(firstWitness));
        }
        bool isBinding = firstWitness >= 0 || block.Index.Height >= _options.Network.SegwitHeight;
        if (!isBinding)
            return ParseResult<BitcoinDefect>.Done;
        if (!WitnessCommitment.TryFindReserved(coinbase, out BitcoinHash reserved))
            return BitcoinDefect.WitnessReservedValue.At(coinbaseOffset);
        BitcoinHash root = block.Index.ComputeWitnessRoot();
        return MerkleTree.HashPair(root, reserved) == commitment
            ? ParseResult<BitcoinDefect>.Done
            : BitcoinDefect.WitnessCommitmentMismatch.At(coinbaseOffset + commitmentOffset);
    }

    private static int? ReadHeight(in BitcoinBlock block)
    {
        if (block.Index.Header.Version < HeightVersion)
            return null;
        foreach (BitcoinInput input in block[0].Inputs)
            return CoinbaseHeight.Read(input.Script);
        return null;
    }
}
