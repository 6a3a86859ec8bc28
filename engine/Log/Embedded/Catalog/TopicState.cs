namespace Streams.Log.Embedded.Catalog;

/// <summary>A topic and its partitions.</summary>
internal sealed class TopicState
{
    public TopicState(Topic topic)
    {
        Topic = topic;
        Partitions = new PartitionState[topic.Partitions];
        for (int i = 0; i < Partitions.Length; i++)
            Partitions[i] = new PartitionState(topic[i]);
    }

    /// <summary>The topic as it is now.</summary>
    public Topic Topic { get; set; }

    /// <summary>Its partitions.</summary>
    public PartitionState[] Partitions { get; }
}
