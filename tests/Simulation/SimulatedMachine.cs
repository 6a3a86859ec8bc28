using Streams.Log.Embedded;
using Streams.Log.Embedded.Files;
using Streams.Testing;

namespace Streams.Tests.Simulation;

/// <summary>
/// A machine whose folders lose power together, at the operation that was chosen, and share one disk.
/// </summary>
internal sealed class SimulatedMachine(int seed, PlantedBug bug)
{
    private readonly SortedDictionary<string, SimulatedFolder> _folders = new(StringComparer.Ordinal);
    private readonly Random _random = new(seed);

    /// <summary>What was done to all files so far.</summary>
    internal long Operations { get; private set; }

    /// <summary>The operation at which everything ends; null for never.</summary>
    internal long? CrashAtOperation { get; set; }

    /// <summary>Whether the end has come; nothing works any more then.</summary>
    internal bool IsDown { get; private set; }

    /// <summary>Refused commits until somebody makes room on the full disk.</summary>
    internal int RefusalsUntilRoom { get; set; }

    /// <summary>A folder, made where it is missing.</summary>
    internal SimulatedFolder Folder(string path)
    {
        if (_folders.TryGetValue(path, out SimulatedFolder? folder))
            return folder;
        folder = new SimulatedFolder(this, path, new SimulatedFileSystem(seed + _folders.Count), bug);
        return _folders[path] = folder;
    }

    /// <summary>An operation, or a place between two steps where the end may come.</summary>
    internal void Count()
    {
        if (IsDown || ++Operations >= CrashAtOperation)
        {
            IsDown = true;
            throw new SimulatedPowerCutException();
        }
    }

    /// <summary>A snapshot has come to count: the end often follows now, for this is when one shows that
    /// holds what it must not.</summary>
    internal void NoteSnapshot()
    {
        if (CrashAtOperation is { } planned && _random.Next(4) == 0)
            CrashAtOperation = Math.Min(planned, Operations + _random.Next(1, 8));
    }

    /// <summary>Says that the end has come, where it has.</summary>
    internal void ThrowIfDown()
    {
        if (IsDown)
            throw new SimulatedPowerCutException();
    }

    /// <summary>The disk gets full, until so many commits were refused.</summary>
    internal void FillUp(int spareBytes, int refusals)
    {
        RefusalsUntilRoom = refusals;
        foreach (SimulatedFolder folder in _folders.Values)
            folder.Files.CapacityBytes = folder.Files.UsedBytes() + spareBytes;
    }

    /// <summary>A commit was refused.</summary>
    internal void NoteRefusal()
    {
        if (--RefusalsUntilRoom <= 0)
            MakeRoom();
    }

    /// <summary>The disk has room again.</summary>
    internal void MakeRoom()
    {
        foreach (SimulatedFolder folder in _folders.Values)
            folder.Files.CapacityBytes = long.MaxValue;
    }

    /// <summary>A bit of a file flips.</summary>
    /// <returns>Where; null where there is no file.</returns>
    internal string? FlipBit(Random random)
    {
        List<(SimulatedFolder Folder, string Name, long Bytes)> files = [.. _folders.Values.SelectMany(
            f => f.List().Select(name => (f, name, (long)f.Files.Contents(name).Length)))
            .Where(f => f.Item3 > 0)];
        if (files.Count == 0)
            return null;
        (SimulatedFolder folder, string file, long bytes) = files[random.Next(files.Count)];
        long position = random.NextInt64(bytes);
        folder.Files.FlipBit(file, position, random.Next(8));
        return $"{folder.Location}/{file} byte {position} of {bytes}";
    }

    /// <summary>Puts back the bits that flipped and nobody has written over.</summary>
    internal void HealBits()
    {
        foreach (SimulatedFolder folder in _folders.Values)
            folder.Files.HealBits();
    }

    /// <summary>Starts again after a power cut, which takes what was not synced, or after a kill.</summary>
    internal void Restart(bool powerCut)
    {
        foreach (SimulatedFolder folder in _folders.Values)
        {
            if (powerCut)
                folder.Files.Crash();
            else
                folder.Files.Kill();
        }
        MakeRoom();
        CrashAtOperation = null;
        IsDown = false;
    }

    /// <summary>Opens the machine's log.</summary>
    internal EmbeddedLog OpenLog(int segmentBytes, TimeProvider clock) =>
        EmbeddedLog.Open(new EmbeddedLogOptions
        {
            Directory = "",
            FileSystem = Folder(SimulatedRun.LogFolder),
            Manual = true,
            DiskFreeBytesMin = 0,
            SegmentBytes = segmentBytes,
            LogId = 0x1122334455667788,
            TimeProvider = clock,
            OpenFilesMax = 4,
            CompactionMapBytesMax = 4096,
        });

    /// <summary>Files of all folders whose name ends so.</summary>
    internal int CountFiles(string folder, string suffix) => _folders.TryGetValue(folder, out var found)
        ? found.List().Count(n => n.EndsWith(suffix, StringComparison.Ordinal)) : 0;

    /// <summary>The folders' paths.</summary>
    internal IEnumerable<string> Folders => _folders.Keys;
}

/// <summary>A folder of a simulated machine.</summary>
internal sealed class SimulatedFolder(
    SimulatedMachine machine, string path, SimulatedFileSystem files, PlantedBug bug) : ILogFileSystem
{
    internal SimulatedFileSystem Files => files;

    public string Location => path;

    public void Prepare() => files.Prepare();

    public ILogFile Open(string name, LogFileMode mode)
    {
        if (mode == LogFileMode.Create)
            machine.Count();
        return new SimulatedOpenFile(machine, files.Open(name, mode), bug, name);
    }

    public bool Exists(string name) => files.Exists(name);

    public IReadOnlyList<string> List() => files.List();

    public void Rename(string name, string newName)
    {
        machine.Count();
        files.Rename(name, newName);
    }

    public void Delete(string name)
    {
        machine.Count();
        files.Delete(name);
    }

    public void SyncDirectory()
    {
        machine.Count();
        bool isLog = path == SimulatedRun.LogFolder;
        if (bug != (isLog ? PlantedBug.SkipDirectorySync : PlantedBug.SkipSnapshotDirectorySync))
            files.SyncDirectory();
        if (!isLog)
            machine.NoteSnapshot();
    }

    public IDisposable? TryLock(string name) => files.TryLock(name);

    public void DropFromCache(string name) => files.DropFromCache(name);

    public long FreeBytes() => files.FreeBytes();
}

/// <summary>An open file of a simulated machine.</summary>
internal sealed class SimulatedOpenFile(SimulatedMachine machine, ILogFile file, PlantedBug bug, string name)
    : ILogFile
{
    public long Length => file.Length;

    public int ReadAt(Span<byte> destination, long position) => file.ReadAt(destination, position);

    public void WriteAt(ReadOnlySpan<byte> source, long position)
    {
        machine.Count();
        file.WriteAt(source, position);
    }

    public void Truncate(long length)
    {
        machine.Count();
        file.Truncate(length);
    }

    public void Sync()
    {
        machine.Count();
        if (bug != PlantedBug.SkipSegmentSync || !name.EndsWith(".segment", StringComparison.Ordinal))
            file.Sync();
    }

    public void Dispose() => file.Dispose();
}
