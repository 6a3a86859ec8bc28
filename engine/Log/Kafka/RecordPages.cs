using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Streams.Log.Kafka;

/// <summary>
/// Holds the records of one transaction where the client can read them until they are acknowledged: in memory
/// that does not move. Filled, sent and cleared over and over without allocating.
/// </summary>
internal sealed unsafe class RecordPages : IDisposable
{
    private const int PageBytes = 1 << 20;

    // So that not even a record without bytes fits.
    private const int NoPage = PageBytes + 1;

    private readonly List<nint> _pages = [];
    private readonly List<nint> _large = [];
    private Entry[] _entries = new Entry[1024];
    private int _page = -1;
    private int _used = NoPage;

    /// <summary>Number of records.</summary>
    internal int Count { get; private set; }

    /// <summary>Bytes of the records.</summary>
    internal long Bytes { get; private set; }

    /// <summary>The records.</summary>
    internal ReadOnlySpan<Entry> Entries => new(_entries, 0, Count);

    /// <summary>Copies a record in.</summary>
    internal void Add(TopicPartition partition, in LogRecord record)
    {
        if (Count == _entries.Length)
            Array.Resize(ref _entries, Count * 2);
        int bytes = record.Key.Length + record.Value.Length + record.Headers.Length;
        byte* at = Reserve(bytes);
        ref Entry entry = ref _entries[Count++];
        entry.Partition = partition;
        entry.TimestampMs = record.TimestampMs;
        entry.KeyBytes = record.HasKey ? record.Key.Length : -1;
        entry.ValueBytes = record.HasValue ? record.Value.Length : -1;
        entry.HeaderBytes = record.Headers.Length;
        entry.Start = at;
        record.Key.CopyTo(new Span<byte>(at, record.Key.Length));
        record.Value.CopyTo(new Span<byte>(at + record.Key.Length, record.Value.Length));
        record.Headers.CopyTo(
            new Span<byte>(at + record.Key.Length + record.Value.Length, record.Headers.Length));
        Bytes += bytes + sizeof(Entry);
    }

    /// <summary>Forgets the records and keeps the memory; what one very large record took is freed.</summary>
    internal void Clear()
    {
        Count = 0;
        Bytes = 0;
        _page = -1;
        _used = NoPage;
        foreach (nint large in _large)
            NativeMemory.Free((void*)large);
        _large.Clear();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Clear();
        foreach (nint page in _pages)
            NativeMemory.Free((void*)page);
        _pages.Clear();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private byte* Reserve(int bytes)
    {
        if (_used + bytes > PageBytes)
            return ReserveElsewhere(bytes);
        byte* at = (byte*)_pages[_page] + _used;
        _used += bytes;
        return at;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private byte* ReserveElsewhere(int bytes)
    {
        if (bytes > PageBytes / 4)
        {
            _large.Add((nint)NativeMemory.Alloc((nuint)bytes));
            return (byte*)_large[^1];
        }
        if (++_page == _pages.Count)
            _pages.Add((nint)NativeMemory.Alloc(PageBytes));
        _used = bytes;
        return (byte*)_pages[_page];
    }

    /// <summary>A record: key, value and headers, one after the other.</summary>
    internal struct Entry
    {
        internal byte* Start;
        internal long TimestampMs;
        internal TopicPartition Partition;
        internal int KeyBytes;
        internal int ValueBytes;
        internal int HeaderBytes;

        internal readonly byte* Value => Start + Math.Max(KeyBytes, 0);

        internal readonly ReadOnlySpan<byte> Headers =>
            new(Start + Math.Max(KeyBytes, 0) + Math.Max(ValueBytes, 0), HeaderBytes);
    }
}
