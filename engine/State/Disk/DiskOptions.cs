namespace Streams.State.Disk;

/// <summary>Stores that are larger than memory, and what memory they may take.</summary>
/// <remarks>Memory is bounded by <see cref="BlockCacheBytes"/> once for the application, and by
/// <see cref="EntryCacheBytes"/> and twice <see cref="WriteBufferBytes"/> for each such store of a
/// task.</remarks>
public sealed record DiskOptions
{
    /// <summary>Names of key-value stores that are kept on disk, beside those that the topology declares so.
    /// Needs the package librocksdb7.8.</summary>
    public IReadOnlyList<string> Stores { get; init; } = [];

    /// <summary>Bytes of a store's entries that a task keeps in memory: what was read or changed last. What
    /// one commit changes must fit. Default 64 MiB.</summary>
    public long EntryCacheBytes { get; init; } = 64L << 20;

    /// <summary>Bytes of file blocks that all stores on disk keep in memory together. Default 256
    /// MiB.</summary>
    public long BlockCacheBytes { get; init; } = 256L << 20;

    /// <summary>Bytes of changes of a store that are collected before they become a file. More means fewer
    /// bytes written, and a longer replay after a crash. Default 32 MiB.</summary>
    public long WriteBufferBytes { get; init; } = 32L << 20;

    /// <summary>Files of a store that are open at once, at most. Default 512.</summary>
    public int OpenFilesMax { get; init; } = 512;

    /// <summary>Reads and writes files past the page cache, so that the options above bound all memory that
    /// the stores take. Default true; false where the file system has no O_DIRECT.</summary>
    public bool DirectIo { get; init; } = true;
}
