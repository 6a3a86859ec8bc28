using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Streams.State;

/// <summary>
/// Arrays for state that is larger than a processor's caches. On Linux they ask for pages of 2 MiB: a lookup
/// in gigabytes of 4 KiB pages misses the cache of the page table as often as that of the data.
/// </summary>
internal static partial class LargeMemory
{
    /// <summary>From this many bytes on, large pages are asked for.</summary>
    internal const int BytesMin = 4 << 20;

    // MADV_HUGEPAGE of asm-generic/mman-common.h.
    private const int AdviseHugePages = 14;
    private const nint HugePageBytes = 2 << 20;

    /// <summary>Makes an array on the pinned heap; its contents are arbitrary.</summary>
    internal static T[] Allocate<T>(int length)
        where T : unmanaged
    {
        T[] array = GC.AllocateUninitializedArray<T>(length, pinned: true);
        if ((long)length * Unsafe.SizeOf<T>() >= BytesMin && OperatingSystem.IsLinux())
            Advise(array);
        return array;
    }

    // A hint: where the kernel does not take it, all is as before. The blocks at both ends are shared with
    // neighbours on the heap, whom it does no harm.
    private static unsafe void Advise<T>(T[] array)
        where T : unmanaged
    {
        nint start = (nint)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(array));
        nint end = start + (nint)array.Length * Unsafe.SizeOf<T>();
        start &= -HugePageBytes;
        end = (end + HugePageBytes - 1) & -HugePageBytes;
        _ = Advise(start, (nuint)(end - start), AdviseHugePages);
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Advise(nint address, nuint length, int advice);
}
