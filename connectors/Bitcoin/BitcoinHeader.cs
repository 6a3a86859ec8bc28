using System.Buffers.Binary;
using Streams.Buffers;

namespace Streams.Connectors.Bitcoin;

/// <summary>A block's header: 80 bytes that chain it to the block before and pay for it with work.</summary>
/// <remarks>
/// <code>version 4 | previous block 32 | merkle root 32 | time 4 | bits 4 | nonce 4        integers
/// little-endian</code>
/// It owns its values, so that a source can keep headers to compare branches. Source: Bitcoin developer
/// reference, "Block Headers".
/// </remarks>
public readonly struct BitcoinHeader
{
    /// <summary>Bytes of a header.</summary>
    public const int Bytes = 80;

    internal const int PreviousOffset = 4;
    internal const int MerkleRootOffset = 36;
    internal const int TimeOffset = 68;
    internal const int BitsOffset = 72;
    internal const int NonceOffset = 76;

    /// <summary>The version; from BIP9 on also a field of votes.</summary>
    public int Version { get; init; }

    /// <summary>The hash of the block before; zero in the first.</summary>
    public BitcoinHash PreviousHash { get; init; }

    /// <summary>The root of the tree of the transactions' ids.</summary>
    public BitcoinHash MerkleRoot { get; init; }

    /// <summary>Unix seconds, as the miner's clock had them: only roughly in order along the chain.</summary>
    public uint TimeSeconds { get; init; }

    /// <summary>The target in 32 bits.</summary>
    public uint Bits { get; init; }

    /// <summary>What the miner varied.</summary>
    public uint Nonce { get; init; }

    /// <summary>Expected hashes that went into this block; none where the bits are no target.</summary>
    public ChainWork Work =>
        BitcoinTarget.TryFromBits(Bits, out BitcoinTarget target) ? target.Work : default;

    /// <summary>Reads a header; whether it is worth anything is for <see cref="CheckWork"/>.</summary>
    /// <returns>Done or NeedMoreData: every 80 bytes are a header.</returns>
    public static ParseResult<BitcoinDefect> TryRead(ReadOnlySpan<byte> source, out BitcoinHeader header)
    {
        header = default;
        if (source.Length < Bytes)
            return ParseResult<BitcoinDefect>.NeedMoreData;
        header = new BitcoinHeader
        {
            Version = BinaryPrimitives.ReadInt32LittleEndian(source),
            PreviousHash = new BitcoinHash(source[PreviousOffset..]),
            MerkleRoot = new BitcoinHash(source[MerkleRootOffset..]),
            TimeSeconds = BinaryPrimitives.ReadUInt32LittleEndian(source[TimeOffset..]),
            Bits = BinaryPrimitives.ReadUInt32LittleEndian(source[BitsOffset..]),
            Nonce = BinaryPrimitives.ReadUInt32LittleEndian(source[NonceOffset..]),
        };
        return ParseResult<BitcoinDefect>.Done;
    }

    /// <summary>Writes 80 bytes.</summary>
    public void WriteTo(Span<byte> destination)
    {
        BinaryPrimitives.WriteInt32LittleEndian(destination, Version);
        PreviousHash.CopyTo(destination[PreviousOffset..]);
        MerkleRoot.CopyTo(destination[MerkleRootOffset..]);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[TimeOffset..], TimeSeconds);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[BitsOffset..], Bits);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[NonceOffset..], Nonce);
    }

    /// <summary>The block's hash, which is the header's.</summary>
    public BitcoinHash ComputeHash()
    {
        Span<byte> bytes = stackalloc byte[Bytes];
        WriteTo(bytes);
        BitcoinHash hash = default;
        Sha256.HashTwice(bytes, BitcoinHash.BytesOf(ref hash));
        return hash;
    }

    /// <summary>Checks that the hash meets the target, and that the network allows the target.</summary>
    /// <param name="hash">The header's own hash.</param>
    /// <param name="network">Says how easy a target may be. Whether it is the one that the chain asks for at
    /// this height takes the headers before.</param>
    /// <returns>Done, or Invalid with the offset in the header.</returns>
    /// <remarks>Source: Bitcoin Core, <c>CheckProofOfWork</c>.</remarks>
    public ParseResult<BitcoinDefect> CheckWork(in BitcoinHash hash, BitcoinNetwork network)
    {
        if (!BitcoinTarget.TryFromBits(Bits, out BitcoinTarget target))
            return BitcoinDefect.BitsInvalid.At(BitsOffset);
        if (!BitcoinTarget.TryFromBits(network.EasiestBits, out BitcoinTarget easiest)
            || target.IsEasierThan(easiest))
            return BitcoinDefect.BitsTooEasy.At(BitsOffset);
        return target.IsMetBy(hash)
            ? ParseResult<BitcoinDefect>.Done
            : BitcoinDefect.ProofOfWorkMissing.At(NonceOffset);
    }
}
