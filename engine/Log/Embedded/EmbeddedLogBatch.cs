using System.Buffers;
using Streams.Buffers;
using Streams.Log.Embedded.Files;
using Streams.Log.Embedded.Format;
using Streams.Log.Embedded.Segments;

namespace Streams.Log.Embedded;

/// <summary>Batches of one partition that one read took from a segment, with what stood between them.</summary>
internal sealed class EmbeddedLogBatch : LogBatch
{
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

    /// <summary>Notes which batches are to be read.</summary>
    public void Plan(ReadOnlySpan<BatchLocation> locations)
    {
        if (_planned.Length < locations.Length)
        {
            ArrayPool<BatchLocation>.Shared.Return(_planned);
            _planned = ArrayPool<BatchLocation>.Shared.Rent(locations.Length);
        }
        locations.CopyTo(_planned);
        _plannedCount = locations.Length;
        PlannedBytes = (int)(locations[^1].End - locations[0].Position);
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
