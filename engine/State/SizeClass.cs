using System.Numerics;
using System.Runtime.CompilerServices;

namespace Streams.State;

/// <summary>
/// The sizes that entries are rounded up to: every 16 bytes to 256, then eight steps per doubling, so that at
/// most an eighth is wasted.
/// </summary>
internal static class SizeClass
{
    private const int FineBytesMax = 256;
    private const int FineClasses = FineBytesMax / PageArena.GrainBytes;
    private const int StepsPerDoubling = 8;
    private const int FineLog = 8;

    /// <summary>Number of classes: the largest holds 2^30 bytes.</summary>
    internal const int Count = FineClasses + (30 - FineLog) * StepsPerDoubling + 1;

    /// <summary>The smallest class whose entries hold <paramref name="bytes"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static byte Of(int bytes) =>
        bytes <= FineBytesMax ? (byte)((bytes + PageArena.GrainBytes - 1) / PageArena.GrainBytes)
            : OfLarge(bytes);

    /// <summary>Bytes of an entry of that class.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int Bytes(byte sizeClass) =>
        sizeClass <= FineClasses ? sizeClass * PageArena.GrainBytes : LargeBytes(sizeClass - FineClasses);

    private static byte OfLarge(int bytes)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bytes, 1 << 30);
        int log = BitOperations.Log2((uint)(bytes - 1));
        int step = ((bytes - 1) >> (log - 3)) - StepsPerDoubling + 1;
        return (byte)(FineClasses + (log - FineLog) * StepsPerDoubling + step);
    }

    private static int LargeBytes(int aboveFine)
    {
        int log = FineLog + (aboveFine - 1) / StepsPerDoubling;
        int step = (aboveFine - 1) % StepsPerDoubling + 1;
        return (1 << log) + (step << (log - 3));
    }
}
