using Streams.Log.Embedded.Files;
using Streams.Log.Embedded.Format;
using Streams.Log.Embedded.Segments;

namespace Streams.Log.Embedded.Maintenance;

/// <summary>
/// One round of compaction: finds the records of compacted topics whose key has a later record. A round looks
/// at the keys of a window of segments, as many as fit the memory allowed, and at all later records of these
/// keys.
/// </summary>
/// <remarks>
/// Only sealed segments count as later, because they are on the disk: a record must not go for one that a
/// power cut can still take. A tombstone goes when it is old enough and no older record of its key stays that
/// it has to hide; the last record of a partition stays whatever it is, so that the partition's end can
/// always be reached by reading.
/// </remarks>
internal sealed class Compaction : IDisposable
{
    private readonly LogState _state;
    private readonly SegmentFiles _segmentFiles;
    private readonly ILogFileSystem _files;
    private readonly EmbeddedLogOptions _options;
    private readonly NeededRecords _needed;
    private readonly long _tombstonesBeforeMs;
    private readonly EmbeddedLogBatch _batch = new();
    private readonly HashSet<LogSegment> _window = [];
    private readonly KeyMap _map;

    /// <summary>Looks at a window of segments.</summary>
    /// <param name="state">The log.</param>
    /// <param name="segmentFiles">Opens segments.</param>
    /// <param name="files">The files.</param>
    /// <param name="options">The options.</param>
    /// <param name="needed">What is needed going by the partitions' starts.</param>
    /// <param name="nowMs">The time.</param>
    public Compaction(
        LogState state, SegmentFiles segmentFiles, ILogFileSystem files, EmbeddedLogOptions options,
        NeededRecords needed, long nowMs)
    {
        _state = state;
        _segmentFiles = segmentFiles;
        _files = files;
        _options = options;
        _needed = needed;
        _map = new KeyMap(options.CompactionMapBytesMax);
        _tombstonesBeforeMs = nowMs - (long)options.TombstoneRetention.TotalMilliseconds;
    }

    /// <summary>
    /// Takes the window that begins with a segment, and finds the latest offset of each of its keys.
    /// </summary>
    /// <param name="segments">All sealed segments.</param>
    /// <param name="first">Where the window begins.</param>
    /// <returns>Where the next window begins.</returns>
    public int Look(IReadOnlyList<LogSegment> segments, int first)
    {
        int next = first;
        while (next < segments.Count && (next == first || !_map.IsFull))
        {
            ForEachRecord(
                segments[next], (partition, in record) => _map.Add(partition, record.Key, record.Offset));
            _window.Add(segments[next++]);
        }
        // The segment that filled the map may have keys that did not fit. A window of one lives with it: a
        // key that is not known keeps all its records.
        if (_map.IsFull && next > first + 1)
            _window.Remove(segments[--next]);
        for (int i = next; i < segments.Count; i++)
            ForEachRecord(
                segments[i], (partition, in record) => _map.Update(partition, record.Key, record.Offset));
        for (int i = 0; i < first; i++)
            NoteKept(segments[i]);
        return next;
    }

    /// <summary>Notes that a segment stays as it is, with whatever old records it has.</summary>
    public void NoteKept(LogSegment segment) =>
        ForEachRecord(segment, (partition, in record) => _map.NoteKept(partition, record.Key, record.Offset));

    /// <summary>
    /// Bytes of a segment that would go, about: batches are taken to go with their records in proportion.
    /// </summary>
    public long DeadBytes(LogSegment segment)
    {
        long dead = 0;
        if (!_window.Contains(segment))
            return dead;
        foreach (PartitionSlice slice in segment.Slices)
        {
            long recordBytes = 0, deadRecordBytes = 0;
            ForEachRecord(slice, (partition, in record) =>
            {
                long bytes = RecordCodec.OverheadBytesMin
                    + record.Key.Length + record.Value.Length + record.Headers.Length;
                recordBytes += bytes;
                deadRecordBytes += Keeps(segment, partition, record) ? 0 : bytes;
            });
            if (deadRecordBytes > 0)
                dead += (long)((double)deadRecordBytes / recordBytes * slice.RewrittenBytes);
        }
        return dead;
    }

    /// <summary>Whether any of a batch's records may go.</summary>
    public bool Concerns(LogSegment segment, TopicPartition partition) =>
        _window.Contains(segment) && _needed.IsCompacted(partition);

    /// <summary>Whether a record stays.</summary>
    public bool Keeps(LogSegment segment, TopicPartition partition, in LogRecord record)
    {
        // A record without a key is nobody's predecessor.
        if (!record.HasKey || _needed.IsLast(partition, record.Offset))
            return true;
        long latest = _map.Latest(partition, record.Key, out bool hasOlder);
        if (latest > record.Offset)
            return false;
        return record.HasValue || latest < 0 || hasOlder || segment.LastAppendTimeMs >= _tombstonesBeforeMs;
    }

    /// <inheritdoc/>
    public void Dispose() => _batch.Dispose();

    private void ForEachRecord(LogSegment segment, RecordAction action)
    {
        foreach (PartitionSlice slice in segment.Slices)
            ForEachRecord(slice, action);
    }

    private void ForEachRecord(PartitionSlice slice, RecordAction action)
    {
        if (!_needed.IsCompacted(slice.Partition))
            return;
        for (long offset = slice.FirstOffset; offset <= slice.LastOffset; offset = _batch.NextOffset)
        {
            Fill(slice, offset);
            while (_batch.TryRead(out LogRecord record))
            {
                if (record.HasKey)
                    action(slice.Partition, record);
            }
        }
    }

    private void Fill(PartitionSlice slice, long offset)
    {
        LogSegment segment = slice.Segment;
        while (true)
        {
            lock (_state.Gate)
            {
                if (_segmentFiles.TryPin(segment))
                {
                    _batch.TryPlan(slice, offset, long.MaxValue, _options.ReadBytesMax);
                    break;
                }
            }
            _segmentFiles.Open(segment);
        }
        try
        {
            _batch.Fill(segment, slice.Partition, offset, _files);
        }
        finally
        {
            _segmentFiles.Unpin(segment);
        }
    }

    private delegate void RecordAction(TopicPartition partition, in LogRecord record);
}
