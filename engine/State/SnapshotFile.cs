using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Streams.Buffers;
using Streams.Log.Embedded.Files;

namespace Streams.State;

/// <summary>
/// The bytes of a snapshot: a header, then pages of the store's tables as they lie in memory, each with its
/// checksum, then a closing frame. See docs/state.md.
/// </summary>
/// <remarks>
/// Pages are copied at different commits, so alone they are no consistent state; with the changelog from the
/// snapshot's start offset on they are, because whatever changed in between stands there with its final
/// value.
/// </remarks>
internal static class SnapshotFile
{
    /// <summary>First bytes of a file; the last digit is the format's version.</summary>
    internal static ReadOnlySpan<byte> Magic => "STRSNAP1"u8;

    internal const int HeaderBytes = 8 + 8;
    internal const int FrameBytes = 4 + 4 + 8;

    // No table part has this number, so the frame that carries it closes the file.
    internal const long ClosingPart = long.MaxValue;

    private const int EntriesAhead = 16;

    /// <summary>Writes the header: the changelog offset from which replay makes the pages
    /// consistent.</summary>
    internal static void WriteHeader(PooledBuffer destination, long startOffset)
    {
        destination.Write(Magic);
        destination.WriteInt64(startOffset);
    }

    /// <summary>Writes a frame: length, CRC-32C of what follows, part, bytes.</summary>
    internal static void WriteFrame(PooledBuffer destination, long part, ReadOnlySpan<byte> bytes)
    {
        int start = destination.Length;
        destination.WriteInt32(bytes.Length);
        destination.WriteInt32(0);
        destination.WriteInt64(part);
        destination.Write(bytes);
        uint crc = Crc32C.Compute(destination.WrittenSpan[(start + 8)..]);
        BinaryPrimitives.WriteUInt32LittleEndian(destination.WrittenMutable[(start + 4)..], crc);
    }

    /// <summary>Writes the closing frame, which carries the store's observed time.</summary>
    internal static void WriteClosing(PooledBuffer destination, long observedMs)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, observedMs);
        WriteFrame(destination, ClosingPart, bytes);
    }

    /// <summary>Reads a snapshot into an empty store.</summary>
    /// <param name="files">Where it is.</param>
    /// <param name="name">Its file.</param>
    /// <param name="store">The store.</param>
    /// <param name="background">Reads ahead.</param>
    /// <param name="progress">Is told how far it is.</param>
    /// <returns>The changelog offset to replay from; null where the file is not a whole snapshot, and the
    /// store may hold part of it.</returns>
    internal static long? Read(
        ILogFileSystem files, string name, StateStore store, TaskScheduler background,
        RestoreProgress? progress = null)
    {
        using ILogFile file = files.Open(name, LogFileMode.Read);
        Span<byte> header = stackalloc byte[HeaderBytes];
        if (file.ReadAt(header, 0) < HeaderBytes || !header[..8].SequenceEqual(Magic))
            return null;
        progress?.Begin(isSnapshot: true, file.Length);
        using var reader = new SnapshotReader(file, background);
        while (reader.Read())
        {
            progress?.Report(reader.Position);
            if (reader.Part != ClosingPart)
            {
                RestorePage(store.RestorePart(reader.Part), reader.Bytes);
                continue;
            }
            store.ObservedMs = BinaryPrimitives.ReadInt64LittleEndian(reader.Bytes);
            return BinaryPrimitives.ReadInt64LittleEndian(header[8..]);
        }
        return null;
    }

    // Walks a page as the arena cut it: entries and free places follow one another, each of its size class.
    // A few entries are looked at before the first is restored, so that the waits for the index overlap.
    private static void RestorePage(TrackedTable table, ReadOnlySpan<byte> page)
    {
        Span<int> places = stackalloc int[EntriesAhead];
        int count = 0;
        for (int at = PageArena.GrainBytes; at < page.Length;)
        {
            EntryHeader header = MemoryMarshal.Read<EntryHeader>(page[at..]);
            if ((header.Flags & EntryFlags.Free) == 0)
            {
                table.Prefetch(page.Slice(at + EntryHeader.Bytes, header.KeyBytes));
                places[count++] = at;
            }
            at += SizeClass.Bytes(header.SizeClass);
            if (count < EntriesAhead && at < page.Length)
                continue;
            foreach (int place in places[..count])
                RestoreEntry(table, page[place..]);
            count = 0;
        }
    }

    private static void RestoreEntry(TrackedTable table, ReadOnlySpan<byte> entry)
    {
        EntryHeader header = MemoryMarshal.Read<EntryHeader>(entry);
        ReadOnlySpan<byte> value = entry.Slice(EntryHeader.ValueOffset(header.KeyBytes), header.ValueBytes);
        value.CopyTo(table.Restore(entry.Slice(EntryHeader.Bytes, header.KeyBytes), header.ValueBytes));
    }
}
