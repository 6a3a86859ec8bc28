using Streams.Log.Embedded.Catalog;
using Streams.Log.Embedded.Segments;

namespace Streams.Log.Embedded.Maintenance;

/// <summary>
/// Which records were needed at one moment. Cleaning goes by it after everything up to that moment was made
/// durable: a start that a power cut takes back must not have cost records.
/// </summary>
internal sealed class NeededRecords
{
    private readonly Dictionary<TopicPartition, Need> _partitions = [];

    /// <summary>What is needed now.</summary>
    public NeededRecords(LogState state)
    {
        lock (state.Gate)
        {
            foreach (Topic topic in state.Catalog.Topics.Sorted)
            {
                foreach (PartitionState partition in state.Catalog.Topics.Find(topic.Id)!.Partitions)
                {
                    int last = partition.Slices.Count - 1;
                    if (last >= 0 && partition.Slices[last].Segment == state.Active)
                        last--;
                    long lastSealed = last < 0 ? -1 : partition.Slices[last].LastOffset;
                    _partitions[partition.Id] = new Need(
                        partition.StartOffset, lastSealed, topic.Spec.Compacted, topic.Spec.Retention);
                }
            }
        }
    }

    /// <summary>Whether any record up to an offset is needed, going by where the partition starts.</summary>
    public bool IsNeeded(TopicPartition partition, long lastOffset) =>
        _partitions.TryGetValue(partition, out Need need) && lastOffset >= need.Start;

    /// <summary>Whether a partition's records go when their key has a later one.</summary>
    public bool IsCompacted(TopicPartition partition) => _partitions.GetValueOrDefault(partition).IsCompacted;

    /// <summary>Whether an offset is a partition's last one that stands in a sealed segment.</summary>
    public bool IsLast(TopicPartition partition, long offset) =>
        _partitions.TryGetValue(partition, out Need need) && need.LastSealedOffset == offset;

    /// <summary>The shortest time for which records of a segment are kept, in milliseconds.</summary>
    public double ShortestRetentionMs(LogSegment segment)
    {
        double shortest = double.PositiveInfinity;
        foreach (PartitionSlice slice in segment.Slices)
        {
            if (!_partitions.TryGetValue(slice.Partition, out Need need) || slice.LastOffset < need.Start)
                continue;
            if (!need.IsCompacted && need.Retention is { } retention)
                shortest = Math.Min(shortest, retention.TotalMilliseconds);
        }
        return shortest;
    }

    private readonly record struct Need(
        long Start, long LastSealedOffset, bool IsCompacted, TimeSpan? Retention);
}
