using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Streams.Benchmarks.EndToEnd.LargeState;

/// <summary>
/// The file-backed table of our own that was measured against the others: an index of eight bytes a key in
/// memory over a log of entries, the newest of which lie in memory and are changed there; what is dead is
/// cleaned from the log's old end. It has no order, so no reads by range.
/// </summary>
/// <remarks>An entry takes 72 bytes: lengths 8, key 32, value 32. A slot: 28 bits of the key's hash, 36 bits
/// of the entry's number plus one.</remarks>
internal sealed unsafe class FileTable : ILargeState
{
    private const int EntryBytes = 72;
    private const int TailEntries = 1 << 19;
    private const int ChunkEntries = 1 << 16;
    private const ulong NumberMask = (1UL << 36) - 1;

    private readonly SafeFileHandle _file;
    private readonly ulong* _slots;
    private readonly ulong _mask;
    private readonly byte[] _tail = new byte[TailEntries * EntryBytes];
    private readonly byte[] _chunk = new byte[ChunkEntries * EntryBytes];
    private readonly byte[] _entry = new byte[EntryBytes];
    private readonly long _entriesMax;
    private readonly long _fileEntries;
    private long _head;
    private long _flushed;
    private long _start;

    internal FileTable(string path, long keys)
    {
        ulong slots = 64;
        while (slots * 3 / 4 < (ulong)keys)
            slots *= 2;
        _slots = (ulong*)NativeMemory.AllocZeroed((nuint)slots, 8);
        _mask = slots - 1;
        _entriesMax = keys * 2;
        // The file is a ring with room for what is appended while it is cleaned.
        _fileEntries = (_entriesMax + 4L * TailEntries) / ChunkEntries * ChunkEntries;
        _file = File.OpenHandle(path, FileMode.Create, FileAccess.ReadWrite, FileShare.None);
    }

    public void Append(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value) => Put(key, value);

    public void EndLoad()
    {
    }

    public int Read(ReadOnlySpan<byte> key, Span<byte> value)
    {
        long number = Find(key, out _, out ReadOnlySpan<byte> entry);
        if (number < 0)
            return -1;
        int length = entry[0];
        entry.Slice(40, length).CopyTo(value);
        return length;
    }

    public void Put(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        long number = Find(key, out ulong slot, out _);
        if (number >= _flushed)
        {
            Fill(Tail(number), key, value);
            return;
        }
        Fill(Tail(Next()), key, value);
        _slots[slot] = Tag(Hash(key)) | (ulong)_head;
        Clean();
    }

    public void Commit()
    {
    }

    public void Dispose()
    {
        _file.Dispose();
        NativeMemory.Free(_slots);
    }

    // The number of the entry that will be the last; what leaves the tail is written, a chunk at a time.
    private long Next()
    {
        if (_head - _flushed == TailEntries)
        {
            Write(_flushed, ChunkAt(_flushed));
            _flushed += ChunkEntries;
        }
        return _head++;
    }

    private ReadOnlySpan<byte> ChunkAt(long number) =>
        _tail.AsSpan((int)(number % TailEntries) * EntryBytes, ChunkEntries * EntryBytes);

    private void Write(long number, ReadOnlySpan<byte> bytes)
    {
        RandomAccess.Write(_file, bytes, number % _fileEntries * EntryBytes);
        RandomAccess.FlushToDisk(_file);
    }

    private Span<byte> Tail(long number) =>
        _tail.AsSpan((int)(number % TailEntries) * EntryBytes, EntryBytes);

    // Moves what lives of the oldest chunk to the newest, so that at most half of the log is dead.
    private void Clean()
    {
        if (_head - _start < _entriesMax || _flushed - _start < ChunkEntries)
            return;
        RandomAccess.Read(_file, _chunk.AsSpan(0, ChunkEntries * EntryBytes), _start % _fileEntries
            * EntryBytes);
        for (int i = 0; i < ChunkEntries; i++)
        {
            ReadOnlySpan<byte> entry = _chunk.AsSpan(i * EntryBytes, EntryBytes);
            ReadOnlySpan<byte> key = entry.Slice(8, 32);
            ulong hash = Hash(key);
            ulong wanted = Tag(hash) | (ulong)(_start + i + 1);
            for (ulong slot = hash & _mask; _slots[slot] != 0; slot = (slot + 1) & _mask)
            {
                if (_slots[slot] != wanted)
                    continue;
                entry.CopyTo(Tail(Next()));
                _slots[slot] = Tag(hash) | (ulong)_head;
                break;
            }
        }
        _start += ChunkEntries;
    }

    private long Find(ReadOnlySpan<byte> key, out ulong slot, out ReadOnlySpan<byte> entry)
    {
        ulong hash = Hash(key);
        for (slot = hash & _mask; _slots[slot] is not 0 and var found; slot = (slot + 1) & _mask)
        {
            if ((found & ~NumberMask) != Tag(hash))
                continue;
            long number = (long)(found & NumberMask) - 1;
            if (number >= _flushed)
            {
                entry = Tail(number);
            }
            else
            {
                RandomAccess.Read(_file, _entry, number % _fileEntries * EntryBytes);
                entry = _entry;
            }
            if (entry.Slice(8, 32).SequenceEqual(key))
                return number;
        }
        entry = default;
        return -1;
    }

    private static void Fill(Span<byte> entry, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        entry[0] = (byte)value.Length;
        key.CopyTo(entry[8..]);
        value.CopyTo(entry[40..]);
    }

    private static ulong Tag(ulong hash) => hash & ~NumberMask;

    private static ulong Hash(ReadOnlySpan<byte> key)
    {
        ulong state = BinaryPrimitives.ReadUInt64LittleEndian(key[8..])
            ^ BinaryPrimitives.ReadUInt64LittleEndian(key) * 0x9E3779B97F4A7C15;
        return state ^ (state >> 29);
    }
}
