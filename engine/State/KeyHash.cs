using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Streams.State;

/// <summary>A 32-bit hash of key bytes for tables in memory. Its values are never stored or sent.</summary>
/// <remarks>
/// Multiply-and-fold over eight-byte words, with a seed per process, so that nobody can choose keys that
/// collide.
/// </remarks>
internal static class KeyHash
{
    private const ulong Multiplier = 0x9E3779B97F4A7C15;

    private static readonly ulong Seed = (ulong)Random.Shared.NextInt64() | 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static uint Of(ReadOnlySpan<byte> key)
    {
        ref byte start = ref MemoryMarshal.GetReference(key);
        ulong state = Seed ^ (ulong)key.Length;
        int at = 0;
        for (; at + 8 <= key.Length; at += 8)
            state = Fold(state ^ Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref start, at)));
        if (at < key.Length)
            state = Fold(state ^ Tail(ref Unsafe.Add(ref start, at), key.Length - at));
        return (uint)(Fold(state ^ Seed) >> 16);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Fold(ulong value)
    {
        ulong high = Math.BigMul(value, Multiplier, out ulong low);
        return high ^ low;
    }

    // One to seven bytes, without a loop and without reading past the end.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Tail(ref byte start, int count)
    {
        if (count >= 4)
        {
            ulong low = Unsafe.ReadUnaligned<uint>(ref start);
            ulong high = Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref start, count - 4));
            return low | (high << 32);
        }
        return start | ((ulong)Unsafe.Add(ref start, count >> 1) << 8) | (
            (ulong)Unsafe.Add(ref start, count - 1) << 16);
    }
}
