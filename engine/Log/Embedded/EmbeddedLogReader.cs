using Streams.Log.Embedded.Catalog;
using Streams.Log.Embedded.Files;
using Streams.Log.Embedded.Segments;

namespace Streams.Log.Embedded;

/// <summary>Reads an <see cref="EmbeddedLog"/>.</summary>
internal sealed class EmbeddedLogReader(
    LogState state, SegmentFiles segmentFiles, ILogFileSystem files, int readBytesMax, ReadLevel level) : ILogReader
{
    // Copying this many bytes of other partitions out of the system's cache takes about as long as another call to it.
    private const int GapBytesMax = 16 * 1024;

    /// <inheritdoc/>
    public LogBatch CreateBatch() => new EmbeddedLogBatch();

    /// <inheritdoc/>
    public bool Read(TopicPartition partition, long offset, LogBatch batch)
    {
        var into = (EmbeddedLogBatch)batch;
        while (true)
        {
            LogSegment segment;
            lock (state.Gate)
            {
                state.ThrowIfUnusable();
                PartitionState known = state.Catalog.Topics.Get(partition);
                offset = Math.Max(offset, known.StartOffset);
                int at = known.FindSlice(offset);
                if (at == known.Slices.Count)
                    return false;
                PartitionSlice slice = known.Slices[at];
                segment = slice.Segment;
                long end = segment == state.Active && level == ReadLevel.Durable ? state.DurableEnd : long.MaxValue;
                if (segment.IsIndexLoaded && !Plan(slice, offset, end, into))
                    return false;
                if (!segmentFiles.TryPin(segment))
                    into.Clear();
            }
            if (into.PlannedBytes == 0)
            {
                segmentFiles.Open(segment);
                continue;
            }
            try
            {
                into.Fill(segment, partition, offset, files);
            }
            finally
            {
                segmentFiles.Unpin(segment);
            }
            if (into.HasRecords)
                return true;
            // Compaction may have left a batch none of whose records are at or behind the offset.
            offset = into.NextOffset;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // It holds nothing between reads.
    }

    // Chooses the batches of one read: as many as follow on one another closely, up to the limit.
    private bool Plan(PartitionSlice slice, long offset, long end, EmbeddedLogBatch into)
    {
        into.Clear();
        ReadOnlySpan<BatchLocation> locations = slice.Locations;
        int first = slice.Find(offset);
        int count = 0;
        for (int i = first; i < locations.Length && locations[i].End <= end; i++)
        {
            if (count > 0 && (locations[i].End - locations[first].Position > readBytesMax
                || locations[i].Position - locations[i - 1].End > GapBytesMax))
            {
                break;
            }
            count++;
        }
        if (count == 0)
            return false;
        into.Plan(locations.Slice(first, count));
        return true;
    }
}
