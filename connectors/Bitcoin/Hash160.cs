using Streams.Buffers;

namespace Streams.Connectors.Bitcoin;

/// <summary>RIPEMD-160 of SHA-256: what stands for a key or a script in an address.</summary>
/// <remarks>Source: Bitcoin developer reference, opcode OP_HASH160.</remarks>
public static class Hash160
{
    /// <summary>Bytes of a hash.</summary>
    public const int HashBytes = Ripemd160.HashBytes;

    /// <summary>Writes the hash of <paramref name="source"/>, 20 bytes.</summary>
    public static void Hash(ReadOnlySpan<byte> source, Span<byte> destination)
    {
        Span<byte> inner = stackalloc byte[Sha256.HashBytes];
        Sha256.Hash(source, inner);
        Ripemd160.Hash(inner, destination);
    }
}
