using Streams.Log.Embedded.Catalog;
using Streams.Log.Embedded.Segments;

namespace Streams.Log.Embedded.Maintenance;

/// <summary>
/// Decides which records are too old or too many. By the time they were appended, not by their own: history
/// that is filled in later would be gone at once. By whole segments: that is exact enough, and costs nothing
/// per record.
/// </summary>
/// <remarks>
/// Records that a group with an offset in the partition still has to process stay, for as long as
/// <see cref="EmbeddedLogOptions.UnprocessedRetention"/> at most: a group that nobody runs any more must not
/// fill the disk.
/// </remarks>
internal sealed class Retention(LogState state, EmbeddedLogOptions options)
{
    /// <summary>
    /// Records that go although a group had not processed them, in the last call of <see cref="Plan"/>.
    /// </summary>
    public long UnprocessedRecords { get; private set; }

    /// <summary>Finds the partitions whose start has to move, and where to.</summary>
    public List<(TopicPartition Partition, long Start)> Plan(long nowMs)
    {
        UnprocessedRecords = 0;
        var starts = new List<(TopicPartition Partition, long Start)>();
        IReadOnlyList<Topic> topics;
        lock (state.Gate)
            topics = state.Catalog.Topics.Sorted;
        foreach (Topic topic in topics)
        {
            // What stays of a compacted topic is decided by its keys alone.
            bool isBounded = topic.Spec.Retention is not null || topic.Spec.RetentionBytes is not null;
            if (topic.Spec.Compacted || !isBounded)
                continue;
            // A partition at a time, so that a log of many segments holds nobody up at the gate.
            for (int i = 0; i < topic.Partitions; i++)
            {
                lock (state.Gate)
                {
                    if (state.Catalog.Topics.Find(topic[i]) is { } partition)
                        PlanPartition(topic.Spec, partition, nowMs, starts);
                }
            }
        }
        return starts;
    }

    private void PlanPartition(
        TopicSpec spec, PartitionState partition, long nowMs, List<(TopicPartition, long)> starts)
    {
        long start = StartOf(spec, partition, nowMs);
        if (start > partition.StartOffset)
            starts.Add((partition.Id, start));
    }

    private long StartOf(TopicSpec spec, PartitionState partition, long nowMs)
    {
        long start = partition.StartOffset;
        long bytes = 0;
        foreach (PartitionSlice slice in partition.Slices)
            bytes += slice.LastOffset >= start ? slice.Bytes : 0;
        long? processed = state.Catalog.Groups.Lowest(partition.Id);
        foreach (PartitionSlice slice in partition.Slices)
        {
            if (slice.LastOffset < start)
                continue;
            double ageMs = nowMs - slice.Segment.LastAppendTimeMs;
            bool isOld = ageMs > spec.Retention?.TotalMilliseconds;
            bool isTooMuch = bytes - slice.Bytes >= spec.RetentionBytes;
            if ((!isOld && !isTooMuch) || slice.Segment == state.Active)
                break;
            if (processed <= slice.LastOffset)
            {
                if (ageMs <= options.UnprocessedRetention.TotalMilliseconds)
                    break;
                UnprocessedRecords += slice.LastOffset + 1 - Math.Max(processed.Value, start);
            }
            start = slice.LastOffset + 1;
            bytes -= slice.Bytes;
        }
        return start;
    }
}
