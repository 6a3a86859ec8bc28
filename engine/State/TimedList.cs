using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Streams.State;

/// <summary>
/// The values of one key at several times, packed behind one another in an entry, ordered by time. Each
/// element is a header of 16 bytes and the payload, padded to a multiple of eight.
/// </summary>
internal static class TimedList
{
    /// <summary>What an element of that payload takes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int ElementBytes(int payloadBytes) => (ElementHeader.Bytes + payloadBytes + 7) & ~7;

    /// <summary>An element's header, in place.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ref ElementHeader Header(Span<byte> list, int at) =>
        ref MemoryMarshal.AsRef<ElementHeader>(list.Slice(at, ElementHeader.Bytes));

    /// <summary>An element's header, to read.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ref readonly ElementHeader Header(ReadOnlySpan<byte> list, int at) =>
        ref MemoryMarshal.AsRef<ElementHeader>(list.Slice(at, ElementHeader.Bytes));

    /// <summary>Finds the first element at or after a time.</summary>
    /// <returns>Its place, or the list's length.</returns>
    internal static int FirstAtOrAfter(ReadOnlySpan<byte> list, long timeMs)
    {
        int at = 0;
        while (at < list.Length)
        {
            ref readonly ElementHeader header = ref Header(list, at);
            if (header.TimeMs >= timeMs)
                break;
            at += ElementBytes(header.PayloadBytes);
        }
        return at;
    }

    /// <summary>Finds the element of exactly that time.</summary>
    /// <returns>Its place, or -1.</returns>
    internal static int Find(ReadOnlySpan<byte> list, long timeMs)
    {
        int at = FirstAtOrAfter(list, timeMs);
        return at < list.Length && Header(list, at).TimeMs == timeMs ? at : -1;
    }

    /// <summary>The payload of the element at a place.</summary>
    internal static ReadOnlySpan<byte> Payload(ReadOnlySpan<byte> list, int at) =>
        list.Slice(at + ElementHeader.Bytes, Header(list, at).PayloadBytes);

    /// <summary>The payload of the element at a place, to change.</summary>
    internal static Span<byte> Payload(Span<byte> list, int at) =>
        list.Slice(at + ElementHeader.Bytes, Header(list, at).PayloadBytes);
}

/// <summary>What stands before an element's payload.</summary>
[StructLayout(LayoutKind.Sequential, Size = Bytes)]
internal struct ElementHeader
{
    internal const int Bytes = 16;

    internal long TimeMs;
    internal int PayloadBytes;
    internal ElementFlags Flags;
}

/// <summary>What an element has been through since the last commit.</summary>
[Flags]
internal enum ElementFlags
{
    None = 0,

    /// <summary>Changed since the last commit.</summary>
    Dirty = 1,

    /// <summary>Not in the changelog yet.</summary>
    New = 2,

    /// <summary>Deleted: readers pass over it; its room is taken back when the list next grows.</summary>
    Deleted = 4,
}
