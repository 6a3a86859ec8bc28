namespace Streams.Log.Embedded.Files;

/// <summary>How a file is opened.</summary>
public enum LogFileMode
{
    /// <summary>An existing file, to read.</summary>
    Read,

    /// <summary>An existing file, to read and write.</summary>
    Write,

    /// <summary>A new, empty file, to read and write; one of that name is replaced.</summary>
    Create,
}

/// <summary>
/// The files of one directory, and everything that the embedded log and the snapshots of stores ask of an
/// operating system. An implementation in memory can thus lose power, tear writes and fill up, from a seed.
/// </summary>
/// <remarks>
/// What is written survives a power cut only after <see cref="ILogFile.Sync"/>; a file that was created,
/// renamed or deleted is so for good only after <see cref="SyncDirectory"/>. Failures are
/// <see cref="IOException"/>; a write that finds no room throws <see cref="LogFullException"/> and may have
/// written a part. Thread-safe.
/// </remarks>
public interface ILogFileSystem
{
    /// <summary>Names the directory in messages to people.</summary>
    string Location { get; }

    /// <summary>Whether nothing can be written; then nothing is, where that is only for speed.</summary>
    bool IsReadOnly => false;

    /// <summary>Creates the directory where it is missing.</summary>
    /// <exception cref="LogUnavailableException">It cannot be used.</exception>
    void Prepare();

    /// <summary>Opens a file of the directory.</summary>
    /// <exception cref="FileNotFoundException">There is none of that name to read or write.</exception>
    ILogFile Open(string name, LogFileMode mode);

    /// <summary>Whether there is a file of that name.</summary>
    bool Exists(string name);

    /// <summary>The names of all files, in no particular order; none where there is no directory.</summary>
    IReadOnlyList<string> List();

    /// <summary>
    /// Gives a file another name, replacing a file that has it; readers of that one keep it.
    /// </summary>
    void Rename(string name, string newName);

    /// <summary>Deletes a file; nothing happens where there is none.</summary>
    void Delete(string name);

    /// <summary>Makes creations, renames and deletions so far survive a power cut.</summary>
    void SyncDirectory();

    /// <summary>
    /// Takes the lock of that name, which ends with its holder's process however that ends.
    /// </summary>
    /// <returns>The lock, or null when somebody else holds it.</returns>
    IDisposable? TryLock(string name);

    /// <summary>
    /// Says that a file's bytes need not stay in memory once they are synced; a hint, where there is no such
    /// file too.
    /// </summary>
    void DropFromCache(string name);

    /// <summary>Bytes that can still be written.</summary>
    long FreeBytes();
}

/// <summary>An open file. Reads and writes name their position, so threads share it without a lock.</summary>
public interface ILogFile : IDisposable
{
    /// <summary>The file's length in bytes.</summary>
    long Length { get; }

    /// <summary>Fills <paramref name="destination"/> from <paramref name="position"/> on.</summary>
    /// <returns>Bytes read: fewer than asked only where the file ends.</returns>
    int ReadAt(Span<byte> destination, long position);

    /// <summary>Writes all of <paramref name="source"/> at <paramref name="position"/>.</summary>
    /// <exception cref="LogFullException">There is no room; a part may have been written.</exception>
    void WriteAt(ReadOnlySpan<byte> source, long position);

    /// <summary>Cuts the file off, or extends it with zeros.</summary>
    void Truncate(long length);

    /// <summary>Returns when the file's contents and length survive a power cut.</summary>
    void Sync();
}
