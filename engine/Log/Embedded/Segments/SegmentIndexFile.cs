using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Streams.Buffers;
using Streams.Log.Embedded.Files;

namespace Streams.Log.Embedded.Segments;

/// <summary>
/// The index of a sealed segment: figures of each partition, and where its batches stand. It says nothing
/// that the segment does not say, so it is written without an fsync, trusted only where its checksums and its
/// segment's identity fit, and made anew otherwise.
/// </summary>
internal static class SegmentIndexFile
{
    private const int HeaderBytes = 72;
    private const int RowBytes = 56;
    private const int ChecksumAt = 68;

    private static ReadOnlySpan<byte> Magic => "STRMIDX\x01"u8;

    /// <summary>Reads the figures of a segment's partitions, without the locations.</summary>
    /// <returns>Whether the index is there and belongs to the segment as it is.</returns>
    public static bool TryReadSlices(ILogFileSystem files, LogSegment segment)
    {
        if (!files.Exists(segment.IndexName))
            return false;
        using ILogFile file = files.Open(segment.IndexName, LogFileMode.Read);
        using var buffer = new PooledBuffer();
        return TryReadTable(file, segment, buffer) && ReadSlices(buffer.WrittenSpan, segment);
    }

    /// <summary>
    /// Reads where a segment's batches stand, from its index or, failing that, from its open file.
    /// </summary>
    public static Loaded LoadOrRebuild(ILogFileSystem files, LogSegment segment)
    {
        Loaded? loaded = TryLoad(files, segment);
        if (loaded is not null)
            return loaded;
        LogSegment rebuilt = SegmentRebuild.Scan(files, segment, segment.File!);
        if (rebuilt.IsFinished)
            TryWrite(files, rebuilt);
        loaded = new Loaded(rebuilt.Slices.Count);
        foreach (PartitionSlice slice in rebuilt.Slices)
            loaded.Add(slice.Detach());
        return loaded;
    }

    /// <summary>
    /// Writes an index where there is room; without one the segment is scanned when it is needed.
    /// </summary>
    public static void TryWrite(ILogFileSystem files, LogSegment segment)
    {
        if (files.IsReadOnly)
            return;
        try
        {
            Write(files, segment);
        }
        catch (LogFullException)
        {
            files.Delete(segment.IndexName + LogSegment.NewSuffix);
        }
    }

    private static void Write(ILogFileSystem files, LogSegment segment)
    {
        using var buffer = new PooledBuffer(TableBytes(segment) + (int)segment.IndexBytes);
        buffer.Append(HeaderBytes);
        foreach (PartitionSlice slice in segment.Slices)
            WriteRow(buffer.Append(RowBytes), slice);
        WriteHeader(buffer.WrittenMutable, segment);
        foreach (PartitionSlice slice in segment.Slices)
            buffer.Write(MemoryMarshal.AsBytes(slice.Locations));
        string name = segment.IndexName + LogSegment.NewSuffix;
        using (ILogFile file = files.Open(name, LogFileMode.Create))
            file.WriteAt(buffer.WrittenSpan, 0);
        files.Rename(name, segment.IndexName);
    }

    private static Loaded? TryLoad(ILogFileSystem files, LogSegment segment)
    {
        if (!files.Exists(segment.IndexName))
            return null;
        using ILogFile file = files.Open(segment.IndexName, LogFileMode.Read);
        using var table = new PooledBuffer();
        if (!TryReadTable(file, segment, table) || table.Length != TableBytes(segment))
            return null;
        var loaded = new Loaded(segment.Slices.Count);
        long position = table.Length;
        for (int i = 0; i < segment.Slices.Count; i++)
        {
            ReadOnlySpan<byte> row = table.WrittenSpan.Slice(HeaderBytes + i * RowBytes, RowBytes);
            int batches = BinaryPrimitives.ReadInt32LittleEndian(row[48..]);
            BatchLocation[] locations = ArrayPool<BatchLocation>.Shared.Rent(batches);
            loaded.Add(locations);
            Span<byte> bytes = MemoryMarshal.AsBytes(locations.AsSpan(0, batches));
            int read = file.ReadAt(bytes, position);
            uint checksum = BinaryPrimitives.ReadUInt32LittleEndian(row[52..]);
            if (read != bytes.Length || Crc32C.Compute(bytes) != checksum)
            {
                loaded.Discard();
                return null;
            }
            position += read;
        }
        return loaded;
    }

    private static int TableBytes(LogSegment segment) => HeaderBytes + segment.Slices.Count * RowBytes;

    private static void WriteHeader(Span<byte> table, LogSegment segment)
    {
        Span<byte> header = table[..HeaderBytes];
        header.Clear();
        Magic.CopyTo(header);
        BinaryPrimitives.WriteUInt64LittleEndian(header[8..], segment.Header.LogId);
        BinaryPrimitives.WriteInt64LittleEndian(header[16..], segment.Number);
        BinaryPrimitives.WriteUInt32LittleEndian(header[24..], segment.Header.Generation);
        BinaryPrimitives.WriteInt32LittleEndian(header[28..], segment.Slices.Count);
        BinaryPrimitives.WriteInt64LittleEndian(header[32..], segment.Length);
        BinaryPrimitives.WriteInt64LittleEndian(header[40..], segment.LastCommit);
        BinaryPrimitives.WriteInt64LittleEndian(header[48..], segment.LastAppendTimeMs);
        BinaryPrimitives.WriteInt64LittleEndian(header[56..], segment.Header.CreatedMs);
        uint rows = Crc32C.Compute(table[HeaderBytes..]);
        BinaryPrimitives.WriteUInt32LittleEndian(header[64..], rows);
        BinaryPrimitives.WriteUInt32LittleEndian(header[ChecksumAt..], Crc32C.Compute(header[..ChecksumAt]));
    }

    private static void WriteRow(Span<byte> row, PartitionSlice slice)
    {
        BinaryPrimitives.WriteInt32LittleEndian(row, slice.Partition.Topic);
        BinaryPrimitives.WriteInt32LittleEndian(row[4..], slice.Partition.Partition);
        BinaryPrimitives.WriteInt64LittleEndian(row[8..], slice.FirstOffset);
        BinaryPrimitives.WriteInt64LittleEndian(row[16..], slice.LastOffset);
        BinaryPrimitives.WriteInt64LittleEndian(row[24..], slice.Bytes);
        BinaryPrimitives.WriteInt64LittleEndian(row[32..], slice.Records);
        BinaryPrimitives.WriteInt64LittleEndian(row[40..], slice.MaxTimestampMs);
        BinaryPrimitives.WriteInt32LittleEndian(row[48..], slice.Batches);
        ReadOnlySpan<byte> locations = MemoryMarshal.AsBytes(slice.Locations);
        BinaryPrimitives.WriteUInt32LittleEndian(row[52..], Crc32C.Compute(locations));
    }

    // Leaves the header and all rows in the buffer.
    private static bool TryReadTable(ILogFile file, LogSegment segment, PooledBuffer buffer)
    {
        Span<byte> header = buffer.Append(HeaderBytes);
        bool isRead = file.ReadAt(header, 0) == HeaderBytes && header.StartsWith(Magic);
        uint headerChecksum = BinaryPrimitives.ReadUInt32LittleEndian(header[ChecksumAt..]);
        if (!isRead || headerChecksum != Crc32C.Compute(header[..ChecksumAt])
            || BinaryPrimitives.ReadUInt64LittleEndian(header[8..]) != segment.Header.LogId
            || BinaryPrimitives.ReadInt64LittleEndian(header[16..]) != segment.Number
            || BinaryPrimitives.ReadUInt32LittleEndian(header[24..]) != segment.Header.Generation
            || BinaryPrimitives.ReadInt64LittleEndian(header[32..]) != segment.Length
            || BinaryPrimitives.ReadInt64LittleEndian(header[56..]) != segment.Header.CreatedMs)
        {
            return false;
        }
        int slices = BinaryPrimitives.ReadInt32LittleEndian(header[28..]);
        uint checksum = BinaryPrimitives.ReadUInt32LittleEndian(header[64..]);
        if (slices < 0 || slices * (long)RowBytes > file.Length)
            return false;
        Span<byte> rows = buffer.Append(slices * RowBytes);
        return file.ReadAt(rows, HeaderBytes) == rows.Length && Crc32C.Compute(rows) == checksum;
    }

    private static bool ReadSlices(ReadOnlySpan<byte> table, LogSegment segment)
    {
        segment.LastCommit = BinaryPrimitives.ReadInt64LittleEndian(table[40..]);
        segment.LastAppendTimeMs = BinaryPrimitives.ReadInt64LittleEndian(table[48..]);
        for (ReadOnlySpan<byte> row = table[HeaderBytes..]; !row.IsEmpty; row = row[RowBytes..])
        {
            var partition = new TopicPartition(
                BinaryPrimitives.ReadInt32LittleEndian(row),
                BinaryPrimitives.ReadInt32LittleEndian(row[4..]));
            segment.Slices.Add(new PartitionSlice(segment, partition)
            {
                FirstOffset = BinaryPrimitives.ReadInt64LittleEndian(row[8..]),
                LastOffset = BinaryPrimitives.ReadInt64LittleEndian(row[16..]),
                Bytes = BinaryPrimitives.ReadInt64LittleEndian(row[24..]),
                Records = BinaryPrimitives.ReadInt64LittleEndian(row[32..]),
                MaxTimestampMs = BinaryPrimitives.ReadInt64LittleEndian(row[40..]),
                Batches = BinaryPrimitives.ReadInt32LittleEndian(row[48..]),
            });
        }
        return true;
    }

    /// <summary>Locations read from an index, on their way into a segment.</summary>
    public sealed class Loaded(int slices)
    {
        private readonly List<BatchLocation[]> _locations = new(slices);

        /// <summary>Adds the locations of the next slice, in an array of the shared pool.</summary>
        public void Add(BatchLocation[] locations) => _locations.Add(locations);

        /// <summary>Gives the memory back.</summary>
        public void Discard()
        {
            foreach (BatchLocation[] locations in _locations)
                ArrayPool<BatchLocation>.Shared.Return(locations);
        }

        /// <summary>Hands the locations to the segment, whose gate the caller holds.</summary>
        public void Install(LogSegment segment)
        {
            for (int i = 0; i < _locations.Count; i++)
                segment.Slices[i].Load(_locations[i]);
            segment.IsIndexLoaded = true;
        }
    }
}
