namespace Streams.State;

/// <summary>A store has reached the memory that it was given.</summary>
public sealed class StateLimitException(long bytes, long bytesMax) : Exception(
    $"The store holds {bytes:N0} bytes and may hold {bytesMax:N0}. Raise its StateBytesMax, shorten its " +
        $"retention, " +
    "or spread the topic over more partitions.");
