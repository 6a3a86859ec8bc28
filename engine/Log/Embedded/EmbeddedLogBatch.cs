using System.Buffers;
using Streams.Buffers;
using Streams.Log.Embedded.Files;
using Streams.Log.Embedded.Format;
using Streams.Log.Embedded.Segments;

namespace Streams.Log.Embedded;

/// <summary>
/// Batches of one partition that one read took from a segment, with what stood between them.
/// </summary>
internal sealed class EmbeddedLogBatch : LogBatch
{
    // Copying this many bytes of other partitions out of the system's cache takes about as long as another
    // call to it.
    private const int GapBytesMax = 16 * 1024;

    private readonly PooledBuffer _buffer = new(64 * 1024);
    private BatchLocation[] _planned = ArrayPool<BatchLocation>.Shared.Rent(64);
    private int _plannedCount;
    private LogSegment? _segment;
    private ILogFileSystem? _files;

    // The batch that records are taken from: its number, and where its next record starts in the buffer.
    private int _current;
    private int _at;
    private int _payloadEnd;
    private int _left;
    private long _nextOffset;
    private long _baseTimestampMs;

    /// <summary>Bytes of the file from the first planned batch to the end of the last.</summary>
    public int PlannedBytes { get; private set; }

    /// <summary>Whether there is a record at or behind the offset asked for.</summary>
    public bool HasRecords { get; private set; }

    /// <summary>Forgets what was planned and read.</summary>
    public void Clear()
    {
        _plannedCount = 0;
        PlannedBytes = 0;
        _left = 0;
        _current = 0;
    }

    /// <summary>
    /// Chooses the batches of one read: as many as follow on one another closely, up to the limit.
    /// </summary>
    /// <param name="slice">Where from; its locations are in memory.</param>
    /// <param name="offset">The first offset wanted.</param>
    /// <param name="end">Batches that end behind this position are not to be seen.</param>
    /// <param name="readBytesMax">Most bytes of one read, unless the first batch is larger.</param>
    /// <returns>Whether there is anything to read.</returns>
    public bool TryPlan(PartitionSlice slice, long offset, long end, int readBytesMax)
    {
        Clear();
        ReadOnlySpan<BatchLocation> rest = slice.Locations[slice.Find(offset)..];
        int count = 0;
        while (count < rest.Length && rest[count].End <= end && (count == 0 || Follows(rest, count, readBytesMax)))
            count++;
        if (count == 0)
            return false;
        if (_planned.Length < count)
        {
            ArrayPool<BatchLocation>.Shared.Return(_planned);
            _planned = ArrayPool<BatchLocation>.Shared.Rent(count);
        }
        rest[..count].CopyTo(_planned);
        _plannedCount = count;
        PlannedBytes = (int)(rest[count - 1].End - rest[0].Position);
        return true;
    }

    /// <summary>Reads and checks the planned batches.</summary>
    /// <exception cref="LogDamagedException">One of them is not what was written.</exception>
    public void Fill(LogSegment segment, TopicPartition partition, long from, ILogFileSystem files)
    {
        _segment = segment;
        _files = files;
        Partition = partition;
        _buffer.Clear();
        Span<byte> bytes = _buffer.Append(PlannedBytes);
        int read = segment.File!.ReadAt(bytes, _planned[0].Position);
        for (int i = 0; i < _plannedCount; i++)
            Check(_planned[i], bytes[..read]);
        NextOffset = _planned[_plannedCount - 1].LastOffset + 1;
        HasRecords = false;
        SkipBefore(from);
    }

    /// <inheritdoc/>
    public override bool TryRead(out LogRecord record)
    {
        while (_left == 0)
        {
            if (_current == _plannedCount)
            {
                record = default;
                return false;
            }
            Enter(_current++);
        }
        _left--;
        ReadOnlySpan<byte> payload = _buffer.WrittenSpan[.._payloadEnd];
        if (!RecordCodec.TryRead(payload, ref _at, ref _nextOffset, _baseTimestampMs, out record))
            ThrowDamaged(_planned[_current - 1], LogDefect.EntryContents);
        return true;
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (!disposing)
            return;
        Clear();
        _buffer.Dispose();
        ArrayPool<BatchLocation>.Shared.Return(_planned);
        _planned = [];
    }

    private static bool Follows(ReadOnlySpan<BatchLocation> locations, int at, int readBytesMax) =>
        locations[at].End - locations[0].Position <= readBytesMax
            && locations[at].Position - locations[at - 1].End <= GapBytesMax;

    // Only the first planned batch can have records before the offset asked for.
    private void SkipBefore(long offset)
    {
        while (true)
        {
            int at = _at, left = _left, current = _current;
            long next = _nextOffset;
            if (!TryRead(out LogRecord record))
                return;
            if (record.Offset < offset)
                continue;
            HasRecords = true;
            if (_current == current)
            {
                _at = at;
                _left = left;
                _nextOffset = next;
            }
            else
            {
                Enter(_current - 1);
            }
            return;
        }
    }

    private void Enter(int index)
    {
        BatchLocation location = _planned[index];
        int start = (int)(location.Position - _planned[0].Position);
        EntryHeader header = EntryHeader.ReadUnchecked(_buffer.WrittenSpan[start..]);
        _at = start + EntryHeader.Bytes;
        _payloadEnd = _at + header.PayloadBytes;
        _left = header.Records;
        _nextOffset = header.BaseOffset;
        _baseTimestampMs = header.BaseTimestampMs;
    }

    private void Check(BatchLocation location, ReadOnlySpan<byte> bytes)
    {
        int start = (int)(location.Position - _planned[0].Position);
        if (start + location.Bytes > bytes.Length)
            ThrowDamaged(location, LogDefect.FrameCutOff);
        ReadOnlySpan<byte> entry = bytes.Slice(start, location.Bytes);
        ParseResult<LogDefect> result =
            EntryHeader.TryRead(entry, _segment!.Place, location.Position, out EntryHeader header);
        if (!result.IsDone)
            ThrowDamaged(location, LogDefect.EntryHeader);
        if (header.EntryBytes != location.Bytes || header.BaseOffset != location.BaseOffset
            || header.TopicPartition != Partition)
        {
            ThrowDamaged(location, LogDefect.EntryContents);
        }
        if (Crc32C.Compute(entry[EntryHeader.Bytes..]) != header.PayloadChecksum)
            ThrowDamaged(location, LogDefect.EntryPayload);
    }

    private void ThrowDamaged(BatchLocation location, LogDefect defect) =>
        throw SegmentRebuild.Damaged(_files!, _segment!, location.Position, defect);
}
