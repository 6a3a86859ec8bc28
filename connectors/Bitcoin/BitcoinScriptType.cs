namespace Streams.Connectors.Bitcoin;

/// <summary>The templates that a script can follow, by what it takes to spend from it.</summary>
public enum BitcoinScriptType : byte
{
    /// <summary>Not known: an input does not say what it spends.</summary>
    Unknown,

    /// <summary>None of the templates.</summary>
    NonStandard,

    /// <summary>P2PK: a signature of the key in the script.</summary>
    PublicKey,

    /// <summary>P2PKH: a key of this hash, and its signature.</summary>
    PublicKeyHash,

    /// <summary>P2SH: a script of this hash, and what satisfies it. Source: BIP16.</summary>
    ScriptHash,

    /// <summary>Signatures of m of the n keys in the script. Source: BIP11.</summary>
    Multisig,

    /// <summary>OP_RETURN: nothing can spend it; it carries data.</summary>
    NullData,

    /// <summary>P2WPKH: witness version 0, a key's hash. Source: BIP141.</summary>
    WitnessPublicKeyHash,

    /// <summary>P2WSH: witness version 0, a script's hash. Source: BIP141.</summary>
    WitnessScriptHash,

    /// <summary>P2TR: witness version 1, a tweaked key. Source: BIP341.</summary>
    Taproot,

    /// <summary>P2A: witness version 1, the two bytes 4e73; anybody may spend it to raise a fee.</summary>
    Anchor,

    /// <summary>A witness program that no rule gives a meaning yet.</summary>
    WitnessUnknown,
}

/// <summary>The names of script types in records.</summary>
public static class BitcoinScriptTypes
{
    /// <summary>The name that Bitcoin Core's RPC uses, UTF-8; <c>unknown</c> where Core has none.</summary>
    public static ReadOnlySpan<byte> Utf8Name(this BitcoinScriptType type) => type switch
    {
        BitcoinScriptType.NonStandard => "nonstandard"u8,
        BitcoinScriptType.PublicKey => "pubkey"u8,
        BitcoinScriptType.PublicKeyHash => "pubkeyhash"u8,
        BitcoinScriptType.ScriptHash => "scripthash"u8,
        BitcoinScriptType.Multisig => "multisig"u8,
        BitcoinScriptType.NullData => "nulldata"u8,
        BitcoinScriptType.WitnessPublicKeyHash => "witness_v0_keyhash"u8,
        BitcoinScriptType.WitnessScriptHash => "witness_v0_scripthash"u8,
        BitcoinScriptType.Taproot => "witness_v1_taproot"u8,
        BitcoinScriptType.Anchor => "anchor"u8,
        BitcoinScriptType.WitnessUnknown => "witness_unknown"u8,
        _ => "unknown"u8,
    };
}
