using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Streams.Buffers;

/// <summary>What the operating system keeps of files in memory.</summary>
public static partial class PageCache
{
    // POSIX_FADV_DONTNEED of fcntl.h; the same on every Linux that .NET runs on.
    private const int DontNeed = 4;

    /// <summary>
    /// Says that a file's bytes will not be wanted soon. Only what was synced is given up; a hint, which only
    /// Linux takes.
    /// </summary>
    /// <remarks>Source: posix_fadvise(2).</remarks>
    public static void Drop(SafeFileHandle file)
    {
        if (OperatingSystem.IsLinux())
            _ = Advise(file, 0, 0, DontNeed);
    }

    [LibraryImport("libc", EntryPoint = "posix_fadvise")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Advise(SafeFileHandle file, long offset, long length, int advice);
}
