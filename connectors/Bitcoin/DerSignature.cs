namespace Streams.Connectors.Bitcoin;

/// <summary>The encoding of an ECDSA signature in scripts.</summary>
internal static class DerSignature
{
    private const int BytesMin = 9;
    private const int BytesMax = 73;
    private const byte Sequence = 0x30;
    private const byte Integer = 0x02;

    // Two tags and two lengths before R's first byte; a tag and a length before S's; the hash type at the
    // end.
    private const int ROffset = 4;
    private const int HashTypeBytes = 1;

    /// <summary>Whether bytes are a signature and its hash type in the one allowed encoding.</summary>
    /// <remarks>
    /// <code>30 length | 02 length R | 02 length S | hash type        R and S: positive, no needless
    /// zero</code>
    /// Every signature since BIP66 (July 2015) passes; a few older ones do not. Source: BIP66.
    /// </remarks>
    public static bool IsWellFormed(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length is < BytesMin or > BytesMax)
            return false;
        if (bytes[0] != Sequence || bytes[1] != bytes.Length - 2 - HashTypeBytes)
            return false;
        int rBytes = bytes[ROffset - 1];
        int sOffset = ROffset + rBytes + 2;
        if (sOffset >= bytes.Length)
            return false;
        int sBytes = bytes[sOffset - 1];
        return sOffset + sBytes + HashTypeBytes == bytes.Length
            && bytes[ROffset - 2] == Integer && IsPositive(bytes.Slice(ROffset, rBytes))
            && bytes[sOffset - 2] == Integer && IsPositive(bytes.Slice(sOffset, sBytes));
    }

    // Big-endian with a sign bit: a zero in front is there only to keep that bit clear.
    private static bool IsPositive(ReadOnlySpan<byte> integer) =>
        integer.Length > 0 && integer[0] < 0x80
        && (integer.Length == 1 || integer[0] != 0 || integer[1] >= 0x80);
}
