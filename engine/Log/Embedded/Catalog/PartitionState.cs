using Streams.Log.Embedded.Segments;

namespace Streams.Log.Embedded.Catalog;

/// <summary>What is known of one partition.</summary>
internal sealed class PartitionState(TopicPartition id)
{
    /// <summary>Which partition.</summary>
    public TopicPartition Id { get; } = id;

    /// <summary>The first offset kept.</summary>
    public long StartOffset { get; set; }

    /// <summary>The offset that the next record gets.</summary>
    public long NextOffset { get; set; }

    /// <summary>The attempt to commit that <see cref="PendingOffset"/> is about.</summary>
    public long PendingAttempt { get; set; }

    /// <summary>
    /// Where the next batch begins of the commit that is being written and is not visible yet. Used under the
    /// appender's lock only.
    /// </summary>
    public long PendingOffset { get; set; }

    /// <summary>Its batches by segment, in offset order.</summary>
    public List<PartitionSlice> Slices { get; } = [];

    /// <summary>The first slice that covers an offset or lies behind it.</summary>
    /// <returns>Its index, or the number of slices where there is none.</returns>
    public int FindSlice(long offset)
    {
        int low = 0, high = Slices.Count;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (Slices[middle].LastOffset < offset)
                low = middle + 1;
            else
                high = middle;
        }
        return low;
    }

    /// <summary>Adds a slice at its place in the order.</summary>
    public void Insert(PartitionSlice slice) => Slices.Insert(FindSlice(slice.FirstOffset), slice);

    /// <summary>Takes a slice out.</summary>
    public void Remove(PartitionSlice slice)
    {
        int at = FindSlice(slice.FirstOffset);
        if (at < Slices.Count && ReferenceEquals(Slices[at], slice))
            Slices.RemoveAt(at);
        else
            Slices.Remove(slice);
    }
}
