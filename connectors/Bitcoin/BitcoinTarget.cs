namespace Streams.Connectors.Bitcoin;

/// <summary>The number that a block's hash must not exceed, decoded from the header's 32 bits.</summary>
/// <remarks>
/// The bits are a base-256 floating point number: one byte of exponent, a sign bit, 23 bits of mantissa.
/// Sources: Bitcoin developer reference, "Target nBits"; the rules for negative and overflowing values are
/// Bitcoin Core's <c>arith_uint256::SetCompact</c>.
/// </remarks>
public readonly struct BitcoinTarget
{
    private const int ExponentShift = 24;
    private const uint SignBit = 0x0080_0000;
    private const uint MantissaMask = 0x007F_FFFF;

    // The exponent counts bytes, and the mantissa is three of them.
    private const int MantissaBytes = 3;

    private readonly Number256 _value;

    private BitcoinTarget(Number256 value) => _value = value;

    /// <summary>Decodes a header's bits.</summary>
    /// <returns>Whether they are a number above zero and below 2^256.</returns>
    public static bool TryFromBits(uint bits, out BitcoinTarget target)
    {
        int exponent = (int)(bits >> ExponentShift);
        uint mantissa = bits & MantissaMask;
        if (exponent < MantissaBytes)
            mantissa >>= 8 * (MantissaBytes - exponent);
        int shift = 8 * Math.Max(0, exponent - MantissaBytes);
        var value = new Number256(UInt128.Zero, mantissa);
        bool isNegative = (bits & SignBit) != 0;
        bool overflows = shift > value.LeadingZeroBits;
        bool valid = mantissa != 0 && !isNegative && !overflows;
        target = valid ? new BitcoinTarget(value << shift) : default;
        return valid;
    }

    /// <summary>Whether a block of this hash has done the work.</summary>
    public bool IsMetBy(in BitcoinHash blockHash) =>
        Number256.ReadLittleEndian(blockHash.AsSpan()).CompareTo(_value) <= 0;

    /// <summary>How many hashes it takes on average to meet the target: 2^256 / (target + 1).</summary>
    /// <remarks>2^256 does not fit in 256 bits, hence the complement. Source: Bitcoin Core,
    /// <c>GetBlockProof</c>.</remarks>
    public ChainWork Work =>
        _value == default ? default : new ChainWork((~_value / (_value + Number256.One)) + Number256.One);

    /// <summary>Whether more hashes meet this target than the other.</summary>
    public bool IsEasierThan(in BitcoinTarget other) => _value.CompareTo(other._value) > 0;

    /// <summary>The 32 bytes in big-endian hexadecimal, as block explorers write targets.</summary>
    public override string ToString() => new ChainWork(_value).ToString();
}
