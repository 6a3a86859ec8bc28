using System.Buffers.Binary;

namespace Streams.Log;

/// <summary>Kafka's default partitioning, so that a key is in the same partition on either log.</summary>
/// <remarks>
/// Source: Austin Appleby's MurmurHash2, 32 bits, with the seed and the sign handling of Kafka's clients
/// (<c>Utils.murmur2</c>, <c>Utils.toPositive</c>).
/// </remarks>
public static class Murmur2
{
    private const uint Seed = 0x9747b28c;
    private const uint M = 0x5bd1e995;
    private const int R = 24;

    /// <summary>The partition of a key.</summary>
    /// <param name="key">The key's bytes.</param>
    /// <param name="partitions">At least 1.</param>
    public static int Partition(ReadOnlySpan<byte> key, int partitions) =>
        partitions == 1 ? 0 : (int)((Hash(key) & 0x7fffffff) % (uint)partitions);

    /// <summary>The hash of some bytes.</summary>
    public static uint Hash(ReadOnlySpan<byte> data)
    {
        uint h = Seed ^ (uint)data.Length;
        while (data.Length >= 4)
        {
            uint k = BinaryPrimitives.ReadUInt32LittleEndian(data) * M;
            k = (k ^ (k >> R)) * M;
            h = (h * M) ^ k;
            data = data[4..];
        }
        if (data.Length >= 3)
            h ^= (uint)data[2] << 16;
        if (data.Length >= 2)
            h ^= (uint)data[1] << 8;
        if (data.Length >= 1)
            h = (h ^ data[0]) * M;
        h = (h ^ (h >> 13)) * M;
        return h ^ (h >> 15);
    }
}
