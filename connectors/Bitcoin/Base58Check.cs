using Streams.Buffers;

namespace Streams.Connectors.Bitcoin;

/// <summary>Base 58 with the first four bytes of the payload's double SHA-256 after it.</summary>
/// <remarks>Source: Bitcoin developer reference, "Address Conversion".</remarks>
internal static class Base58Check
{
    private const int ChecksumBytes = 4;

    // Addresses carry 21 bytes and keys 34.
    private const int PayloadBytesMax = 64;

    /// <summary>Writes a payload and its checksum as text, and returns the characters used.</summary>
    public static int Encode(ReadOnlySpan<byte> payload, Span<byte> destination)
    {
        Span<byte> buffer = stackalloc byte[PayloadBytesMax + ChecksumBytes];
        payload.CopyTo(buffer);
        Span<byte> hash = stackalloc byte[Sha256.HashBytes];
        Sha256.HashTwice(payload, hash);
        hash[..ChecksumBytes].CopyTo(buffer[payload.Length..]);
        return Base58.Encode(buffer[..(payload.Length + ChecksumBytes)], destination);
    }

    /// <summary>Reads text and drops the checksum, if it fits.</summary>
    /// <param name="text">UTF-8.</param>
    /// <param name="payload">Filled from its start.</param>
    /// <param name="payloadBytes">How many bytes the payload has.</param>
    public static ParseResult<BitcoinTextDefect> TryDecode(
        ReadOnlySpan<byte> text, Span<byte> payload, out int payloadBytes)
    {
        payloadBytes = 0;
        Span<byte> buffer = stackalloc byte[PayloadBytesMax + ChecksumBytes];
        ParseResult<BitcoinTextDefect> result = Base58.TryDecode(text, buffer, out int bytes);
        if (!result.IsDone)
            return result;
        if (bytes < ChecksumBytes || bytes - ChecksumBytes > payload.Length)
            return BitcoinTextDefect.Length.At(text.Length);
        ReadOnlySpan<byte> decoded = buffer[..(bytes - ChecksumBytes)];
        Span<byte> hash = stackalloc byte[Sha256.HashBytes];
        Sha256.HashTwice(decoded, hash);
        if (!hash[..ChecksumBytes].SequenceEqual(buffer.Slice(decoded.Length, ChecksumBytes)))
            return BitcoinTextDefect.Checksum.At(0);
        decoded.CopyTo(payload);
        payloadBytes = decoded.Length;
        return ParseResult<BitcoinTextDefect>.Done;
    }
}
