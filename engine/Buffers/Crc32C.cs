using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Streams.Buffers;

/// <summary>CRC-32C (Castagnoli, reflected polynomial 0x82F63B78), as iSCSI and Kafka use it.</summary>
/// <remarks>
/// Source: RFC 3720, appendix B.4. The processor's instruction takes eight bytes and three cycles, and can
/// begin every cycle. So three neighbouring blocks are summed side by side and put together afterwards: a
/// checksum is linear, and what a block's would be with zeros behind it comes from a table.
/// </remarks>
public static class Crc32C
{
    /// <summary>The state before the first byte, for <see cref="Append"/>.</summary>
    public const uint Start = uint.MaxValue;

    private const int BlockBytes = 512;
    private const int Lanes = 3;

    private static readonly uint[] BehindOneBlock = Shifts(BlockBytes);
    private static readonly uint[] BehindTwoBlocks = Shifts(2 * BlockBytes);

    /// <summary>The checksum of <paramref name="bytes"/>.</summary>
    public static uint Compute(ReadOnlySpan<byte> bytes) => Finish(Append(Start, bytes));

    /// <summary>The checksum of all that was appended to <paramref name="state"/>.</summary>
    public static uint Finish(uint state) => ~state;

    /// <summary>Takes more bytes into a checksum that is computed piece by piece.</summary>
    /// <param name="state"><see cref="Start"/>, or what the last call returned.</param>
    /// <param name="bytes">The next piece.</param>
    public static uint Append(uint state, ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length >= Lanes * BlockBytes)
        {
            state = AppendBlocks(state, bytes);
            bytes = bytes[(Lanes * BlockBytes)..];
        }
        while (bytes.Length >= 8)
        {
            state = BitOperations.Crc32C(state, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
            bytes = bytes[8..];
        }
        foreach (byte b in bytes)
            state = BitOperations.Crc32C(state, b);
        return state;
    }

    private static uint AppendBlocks(uint state, ReadOnlySpan<byte> bytes)
    {
        ReadOnlySpan<ulong> first = MemoryMarshal.Cast<byte, ulong>(bytes[..BlockBytes]);
        ReadOnlySpan<ulong> second = MemoryMarshal.Cast<byte, ulong>(bytes.Slice(BlockBytes, BlockBytes));
        ReadOnlySpan<ulong> third = MemoryMarshal.Cast<byte, ulong>(bytes.Slice(2 * BlockBytes, BlockBytes));
        uint b = 0, c = 0;
        for (int i = 0; i < BlockBytes / 8; i++)
        {
            state = BitOperations.Crc32C(state, LittleEndian(first[i]));
            b = BitOperations.Crc32C(b, LittleEndian(second[i]));
            c = BitOperations.Crc32C(c, LittleEndian(third[i]));
        }
        return Shift(BehindTwoBlocks, state) ^ Shift(BehindOneBlock, b) ^ c;
    }

    private static ulong LittleEndian(ulong value) =>
        BitConverter.IsLittleEndian ? value : BinaryPrimitives.ReverseEndianness(value);

    private static uint Shift(uint[] table, uint state) =>
        table[state & 0xFF] ^ table[256 + ((state >> 8) & 0xFF)]
            ^ table[512 + ((state >> 16) & 0xFF)] ^ table[768 + (state >> 24)];

    // For each of a state's four bytes and each of its values, the state behind so many zeros.
    private static uint[] Shifts(int zeros)
    {
        uint[] table = new uint[4 * 256];
        for (int i = 0; i < table.Length; i++)
        {
            uint state = (uint)(i & 0xFF) << (8 * (i >> 8));
            for (int at = 0; at < zeros; at += 8)
                state = BitOperations.Crc32C(state, 0UL);
            table[i] = state;
        }
        return table;
    }
}
