using Streams.Buffers;
using Streams.Log;
using Streams.Records;

namespace Streams.Processing;

/// <summary>Chooses the partition that a record is written to.</summary>
/// <param name="key">The key's bytes; empty for none.</param>
/// <param name="partitions">How many there are.</param>
/// <returns>0 to <paramref name="partitions"/> - 1.</returns>
public delegate int Partitioner(ReadOnlySpan<byte> key, int partitions);

/// <summary>Names the topic that a record is written to.</summary>
public delegate string TopicNameExtractor<TKey, TValue>(in Record<TKey, TValue> record);

/// <summary>A node that writes a topic.</summary>
internal sealed class SinkNode<TKey, TValue>(
    int id, string name, string? topic, bool isInternal, TopicNameExtractor<TKey, TValue>? computed,
    Serde<TKey> keySerde, Serde<TValue> valueSerde, Partitioner? partitioner)
    : GraphNode(id, name, NodeKind.Sink), IGraphInput<TKey, TValue>, ISinkNode
{
    internal override IEnumerable<GraphNode> Children => [];

    internal override string? TopicName => topic;

    public bool IsInternal => isInternal;

    GraphNode IGraphInput<TKey, TValue>.Node => this;

    public Receiver<TKey, TValue> Resolve(TaskBuilder builder) => builder.Once(this, () =>
        new SinkReceiver<TKey, TValue>(
            builder.Scope, Id, topic, computed, keySerde, valueSerde, partitioner));
}

/// <summary>What is known of a sink whatever its types.</summary>
internal interface ISinkNode
{
    /// <summary>Whether the topic belongs to the application and carries its name in front.</summary>
    bool IsInternal { get; }
}

/// <summary>Encodes records and adds them to the commit.</summary>
internal sealed class SinkReceiver<TKey, TValue>(
    TaskScope scope, int node, string? topicName, TopicNameExtractor<TKey, TValue>? computed,
    Serde<TKey> keySerde,
    Serde<TValue> valueSerde, Partitioner? partitioner) : Receiver<TKey, TValue>, IDisposable
{
    private readonly PooledBuffer _key = new();
    private readonly PooledBuffer _value = new(1024);
    private Topic? _topic;

    internal override void Open()
    {
        if (topicName is not null)
            _topic = scope.Topic(topicName);
    }

    internal override void Process(in Record<TKey, TValue> record)
    {
        scope.CurrentNode = node;
        Topic topic = computed is null ? _topic! : scope.Topic(computed(record));
        _key.Clear();
        _value.Clear();
        if (record.HasKey)
            keySerde.Serialize(record.Key, _key);
        if (record.HasValue)
            valueSerde.Serialize(record.Value, _value);
        ReadOnlySpan<byte> key = _key.WrittenSpan;
        scope.Writer.Append(topic[PartitionOf(record.HasKey, key, topic.Partitions)], new LogRecord
        {
            TimestampMs = record.TimestampMs,
            HasKey = record.HasKey,
            Key = key,
            HasValue = record.HasValue,
            Value = _value.WrittenSpan,
            Headers = record.Headers.Encoded,
        });
    }

    public void Dispose()
    {
        _key.Dispose();
        _value.Dispose();
    }

    // Without a key a record stays with its task's partition: Kafka would spread it at random, and the same
    // input has to give the same output.
    private int PartitionOf(bool hasKey, ReadOnlySpan<byte> key, int partitions)
    {
        if (partitioner is not null)
            return partitioner(key, partitions);
        return hasKey ? Murmur2.Partition(key, partitions) : scope.Id.Partition % partitions;
    }
}
