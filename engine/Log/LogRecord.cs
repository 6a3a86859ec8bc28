namespace Streams.Log;

/// <summary>A record as the log holds it: views of bytes that belong to a batch or to the caller.</summary>
public readonly ref struct LogRecord
{
    /// <summary>Its place in the partition; the log assigns it, so it is not set on the way in.</summary>
    public long Offset { get; init; }

    /// <summary>Event time, Unix milliseconds UTC.</summary>
    public required long TimestampMs { get; init; }

    /// <summary>The key's bytes; empty where <see cref="HasKey"/> is false.</summary>
    public ReadOnlySpan<byte> Key { get; init; }

    /// <summary>Whether there is a key, which may be of zero bytes.</summary>
    public bool HasKey { get; init; }

    /// <summary>The value's bytes; empty where <see cref="HasValue"/> is false.</summary>
    public ReadOnlySpan<byte> Value { get; init; }

    /// <summary>Whether there is a value; without one the record is a tombstone.</summary>
    public bool HasValue { get; init; }

    /// <summary>The headers, in the form of <see cref="Records.Headers"/>; empty for none.</summary>
    public ReadOnlySpan<byte> Headers { get; init; }
}
