using Streams.Buffers;

namespace Streams.Connectors.Bitcoin;

/// <summary>What can be wrong with text that should be an address or a key.</summary>
public enum BitcoinTextDefect : byte
{
    /// <summary>Nothing is wrong.</summary>
    None,

    /// <summary>The text is too short or too long, or decodes to the wrong number of bytes.</summary>
    Length,

    /// <summary>A character that the encoding does not use.</summary>
    Character,

    /// <summary>Upper and lower case in one witness address. Source: BIP173.</summary>
    MixedCase,

    /// <summary>No prefix, or nothing that ends it. Source: BIP173.</summary>
    Prefix,

    /// <summary>The checksum does not fit the rest.</summary>
    Checksum,

    /// <summary>The checksum is the other version's: Bech32 and Bech32m. Source: BIP350.</summary>
    ChecksumVariant,

    /// <summary>Valid, but not on this network, or not this kind of text.</summary>
    Network,

    /// <summary>A witness version over 16. Source: BIP173.</summary>
    WitnessVersion,

    /// <summary>A witness program of a length that its version does not have. Source: BIP141.</summary>
    ProgramLength,

    /// <summary>The bits that fill the last character up are too many, or not zero. Source: BIP173.</summary>
    Padding,

    /// <summary>A private key that is zero or not below the curve's order. Source: SEC 2.</summary>
    KeyRange,
}

/// <summary>Results that carry a defect.</summary>
internal static class BitcoinTextDefects
{
    /// <summary>The text has this defect at <paramref name="offset"/>.</summary>
    public static ParseResult<BitcoinTextDefect> At(this BitcoinTextDefect defect, long offset) =>
        ParseResult<BitcoinTextDefect>.Invalid(defect, offset);
}
