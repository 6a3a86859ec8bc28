namespace Streams.Log;

/// <summary>
/// Records of one partition, in offset order, read at once. The instance and its memory are reused: views of
/// a record are valid until the next read into the batch or its disposal.
/// </summary>
public abstract class LogBatch : IDisposable
{
    /// <summary>Where the records come from.</summary>
    public TopicPartition Partition { get; protected set; }

    /// <summary>The offset to read from next: one past the last record, whether or not all were
    /// taken.</summary>
    public long NextOffset { get; protected set; }

    /// <summary>Takes the next record.</summary>
    /// <returns>Whether there was one.</returns>
    public abstract bool TryRead(out LogRecord record);

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Gives the memory back.</summary>
    protected abstract void Dispose(bool disposing);
}
