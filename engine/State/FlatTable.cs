using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace Streams.State;

/// <summary>
/// A hash table from bytes to bytes without an object per entry: an index of eight bytes a slot (the key's
/// hash and the entry's name) over entries in a <see cref="PageArena"/>. A lookup touches one cache line of
/// the index and the entry itself. Entries keep their place, so a snapshot can copy pages while the table is
/// in use between copies.
/// </summary>
/// <remarks>Not thread-safe. Views of a value are valid until the next call that inserts, resizes or
/// removes.</remarks>
internal sealed class FlatTable
{
    /// <summary>Longest key, in bytes.</summary>
    internal const int KeyBytesMax = ushort.MaxValue;

    private const int SlotsMin = 64;
    private const int CacheLineBytes = 64;

    private readonly StateBudget _budget;
    private readonly PageArena _arena;
    private ulong[] _slots = new ulong[SlotsMin];
    private int _mask = SlotsMin - 1;

    /// <param name="budget">What memory is taken from.</param>
    /// <param name="spare">Memory to use before new memory is allocated.</param>
    internal FlatTable(StateBudget budget, SpareMemory? spare = null)
    {
        _arena = new PageArena(budget, spare);
        _budget = budget;
        if (spare?.TakeSlots() is not { } slots)
            return;
        budget.Take(SlotBytesOver(slots.Length));
        _slots = slots;
        _mask = slots.Length - 1;
    }

    /// <summary>Number of entries, those marked deleted included.</summary>
    internal int Count { get; private set; }

    /// <summary>Bytes reserved for entries and index.</summary>
    internal long BytesReserved => _arena.BytesReserved + 8L * _slots.Length;

    /// <summary>Pages, for snapshots.</summary>
    internal PageArena Arena => _arena;

    /// <summary>Finds an entry.</summary>
    /// <returns>Its name, or 0.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal uint Find(ReadOnlySpan<byte> key) => Find(key, KeyHash.Of(key));

    /// <summary>Finds an entry whose key's hash is known.</summary>
    internal uint Find(ReadOnlySpan<byte> key, uint hash)
    {
        ref ulong slots = ref MemoryMarshal.GetArrayDataReference(_slots);
        int mask = _mask;
        for (int i = (int)hash & mask; ; i = (i + 1) & mask)
        {
            ulong slot = Unsafe.Add(ref slots, i);
            if (slot == 0)
                return 0;
            if ((uint)(slot >> 32) == hash && Key((uint)slot).SequenceEqual(key))
                return (uint)slot;
        }
    }

    /// <summary>Asks the processor for the cache lines that <see cref="Find(ReadOnlySpan{byte}, uint)"/> will
    /// want.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void Prefetch(uint hash)
    {
        if (Sse.IsSupported)
            PrefetchLine(ref Unsafe.As<ulong, byte>(ref _slots[(int)hash & _mask]));
    }

    /// <summary>Asks the processor for the entries that the hash may stand for.</summary>
    internal void PrefetchEntry(uint hash)
    {
        if (!Sse.IsSupported)
            return;
        int mask = _mask;
        for (int i = (int)hash & mask; _slots[i] is not 0 and var slot; i = (i + 1) & mask)
        {
            if ((uint)(slot >> 32) == hash)
                PrefetchAt((uint)slot);
        }
    }

    /// <summary>Asks the processor for the first lines of an entry.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void PrefetchAt(uint entry)
    {
        if (!Sse.IsSupported)
            return;
        ref byte start = ref _arena.At(entry);
        PrefetchLine(ref start);
        PrefetchLine(ref Unsafe.Add(ref start, CacheLineBytes));
        PrefetchLine(ref Unsafe.Add(ref start, 2 * CacheLineBytes));
    }

    /// <summary>Adds an entry; the key must not be there. The value's bytes are arbitrary.</summary>
    internal uint Add(ReadOnlySpan<byte> key, uint hash, int valueBytes)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(key.Length, KeyBytesMax);
        if ((Count + 1) * 10L > _slots.Length * 7L)
            Grow();
        uint entry = _arena.Allocate(EntryHeader.ValueOffset(key.Length) + valueBytes, out byte sizeClass);
        ref EntryHeader header = ref Header(entry);
        header = new EntryHeader
        {
            Hash = hash,
            ValueBytes = valueBytes,
            KeyBytes = (ushort)key.Length,
            SizeClass = sizeClass,
        };
        key.CopyTo(
            MemoryMarshal.CreateSpan(ref Unsafe.Add(ref _arena.At(entry), EntryHeader.Bytes), key.Length));
        Link(hash, entry);
        Count++;
        return entry;
    }

    /// <summary>Gives an entry's value another length; what fits of it is kept.</summary>
    /// <returns>The entry's name, which may be a new one.</returns>
    internal uint Resize(uint entry, int valueBytes)
    {
        ref EntryHeader header = ref Header(entry);
        int needed = EntryHeader.ValueOffset(header.KeyBytes) + valueBytes;
        if (needed <= SizeClass.Bytes(header.SizeClass))
        {
            header.ValueBytes = valueBytes;
            return entry;
        }
        uint larger = _arena.Allocate(needed, out byte sizeClass);
        header = ref Header(entry);
        int keep = EntryHeader.ValueOffset(header.KeyBytes) + Math.Min(header.ValueBytes, valueBytes);
        MemoryMarshal.CreateSpan(ref _arena.At(entry), keep)
            .CopyTo(MemoryMarshal.CreateSpan(ref _arena.At(larger), keep));
        _slots[SlotOf(header.Hash, entry)] = ((ulong)header.Hash << 32) | larger;
        Release(entry);
        ref EntryHeader moved = ref Header(larger);
        moved.ValueBytes = valueBytes;
        moved.SizeClass = sizeClass;
        return larger;
    }

    /// <summary>Removes an entry.</summary>
    internal void Remove(uint entry)
    {
        Unlink(SlotOf(Header(entry).Hash, entry));
        Release(entry);
        Count--;
    }

    /// <summary>Removes everything and gives the pages back.</summary>
    /// <param name="leaveTo">Takes the memory; null to let go of it.</param>
    internal void Clear(SpareMemory? leaveTo = null)
    {
        _arena.Clear(leaveTo);
        _budget.Give(SlotBytesOver(_slots.Length));
        leaveTo?.Add(_slots);
        _slots = new ulong[SlotsMin];
        _mask = SlotsMin - 1;
        Count = 0;
    }

    /// <summary>An entry's header, in place.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal ref EntryHeader Header(uint entry) => ref Unsafe.As<byte, EntryHeader>(ref _arena.At(entry));

    /// <summary>An entry's key.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal ReadOnlySpan<byte> Key(uint entry)
    {
        ref byte start = ref _arena.At(entry);
        return MemoryMarshal.CreateReadOnlySpan(
            ref Unsafe.Add(ref start, EntryHeader.Bytes), Unsafe.As<byte, EntryHeader>(ref start).KeyBytes);
    }

    /// <summary>An entry's value, in place.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal Span<byte> Value(uint entry)
    {
        ref byte start = ref _arena.At(entry);
        ref EntryHeader header = ref Unsafe.As<byte, EntryHeader>(ref start);
        return MemoryMarshal.CreateSpan(
            ref Unsafe.Add(ref start, EntryHeader.ValueOffset(header.KeyBytes)), header.ValueBytes);
    }

    /// <summary>Copies the names of all entries, in no particular order.</summary>
    internal int CopyEntries(Span<uint> destination)
    {
        int count = 0;
        foreach (ulong slot in _slots)
        {
            if (slot != 0)
                destination[count++] = (uint)slot;
        }
        return count;
    }

    // A prefetch of any address is harmless: it never faults.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static unsafe void PrefetchLine(ref byte at) => Sse.Prefetch0(Unsafe.AsPointer(ref at));

    // The least index is so small that it counts for nothing.
    private static long SlotBytesOver(int slots) => sizeof(ulong) * (long)(slots - SlotsMin);

    private void Release(uint entry)
    {
        ref EntryHeader header = ref Header(entry);
        byte sizeClass = header.SizeClass;
        header.Flags = EntryFlags.Free;
        _arena.Free(entry, sizeClass);
    }

    private int SlotOf(uint hash, uint entry)
    {
        ulong wanted = ((ulong)hash << 32) | entry;
        int i = (int)hash & _mask;
        while (_slots[i] != wanted)
            i = (i + 1) & _mask;
        return i;
    }

    private void Link(uint hash, uint entry)
    {
        int i = (int)hash & _mask;
        while (_slots[i] != 0)
            i = (i + 1) & _mask;
        _slots[i] = ((ulong)hash << 32) | entry;
    }

    // Linear probing without tombstones: entries behind the hole move into it while that brings them nearer
    // home.
    private void Unlink(int hole)
    {
        for (int i = (hole + 1) & _mask; _slots[i] != 0; i = (i + 1) & _mask)
        {
            int home = (int)(_slots[i] >> 32) & _mask;
            if (((i - home) & _mask) < ((i - hole) & _mask))
                continue;
            _slots[hole] = _slots[i];
            hole = i;
        }
        _slots[hole] = 0;
    }

    private void Grow()
    {
        ulong[] old = _slots;
        _budget.Take(sizeof(ulong) * (long)old.Length);
        _slots = LargeMemory.Allocate<ulong>(checked(old.Length * 2));
        Array.Clear(_slots);
        _mask = _slots.Length - 1;
        foreach (ulong slot in old)
        {
            if (slot != 0)
                Link((uint)(slot >> 32), (uint)slot);
        }
    }
}

/// <summary>What stands before an entry's key.</summary>
[StructLayout(LayoutKind.Sequential, Size = Bytes)]
internal struct EntryHeader
{
    internal const int Bytes = 16;

    // The first four bytes double as the free list's link, so nothing that a walk over a page needs may be
    // there.
    internal uint Hash;
    internal int ValueBytes;
    internal ushort KeyBytes;
    internal byte SizeClass;
    internal EntryFlags Flags;
    internal uint Savepoint;

    /// <summary>Where the value starts: behind the key, at a multiple of eight, so that structs can lie
    /// there.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int ValueOffset(int keyBytes) => (Bytes + keyBytes + 7) & ~7;
}

/// <summary>What an entry has been through since the last commit.</summary>
[Flags]
internal enum EntryFlags : byte
{
    None = 0,

    /// <summary>Changed since the last commit; its name is in the store's list.</summary>
    Dirty = 1,

    /// <summary>Not in the changelog: inserted since the last commit.</summary>
    New = 2,

    /// <summary>Deleted since the last commit; it goes at the commit.</summary>
    Deleted = 4,

    /// <summary>Not an entry: room on a free list.</summary>
    Free = 8,
}
