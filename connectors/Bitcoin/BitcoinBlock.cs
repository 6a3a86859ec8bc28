namespace Streams.Connectors.Bitcoin;

/// <summary>A validated block, viewed in its bytes, for <c>foreach</c> over its transactions.</summary>
/// <remarks>Valid until the bytes change or the index is filled again.</remarks>
public readonly ref struct BitcoinBlock
{
    internal BitcoinBlock(ReadOnlySpan<byte> raw, BitcoinBlockIndex index)
    {
        Raw = raw;
        Index = index;
    }

    /// <summary>The block's own bytes, all of them.</summary>
    public ReadOnlySpan<byte> Raw { get; }

    /// <summary>Hashes, header, height and sizes.</summary>
    public BitcoinBlockIndex Index { get; }

    /// <summary>How many transactions there are, the coinbase included.</summary>
    public int Count => Index.Count;

    /// <summary>The transaction at a position, 0 being the coinbase.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is none there.</exception>
    public BitcoinTransaction this[int position]
    {
        get
        {
            BitcoinTransactionLayout layout = Index.LayoutOf(position);
            return new BitcoinTransaction(Raw.Slice(Index.OffsetOf(position), layout.Bytes), layout);
        }
    }

    /// <summary>Bytes from the block's start to the transaction at a position.</summary>
    public int OffsetOf(int position) => Index.OffsetOf(position);

    /// <summary>Starts before the coinbase.</summary>
    public Enumerator GetEnumerator() => new(this);

    /// <summary>Goes through transactions without allocating or reading them again.</summary>
    public ref struct Enumerator
    {
        private readonly BitcoinBlock _block;
        private int _position;

        internal Enumerator(BitcoinBlock block)
        {
            _block = block;
            _position = -1;
        }

        /// <summary>The transaction that the last <see cref="MoveNext"/> found.</summary>
        public readonly BitcoinTransaction Current => _block[_position];

        /// <summary>Moves to the next transaction.</summary>
        public bool MoveNext() => ++_position < _block.Count;
    }
}
