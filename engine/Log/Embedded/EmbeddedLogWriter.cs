namespace Streams.Log.Embedded;

/// <summary>
/// Collects commits for an <see cref="EmbeddedLog"/>: encoded and summed up on the writer's own thread. While
/// one that was prepared is being committed, the next one is collected.
/// </summary>
internal sealed class EmbeddedLogWriter(
    LogState state, Appender appender, EmbeddedLogOptions options, WriterLease lease) : ILogWriter
{
    private CommitContents _open = new(state, appender, options, lease);
    private CommitContents? _prepared;
    private bool _disposed;

    /// <inheritdoc/>
    public int PendingBytes => _open.PendingBytes;

    /// <inheritdoc/>
    public void Append(TopicPartition partition, in LogRecord record)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        _open.Append(partition, record);
    }

    /// <inheritdoc/>
    public void CommitOffset(string group, TopicPartition partition, long nextOffset)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        ArgumentOutOfRangeException.ThrowIfNegative(nextOffset);
        _open.Require(partition);
        _open.Positions.SetOffset(group, partition, nextOffset);
    }

    /// <inheritdoc/>
    public void CommitCursor(string source, string key, ReadOnlySpan<byte> cursor)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        _open.Positions.SetCursor(source, key, cursor);
    }

    /// <inheritdoc/>
    public long Commit()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        RequireCommitted();
        return _open.Commit();
    }

    /// <inheritdoc/>
    public ICommit Prepare()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        RequireCommitted();
        (CommitContents next, _prepared) =
            (_prepared ?? new CommitContents(state, appender, options, lease), _open);
        _open = next;
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
        _open.Dispose();
        _prepared?.Dispose();
    }

    private void RequireCommitted()
    {
        if (_prepared is { PendingBytes: > 0 })
            throw new InvalidOperationException("The commit that was prepared before has not been made.");
    }
}
