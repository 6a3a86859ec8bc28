namespace Streams.State;

/// <summary>A store has reached the memory that it was given.</summary>
public sealed class StateLimitException : Exception
{
    /// <summary>A store's memory is used up.</summary>
    public StateLimitException(string store, long bytes, long bytesMax)
        : base(
            $"The store '{store}' of a task holds {bytes:N0} bytes and may hold {bytesMax:N0}. Raise its "
            + "StateBytesMax, shorten its retention, give its entries a TimeToLive, keep it on disk, or "
            + "spread the topic over more partitions.")
    {
    }

    /// <summary>Another bound of a store is reached.</summary>
    public StateLimitException(string message)
        : base(message)
    {
    }
}
