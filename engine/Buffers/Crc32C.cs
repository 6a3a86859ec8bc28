using System.Buffers.Binary;
using System.Numerics;

namespace Streams.Buffers;

/// <summary>CRC-32C (Castagnoli, reflected polynomial 0x82F63B78), as iSCSI and Kafka use it.</summary>
/// <remarks>Source: RFC 3720, appendix B.4. The processor's instruction does the work.</remarks>
public static class Crc32C
{
    /// <summary>The checksum of <paramref name="bytes"/>.</summary>
    public static uint Compute(ReadOnlySpan<byte> bytes) => ~Append(uint.MaxValue, bytes);

    private static uint Append(uint state, ReadOnlySpan<byte> bytes)
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
