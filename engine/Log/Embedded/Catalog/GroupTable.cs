using Streams.Buffers;
using Streams.Log.Embedded.Format;

namespace Streams.Log.Embedded.Catalog;

/// <summary>The offsets that groups have to process next.</summary>
internal sealed class GroupTable
{
    // Arrays are as long as the largest number in them: no log has more topics or partitions than this.
    private const int IndexMax = 1 << 20;

    private readonly NameTable<GroupOffsets> _groups = new();

    /// <summary>The next offset of a group in a partition, or null.</summary>
    public long? Find(string group, TopicPartition partition) => _groups.Find(group)?.Find(partition);

    /// <summary>
    /// The lowest next offset that any group has in a partition, or null when no group has one.
    /// </summary>
    public long? Lowest(TopicPartition partition)
    {
        long? lowest = null;
        foreach (GroupOffsets group in _groups.Values)
        {
            if (group.Find(partition) is { } next && !(lowest < next))
                lowest = next;
        }
        return lowest;
    }

    /// <summary>
    /// The highest next offset that any group has in a partition, or null when no group has one.
    /// </summary>
    public long? Highest(TopicPartition partition)
    {
        long? highest = null;
        foreach (GroupOffsets group in _groups.Values)
        {
            if (group.Find(partition) is { } next && !(highest > next))
                highest = next;
        }
        return highest;
    }

    /// <summary>Takes in an entry.</summary>
    /// <returns>Whether it made sense.</returns>
    public bool Apply(ReadOnlySpan<byte> payload)
    {
        var reader = new EntryReader(payload);
        ReadOnlySpan<byte> name = reader.ReadBytes();
        if (reader.Failed || name.Length > NameLimits.BytesMax)
            return false;
        GroupOffsets group = _groups.GetOrAdd(name);
        while (reader.HasMore)
        {
            var partition = new TopicPartition(reader.ReadIndex(IndexMax), reader.ReadIndex(IndexMax));
            long next = reader.ReadNumber();
            if (reader.Failed)
                return false;
            group.Set(partition, next);
        }
        return !reader.Failed;
    }

    /// <summary>Forgets the offsets in a topic that is gone.</summary>
    public void RemoveTopic(int topic)
    {
        foreach (GroupOffsets group in _groups.Values)
            group.RemoveTopic(topic);
    }

    /// <summary>Adds one entry per group to a snapshot.</summary>
    public void Write(FrameBuilder frame, PooledBuffer scratch)
    {
        foreach (string name in _groups.SortedNames())
        {
            scratch.Clear();
            scratch.WriteText(name);
            _groups.Find(name)!.Write(scratch);
            frame.Add(EntryKind.GroupOffsets, 0, scratch.WrittenSpan);
        }
    }
}
