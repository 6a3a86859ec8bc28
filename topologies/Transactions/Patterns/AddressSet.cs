using System.Runtime.InteropServices;
using Streams.Records;

namespace Streams.Topologies.Transactions.Patterns;

/// <summary>Counts distinct addresses of a transaction, and how often the most frequent one stands
/// there.</summary>
/// <remarks>Used over and over: a turn's entries are told from older ones by their stamp, so nothing is
/// cleared.</remarks>
internal sealed class AddressSet
{
    private const ulong Multiplier = 0x9E3779B97F4A7C15;

    private Slot[] _slots = new Slot[256];
    private int _stamp = 1;

    /// <summary>Number of distinct addresses since the last clear.</summary>
    internal int Count { get; private set; }

    /// <summary>How often the most frequent address was added.</summary>
    internal int MostFrequent { get; private set; }

    /// <summary>Forgets all.</summary>
    internal void Clear()
    {
        _stamp++;
        Count = 0;
        MostFrequent = 0;
    }

    /// <summary>Adds an address.</summary>
    /// <param name="address">Valid until the next clear.</param>
    /// <returns>Whether it was not there yet.</returns>
    internal bool Add(Text address)
    {
        if (Count * 2 >= _slots.Length)
            Grow();
        ref Slot slot = ref Find(_slots, address);
        bool isNew = slot.Stamp != _stamp;
        if (isNew)
        {
            slot = new Slot { Stamp = _stamp, Address = address };
            Count++;
        }
        slot.Times++;
        MostFrequent = Math.Max(MostFrequent, slot.Times);
        return isNew;
    }

    /// <summary>Whether an address was added since the last clear.</summary>
    internal bool Contains(Text address) => Find(_slots, address).Stamp == _stamp;

    private ref Slot Find(Slot[] slots, Text address)
    {
        int mask = slots.Length - 1;
        for (int i = (int)Hash(address.Span) & mask; ; i = (i + 1) & mask)
        {
            ref Slot slot = ref slots[i];
            if (slot.Stamp != _stamp || slot.Address == address)
                return ref slot;
        }
    }

    private void Grow()
    {
        var larger = new Slot[_slots.Length * 2];
        foreach (Slot slot in _slots)
        {
            if (slot.Stamp == _stamp)
                Find(larger, slot.Address) = slot;
        }
        _slots = larger;
    }

    private static uint Hash(ReadOnlySpan<byte> bytes)
    {
        ulong state = (ulong)bytes.Length;
        for (; bytes.Length >= 8; bytes = bytes[8..])
            state = (state ^ MemoryMarshal.Read<ulong>(bytes)) * Multiplier;
        foreach (byte b in bytes)
            state = (state ^ b) * Multiplier;
        return (uint)(state >> 32);
    }

    private struct Slot
    {
        internal int Stamp;
        internal int Times;
        internal Text Address;
    }
}
