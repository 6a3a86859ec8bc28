using System.Buffers.Binary;
using System.Numerics;

namespace Streams.Buffers;

/// <summary>CRC-32C (Castagnoli, reflected polynomial 0x82F63B78), as iSCSI and Kafka use it.</summary>
/// <remarks>Source: RFC 3720, appendix B.4. The processor's instruction does the work.</remarks>
public static class Crc32C
{
    /// <summary>The state before the first byte, for <see cref="Append"/>.</summary>
    public const uint Start = uint.MaxValue;

    /// <summary>The checksum of <paramref name="bytes"/>.</summary>
    public static uint Compute(ReadOnlySpan<byte> bytes) => Finish(Append(Start, bytes));

    /// <summary>The checksum of all that was appended to <paramref name="state"/>.</summary>
    public static uint Finish(uint state) => ~state;

    /// <summary>Takes more bytes into a checksum that is computed piece by piece.</summary>
    /// <param name="state"><see cref="Start"/>, or what the last call returned.</param>
    /// <param name="bytes">The next piece.</param>
    public static uint Append(uint state, ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length >= 8)
        {
            state = BitOperations.Crc32C(state, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
            bytes = bytes[8..];
        }
        foreach (byte b in bytes)
            state = BitOperations.Crc32C(state, b);
        return state;
    }
}
