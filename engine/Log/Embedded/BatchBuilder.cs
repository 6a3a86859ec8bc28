using Streams.Buffers;
using Streams.Log.Embedded.Format;

namespace Streams.Log.Embedded;

/// <summary>Collects records of one partition for one entry of a commit.</summary>
internal sealed class BatchBuilder : IDisposable
{
    private readonly PooledBuffer _payload = new(4096);
    private long _baseTimestampMs;
    private long _maxTimestampMs;
    private int _records;

    /// <summary>The partition.</summary>
    public TopicPartition Partition { get; private set; }

    /// <summary>Bytes collected.</summary>
    public int PayloadBytes => _payload.Length;

    /// <summary>Starts over for a partition.</summary>
    public void Start(TopicPartition partition)
    {
        Partition = partition;
        _payload.Clear();
        _records = 0;
    }

    /// <summary>Adds a record.</summary>
    public void Add(in LogRecord record)
    {
        if (_records == 0)
            _baseTimestampMs = _maxTimestampMs = record.TimestampMs;
        else if (record.TimestampMs > _maxTimestampMs)
            _maxTimestampMs = record.TimestampMs;
        RecordCodec.Write(_payload, record, _baseTimestampMs);
        _records++;
    }

    /// <summary>Adds the batch to a frame.</summary>
    public void WriteTo(FrameBuilder frame) => frame.Add(
        new EntryHeader
        {
            Kind = EntryKind.Records,
            Topic = Partition.Topic,
            Partition = Partition.Partition,
            Records = _records,
            LastOffsetDelta = _records - 1,
            BaseTimestampMs = _baseTimestampMs,
            MaxTimestampMs = _maxTimestampMs,
        },
        _payload.WrittenSpan);

    /// <inheritdoc/>
    public void Dispose() => _payload.Dispose();
}
