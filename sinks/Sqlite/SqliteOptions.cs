namespace Streams.Sinks.Sqlite;

/// <summary>How records are written to a SQLite file.</summary>
public sealed record SqliteOptions
{
    /// <summary>The file; made where it is missing. Its folder must exist.</summary>
    public required string File { get; init; }

    /// <summary>Whether the indexes that a mapping names are made. Without them writing is faster. Default
    /// true.</summary>
    public bool Indexes { get; init; } = true;

    /// <summary>Bound on the memory for pages of the file, in bytes. Keys are hashes, so the rows of a commit
    /// lie all over the file; with a larger cache fewer pages are read again. Default 256 MiB.</summary>
    public long CacheBytesMax { get; init; } = 256L << 20;

    /// <summary>This much is kept in the file's WAL before its pages are written back, each once however many
    /// commits touched it, in bytes: less takes less of the disk, and slows the sink. Default 1
    /// GiB.</summary>
    public long CheckpointBytes { get; init; } = 1L << 30;

    /// <summary>How long to wait for another connection that holds the file. Default 10 s.</summary>
    public TimeSpan BusyTimeout { get; init; } = TimeSpan.FromSeconds(10);
}
