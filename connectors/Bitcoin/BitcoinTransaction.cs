using System.Buffers.Binary;
using Streams.Buffers;

namespace Streams.Connectors.Bitcoin;

/// <summary>One transaction, viewed in the bytes that it was read from.</summary>
/// <remarks>
/// Nothing is copied and nothing is allocated; the view is valid as long as its bytes. Going through inputs
/// and outputs reads their lengths again, which costs a few nanoseconds each. Sources: BIP141 (weight,
/// virtual size, wtxid), BIP144 (serialisation).
/// </remarks>
public readonly ref struct BitcoinTransaction
{
    /// <summary>Amounts are at most this many satoshi: 21 million bitcoin.</summary>
    public const long SatoshiMax = 21_000_000L * 100_000_000L;

    // Version, then marker and flag where there is a witness; the lock time ends the transaction.
    private const int VersionBytes = 4;
    private const int MarkerBytes = 2;
    private const int LockTimeBytes = 4;

    // BIP141: a byte outside the witness weighs 4, one inside it 1; a virtual byte is 4 of weight.
    private const int WeightPerByte = 4;

    private readonly BitcoinTransactionLayout _layout;

    internal BitcoinTransaction(ReadOnlySpan<byte> raw, BitcoinTransactionLayout layout)
    {
        Raw = raw;
        _layout = layout;
    }

    /// <summary>The transaction's own bytes, all of them.</summary>
    public ReadOnlySpan<byte> Raw { get; }

    /// <summary>The version, which rules from BIP68 on look at.</summary>
    public uint Version => BinaryPrimitives.ReadUInt32LittleEndian(Raw);

    /// <summary>A height below 500,000,000, else Unix seconds, that a block must be past.</summary>
    public uint LockTime => BinaryPrimitives.ReadUInt32LittleEndian(Raw[^LockTimeBytes..]);

    /// <summary>How many outputs it spends.</summary>
    public int InputCount => _layout.InputCount;

    /// <summary>How many outputs it makes.</summary>
    public int OutputCount => _layout.OutputCount;

    /// <summary>Whether any input has a witness, and with it the serialisation of BIP144.</summary>
    public bool HasWitness => _layout.WitnessOffset != 0;

    /// <summary>The inputs, in order.</summary>
    public BitcoinInputs Inputs => new(Raw, _layout);

    /// <summary>The outputs, in order.</summary>
    public BitcoinOutputs Outputs => new(Raw, _layout);

    /// <summary>Whether it makes new coins, as a block's first does: one input, spending nothing.</summary>
    public bool IsCoinbase =>
        InputCount == 1 && new BitcoinInput(Raw, _layout.InputsOffset, default).IsPreviousOutputNull;

    /// <summary>Bytes without marker, flag and witnesses.</summary>
    public int StrippedBytes => HasWitness ? VersionBytes + StrippedBody.Length + LockTimeBytes : Raw.Length;

    /// <summary>Weight: four times the stripped bytes plus the witness's. A block holds 4,000,000.</summary>
    public int Weight => ((WeightPerByte - 1) * StrippedBytes) + Raw.Length;

    /// <summary>Virtual size in bytes, the unit of fee rates: a quarter of the weight, rounded up.</summary>
    public int VirtualBytes => (Weight + WeightPerByte - 1) / WeightPerByte;

    private ReadOnlySpan<byte> StrippedBody =>
        Raw[(VersionBytes + MarkerBytes).._layout.WitnessOffset];

    /// <summary>The transaction's id: the hash without the witness, which a signer could vary.</summary>
    public BitcoinHash ComputeTxId()
    {
        BitcoinHash hash = default;
        Span<byte> bytes = BitcoinHash.BytesOf(ref hash);
        if (HasWitness)
            Sha256.HashTwice(Raw[..VersionBytes], StrippedBody, Raw[^LockTimeBytes..], bytes);
        else
            Sha256.HashTwice(Raw, bytes);
        return hash;
    }

    /// <summary>The hash of all bytes; the same as the id where there is no witness.</summary>
    public BitcoinHash ComputeWitnessTxId()
    {
        BitcoinHash hash = default;
        Sha256.HashTwice(Raw, BitcoinHash.BytesOf(ref hash));
        return hash;
    }
}
