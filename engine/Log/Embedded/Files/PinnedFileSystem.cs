using Streams.Log.Embedded.Segments;

namespace Streams.Log.Embedded.Files;

/// <summary>
/// The files of a log as they were at one moment, while their owner goes on: each stays open at the length
/// that it had, so nothing that is appended, replaced or deleted meanwhile changes what is seen here. Takes
/// no lock and writes nothing.
/// </summary>
/// <remarks>
/// The order makes the files fit together. The note of what is durable is copied first, for it must not be
/// ahead of the segments. The segments follow by number, so that the last, which names what may have been
/// removed from the others, is taken after them. The list of names has to be the same before and after: then
/// the last one had no successor yet.
/// </remarks>
internal sealed class PinnedFileSystem : ILogFileSystem, IDisposable
{
    // Segments come and go every few milliseconds at most, and taking hold of all takes less.
    private const int AttemptsMax = 50;

    private readonly ILogFileSystem _files;
    private readonly Lock _lock = new();
    private readonly Dictionary<string, ILogFile> _pinned = new(StringComparer.Ordinal);
    private readonly List<ILogFile> _open = [];

    private PinnedFileSystem(ILogFileSystem files) => _files = files;

    /// <inheritdoc/>
    public string Location => _files.Location;

    /// <inheritdoc/>
    public bool IsReadOnly => true;

    /// <summary>Takes hold of the files as they are now.</summary>
    /// <exception cref="LogUnavailableException">They change too fast.</exception>
    public static PinnedFileSystem Take(ILogFileSystem files)
    {
        for (int attempt = 0; attempt < AttemptsMax; attempt++)
        {
            var pinned = new PinnedFileSystem(files);
            bool isWhole = false;
            try
            {
                isWhole = pinned.TryPinAll();
                if (isWhole)
                    return pinned;
            }
            finally
            {
                if (!isWhole)
                    pinned.Dispose();
            }
        }
        throw new LogUnavailableException(
            $"The log in {files.Location} changes faster than it can be looked at. Try again.");
    }

    /// <inheritdoc/>
    public void Prepare()
    {
        // There is nothing to create: a directory without a log has nothing to show.
    }

    /// <inheritdoc/>
    public ILogFile Open(string name, LogFileMode mode) => mode == LogFileMode.Read
        ? Pin(name) ?? throw new FileNotFoundException($"There is no file {name} in {Location}.")
        : throw ReadOnly();

    /// <inheritdoc/>
    public bool Exists(string name) => Pin(name) is not null;

    /// <inheritdoc/>
    public IReadOnlyList<string> List()
    {
        lock (_lock)
            return [.. _pinned.Keys];
    }

    /// <inheritdoc/>
    public void Rename(string name, string newName) => throw ReadOnly();

    /// <inheritdoc/>
    public void Delete(string name) => throw ReadOnly();

    /// <inheritdoc/>
    public void SyncDirectory() => throw ReadOnly();

    /// <inheritdoc/>
    public IDisposable? TryLock(string name) => throw ReadOnly();

    /// <inheritdoc/>
    public void DropFromCache(string name)
    {
        // The owner's affair.
    }

    /// <inheritdoc/>
    public long FreeBytes() => 0;

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (ILogFile file in _open)
            file.Dispose();
        _open.Clear();
        _pinned.Clear();
    }

    private bool TryPinAll()
    {
        CopyNote();
        List<long> numbers = SegmentNumbers();
        foreach (long number in numbers)
        {
            if (Pin(LogSegment.NameOf(number)) is null)
                return false;
        }
        return numbers.SequenceEqual(SegmentNumbers());
    }

    // It is written in place, again and again.
    private void CopyNote()
    {
        if (!_files.Exists(DurableNote.FileName))
            return;
        using ILogFile file = _files.Open(DurableNote.FileName, LogFileMode.Read);
        byte[] bytes = new byte[Math.Min(file.Length, 4096)];
        int read = file.ReadAt(bytes, 0);
        _pinned[DurableNote.FileName] = new CopiedFile(bytes.AsMemory(0, read));
    }

    private List<long> SegmentNumbers()
    {
        var numbers = new List<long>();
        foreach (string name in _files.List())
        {
            if (LogSegment.TryParseName(name, out long number))
                numbers.Add(number);
        }
        numbers.Sort();
        return numbers;
    }

    private ILogFile? Pin(string name)
    {
        lock (_lock)
        {
            if (_pinned.TryGetValue(name, out ILogFile? pinned))
                return pinned;
            try
            {
                ILogFile file = _files.Open(name, LogFileMode.Read);
                _open.Add(file);
                return _pinned[name] = new PinnedFile(file, file.Length);
            }
            catch (FileNotFoundException)
            {
                return null;
            }
        }
    }

    private InvalidOperationException ReadOnly() => new($"The log in {Location} is open to read only.");

    /// <summary>A file at the length that it had; closed with the others, not by its readers.</summary>
    private sealed class PinnedFile(ILogFile file, long length) : ILogFile
    {
        public long Length => length;

        public int ReadAt(Span<byte> destination, long position) =>
            position >= length
                ? 0
                : file.ReadAt(destination[..(int)Math.Min(destination.Length, length - position)], position);

        public void WriteAt(ReadOnlySpan<byte> source, long position) => throw new NotSupportedException();

        public void Truncate(long length) => throw new NotSupportedException();

        public void Sync() => throw new NotSupportedException();

        public void Dispose()
        {
            // See the summary.
        }
    }

    private sealed class CopiedFile(ReadOnlyMemory<byte> bytes) : ILogFile
    {
        public long Length => bytes.Length;

        public int ReadAt(Span<byte> destination, long position)
        {
            ReadOnlySpan<byte> rest = bytes.Span[(int)Math.Min(position, bytes.Length)..];
            rest = rest[..Math.Min(rest.Length, destination.Length)];
            rest.CopyTo(destination);
            return rest.Length;
        }

        public void WriteAt(ReadOnlySpan<byte> source, long position) => throw new NotSupportedException();

        public void Truncate(long length) => throw new NotSupportedException();

        public void Sync() => throw new NotSupportedException();

        public void Dispose()
        {
            // There is nothing open.
        }
    }
}
