using System.Buffers.Binary;

namespace Streams.Connectors.Bitcoin;

/// <summary>A transaction's outputs, for <c>foreach</c>.</summary>
public readonly ref struct BitcoinOutputs
{
    private readonly ReadOnlySpan<byte> _raw;
    private readonly BitcoinTransactionLayout _layout;

    internal BitcoinOutputs(ReadOnlySpan<byte> raw, BitcoinTransactionLayout layout)
    {
        _raw = raw;
        _layout = layout;
    }

    /// <summary>How many there are.</summary>
    public int Count => _layout.OutputCount;

    /// <summary>Starts before the first.</summary>
    public Enumerator GetEnumerator() => new(_raw, _layout);

    /// <summary>Goes through outputs without allocating.</summary>
    public ref struct Enumerator
    {
        private readonly ReadOnlySpan<byte> _raw;
        private int _left;
        private int _offset;

        internal Enumerator(ReadOnlySpan<byte> raw, BitcoinTransactionLayout layout)
        {
            _raw = raw;
            _left = layout.OutputCount;
            _offset = layout.OutputsOffset;
        }

        /// <summary>The output that the last <see cref="MoveNext"/> found.</summary>
        public BitcoinOutput Current { get; private set; }

        /// <summary>Moves to the next output.</summary>
        public bool MoveNext()
        {
            if (_left == 0)
                return false;
            _left--;
            Current = new BitcoinOutput(_raw, ref _offset);
            return true;
        }
    }
}

/// <summary>One output: an amount and what it takes to spend it.</summary>
public readonly ref struct BitcoinOutput
{
    private const int ValueBytes = 8;

    internal BitcoinOutput(ReadOnlySpan<byte> raw, scoped ref int offset)
    {
        Offset = offset;
        Satoshi = BinaryPrimitives.ReadInt64LittleEndian(raw[offset..]);
        offset += ValueBytes;
        Script = CompactSize.TakeSized(raw, ref offset);
    }

    /// <summary>Bytes from the transaction's start to this output.</summary>
    public int Offset { get; }

    /// <summary>The amount in satoshi: any number, unless the transaction has passed the rules.</summary>
    public long Satoshi { get; }

    /// <summary>The script that locks the output (scriptPubKey).</summary>
    public ReadOnlySpan<byte> Script { get; }
}
