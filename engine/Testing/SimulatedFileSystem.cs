using Streams.Log;
using Streams.Log.Embedded.Files;

namespace Streams.Testing;

/// <summary>
/// A directory in memory that behaves as badly as a real one may, from a seed: what was not synced can be
/// lost in any order and sector by sector when it crashes, the disk fills up, syncs fail, bits flip.
/// </summary>
/// <remarks>
/// What it guarantees is what a journalling file system guarantees and no more: a synced file is whole up to
/// its length; creations, renames and deletions are lost from the end only, up to the last sync of the
/// directory.
/// </remarks>
public sealed class SimulatedFileSystem : ILogFileSystem
{
    private readonly Lock _lock = new();
    private readonly Random _random;
    private readonly Dictionary<string, SimulatedFile> _files = new(StringComparer.Ordinal);
    private readonly List<DirectoryChange> _unsynced = [];
    private Dictionary<string, SimulatedFile> _durable = new(StringComparer.Ordinal);
    private string? _locked;
    private int _life;

    /// <summary>An empty directory whose accidents follow from the seed.</summary>
    public SimulatedFileSystem(int seed) => _random = new Random(seed);

    /// <inheritdoc/>
    public string Location => "/simulated";

    /// <summary>How many changes (writes, syncs, renames, ...) were made.</summary>
    public long Operations { get; private set; }

    /// <summary>How many open files nobody has closed yet.</summary>
    public int OpenFiles { get; private set; }

    /// <summary>How many files were synced.</summary>
    public long Syncs { get; private set; }

    /// <summary>
    /// The power fails at the change that makes <see cref="Operations"/> this many; null for never.
    /// </summary>
    public long? CrashAtOperation { get; set; }

    /// <summary>Bytes that all files together may have. No limit at first.</summary>
    public long CapacityBytes { get; set; } = long.MaxValue;

    /// <summary>Whether syncs fail, as they do when a disk cannot write a sector.</summary>
    public bool SyncsFail { get; set; }

    /// <inheritdoc/>
    public void Prepare()
    {
        // It is there.
    }

    /// <inheritdoc/>
    public ILogFile Open(string name, LogFileMode mode)
    {
        lock (_lock)
        {
            if (mode == LogFileMode.Create)
            {
                Count();
                Change(name, new SimulatedFile());
            }
            if (!_files.TryGetValue(name, out SimulatedFile? file))
                throw new FileNotFoundException($"There is no file {name}.");
            OpenFiles++;
            return new Handle(this, file, _life);
        }
    }

    /// <inheritdoc/>
    public bool Exists(string name)
    {
        lock (_lock)
            return _files.ContainsKey(name);
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> List()
    {
        lock (_lock)
            return [.. _files.Keys];
    }

    /// <inheritdoc/>
    public void Rename(string name, string newName)
    {
        lock (_lock)
        {
            Count();
            // One change: no crash leaves the file under both names or under none.
            var change = new DirectoryChange(newName, _files[name], name);
            _unsynced.Add(change);
            change.ApplyTo(_files);
        }
    }

    /// <inheritdoc/>
    public void Delete(string name)
    {
        lock (_lock)
        {
            if (!_files.ContainsKey(name))
                return;
            Count();
            Change(name, null);
        }
    }

    /// <inheritdoc/>
    public void SyncDirectory()
    {
        lock (_lock)
        {
            Count();
            _durable = new Dictionary<string, SimulatedFile>(_files, StringComparer.Ordinal);
            _unsynced.Clear();
        }
    }

    /// <inheritdoc/>
    public IDisposable? TryLock(string name)
    {
        lock (_lock)
        {
            if (_locked is not null)
                return null;
            _locked = name;
            return new Unlock(this, _life);
        }
    }

    /// <inheritdoc/>
    public void DropFromCache(string name)
    {
    }

    /// <inheritdoc/>
    public long FreeBytes()
    {
        lock (_lock)
            return CapacityBytes - UsedBytes();
    }

    /// <summary>
    /// Cuts the power and starts again: of what was not synced, any part is there. Everything opened before
    /// is dead.
    /// </summary>
    public void Crash()
    {
        lock (_lock)
        {
            int kept = _random.Next(_unsynced.Count + 1);
            for (int i = 0; i < kept; i++)
                _unsynced[i].ApplyTo(_durable);
            foreach (SimulatedFile file in new HashSet<SimulatedFile>(_durable.Values))
                file.Crash(_random);
            _files.Clear();
            foreach ((string name, SimulatedFile file) in _durable)
                _files[name] = file;
            _unsynced.Clear();
            Restart();
        }
    }

    /// <summary>
    /// Kills the process and starts again: all that was written is there. Everything opened before is dead.
    /// </summary>
    public void Kill()
    {
        lock (_lock)
            Restart();
    }

    /// <summary>Flips one bit of a file, synced or not.</summary>
    public void FlipBit(string name, long position, int bit)
    {
        lock (_lock)
            _files[name].FlipBit(position, bit);
    }

    /// <summary>Puts back the bits that flipped and were not written over; a crash does so too.</summary>
    public void HealBits()
    {
        lock (_lock)
        {
            foreach (SimulatedFile file in new HashSet<SimulatedFile>(_files.Values.Concat(_durable.Values)))
                file.HealBits();
        }
    }

    /// <summary>Bytes that all files together have.</summary>
    public long UsedBytes()
    {
        lock (_lock)
        {
            long used = 0;
            foreach (SimulatedFile file in _files.Values)
                used += file.Length;
            return used;
        }
    }

    /// <summary>A copy of a file's bytes.</summary>
    public byte[] Contents(string name)
    {
        lock (_lock)
            return _files[name].Contents();
    }

    /// <summary>Replaces a file's bytes, as if they had always been there.</summary>
    public void SetContents(string name, ReadOnlySpan<byte> bytes)
    {
        lock (_lock)
        {
            var file = new SimulatedFile();
            file.Write(bytes, 0);
            file.Sync();
            _files[name] = file;
            _durable[name] = file;
        }
    }

    /// <summary>Another directory with copies of all files, as if they had always been there.</summary>
    public SimulatedFileSystem Copy(int seed)
    {
        lock (_lock)
        {
            var copy = new SimulatedFileSystem(seed);
            foreach ((string name, SimulatedFile file) in _files)
                copy.SetContents(name, file.Contents());
            return copy;
        }
    }

    private void Restart()
    {
        _life++;
        OpenFiles = 0;
        _locked = null;
        CrashAtOperation = null;
    }

    private void Change(string name, SimulatedFile? file)
    {
        var change = new DirectoryChange(name, file);
        _unsynced.Add(change);
        change.ApplyTo(_files);
    }

    private void Count()
    {
        if (CrashAtOperation is { } at && Operations + 1 >= at)
            throw new SimulatedPowerCutException();
        Operations++;
    }

    private void Write(SimulatedFile file, ReadOnlySpan<byte> source, long position)
    {
        Count();
        long growth = Math.Max(0, position + source.Length - file.Length);
        long room = CapacityBytes - UsedBytes();
        if (growth > room)
        {
            // As a real disk does: what fits is written, then the write fails.
            file.Write(source[..(int)Math.Max(0, source.Length - growth + room)], position);
            throw new LogFullException("The simulated disk is full.");
        }
        file.Write(source, position);
    }

    private void Sync(SimulatedFile file)
    {
        Count();
        Syncs++;
        if (SyncsFail)
            throw new IOException("The simulated disk cannot write a sector.");
        file.Sync();
    }

    /// <summary>A file given to a name or taken from it; a rename also takes it from the old name.</summary>
    private readonly record struct DirectoryChange(string Name, SimulatedFile? File, string? OldName = null)
    {
        public void ApplyTo(Dictionary<string, SimulatedFile> files)
        {
            if (OldName is not null)
                files.Remove(OldName);
            if (File is null)
                files.Remove(Name);
            else
                files[Name] = File;
        }
    }

    private sealed class Unlock(SimulatedFileSystem files, int life) : IDisposable
    {
        public void Dispose()
        {
            lock (files._lock)
            {
                if (files._life == life)
                    files._locked = null;
            }
        }
    }

    private sealed class Handle(SimulatedFileSystem files, SimulatedFile file, int life) : ILogFile
    {
        private bool _isClosed;

        public long Length
        {
            get
            {
                lock (files._lock)
                    return file.Length;
            }
        }

        public int ReadAt(Span<byte> destination, long position)
        {
            lock (files._lock)
            {
                ThrowIfDead();
                return file.Read(destination, position);
            }
        }

        public void WriteAt(ReadOnlySpan<byte> source, long position)
        {
            lock (files._lock)
            {
                ThrowIfDead();
                files.Write(file, source, position);
            }
        }

        public void Truncate(long length)
        {
            lock (files._lock)
            {
                ThrowIfDead();
                files.Count();
                file.Truncate(length);
            }
        }

        public void Sync()
        {
            lock (files._lock)
            {
                ThrowIfDead();
                files.Sync(file);
            }
        }

        public void Dispose()
        {
            lock (files._lock)
            {
                if (!_isClosed && files._life == life)
                    files.OpenFiles--;
                _isClosed = true;
            }
        }

        private void ThrowIfDead()
        {
            if (files._life != life)
                throw new SimulatedPowerCutException();
            ObjectDisposedException.ThrowIf(_isClosed, this);
        }
    }
}

/// <summary>
/// The power of a <see cref="SimulatedFileSystem"/> is off; no code under test may go on after this.
/// </summary>
public sealed class SimulatedPowerCutException() : Exception("The simulated power is off.");
