using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Streams.Buffers;

namespace Streams.Connectors.Bitcoin;

/// <summary>Writes and mines blocks, the inverse of <see cref="BitcoinBlockReader"/>.</summary>
/// <remarks>
/// Reusable, and allocates nothing once its buffers have grown: start, add transactions, finish. Not
/// thread-safe. Sources: Bitcoin developer reference, "Serialized Blocks"; BIP34, BIP141.
/// </remarks>
public sealed class BitcoinBlockWriter : IDisposable
{
    /// <summary>How many nonces are tried: more than regtest needs, fewer than a public network.</summary>
    public const uint NoncesMax = 1 << 20;

    private readonly PooledBuffer _transactions = new();
    private readonly PooledBuffer _coinbase = new();
    private readonly PooledBuffer _txIds = new();
    private readonly PooledBuffer _witnessTxIds = new();
    private readonly PooledBuffer _level = new();
    private readonly BitcoinTransactionWriter _coinbaseWriter = new();
    private int _count;

    /// <summary>Begins a block; anything unfinished is dropped.</summary>
    public void Start()
    {
        _transactions.Clear();
        _txIds.Clear();
        _witnessTxIds.Clear();
        _count = 0;
    }

    /// <summary>Adds a transaction.</summary>
    /// <param name="raw">Exactly one transaction, with its witnesses.</param>
    /// <returns>Its id, which what spends it has to name.</returns>
    /// <exception cref="ArgumentException">It is not one.</exception>
    public BitcoinHash AddTransaction(ReadOnlySpan<byte> raw)
    {
        ParseResult<BitcoinDefect> result = BitcoinTransactionReader.ReadWhole(
            raw, BitcoinTransactionRules.BlockWeightMax, out BitcoinTransaction transaction);
        if (!result.IsDone)
            throw new ArgumentException($"Not a transaction: {result}.", nameof(raw));
        BitcoinHash id = transaction.ComputeTxId();
        BitcoinHash witnessId = transaction.HasWitness ? transaction.ComputeWitnessTxId() : id;
        id.CopyTo(_txIds.Append(BitcoinHash.Bytes));
        witnessId.CopyTo(_witnessTxIds.Append(BitcoinHash.Bytes));
        _transactions.Write(raw);
        _count++;
        return id;
    }

    /// <summary>Appends a block of a new coinbase and the transactions that were added.</summary>
    /// <returns>The block's hash.</returns>
    /// <exception cref="InvalidOperationException">No nonce meets the target.</exception>
    public BitcoinHash FinishWithCoinbase(BitcoinBlockTemplate template, PooledBuffer destination)
    {
        WriteCoinbase(template);
        BitcoinTransactionReader.ReadWhole(
            _coinbase.WrittenSpan, BitcoinTransactionRules.BlockWeightMax, out BitcoinTransaction coinbase);
        var header = new BitcoinHeader
        {
            Version = template.Version,
            PreviousHash = template.PreviousHash,
            TimeSeconds = template.TimeSeconds,
            Bits = template.Bits,
        };
        return Finish(header, coinbase.ComputeTxId(), _coinbase.WrittenSpan, destination);
    }

    /// <summary>Appends a block of the transactions that were added; the first is the coinbase.</summary>
    /// <param name="header">Its merkle root and nonce are found here.</param>
    /// <param name="destination">Appended to.</param>
    /// <returns>The block's hash.</returns>
    /// <exception cref="InvalidOperationException">No transaction was added, or no nonce meets the
    /// target.</exception>
    public BitcoinHash Finish(in BitcoinHeader header, PooledBuffer destination)
    {
        if (_count == 0)
            throw new InvalidOperationException("A block has at least a coinbase.");
        return Finish(header, null, default, destination);
    }

    /// <summary>Appends a block in its frame, as <see cref="BitcoinBlockFileReader"/> reads it.</summary>
    public static void WriteFrame(BitcoinNetwork network, ReadOnlySpan<byte> block, PooledBuffer destination)
    {
        Span<byte> frame = destination.Append(BitcoinBlockFileReader.FrameBytes);
        BinaryPrimitives.WriteUInt32LittleEndian(frame, network.Magic);
        BinaryPrimitives.WriteUInt32LittleEndian(frame[sizeof(uint)..], (uint)block.Length);
        destination.Write(block);
    }

    /// <summary>Returns the memory to the pool.</summary>
    public void Dispose()
    {
        _transactions.Dispose();
        _coinbase.Dispose();
        _txIds.Dispose();
        _witnessTxIds.Dispose();
        _level.Dispose();
        _coinbaseWriter.Dispose();
    }

    private BitcoinHash Finish(
        in BitcoinHeader header, BitcoinHash? coinbaseTxId, ReadOnlySpan<byte> coinbase,
        PooledBuffer destination)
    {
        int count = _count + (coinbaseTxId is null ? 0 : 1);
        BitcoinHeader complete = header with { MerkleRoot = ComputeRoot(coinbaseTxId, _txIds.WrittenSpan) };
        BitcoinHash hash = Mine(complete, destination.Append(BitcoinHeader.Bytes));
        BitcoinTransactionWriter.WriteCompactSize(destination, (ulong)count);
        destination.Write(coinbase);
        destination.Write(_transactions.WrittenSpan);
        return hash;
    }

    private void WriteCoinbase(BitcoinBlockTemplate template)
    {
        // The height, then a push of eight bytes.
        Span<byte> script = stackalloc byte[CoinbaseHeight.BytesMax + 1 + sizeof(ulong)];
        int length = CoinbaseHeight.Write(script, template.Height);
        script[length++] = sizeof(ulong);
        BinaryPrimitives.WriteUInt64LittleEndian(script[length..], template.ExtraNonce);
        length += sizeof(ulong);

        int witnessItems = template.CommitsToWitnesses ? 1 : 0;
        _coinbaseWriter.Start(version: 2);
        _coinbaseWriter.AddInput(default, uint.MaxValue, script[..length], uint.MaxValue, witnessItems);
        _coinbaseWriter.AddOutput(template.CoinbaseSatoshi, template.CoinbaseScript.Span);
        if (template.CommitsToWitnesses)
        {
            // The coinbase's own place in the tree is zero, and so is the reserved value.
            BitcoinHash root = ComputeRoot(default(BitcoinHash), _witnessTxIds.WrittenSpan);
            Span<byte> commitment = stackalloc byte[WitnessCommitment.ScriptBytes];
            WitnessCommitment.Prefix.CopyTo(commitment);
            MerkleTree.HashPair(root, default).CopyTo(commitment[WitnessCommitment.Prefix.Length..]);
            _coinbaseWriter.AddOutput(0, commitment);
            _coinbaseWriter.AddWitnessItem(default(BitcoinHash).AsSpan());
        }
        _coinbase.Clear();
        _coinbaseWriter.Finish(lockTime: 0, _coinbase);
    }

    private BitcoinHash ComputeRoot(BitcoinHash? first, ReadOnlySpan<byte> rest)
    {
        _level.Clear();
        first?.CopyTo(_level.Append(BitcoinHash.Bytes));
        _level.Write(rest);
        return MerkleTree.ComputeRoot(MemoryMarshal.Cast<byte, BitcoinHash>(_level.WrittenMutable), out _);
    }

    private static BitcoinHash Mine(in BitcoinHeader header, Span<byte> destination)
    {
        if (!BitcoinTarget.TryFromBits(header.Bits, out BitcoinTarget target))
            throw new InvalidOperationException($"Bits {header.Bits:x8} are no target.");
        header.WriteTo(destination);
        BitcoinHash hash = default;
        for (uint nonce = 0; nonce < NoncesMax; nonce++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(destination[BitcoinHeader.NonceOffset..], nonce);
            Sha256.HashTwice(destination[..BitcoinHeader.Bytes], BitcoinHash.BytesOf(ref hash));
            if (target.IsMetBy(hash))
                return hash;
        }
        throw new InvalidOperationException($"None of {NoncesMax:N0} nonces meets bits {header.Bits:x8}.");
    }
}
