using Streams.Buffers;

namespace Streams.Connectors.Bitcoin;

/// <summary>What can be wrong with the bytes of a transaction, a block or a node's block file.</summary>
/// <remarks>
/// The names stand in dead letters and metrics, so they are kept. Rules after "Core" name the reject reason
/// that Bitcoin Core gives for the same finding.
/// </remarks>
public enum BitcoinDefect : byte
{
    /// <summary>Nothing is wrong.</summary>
    None,

    // ---- The wire: no value can be made of the bytes.

    /// <summary>A count or a length is written in more bytes than it needs.</summary>
    CompactSizeNotCanonical,

    /// <summary>A count or a length says that the transaction is larger than the limit.</summary>
    TransactionTooLarge,

    /// <summary>The byte after the witness marker is neither 0 nor 1. Source: BIP144.</summary>
    WitnessFlagUnknown,

    /// <summary>A witness is announced, and each is empty. Core: Superfluous witness record.</summary>
    WitnessSuperfluous,

    /// <summary>The bytes end inside the value, and no more are to come.</summary>
    Truncated,

    /// <summary>Bytes follow the value where nothing may.</summary>
    TrailingBytes,

    // ---- A transaction on its own: Core's CheckTransaction.

    /// <summary>There is no input. Core: bad-txns-vin-empty.</summary>
    InputsMissing,

    /// <summary>There is no output. Core: bad-txns-vout-empty.</summary>
    OutputsMissing,

    /// <summary>Without its witness the transaction outweighs a block. Core: bad-txns-oversize.</summary>
    TransactionWeightTooLarge,

    /// <summary>An output's value is below zero. Core: bad-txns-vout-negative.</summary>
    ValueNegative,

    /// <summary>An output's value is over 21 million bitcoin. Core: bad-txns-vout-toolarge.</summary>
    ValueTooLarge,

    /// <summary>The outputs sum to over 21 million bitcoin. Core: bad-txns-txouttotal-toolarge.</summary>
    ValueSumTooLarge,

    /// <summary>The same output is spent twice. Core: bad-txns-inputs-duplicate (CVE-2018-17144).</summary>
    InputDuplicate,

    /// <summary>A coinbase's script is not 2 to 100 bytes long. Core: bad-cb-length.</summary>
    CoinbaseScriptLength,

    /// <summary>An input other than a coinbase's spends nothing. Core: bad-txns-prevout-null.</summary>
    PreviousOutputNull,

    // ---- A block on its own: Core's CheckBlock, and what of ContextualCheckBlock needs no context.

    /// <summary>The block is larger than the limit.</summary>
    BlockTooLarge,

    /// <summary>The header's target is zero, negative or beyond 256 bits. Core: high-hash.</summary>
    BitsInvalid,

    /// <summary>The header's target is easier than the network ever allows. Core: high-hash.</summary>
    BitsTooEasy,

    /// <summary>The header's hash is above its target. Core: high-hash.</summary>
    ProofOfWorkMissing,

    /// <summary>There is no transaction. Core: bad-blk-length.</summary>
    TransactionsMissing,

    /// <summary>The first transaction is not a coinbase. Core: bad-cb-missing.</summary>
    CoinbaseMissing,

    /// <summary>A later transaction is a coinbase. Core: bad-cb-multiple.</summary>
    CoinbaseMultiple,

    /// <summary>The header commits to other transactions. Core: bad-txnmrklroot.</summary>
    MerkleRootMismatch,

    /// <summary>The last transactions stand there twice (CVE-2012-2459). Core: bad-txns-duplicate.</summary>
    MerkleTreeMutated,

    /// <summary>There are witnesses that nothing commits to. Core: unexpected-witness.</summary>
    WitnessUnexpected,

    /// <summary>The coinbase's witness is not one item of 32 bytes. Core: bad-witness-nonce-size.</summary>
    WitnessReservedValue,

    /// <summary>The coinbase commits to other witnesses. Core: bad-witness-merkle-match.</summary>
    WitnessCommitmentMismatch,

    /// <summary>The block weighs over 4,000,000. Core: bad-blk-weight.</summary>
    BlockWeightTooLarge,

    // ---- A node's block file.

    /// <summary>Bytes where the network's magic or padding should be.</summary>
    FrameMagic,

    /// <summary>The length after the magic is no block's.</summary>
    FrameLength,

    /// <summary>The file ends inside a block.</summary>
    FrameTruncated,
}

/// <summary>Results that carry a defect.</summary>
internal static class BitcoinDefects
{
    /// <summary>The bytes have this defect, so far from the start of the value.</summary>
    public static ParseResult<BitcoinDefect> At(this BitcoinDefect defect, long offset) =>
        ParseResult<BitcoinDefect>.Invalid(defect, offset);
}
