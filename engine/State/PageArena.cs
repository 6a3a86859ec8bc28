using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Streams.State;

/// <summary>
/// Memory for variable-length entries: pages of 1 MiB, cut into size classes with a free list each. An entry
/// is named by 32 bits, so a table of them needs no object per entry, and an entry never moves while it
/// lives.
/// </summary>
/// <remarks>Not thread-safe. Bounded by the budget of its store; reaching that is an error that
/// names both.</remarks>
internal sealed class PageArena
{
    /// <summary>Bytes of an ordinary page. An entry larger than a quarter of it gets a page of its
    /// own.</summary>
    internal const int PageBytes = 1 << 20;

    /// <summary>Entries start at multiples of this.</summary>
    internal const int GrainBytes = 16;

    private const int GrainBits = 4;
    private const int OffsetBits = 16;
    private const int PagesMax = 1 << 16;
    private const int SharedBytesMax = PageBytes / 4;

    private readonly StateBudget _budget;
    private readonly uint[] _free = new uint[SizeClass.Count];
    // A page is a stretch of an array that may hold many: which array, where in it, how much of it is used.
    private byte[][] _pages = new byte[16][];
    private int[] _pageStart = new int[16];
    private int[] _pageUsed = new int[16];
    private int _pageCount;
    private byte[] _chunk = [];
    private int _chunkUsed;
    private int _openPage = -1;

    private readonly SpareMemory? _spare;

    /// <param name="budget">What memory is taken from.</param>
    /// <param name="spare">Memory to use before new memory is allocated.</param>
    internal PageArena(StateBudget budget, SpareMemory? spare = null)
    {
        _budget = budget;
        _spare = spare;
    }

    /// <summary>Bytes of all pages.</summary>
    internal long BytesReserved { get; private set; }

    /// <summary>Pages in use, for snapshots: numbers below this are valid.</summary>
    internal int PageCount => _pageCount;

    /// <summary>The bytes of an entry from its start; the caller knows how many are its own.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal ref byte At(uint entry)
    {
        uint page = entry >> OffsetBits;
        uint offset = (uint)_pageStart[page] + ((entry & 0xFFFF) << GrainBits);
        return ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(_pages[page]), offset);
    }

    /// <summary>The used part of a page, for a snapshot.</summary>
    internal ReadOnlySpan<byte> Page(int page) => _pages[page].AsSpan(_pageStart[page], _pageUsed[page]);

    /// <summary>Finds room for an entry. Its bytes are arbitrary.</summary>
    /// <param name="bytes">1 to 2^30.</param>
    /// <param name="sizeClass">What <see cref="Free"/> wants back.</param>
    /// <exception cref="StateLimitException">The arena's bound is reached.</exception>
    internal uint Allocate(int bytes, out byte sizeClass)
    {
        sizeClass = SizeClass.Of(bytes);
        uint entry = _free[sizeClass];
        if (entry != 0)
        {
            _free[sizeClass] = Unsafe.ReadUnaligned<uint>(ref At(entry));
            return entry;
        }
        int size = SizeClass.Bytes(sizeClass);
        if (size > SharedBytesMax)
            return Carve(AddPage(size + GrainBytes), size);
        if (_openPage < 0 || _pageUsed[_openPage] + size > PageBytes)
            _openPage = AddPage(PageBytes);
        return Carve(_openPage, size);
    }

    /// <summary>Gives an entry back; its first four bytes become the free list's link.</summary>
    internal void Free(uint entry, byte sizeClass)
    {
        Unsafe.WriteUnaligned(ref At(entry), _free[sizeClass]);
        _free[sizeClass] = entry;
    }

    /// <summary>Drops everything at once.</summary>
    /// <param name="leaveTo">Takes the memory; null to let go of it.</param>
    internal void Clear(SpareMemory? leaveTo = null)
    {
        for (int page = 0; page < _pageCount && leaveTo is not null; page++)
        {
            if (_pageStart[page] == 0)
                leaveTo.Add(_pages[page]);
        }
        Array.Clear(_free);
        Array.Clear(_pages);
        _pageCount = 0;
        _openPage = -1;
        _chunk = [];
        _chunkUsed = 0;
        _budget.Give(BytesReserved);
        BytesReserved = 0;
    }

    private uint Carve(int page, int size)
    {
        int offset = _pageUsed[page];
        _pageUsed[page] = offset + size;
        return ((uint)page << OffsetBits) | ((uint)offset >> GrainBits);
    }

    private int AddPage(int bytes)
    {
        // A page's number has sixteen bits.
        if (_pageCount == PagesMax)
            throw new StateLimitException(
                $"A table of a store holds {BytesReserved:N0} bytes, as many as it can number: spread the "
                + "topic over more partitions, or keep the store on disk.");
        _budget.Take(bytes);
        if (_pageCount == _pages.Length)
        {
            Array.Resize(ref _pages, _pageCount * 2);
            Array.Resize(ref _pageStart, _pageCount * 2);
            Array.Resize(ref _pageUsed, _pageCount * 2);
        }
        if (_chunkUsed + bytes > _chunk.Length)
        {
            int chunkBytes = Math.Max(bytes, ChunkBytes());
            _chunk = _spare?.TakeChunk(chunkBytes) ?? LargeMemory.Allocate<byte>(chunkBytes);
            _chunkUsed = 0;
        }
        _pages[_pageCount] = _chunk;
        _pageStart[_pageCount] = _chunkUsed;
        _chunkUsed += bytes;
        // The first grain of each page stays unused, so that no entry is ever named 0.
        _pageUsed[_pageCount] = GrainBytes;
        BytesReserved += bytes;
        return _pageCount++;
    }

    // Small arenas take page by page, large ones many at once, of which the system gives what is touched.
    private int ChunkBytes() => PageBytes * _pageCount switch
    {
        < 8 => 1,
        < 64 => 8,
        _ => 32,
    };
}
