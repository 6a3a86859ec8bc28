namespace Streams.Connectors.Bitcoin;

/// <summary>One input's witness: a stack of byte strings, bottom first.</summary>
/// <remarks>Source: BIP141, BIP144.</remarks>
public readonly ref struct BitcoinWitness
{
    private readonly ReadOnlySpan<byte> _items;

    private BitcoinWitness(ReadOnlySpan<byte> items, int count)
    {
        _items = items;
        Count = count;
    }

    /// <summary>How many items there are; 0 where the input has no witness.</summary>
    public int Count { get; }

    /// <summary>Starts before the bottom item.</summary>
    public Enumerator GetEnumerator() => new(_items, Count);

    /// <summary>Reads the witness at an offset of bytes that were validated, and moves past it.</summary>
    internal static BitcoinWitness Read(ReadOnlySpan<byte> raw, scoped ref int offset)
    {
        int count = CompactSize.Take(raw, ref offset);
        int start = offset;
        for (int i = 0; i < count; i++)
            _ = CompactSize.TakeSized(raw, ref offset);
        return new BitcoinWitness(raw[start..offset], count);
    }

    /// <summary>Goes through items without allocating.</summary>
    public ref struct Enumerator
    {
        private readonly ReadOnlySpan<byte> _items;
        private int _left;
        private int _offset;

        internal Enumerator(ReadOnlySpan<byte> items, int count)
        {
            _items = items;
            _left = count;
        }

        /// <summary>The item that the last <see cref="MoveNext"/> found.</summary>
        public ReadOnlySpan<byte> Current { get; private set; }

        /// <summary>Moves to the next item.</summary>
        public bool MoveNext()
        {
            if (_left == 0)
                return false;
            _left--;
            Current = CompactSize.TakeSized(_items, ref _offset);
            return true;
        }
    }
}
