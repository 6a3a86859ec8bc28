using Streams.Buffers;
using Streams.Log.Embedded.Files;
using Streams.Log.Embedded.Format;
using Streams.Log.Embedded.Segments;

namespace Streams.Log.Embedded.Maintenance;

/// <summary>
/// Writes sealed segments that follow on one another anew as one, without what nobody needs. Commits keep
/// their numbers, their times and their order, records their offsets. Positions, cursors and the snapshot at
/// the head are left out: the snapshot of every later segment has them.
/// </summary>
internal sealed class SegmentRewriter : IDisposable
{
    private const int WriteBytes = 1024 * 1024;

    private readonly ILogFileSystem _files;
    private readonly NeededRecords _needed;
    private readonly Compaction? _compaction;
    private readonly FrameBuilder _frame = new();
    private readonly PooledBuffer _pending = new(WriteBytes);
    private readonly PooledBuffer _payload = new();
    private readonly Dictionary<TopicPartition, PartitionSlice> _slices = [];

    /// <summary>Writes without what is not needed.</summary>
    /// <param name="files">The files.</param>
    /// <param name="needed">What is needed going by the partitions' starts.</param>
    /// <param name="compaction">What is needed going by keys; null when no round of compaction is
    /// due.</param>
    public SegmentRewriter(ILogFileSystem files, NeededRecords needed, Compaction? compaction)
    {
        _files = files;
        _needed = needed;
        _compaction = compaction;
    }

    /// <summary>Records that had a later one of their key.</summary>
    public long RecordsCompacted { get; private set; }

    /// <summary>
    /// Writes a run of segments as one. The file is on the disk and does not have its name yet.
    /// </summary>
    /// <exception cref="LogFullException">There is no room; nothing was left behind.</exception>
    /// <exception cref="LogDamagedException">A byte of a segment is not what was written.</exception>
    public LogSegment Rewrite(IReadOnlyList<LogSegment> run, long nowMs)
    {
        uint generation = 0;
        foreach (LogSegment segment in run)
            generation = Math.Max(generation, segment.Header.Generation);
        var rewritten = new LogSegment(run[0].Header with
        {
            LastNumber = run[^1].Header.LastNumber,
            Generation = generation + 1,
        })
        {
            LastCommit = run[^1].LastCommit,
            IsIndexLoaded = true,
            IsFinished = true,
        };
        _slices.Clear();
        string name = rewritten.FileName + LogSegment.NewSuffix;
        using ILogFile file = _files.Open(name, LogFileMode.Create);
        try
        {
            rewritten.Header.Write(_pending.Append(SegmentHeader.Bytes));
            foreach (LogSegment segment in run)
                Copy(segment, rewritten, file);
            _frame.Clear();
            Append(rewritten, file, FrameKind.Seal, rewritten.LastCommit, nowMs);
            Write(rewritten, file);
        }
        catch (LogException)
        {
            _files.Delete(name);
            throw;
        }
        finally
        {
            _pending.Clear();
        }
        file.Sync();
        return rewritten;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _frame.Dispose();
        _pending.Dispose();
        _payload.Dispose();
    }

    private void Copy(LogSegment segment, LogSegment rewritten, ILogFile file)
    {
        rewritten.LastAppendTimeMs = Math.Max(rewritten.LastAppendTimeMs, segment.LastAppendTimeMs);
        using ILogFile source = _files.Open(segment.FileName, LogFileMode.Read);
        using var scan = new SegmentScan(source, segment.Place);
        ParseResult<LogDefect> result;
        while ((result = scan.ReadNext()).IsDone)
        {
            if (scan.Frame.Kind != FrameKind.Commit)
                continue;
            _frame.Clear();
            var entries = new FrameEntries(scan.Body);
            while (entries.MoveNext())
            {
                if (IsNeeded(entries.Header))
                    CopyBatch(segment, entries.Header, entries.Payload);
            }
            if (_frame.Entries > 0)
                Append(rewritten, file, FrameKind.Commit, scan.Frame.Commit, scan.Frame.AppendTimeMs);
        }
        if (result.IsInvalid)
            throw segment.Damaged(_files, scan.End + result.Offset, result.Defect);
    }

    private bool IsNeeded(in EntryHeader header) =>
        header.Kind == EntryKind.Records && _needed.IsNeeded(header.TopicPartition, header.LastOffset);

    private void CopyBatch(LogSegment segment, in EntryHeader header, ReadOnlySpan<byte> payload)
    {
        if (_compaction is null || !_compaction.Concerns(segment, header.TopicPartition))
        {
            _frame.Add(header, payload);
            return;
        }
        _payload.Clear();
        int at = 0, kept = 0;
        long nextOffset = header.BaseOffset, expected = header.BaseOffset, latest = long.MinValue;
        for (int i = 0; i < header.Records; i++)
        {
            int start = at;
            if (!RecordCodec.TryRead(
                payload, ref at, ref nextOffset, header.BaseTimestampMs, out LogRecord record))
            {
                throw segment.Damaged(_files, SegmentHeader.Bytes, LogDefect.EntryContents);
            }
            if (!_compaction.Keeps(segment, header.TopicPartition, record))
                continue;
            RecordCodec.Copy(_payload, payload[start..at], record.Offset - expected);
            expected = record.Offset + 1;
            latest = Math.Max(latest, record.TimestampMs);
            kept++;
        }
        RecordsCompacted += header.Records - kept;
        if (kept > 0)
            _frame.Add(header with { Records = kept, MaxTimestampMs = latest }, _payload.WrittenSpan);
    }

    private void Append(LogSegment rewritten, ILogFile file, FrameKind kind, long commit, long appendTimeMs)
    {
        long position = rewritten.Length + _pending.Length;
        _frame.Seal(kind, commit, appendTimeMs, 0, rewritten.Place, position);
        var entries = new FrameEntries(_frame.Body);
        while (entries.MoveNext())
        {
            PartitionSlice slice = SliceOf(rewritten, entries.Header.TopicPartition);
            slice.Add(entries.Header, position + FrameHeader.Bytes + entries.At);
        }
        _pending.Write(_frame.Frame);
        if (_pending.Length >= WriteBytes)
            Write(rewritten, file);
    }

    private PartitionSlice SliceOf(LogSegment rewritten, TopicPartition partition)
    {
        if (!_slices.TryGetValue(partition, out PartitionSlice? slice))
        {
            _slices[partition] = slice = new PartitionSlice(rewritten, partition);
            rewritten.Slices.Add(slice);
        }
        return slice;
    }

    private void Write(LogSegment rewritten, ILogFile file)
    {
        file.WriteAt(_pending.WrittenSpan, rewritten.Length);
        rewritten.Length += _pending.Length;
        _pending.Clear();
    }
}
