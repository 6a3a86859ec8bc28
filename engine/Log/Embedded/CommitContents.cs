using System.Runtime.CompilerServices;
using Streams.Log.Embedded.Format;

namespace Streams.Log.Embedded;

/// <summary>
/// What a commit of an <see cref="EmbeddedLogWriter"/> is going to hold: filled by one thread, committed by
/// the same or another.
/// </summary>
internal sealed class CommitContents : ICommit, IDisposable
{
    private readonly LogState _state;
    private readonly Appender _appender;
    private readonly EmbeddedLogOptions _options;
    private readonly WriterLease _lease;
    private readonly FrameBuilder _frame = new();
    private readonly List<BatchBuilder> _batches = [];
    private readonly Stack<BatchBuilder> _spare = [];
    private TopicSlots?[] _topics = [];
    private int _recordBytes;

    public CommitContents(
        LogState state, Appender appender, EmbeddedLogOptions options, WriterLease lease)
    {
        _state = state;
        _appender = appender;
        _options = options;
        _lease = lease;
    }

    /// <summary>Offsets and cursors.</summary>
    public PendingPositions Positions { get; } = new();

    /// <summary>Bytes added; 0 for nothing.</summary>
    public int PendingBytes => _recordBytes + Positions.BytesMax;

    /// <summary>Adds a record.</summary>
    public void Append(TopicPartition partition, in LogRecord record)
    {
        TopicSlots slots = SlotsOf(partition);
        long recordBytes = (long)record.Key.Length + record.Value.Length + record.Headers.Length;
        if (recordBytes > slots.RecordBytesMax)
            ThrowTooLarge(slots, recordBytes);
        if (PendingBytes + recordBytes + EntryHeader.Bytes + RecordCodec.OverheadBytesMax + FrameHeader.Bytes
            > _options.CommitBytesMax)
        {
            ThrowCommitTooLarge();
        }
        ref BatchBuilder? slot = ref slots.Batches[partition.Partition];
        if (slot is null || slot.PayloadBytes >= _options.BatchBytesMax)
            slot = StartBatch(partition);
        int before = slot.PayloadBytes;
        slot.Add(record);
        _recordBytes += slot.PayloadBytes - before;
    }

    /// <summary>Checks that the log has a partition.</summary>
    public void Require(TopicPartition partition) => SlotsOf(partition);

    /// <inheritdoc/>
    public long Commit()
    {
        if (PendingBytes == 0)
        {
            _lease.ThrowIfFenced();
            lock (_state.Gate)
            {
                _state.ThrowIfUnusable();
                return _state.LastCommit;
            }
        }
        _frame.Clear();
        foreach (BatchBuilder batch in _batches)
            batch.WriteTo(_frame);
        Positions.WriteTo(_frame);
        if (_frame.Length > _options.CommitBytesMax)
            ThrowCommitTooLarge();
        long commit = _appender.Commit(_frame, _lease);
        Clear();
        return commit;
    }

    /// <summary>Forgets everything.</summary>
    public void Clear()
    {
        foreach (BatchBuilder batch in _batches)
        {
            _topics[batch.Partition.Topic]!.Batches[batch.Partition.Partition] = null;
            _spare.Push(batch);
        }
        _batches.Clear();
        Positions.Clear();
        _recordBytes = 0;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Clear();
        _topics = [];
        foreach (BatchBuilder batch in _spare)
            batch.Dispose();
        _frame.Dispose();
        Positions.Dispose();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private TopicSlots SlotsOf(TopicPartition partition)
    {
        TopicSlots?[] topics = _topics;
        TopicSlots? slots = (uint)partition.Topic < (uint)topics.Length ? topics[partition.Topic] : null;
        slots ??= AddSlots(partition);
        if ((uint)partition.Partition >= (uint)slots.Batches.Length)
            throw NoSuchPartition(partition);
        return slots;
    }

    private BatchBuilder StartBatch(TopicPartition partition)
    {
        if (!_spare.TryPop(out BatchBuilder? batch))
            batch = new BatchBuilder();
        batch.Start(partition);
        _batches.Add(batch);
        _recordBytes += EntryHeader.Bytes;
        return batch;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private TopicSlots AddSlots(TopicPartition partition)
    {
        Topic topic;
        lock (_state.Gate)
        {
            _state.ThrowIfUnusable();
            topic = _state.Catalog.Topics.Find(partition.Topic)?.Topic ?? throw NoSuchPartition(partition);
        }
        if (topic.Id >= _topics.Length)
            Array.Resize(ref _topics, topic.Id + 8);
        return _topics[topic.Id] = new TopicSlots(topic);
    }

    private static ArgumentException NoSuchPartition(TopicPartition partition) =>
        new($"The log has no partition {partition.Partition} of a topic number {partition.Topic}.");

    private static void ThrowTooLarge(TopicSlots slots, long recordBytes) =>
        throw new RecordTooLargeException(
            $"A record of {recordBytes:N0} bytes is over the limit of topic {slots.Name} " +
            $"({slots.RecordBytesMax:N0} bytes).");

    private void ThrowCommitTooLarge() => throw new CommitTooLargeException(
        $"The commit would be larger than CommitBytesMax ({_options.CommitBytesMax:N0} bytes); it holds " +
        $"{PendingBytes:N0}. Commit more often, or raise the limit.");

    /// <summary>What is known of a topic, and the batch that is being filled for each partition.</summary>
    private sealed class TopicSlots(Topic topic)
    {
        public string Name => topic.Name;

        public int RecordBytesMax { get; } = topic.Spec.RecordBytesMax;

        public BatchBuilder?[] Batches { get; } = new BatchBuilder?[topic.Partitions];
    }
}
