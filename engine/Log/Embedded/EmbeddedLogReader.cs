using Streams.Log.Embedded.Catalog;
using Streams.Log.Embedded.Files;
using Streams.Log.Embedded.Segments;

namespace Streams.Log.Embedded;

/// <summary>Reads an <see cref="EmbeddedLog"/>.</summary>
internal sealed class EmbeddedLogReader(
    LogState state, SegmentFiles segmentFiles, ILogFileSystem files, int readBytesMax, ReadLevel level)
    : ILogReader
{
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
                bool isCutOff = segment == state.Active && level == ReadLevel.Durable;
                long end = isCutOff ? state.DurableEnd : long.MaxValue;
                into.Clear();
                if (segmentFiles.TryPin(segment) && !into.TryPlan(slice, offset, end, readBytesMax))
                {
                    segmentFiles.Unpin(segment);
                    return false;
                }
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
            catch (IOException e)
            {
                throw new LogUnavailableException(
                    $"Reading {segment.FileName} in {files.Location} failed: {e.Message}", e);
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
}
