using Streams.Buffers;

namespace Streams.Connectors.Bitcoin;

/// <summary>Reads private keys as wallets exchange them, to recognise them where none should be.</summary>
/// <remarks>
/// <code>prefix 1 | key 32 | [01 where the public key is compressed], Base58Check</code>
/// What it reads is a secret: it belongs in no record and no log. Source: Bitcoin developer reference,
/// "Wallet Import Format".
/// </remarks>
public static class WalletImportFormat
{
    /// <summary>Bytes of a private key.</summary>
    public const int KeyBytes = 32;

    private const int PayloadBytes = 1 + KeyBytes;
    private const byte CompressedMark = 1;

    // The order of the group of secp256k1, big-endian. Source: SEC 2, section 2.4.1.
    private static ReadOnlySpan<byte> CurveOrder =>
    [
        0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFE,
        0xBA, 0xAE, 0xDC, 0xE6, 0xAF, 0x48, 0xA0, 0x3B, 0xBF, 0xD2, 0x5E, 0x8C, 0xD0, 0x36, 0x41, 0x41,
    ];

    /// <summary>Reads a private key of a network.</summary>
    /// <param name="text">UTF-8.</param>
    /// <param name="network">Whose prefix is accepted.</param>
    /// <param name="key">At least 32 bytes: the key, when Done.</param>
    /// <param name="isCompressed">Whether the public key is meant in compressed form.</param>
    /// <returns>Done or Invalid.</returns>
    public static ParseResult<BitcoinTextDefect> TryDecode(
        ReadOnlySpan<byte> text, BitcoinNetwork network, Span<byte> key, out bool isCompressed)
    {
        isCompressed = false;
        Span<byte> payload = stackalloc byte[PayloadBytes + 1];
        ParseResult<BitcoinTextDefect> result = Base58Check.TryDecode(text, payload, out int bytes);
        if (!result.IsDone)
            return result;
        bool isMarked = bytes == PayloadBytes + 1 && payload[PayloadBytes] == CompressedMark;
        if (bytes != PayloadBytes && !isMarked)
            return BitcoinTextDefect.Length.At(text.Length);
        if (payload[0] != network.PrivateKeyPrefix)
            return BitcoinTextDefect.Network.At(0);
        ReadOnlySpan<byte> secret = payload[1..PayloadBytes];
        if (secret.IndexOfAnyExcept((byte)0) < 0 || secret.SequenceCompareTo(CurveOrder) >= 0)
            return BitcoinTextDefect.KeyRange.At(0);
        secret.CopyTo(key);
        isCompressed = isMarked;
        return ParseResult<BitcoinTextDefect>.Done;
    }
}
