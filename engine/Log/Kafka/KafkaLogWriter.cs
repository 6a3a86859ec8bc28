namespace Streams.Log.Kafka;

/// <summary>Collects commits for a <see cref="KafkaLog"/>. While one that was prepared is being sent, the
/// next one is collected.</summary>
internal sealed class KafkaLogWriter : ILogWriter
{
    private readonly KafkaLog _log;
    private readonly KafkaSender _sender;
    private KafkaCommit _open;
    private KafkaCommit? _prepared;
    private bool _disposed;

    internal KafkaLogWriter(KafkaLog log, string? transactionalId)
    {
        _log = log;
        _sender = new KafkaSender(log, transactionalId);
        _open = new KafkaCommit(log, _sender);
    }

    /// <inheritdoc/>
    public int PendingBytes => _open.PendingBytes;

    /// <inheritdoc/>
    public void Append(TopicPartition partition, in LogRecord record) => _open.Append(partition, record);

    /// <inheritdoc/>
    public void CommitOffset(string group, TopicPartition partition, long nextOffset)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(nextOffset);
        _open.SetOffset(group, partition, nextOffset);
    }

    /// <inheritdoc/>
    public void CommitCursor(string source, string key, ReadOnlySpan<byte> cursor) =>
        _open.SetCursor(source, key, cursor);

    /// <inheritdoc/>
    public long Commit()
    {
        RequireCommitted();
        return _open.Commit();
    }

    /// <inheritdoc/>
    public ICommit Prepare()
    {
        RequireCommitted();
        (_open, _prepared) = (_prepared ?? new KafkaCommit(_log, _sender), _open);
        return _prepared;
    }

    /// <inheritdoc/>
    public void Abort() => _open.Clear();

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        if (_sender.Abandoned is { } call)
            call.ContinueWith(
                _ => Free(), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        else
            Free();
    }

    private void Free()
    {
        _sender.Dispose();
        _open.Dispose();
        _prepared?.Dispose();
    }

    private void RequireCommitted()
    {
        if (_prepared is { PendingBytes: > 0 })
            throw new InvalidOperationException("The commit that was prepared before has not been made.");
    }
}
