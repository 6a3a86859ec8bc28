namespace Streams.Connectors.Bitcoin;

/// <summary>What one pass over a block found out, so that nothing is read or hashed twice.</summary>
/// <remarks>
/// Reusable: a reader refills it, and it keeps its memory (about 130 bytes for each transaction of the
/// largest block so far). It holds no bytes of the block; <see cref="View"/> joins the two again, for
/// instance after an await. Not thread-safe.
/// </remarks>
public sealed class BitcoinBlockIndex
{
    private const int InitialTransactions = 1024;

    private Entry[] _entries = new Entry[InitialTransactions];
    private BitcoinHash[] _txIds = new BitcoinHash[InitialTransactions];
    private BitcoinHash[] _witnessTxIds = new BitcoinHash[InitialTransactions];
    private BitcoinHash[] _merkleLevel = new BitcoinHash[InitialTransactions];

    /// <summary>The header.</summary>
    public BitcoinHeader Header { get; internal set; }

    /// <summary>The block's hash.</summary>
    public BitcoinHash Hash { get; internal set; }

    /// <summary>The height that the coinbase claims; null in blocks of version 1, which claim none.</summary>
    /// <remarks>Source: BIP34. Only the chain's headers prove it.</remarks>
    public int? Height { get; internal set; }

    /// <summary>How many transactions there are, the coinbase included.</summary>
    public int Count { get; private set; }

    /// <summary>Bytes of the whole block.</summary>
    public int Bytes { get; internal set; }

    /// <summary>Bytes of the block without witnesses.</summary>
    public int StrippedBytes { get; internal set; }

    /// <summary>Weight, of which a block may have 4,000,000. Source: BIP141.</summary>
    public int Weight => (3 * StrippedBytes) + Bytes;

    /// <summary>The transactions' ids, in block order.</summary>
    public ReadOnlySpan<BitcoinHash> TxIds => _txIds.AsSpan(0, Count);

    /// <summary>The hashes with witness, in block order; the id where a transaction has none.</summary>
    public ReadOnlySpan<BitcoinHash> WitnessTxIds => _witnessTxIds.AsSpan(0, Count);

    /// <summary>The index of the first transaction with a witness; -1 where there is none.</summary>
    internal int FirstWitness { get; private set; } = -1;

    /// <summary>Views a block through its index.</summary>
    /// <param name="raw">The bytes that the index was filled from, unchanged.</param>
    /// <exception cref="ArgumentException">There are fewer bytes than the block had.</exception>
    public BitcoinBlock View(ReadOnlySpan<byte> raw) => raw.Length < Bytes
        ? throw new ArgumentException($"The block has {Bytes} bytes; here are {raw.Length}.", nameof(raw))
        : new BitcoinBlock(raw[..Bytes], this);

    /// <summary>Forgets the block and keeps the memory.</summary>
    internal void Clear()
    {
        Count = 0;
        Bytes = 0;
        StrippedBytes = 0;
        Height = null;
        FirstWitness = -1;
    }

    /// <summary>Adds the next transaction and hashes it.</summary>
    internal void Add(int offset, in BitcoinTransactionLayout layout, in BitcoinTransaction transaction)
    {
        if (Count == _entries.Length)
            Grow();
        if (transaction.HasWitness && FirstWitness < 0)
            FirstWitness = Count;
        BitcoinHash id = transaction.ComputeTxId();
        _entries[Count] = new Entry(offset, layout);
        _txIds[Count] = id;
        _witnessTxIds[Count] = transaction.HasWitness ? transaction.ComputeWitnessTxId() : id;
        Count++;
    }

    /// <summary>The root of the ids' tree.</summary>
    internal BitcoinHash ComputeMerkleRoot(out bool isMutated)
    {
        TxIds.CopyTo(_merkleLevel);
        return MerkleTree.ComputeRoot(_merkleLevel.AsSpan(0, Count), out isMutated);
    }

    /// <summary>The root of the tree of hashes with witness.</summary>
    internal BitcoinHash ComputeWitnessRoot()
    {
        WitnessTxIds.CopyTo(_merkleLevel);
        // The coinbase carries the commitment, so it cannot be committed to. Source: BIP141.
        _merkleLevel[0] = default;
        return MerkleTree.ComputeRoot(_merkleLevel.AsSpan(0, Count), out _);
    }

    /// <summary>Bytes from the block's start to a transaction.</summary>
    internal int OffsetOf(int position) => _entries[position].Offset;

    /// <summary>Where a transaction's parts begin.</summary>
    internal BitcoinTransactionLayout LayoutOf(int position) => _entries.AsSpan(0, Count)[position].Layout;

    private void Grow()
    {
        int length = 2 * _entries.Length;
        Array.Resize(ref _entries, length);
        Array.Resize(ref _txIds, length);
        Array.Resize(ref _witnessTxIds, length);
        Array.Resize(ref _merkleLevel, length);
    }

    private readonly struct Entry(int offset, in BitcoinTransactionLayout layout)
    {
        public int Offset { get; } = offset;

        public BitcoinTransactionLayout Layout { get; } = layout;
    }
}
