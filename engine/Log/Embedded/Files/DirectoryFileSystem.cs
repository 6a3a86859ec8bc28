using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;
using Streams.Buffers;

namespace Streams.Log.Embedded.Files;

/// <summary>The files of a directory of the operating system.</summary>
public sealed partial class DirectoryFileSystem : ILogFileSystem
{
    private const int OpenReadOnly = 0;

    /// <summary>Over a directory that <see cref="Prepare"/> creates where it is missing.</summary>
    public DirectoryFileSystem(string directory) => Location = Path.GetFullPath(directory);

    /// <inheritdoc/>
    public string Location { get; }

    /// <inheritdoc/>
    public void Prepare()
    {
        try
        {
            string[] parents = [.. ParentsWithout(Location)];
            Directory.CreateDirectory(Location);
            foreach (string parent in parents)
                SyncDirectory(parent);
            string probe = At(".probe");
            File.WriteAllBytes(probe, []);
            File.Delete(probe);
        }
        catch (IOException e)
        {
            throw Unusable(e);
        }
        catch (UnauthorizedAccessException e)
        {
            throw Unusable(e);
        }
    }

    /// <inheritdoc/>
    public ILogFile Open(string name, LogFileMode mode)
    {
        (FileMode fileMode, FileAccess access) = mode switch
        {
            LogFileMode.Read => (FileMode.Open, FileAccess.Read),
            LogFileMode.Write => (FileMode.Open, FileAccess.ReadWrite),
            _ => (FileMode.Create, FileAccess.ReadWrite),
        };
        const FileShare Share = FileShare.ReadWrite | FileShare.Delete;
        try
        {
            return new DirectoryFile(File.OpenHandle(At(name), fileMode, access, Share), At(name));
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException(e.Message, e);
        }
    }

    /// <inheritdoc/>
    public bool Exists(string name) => File.Exists(At(name));

    /// <inheritdoc/>
    public IReadOnlyList<string> List()
    {
        if (!Directory.Exists(Location))
            return [];
        string[] paths = Directory.GetFiles(Location);
        for (int i = 0; i < paths.Length; i++)
            paths[i] = Path.GetFileName(paths[i]);
        return paths;
    }

    /// <inheritdoc/>
    public void Rename(string name, string newName) => File.Move(At(name), At(newName), overwrite: true);

    /// <inheritdoc/>
    public void Delete(string name) => File.Delete(At(name));

    /// <inheritdoc/>
    public void SyncDirectory() => SyncDirectory(Location);

    /// <inheritdoc/>
    public IDisposable? TryLock(string name)
    {
        try
        {
            // FileShare.None takes flock(2) on Unix: the kernel releases it with the process, however that
            // ends.
            return File.OpenHandle(At(name), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException) when (File.Exists(At(name)))
        {
            return null;
        }
    }

    /// <inheritdoc/>
    public void DropFromCache(string name)
    {
        try
        {
            using SafeFileHandle file = File.OpenHandle(
                At(name), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            PageCache.Drop(file);
        }
        catch (IOException)
        {
            // Cleaned away meanwhile, and with it what was cached of it; or the disk has worse to tell, and
            // will.
        }
    }

    /// <inheritdoc/>
    public long FreeBytes() => new DriveInfo(Location).AvailableFreeSpace;

    // The directories that get an entry when a directory is created with all that leads to it.
    private static IEnumerable<string> ParentsWithout(string directory)
    {
        for (string? missing = directory; missing is not null && !Directory.Exists(missing);)
        {
            missing = Path.GetDirectoryName(missing);
            if (missing is not null)
                yield return missing;
        }
    }

    private static void SyncDirectory(string directory)
    {
        // Windows keeps its directories in a journal and has no call for this.
        if (OperatingSystem.IsLinux() || OperatingSystem.IsMacOS())
            SyncUnixDirectory(directory);
    }

    [UnsupportedOSPlatform("windows")]
    private static void SyncUnixDirectory(string directory)
    {
        int descriptor = OpenDescriptor(directory, OpenReadOnly);
        if (descriptor < 0)
            throw Failure("open");
        // The descriptor is closed by the handle, on every way out.
        using var handle = new SafeFileHandle(descriptor, ownsHandle: true);
        if (SyncDescriptor(descriptor) != 0)
            throw Failure("fsync");

        IOException Failure(string call) => new(
            $"{call} of directory {directory} failed: {Marshal.GetLastPInvokeErrorMessage()}",
            Marshal.GetLastPInvokeError());
    }

    private string At(string name) => Path.Combine(Location, name);

    private LogUnavailableException Unusable(Exception e) =>
        new($"The log's directory {Location} cannot be written: {e.Message}", e);

    [LibraryImport(
        "libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int OpenDescriptor(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int SyncDescriptor(int descriptor);
}
