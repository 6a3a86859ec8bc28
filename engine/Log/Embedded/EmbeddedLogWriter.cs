using System.Runtime.CompilerServices;
using Streams.Log.Embedded.Format;

namespace Streams.Log.Embedded;

/// <summary>
/// Collects a commit for an <see cref="EmbeddedLog"/>: encoded and summed up on the writer's own thread.
/// </summary>
internal sealed class EmbeddedLogWriter : ILogWriter
{
    private readonly LogState _state;
    private readonly Appender _appender;
    private readonly EmbeddedLogOptions _options;
    private readonly WriterLease _lease;
    private readonly FrameBuilder _frame = new();
    private readonly PendingPositions _positions = new();
    private readonly List<BatchBuilder> _batches = [];
    private readonly Stack<BatchBuilder> _spare = [];
    private TopicSlots?[] _topics = [];
    private int _recordBytes;
    private bool _disposed;

    public EmbeddedLogWriter(LogState state, Appender appender, EmbeddedLogOptions options, WriterLease lease)
    {
        _state = state;
        _appender = appender;
        _options = options;
        _lease = lease;
    }

    /// <inheritdoc/>
    public int PendingBytes => _recordBytes + _positions.BytesMax;

    /// <inheritdoc/>
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

    /// <inheritdoc/>
    public void CommitOffset(string group, TopicPartition partition, long nextOffset)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        ArgumentOutOfRangeException.ThrowIfNegative(nextOffset);
        TopicSlots slots = SlotsOf(partition);
        _positions.SetOffset(group, partition, nextOffset);
    }

    /// <inheritdoc/>
    public void CommitCursor(string source, string key, ReadOnlySpan<byte> cursor)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        _positions.SetCursor(source, key, cursor);
    }

    /// <inheritdoc/>
    public long Commit()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
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
        _positions.WriteTo(_frame);
        if (_frame.Length > _options.CommitBytesMax)
            ThrowCommitTooLarge();
        long commit = _appender.Commit(_frame, _lease);
        Abort();
        return commit;
    }

    /// <inheritdoc/>
    public void Abort()
    {
        foreach (BatchBuilder batch in _batches)
        {
            _topics[batch.Partition.Topic]!.Batches[batch.Partition.Partition] = null;
            _spare.Push(batch);
        }
        _batches.Clear();
        _positions.Clear();
        _recordBytes = 0;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_disposed)
            return;
        Abort();
        _disposed = true;
        _topics = [];
        foreach (BatchBuilder batch in _spare)
            batch.Dispose();
        _frame.Dispose();
        _positions.Dispose();
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
        ObjectDisposedException.ThrowIf(_disposed, this);
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

    /// <summary>What a writer knows of a topic, and the batch it is filling for each partition.</summary>
    private sealed class TopicSlots(Topic topic)
    {
        public string Name => topic.Name;

        public int RecordBytesMax { get; } = topic.Spec.RecordBytesMax;

        public BatchBuilder?[] Batches { get; } = new BatchBuilder?[topic.Partitions];
    }
}
