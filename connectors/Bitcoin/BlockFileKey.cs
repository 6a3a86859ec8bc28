using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Streams.Connectors.Bitcoin;

/// <summary>The key that obfuscates a node's block files, so that virus scanners leave them alone.</summary>
/// <remarks>
/// Every byte is XORed with one of eight, chosen by its position in the file; the key is the node's
/// <c>xor.dat</c>, as it stands. All zero, or no such file, means no obfuscation. Source: Bitcoin Core 28.0,
/// release notes and <c>node/blockstorage.cpp</c>.
/// </remarks>
public readonly struct BlockFileKey
{
    /// <summary>Bytes of a key, and of <c>xor.dat</c>.</summary>
    public const int Bytes = 8;

    private readonly ulong _key;

    /// <summary>Takes the contents of <c>xor.dat</c>.</summary>
    /// <exception cref="ArgumentException">They are not eight bytes.</exception>
    public BlockFileKey(ReadOnlySpan<byte> key)
    {
        if (key.Length != Bytes)
            throw new ArgumentException($"A key has {Bytes} bytes; here are {key.Length}.", nameof(key));
        _key = BinaryPrimitives.ReadUInt64LittleEndian(key);
    }

    /// <summary>Whether the key changes nothing.</summary>
    public bool IsZero => _key == 0;

    /// <summary>Obfuscates or clears, in place: the one is the inverse of the other.</summary>
    /// <param name="bytes">Part of a file.</param>
    /// <param name="filePosition">Where in the file the part begins.</param>
    public void Apply(Span<byte> bytes, long filePosition)
    {
        if (IsZero)
            return;
        // A vector is a multiple of eight bytes, so one turned key serves them all.
        ulong turned = TurnedTo(filePosition);
        var pattern = Vector.AsVectorByte(new Vector<ulong>(turned));
        Span<Vector<byte>> vectors = MemoryMarshal.Cast<byte, Vector<byte>>(bytes);
        foreach (ref Vector<byte> vector in vectors)
            vector ^= pattern;
        int done = vectors.Length * Vector<byte>.Count;
        for (int i = done; i < bytes.Length; i++)
            bytes[i] ^= ByteOf(turned, i);
    }

    /// <summary>What clearing makes of a zero that the node reserved space with.</summary>
    internal byte ZeroAt(long filePosition) => ByteOf(_key, (int)(filePosition % Bytes));

    private ulong TurnedTo(long filePosition) =>
        BitOperations.RotateRight(_key, 8 * (int)(filePosition % Bytes));

    private static byte ByteOf(ulong littleEndianKey, int i) => (byte)(littleEndianKey >> (8 * (i % Bytes)));
}
