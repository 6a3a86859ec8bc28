using System.Buffers;
using Streams.Buffers;
using Streams.Log.Embedded.Files;
using Streams.Log.Embedded.Format;
using Streams.Log.Embedded.Segments;

namespace Streams.Log.Embedded;

/// <summary>Batches of one partition that one read took from a segment.</summary>
internal sealed class EmbeddedLogBatch : LogBatch
{
    // What stands between two batches is read along with them up to this size: copying as much out of the
    // system's memory takes about as long as another call to it.
    private const int GapBytesMax = 8 * 1024;

    // The gate is held while batches are chosen.
    private const int BatchesMax = 1024;

    private readonly PooledBuffer _buffer = new(64 * 1024);
    private Planned[] _planned = ArrayPool<Planned>.Shared.Rent(64);
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

    /// <summary>Bytes that the planned batches take, with what is read along between them.</summary>
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

    /// <summary>Chooses the batches of one read, up to a limit.</summary>
    /// <param name="slice">Where from; its locations are in memory.</param>
    /// <param name="offset">The first offset wanted.</param>
    /// <param name="end">Batches that end behind this position are not to be seen.</param>
    /// <param name="readBytesMax">Most bytes of one read, unless the first batch is larger.</param>
    /// <returns>Whether there is anything to read.</returns>
    public bool TryPlan(PartitionSlice slice, long offset, long end, int readBytesMax)
    {
        Clear();
        ReadOnlySpan<BatchLocation> rest = slice.Locations[slice.Find(offset)..];
        int count = Math.Min(rest.Length, BatchesMax);
        for (int i = 0; i < count && rest[i].End <= end; i++)
        {
            int gap = i > 0 ? (int)Math.Min(rest[i].Position - rest[i - 1].End, int.MaxValue) : int.MaxValue;
            bool isApart = gap > GapBytesMax;
            int start = PlannedBytes + (isApart ? 0 : gap);
            if (i > 0 && start + rest[i].Bytes > readBytesMax)
                break;
            if (i == _planned.Length)
                Grow();
            _planned[i] = new Planned(rest[i], start, isApart);
            _plannedCount = i + 1;
            PlannedBytes = start + rest[i].Bytes;
        }
        return _plannedCount > 0;
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
        for (int first = 0; first < _plannedCount;)
        {
            int next = first + 1;
            while (next < _plannedCount && !_planned[next].IsApart)
                next++;
            int start = _planned[first].Start;
            Span<byte> run = bytes[start.._planned[next - 1].End];
            int read = segment.File!.ReadAt(run, _planned[first].Location.Position);
            for (; first < next; first++)
                Check(_planned[first], bytes[..(start + read)]);
        }
        NextOffset = _planned[_plannedCount - 1].Location.LastOffset + 1;
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
        if (!disposing || _planned.Length == 0)
            return;
        Clear();
        _buffer.Dispose();
        ArrayPool<Planned>.Shared.Return(_planned);
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
        int start = _planned[index].Start;
        EntryHeader header = EntryHeader.ReadUnchecked(_buffer.WrittenSpan[start..]);
        _at = start + EntryHeader.Bytes;
        _payloadEnd = _at + header.PayloadBytes;
        _left = header.Records;
        _nextOffset = header.BaseOffset;
        _baseTimestampMs = header.BaseTimestampMs;
    }

    private void Check(in Planned planned, ReadOnlySpan<byte> bytes)
    {
        BatchLocation location = planned.Location;
        if (planned.End > bytes.Length)
            ThrowDamaged(planned, LogDefect.FrameCutOff);
        ReadOnlySpan<byte> entry = bytes[planned.Start..planned.End];
        ParseResult<LogDefect> result =
            EntryHeader.TryRead(entry, _segment!.Place, location.Position, out EntryHeader header);
        if (!result.IsDone)
            ThrowDamaged(planned, LogDefect.EntryHeader);
        if (header.EntryBytes != location.Bytes || header.BaseOffset != location.BaseOffset
            || header.TopicPartition != Partition)
        {
            ThrowDamaged(planned, LogDefect.EntryContents);
        }
        if (Crc32C.Compute(entry[EntryHeader.Bytes..]) != header.PayloadChecksum)
            ThrowDamaged(planned, LogDefect.EntryPayload);
    }

    private void Grow()
    {
        Planned[] larger = ArrayPool<Planned>.Shared.Rent(2 * _planned.Length);
        _planned.CopyTo(larger, 0);
        ArrayPool<Planned>.Shared.Return(_planned);
        _planned = larger;
    }

    private void ThrowDamaged(in Planned planned, LogDefect defect) =>
        throw _segment!.Damaged(_files!, planned.Location.Position, defect);

    /// <summary>A batch to read.</summary>
    /// <param name="Location">Where it stands in the segment.</param>
    /// <param name="Start">Where it goes in the buffer.</param>
    /// <param name="IsApart">Whether it is read by a call of its own, not with the one before it.</param>
    private readonly record struct Planned(BatchLocation Location, int Start, bool IsApart)
    {
        public int End => Start + Location.Bytes;
    }
}
