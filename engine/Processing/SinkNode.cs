using Streams.Buffers;
using Streams.Log;
using Streams.Records;
using Streams.Telemetry;

namespace Streams.Processing;

/// <summary>Chooses the partition that a record is written to.</summary>
/// <param name="key">The key's bytes; empty for none.</param>
/// <param name="partitions">How many there are.</param>
/// <returns>0 to <paramref name="partitions"/> - 1.</returns>
public delegate int Partitioner(ReadOnlySpan<byte> key, int partitions);

/// <summary>Names the topic that a record is written to.</summary>
public delegate string TopicNameExtractor<TKey, TValue>(in Record<TKey, TValue> record);

/// <summary>Adds to a record's identity, beside the bytes of its key, which are a part of it
/// already.</summary>
/// <param name="record">The record.</param>
/// <param name="identity">Takes what tells records of one key apart.</param>
public delegate void DeliveryIdentity<TKey, TValue>(in Record<TKey, TValue> record, PooledBuffer identity);

/// <summary>A node that writes a topic.</summary>
internal sealed class SinkNode<TKey, TValue>(
    int id, string name, string? topic, bool isInternal, TopicNameExtractor<TKey, TValue>? computed,
    Serde<TKey> keySerde, Serde<TValue> valueSerde, Partitioner? partitioner)
    : GraphNode(id, name, NodeKind.Sink), IGraphInput<TKey, TValue>, ISinkNode
{
    internal override IEnumerable<GraphNode> Children => [];

    internal override string? TopicName => topic;

    public bool IsInternal => isInternal;

    /// <inheritdoc/>
    public bool DeliversOnce { get; init; }

    /// <summary>What tells records of one key apart that are delivered once; null for nothing.</summary>
    internal DeliveryIdentity<TKey, TValue>? Identity { get; init; }

    GraphNode IGraphInput<TKey, TValue>.Node => this;

    public Receiver<TKey, TValue> Resolve(TaskBuilder builder) => builder.Once(this, () =>
        new SinkReceiver<TKey, TValue>(
            builder.Scope, Id, topic, computed, keySerde, valueSerde, partitioner)
        {
            IsInternal = isInternal,
            Once = DeliversOnce ? new OnceReader<TKey, TValue>(keySerde, valueSerde, Identity) : null,
        });
}

/// <summary>What is known of a sink whatever its types.</summary>
internal interface ISinkNode
{
    /// <summary>Whether the topic belongs to the application and carries its name in front.</summary>
    bool IsInternal { get; }

    /// <summary>Whether a record is not written again by a backfill.</summary>
    bool DeliversOnce { get; }
}

/// <summary>Encodes records and adds them to the commit.</summary>
internal sealed class SinkReceiver<TKey, TValue>(
    TaskScope scope, int node, string? topicName, TopicNameExtractor<TKey, TValue>? computed,
    Serde<TKey> keySerde,
    Serde<TValue> valueSerde, Partitioner? partitioner) : Receiver<TKey, TValue>, IDisposable
{
    private readonly PooledBuffer _key = new();
    private readonly PooledBuffer _value = new(1024);
    private readonly PooledBuffer _headers = new();
    private Topic? _topic;
    private DeliveredRecords? _delivered;

    /// <summary>Whether the topic belongs to the application.</summary>
    internal bool IsInternal { get; init; }

    /// <summary>Computes identities; null where records may be delivered again.</summary>
    internal OnceReader<TKey, TValue>? Once { get; init; }

    internal override void Open()
    {
        if (topicName is not null)
            _topic = scope.Topic(topicName);
        if (Once is not null && scope.Backfill is not null)
            _delivered = scope.Backfill.DeliveredTo(_topic!, Once.Identify);
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
        ReadOnlySpan<byte> headers = record.Headers.Encoded;
        if (scope.Territory != Territory.New && !IsWritten(record, topic, ref headers))
            return;
        scope.Writer.Append(topic[PartitionOf(record.HasKey, key, topic.Partitions)], new LogRecord
        {
            TimestampMs = record.TimestampMs,
            HasKey = record.HasKey,
            Key = key,
            HasValue = record.HasValue,
            Value = _value.WrittenSpan,
            Headers = headers,
        });
    }

    public void Dispose()
    {
        _key.Dispose();
        _value.Dispose();
        _headers.Dispose();
        Once?.Dispose();
    }

    // Of what was processed before, the application's own topics get everything, so that the state behind
    // them is rebuilt, with a mark that says what it is; others get what a backfill writes again.
    private bool IsWritten(in Record<TKey, TValue> record, Topic topic, ref ReadOnlySpan<byte> headers)
    {
        if (IsInternal)
        {
            _headers.Clear();
            _headers.Write(headers);
            _headers.Write(TerritoryMark.Of(scope.Territory));
            headers = _headers.WrittenSpan;
            return true;
        }
        string? because = scope.Territory == Territory.Silent ? "backfill_silent"
            : _delivered is { } delivered && delivered.Contains(
                Once!.IdentityOf(record, _key.WrittenSpan)) ? "backfill_delivered"
            : null;
        if (because is not null)
            EngineMeter.RecordSkipped(topic.Name, because);
        return because is null;
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

/// <summary>Computes what tells a record that is delivered once from others: as it is written, and as it was
/// written before. For one thread.</summary>
internal sealed class OnceReader<TKey, TValue>(
    Serde<TKey> keySerde, Serde<TValue> valueSerde, DeliveryIdentity<TKey, TValue>? more) : IDisposable
{
    private readonly PooledBuffer _identity = new();
    private TKey _key = default!;
    private TValue _value = default!;

    /// <summary>The identity of a record that is about to be written.</summary>
    internal ReadOnlySpan<byte> IdentityOf(in Record<TKey, TValue> record, ReadOnlySpan<byte> key)
    {
        _identity.Clear();
        Write(record, key, _identity);
        return _identity.WrittenSpan;
    }

    /// <summary>The identity of a record that was written.</summary>
    internal void Identify(in LogRecord record, PooledBuffer identity)
    {
        if (more is not null && record.HasKey)
            keySerde.Deserialize(record.Key, ref _key);
        if (more is not null && record.HasValue)
            valueSerde.Deserialize(record.Value, ref _value);
        Write(
            new Record<TKey, TValue>(
                record.HasKey ? _key : default!, record.HasKey, record.HasValue ? _value : default!,
                record.HasValue, record.TimestampMs, default),
            record.Key, identity);
    }

    /// <inheritdoc/>
    public void Dispose() => _identity.Dispose();

    // The length in front keeps a key apart from what follows it.
    private void Write(in Record<TKey, TValue> record, ReadOnlySpan<byte> key, PooledBuffer identity)
    {
        identity.WriteInt32(record.HasKey ? key.Length : -1);
        identity.Write(key);
        identity.WriteByte(record.HasValue ? (byte)1 : (byte)0);
        more?.Invoke(record, identity);
    }
}
