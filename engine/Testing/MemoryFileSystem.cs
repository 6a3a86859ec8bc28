using Streams.Log;
using Streams.Log.Embedded.Files;

namespace Streams.Testing;

/// <summary>Files of a log that lie in memory and end with the process: for tests of topologies.</summary>
public sealed class MemoryFileSystem : ILogFileSystem
{
    private readonly Dictionary<string, Contents> _files = new(StringComparer.Ordinal);
    private readonly HashSet<string> _locks = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public string Location => "memory";

    /// <inheritdoc/>
    public void Prepare()
    {
    }

    /// <inheritdoc/>
    public ILogFile Open(string name, LogFileMode mode)
    {
        lock (_files)
        {
            if (mode == LogFileMode.Create)
                _files[name] = new Contents();
            return _files.TryGetValue(name, out Contents? contents)
                ? new MemoryFile(contents)
                : throw new FileNotFoundException($"There is no file '{name}'.", name);
        }
    }

    /// <inheritdoc/>
    public bool Exists(string name)
    {
        lock (_files)
            return _files.ContainsKey(name);
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> List()
    {
        lock (_files)
            return [.. _files.Keys];
    }

    /// <inheritdoc/>
    public void Rename(string name, string newName)
    {
        lock (_files)
        {
            _files[newName] = _files[name];
            _files.Remove(name);
        }
    }

    /// <inheritdoc/>
    public void Delete(string name)
    {
        lock (_files)
            _files.Remove(name);
    }

    /// <inheritdoc/>
    public void SyncDirectory()
    {
    }

    /// <inheritdoc/>
    public IDisposable? TryLock(string name)
    {
        lock (_files)
            return _locks.Add(name) ? new Held(this, name) : null;
    }

    /// <inheritdoc/>
    public void DropFromCache(string name)
    {
    }

    /// <inheritdoc/>
    public long FreeBytes() => long.MaxValue;

    private sealed class Contents
    {
        internal byte[] Bytes = new byte[4096];
        internal long Length;
    }

    private sealed class Held(MemoryFileSystem owner, string name) : IDisposable
    {
        public void Dispose()
        {
            lock (owner._files)
                owner._locks.Remove(name);
        }
    }

    private sealed class MemoryFile(Contents contents) : ILogFile
    {
        public long Length
        {
            get
            {
                lock (contents)
                    return contents.Length;
            }
        }

        public int ReadAt(Span<byte> destination, long position)
        {
            lock (contents)
            {
                int count = (int)Math.Clamp(contents.Length - position, 0, destination.Length);
                contents.Bytes.AsSpan((int)Math.Min(position, contents.Length), count).CopyTo(destination);
                return count;
            }
        }

        public void WriteAt(ReadOnlySpan<byte> source, long position)
        {
            lock (contents)
            {
                Reserve(position + source.Length);
                source.CopyTo(contents.Bytes.AsSpan((int)position));
                contents.Length = Math.Max(contents.Length, position + source.Length);
            }
        }

        public void Truncate(long length)
        {
            lock (contents)
            {
                Reserve(length);
                if (length < contents.Length)
                    contents.Bytes.AsSpan((int)length, (int)(contents.Length - length)).Clear();
                contents.Length = length;
            }
        }

        public void Sync()
        {
        }

        public void Dispose()
        {
        }

        private void Reserve(long length)
        {
            if (length > Array.MaxLength)
                throw new LogFullException($"A file in memory cannot have {length:N0} bytes.");
            if (length > contents.Bytes.Length)
                Array.Resize(ref contents.Bytes,
                    (int)Math.Min(Math.Max(length, 2L * contents.Bytes.Length), Array.MaxLength));
        }
    }
}
