using System.Buffers.Binary;

namespace Streams.Connectors.Bitcoin;

/// <summary>A transaction's inputs, for <c>foreach</c>.</summary>
public readonly ref struct BitcoinInputs
{
    private readonly ReadOnlySpan<byte> _raw;
    private readonly BitcoinTransactionLayout _layout;

    internal BitcoinInputs(ReadOnlySpan<byte> raw, BitcoinTransactionLayout layout)
    {
        _raw = raw;
        _layout = layout;
    }

    /// <summary>How many there are.</summary>
    public int Count => _layout.InputCount;

    /// <summary>Starts before the first.</summary>
    public Enumerator GetEnumerator() => new(_raw, _layout);

    /// <summary>Goes through inputs without allocating, each together with its witness.</summary>
    public ref struct Enumerator
    {
        private readonly ReadOnlySpan<byte> _raw;
        private int _left;
        private int _inputOffset;
        private int _witnessOffset;

        internal Enumerator(ReadOnlySpan<byte> raw, BitcoinTransactionLayout layout)
        {
            _raw = raw;
            _left = layout.InputCount;
            _inputOffset = layout.InputsOffset;
            _witnessOffset = layout.WitnessOffset;
        }

        /// <summary>The input that the last <see cref="MoveNext"/> found.</summary>
        public BitcoinInput Current { get; private set; }

        /// <summary>Moves to the next input.</summary>
        public bool MoveNext()
        {
            if (_left == 0)
                return false;
            _left--;
            BitcoinWitness witness = default;
            if (_witnessOffset != 0)
                witness = BitcoinWitness.Read(_raw, ref _witnessOffset);
            Current = new BitcoinInput(_raw, _inputOffset, witness);
            _inputOffset = Current.EndOffset;
            return true;
        }
    }
}

/// <summary>One input: the output that it spends and what unlocks it.</summary>
public readonly ref struct BitcoinInput
{
    // 32 bytes of the transaction's id, then the number of its output.
    private const int OutputNumberOffset = 32;
    private const int ScriptOffset = 36;
    private const int SequenceBytes = 4;

    private readonly ReadOnlySpan<byte> _raw;

    internal BitcoinInput(ReadOnlySpan<byte> raw, int offset, BitcoinWitness witness)
    {
        _raw = raw;
        Offset = offset;
        Witness = witness;
        int at = offset + ScriptOffset;
        Script = CompactSize.TakeSized(raw, ref at);
        EndOffset = at + SequenceBytes;
    }

    /// <summary>Bytes from the transaction's start to this input.</summary>
    public int Offset { get; }

    /// <summary>The transaction whose output is spent.</summary>
    public BitcoinHash PreviousTxId => new(_raw.Slice(Offset, BitcoinHash.Bytes));

    /// <summary>Which of its outputs, from 0.</summary>
    public uint PreviousOutput =>
        BinaryPrimitives.ReadUInt32LittleEndian(_raw[(Offset + OutputNumberOffset)..]);

    /// <summary>Id and number as 36 bytes of the wire: the key of the output that is spent.</summary>
    public ReadOnlySpan<byte> Outpoint => _raw.Slice(Offset, ScriptOffset);

    /// <summary>Whether it spends nothing: id zero, number 0xFFFFFFFF, as a coinbase does.</summary>
    public bool IsPreviousOutputNull => PreviousOutput == uint.MaxValue && PreviousTxId.IsZero;

    /// <summary>The script that unlocks the output (scriptSig); free bytes in a coinbase.</summary>
    public ReadOnlySpan<byte> Script { get; }

    /// <summary>Relative lock time (BIP68) and, below 0xFFFFFFFE, replaceability (BIP125).</summary>
    public uint Sequence => BinaryPrimitives.ReadUInt32LittleEndian(_raw[(EndOffset - SequenceBytes)..]);

    /// <summary>The witness; empty where there is none.</summary>
    public BitcoinWitness Witness { get; }

    /// <summary>Bytes from the transaction's start to the end of this input.</summary>
    internal int EndOffset { get; }
}
