using System.Diagnostics;
using Xunit;

namespace Streams.Tests.Support;

/// <summary>A file system of a given size that can be filled and emptied. Skips the running test, by name,
/// where nothing can be mounted.</summary>
public sealed class SmallDisk : IDisposable
{
    private readonly string _ballast;

    private SmallDisk(string path)
    {
        Path = path;
        _ballast = System.IO.Path.Combine(path, "ballast");
    }

    /// <summary>Where it is mounted.</summary>
    public string Path { get; }

    /// <summary>Mounts one.</summary>
    public static SmallDisk Mount(int megabytes)
    {
        if (!OperatingSystem.IsLinux() || Environment.UserName != "root")
            Assert.Skip("needs root on Linux to mount a small file system");
        string path = Directory.CreateTempSubdirectory("streams-disk-").FullName;
        if (Run("mount", "-t", "tmpfs", "-o", $"size={megabytes}m", "tmpfs", path) != 0)
        {
            Directory.Delete(path);
            Assert.Skip("needs the right to mount a small file system");
        }
        return new SmallDisk(path);
    }

    /// <summary>Takes all room but some.</summary>
    public void Fill(long freeBytes)
    {
        using FileStream file = File.Create(_ballast);
        byte[] block = new byte[64 * 1024];
        while (new DriveInfo(Path).AvailableFreeSpace > freeBytes + block.Length)
        {
            file.Write(block);
            file.Flush();
        }
    }

    /// <summary>Gives the room back.</summary>
    public void Empty() => File.Delete(_ballast);

    /// <inheritdoc/>
    public void Dispose()
    {
        Run("umount", Path);
        Directory.Delete(Path);
    }

    private static int Run(string program, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            RedirectStandardError = true,
        })!;
        process.WaitForExit();
        return process.ExitCode;
    }
}
