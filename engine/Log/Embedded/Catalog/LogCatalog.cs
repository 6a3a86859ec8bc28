using Streams.Buffers;
using Streams.Log.Embedded.Format;

namespace Streams.Log.Embedded.Catalog;

/// <summary>
/// All that the log knows beside the records: topics, positions, cursors, and which segments there are. It
/// changes by taking in entries and in no other way, so what recovery reads back is what was there.
/// </summary>
internal sealed class LogCatalog
{
    /// <summary>Topics and their partitions.</summary>
    public TopicTable Topics { get; } = new();

    /// <summary>Offsets of groups.</summary>
    public GroupTable Groups { get; } = new();

    /// <summary>Cursors of sources.</summary>
    public CursorTable Cursors { get; } = new();

    /// <summary>Numbers of the segments that have to be there.</summary>
    public SortedSet<long> LiveSegments { get; } = [];

    /// <summary>Takes in an entry that holds no records.</summary>
    /// <returns>Whether it made sense.</returns>
    public bool Apply(in EntryHeader header, ReadOnlySpan<byte> payload)
    {
        switch (header.Kind)
        {
            case EntryKind.GroupOffsets:
                return Groups.Apply(payload);
            case EntryKind.Cursors:
                return Cursors.Apply(payload);
            case EntryKind.Topic:
                return TopicCodec.TryRead(payload) is { } spec && Topics.Define(header.Topic, spec);
            case EntryKind.TopicDeleted:
                Groups.RemoveTopic(header.Topic);
                return Topics.Remove(header.Topic) is not null;
            case EntryKind.DeleteBefore:
                return DeleteBefore(header);
            case EntryKind.Partitions:
                return ApplyPartitions(header.Topic, payload);
            case EntryKind.LiveSegments:
                return ApplyLiveSegments(payload);
            case EntryKind.DroppedSegments:
                return ApplyDroppedSegments(payload);
            default:
                return false;
        }
    }

    /// <summary>Moves a partition's next offset behind a batch.</summary>
    /// <returns>The partition, or null where the batch does not follow on what is known.</returns>
    public PartitionState? Advance(in EntryHeader batch)
    {
        PartitionState? partition = Topics.Find(batch.TopicPartition);
        if (partition is null || batch.BaseOffset != partition.NextOffset || batch.LastOffsetDelta < 0)
            return null;
        partition.NextOffset = batch.LastOffset + 1;
        return partition;
    }

    /// <summary>Adds entries to a frame from which <see cref="Apply"/> makes the same catalog.</summary>
    public void WriteSnapshot(FrameBuilder frame, PooledBuffer scratch)
    {
        scratch.Clear();
        scratch.WriteNumber(Topics.NextId);
        foreach (long segment in LiveSegments)
            scratch.WriteNumber(segment);
        frame.Add(EntryKind.LiveSegments, 0, scratch.WrittenSpan);
        foreach (Topic topic in Topics.Sorted)
        {
            scratch.Clear();
            TopicCodec.Write(scratch, topic.Spec);
            frame.Add(EntryKind.Topic, topic.Id, scratch.WrittenSpan);
        }
        WritePartitions(frame, scratch);
        Groups.Write(frame, scratch);
        Cursors.Write(frame, scratch);
    }

    /// <summary>Adds entries to a frame that say where each partition starts and ends.</summary>
    public void WritePartitions(FrameBuilder frame, PooledBuffer scratch)
    {
        foreach (Topic topic in Topics.Sorted)
        {
            scratch.Clear();
            foreach (PartitionState partition in Topics.Find(topic.Id)!.Partitions)
            {
                scratch.WriteNumber(partition.StartOffset);
                scratch.WriteNumber(partition.NextOffset);
            }
            frame.Add(EntryKind.Partitions, topic.Id, scratch.WrittenSpan);
        }
    }

    private bool DeleteBefore(in EntryHeader header)
    {
        PartitionState? partition = Topics.Find(header.TopicPartition);
        if (partition is null || header.BaseOffset > partition.NextOffset)
            return false;
        partition.StartOffset = Math.Max(partition.StartOffset, header.BaseOffset);
        return true;
    }

    private bool ApplyPartitions(int topic, ReadOnlySpan<byte> payload)
    {
        if (Topics.Find(topic) is not { } state)
            return false;
        var reader = new EntryReader(payload);
        foreach (PartitionState partition in state.Partitions)
        {
            partition.StartOffset = reader.ReadNumber();
            partition.NextOffset = reader.ReadNumber();
        }
        return !reader.Failed && !reader.HasMore;
    }

    private bool ApplyLiveSegments(ReadOnlySpan<byte> payload)
    {
        var reader = new EntryReader(payload);
        Topics.Reserve(reader.ReadIndex(int.MaxValue));
        LiveSegments.Clear();
        while (reader.HasMore)
            LiveSegments.Add(reader.ReadNumber());
        return !reader.Failed;
    }

    private bool ApplyDroppedSegments(ReadOnlySpan<byte> payload)
    {
        var reader = new EntryReader(payload);
        while (reader.HasMore)
        {
            long first = reader.ReadNumber();
            long last = reader.ReadNumber();
            LiveSegments.RemoveWhere(number => number >= first && number <= last);
        }
        return !reader.Failed;
    }
}
