namespace Streams.Log.Kafka;

/// <summary>
/// What a commit of a <see cref="KafkaLogWriter"/> is going to hold. Nothing of it is sent before it is
/// committed, so that a transaction is open only for as long as that takes, and giving up costs nothing.
/// </summary>
internal sealed class KafkaCommit(KafkaLog log, KafkaSender sender) : ICommit, IDisposable
{
    private readonly RecordPages _records = new();
    private readonly Dictionary<(string Group, TopicPartition Partition), long> _offsets = [];
    private readonly Dictionary<(string Source, string Key), byte[]> _cursors = [];
    private int _cursorBytes;

    /// <summary>Bytes added; 0 for nothing.</summary>
    internal int PendingBytes =>
        (int)Math.Min(_records.Bytes + _cursorBytes + (_offsets.Count * 16L), int.MaxValue);

    /// <summary>Adds a record.</summary>
    internal void Append(TopicPartition partition, in LogRecord record)
    {
        Topic topic = log.TopicsOf.ById(partition.Topic);
        long bytes = (long)record.Key.Length + record.Value.Length + record.Headers.Length;
        if (bytes > topic.Spec.RecordBytesMax)
            throw new RecordTooLargeException(
                $"A record of {bytes:N0} bytes is over the limit of the topic {topic.Name}, "
                + $"{topic.Spec.RecordBytesMax:N0}. Raise the topic's max.message.bytes, or write less.");
        if (PendingBytes + bytes > log.Options.CommitBytesMax)
            throw new CommitTooLargeException(
                $"A commit would be over kafka.commit_bytes_max, {log.Options.CommitBytesMax:N0} bytes.");
        _records.Add(partition, record);
    }

    /// <summary>Sets a position.</summary>
    internal void SetOffset(string group, TopicPartition partition, long offset) =>
        _offsets[(group, partition)] = offset;

    /// <summary>Sets a cursor.</summary>
    internal void SetCursor(string source, string key, ReadOnlySpan<byte> cursor)
    {
        _cursors[(source, key)] = cursor.ToArray();
        _cursorBytes += source.Length + key.Length + cursor.Length;
    }

    /// <inheritdoc/>
    public long Commit()
    {
        if (PendingBytes == 0)
            return log.LastCommit;
        foreach (((string source, string key), byte[] cursor) in _cursors)
            log.Cursors.Append(_records, source, key, cursor);
        sender.Commit(_records, _offsets);
        log.NoteWritten(_records.Entries);
        foreach (((string group, TopicPartition partition), long offset) in _offsets)
            log.Offsets.Note(log.GroupOf(group), partition, offset);
        Clear();
        return log.NextCommit();
    }

    /// <summary>Forgets what was added.</summary>
    internal void Clear()
    {
        _records.Clear();
        _offsets.Clear();
        _cursors.Clear();
        _cursorBytes = 0;
    }

    /// <inheritdoc/>
    public void Dispose() => _records.Dispose();
}
