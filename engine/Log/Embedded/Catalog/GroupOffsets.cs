using Streams.Buffers;
using Streams.Log.Embedded.Format;

namespace Streams.Log.Embedded.Catalog;

/// <summary>One group's next offsets, by topic number and partition.</summary>
internal sealed class GroupOffsets
{
    private const long None = -1;

    private long[][] _topics = [];

    /// <summary>The next offset in a partition, or null.</summary>
    public long? Find(TopicPartition id)
    {
        if ((uint)id.Topic >= (uint)_topics.Length || (uint)id.Partition >= (uint)_topics[id.Topic].Length)
            return null;
        long next = _topics[id.Topic][id.Partition];
        return next == None ? null : next;
    }

    /// <summary>Sets the next offset in a partition.</summary>
    /// <returns>Whether it had none before.</returns>
    public bool Set(TopicPartition id, long next)
    {
        if (id.Topic >= _topics.Length)
        {
            int before = _topics.Length;
            Array.Resize(ref _topics, id.Topic + 1);
            Array.Fill(_topics, [], before, _topics.Length - before);
        }
        ref long[] offsets = ref _topics[id.Topic];
        if (id.Partition >= offsets.Length)
        {
            int before = offsets.Length;
            Array.Resize(ref offsets, id.Partition + 1);
            Array.Fill(offsets, None, before, offsets.Length - before);
        }
        bool added = offsets[id.Partition] == None;
        offsets[id.Partition] = next;
        return added;
    }

    /// <summary>Forgets the offset in a partition.</summary>
    public void Clear(TopicPartition id) => _topics[id.Topic][id.Partition] = None;

    /// <summary>Forgets the offsets in a topic.</summary>
    public void RemoveTopic(int topic)
    {
        if (topic < _topics.Length)
            _topics[topic] = [];
    }

    /// <summary>Appends all offsets to an entry.</summary>
    public void Write(PooledBuffer destination)
    {
        for (int topic = 0; topic < _topics.Length; topic++)
        {
            for (int partition = 0; partition < _topics[topic].Length; partition++)
            {
                if (_topics[topic][partition] != None)
                    WriteOne(destination, new TopicPartition(topic, partition), _topics[topic][partition]);
            }
        }
    }

    /// <summary>Appends one offset to an entry.</summary>
    public static void WriteOne(PooledBuffer destination, TopicPartition partition, long nextOffset)
    {
        destination.WriteNumber(partition.Topic);
        destination.WriteNumber(partition.Partition);
        destination.WriteNumber(nextOffset);
    }
}
