using Microsoft.Win32.SafeHandles;

namespace Streams.Log.Embedded.Files;

/// <summary>A file of a <see cref="DirectoryFileSystem"/>.</summary>
internal sealed class DirectoryFile(SafeFileHandle handle, string path) : ILogFile
{
    // errno.h of Linux: on Unix an IOException carries the number in HResult.
    private const int FileTooBig = 27;
    private const int NoSpace = 28;
    private const int QuotaExceeded = 122;

    // winerror.h: ERROR_DISK_FULL and ERROR_HANDLE_DISK_FULL as HRESULTs.
    private const int WindowsDiskFull = unchecked((int)0x80070070);
    private const int WindowsHandleDiskFull = unchecked((int)0x80070027);

    public long Length => RandomAccess.GetLength(handle);

    public int ReadAt(Span<byte> destination, long position)
    {
        int total = 0;
        while (total < destination.Length)
        {
            int read = RandomAccess.Read(handle, destination[total..], position + total);
            if (read == 0)
                break;
            total += read;
        }
        return total;
    }

    public void WriteAt(ReadOnlySpan<byte> source, long position)
    {
        try
        {
            RandomAccess.Write(handle, source, position);
        }
        catch (IOException e) when (IsFull(e.HResult))
        {
            throw new LogFullException(
                $"There is no room to write {source.Length:N0} bytes to {path}: {e.Message}. " +
                "Make room; the same commit can be tried again.", e);
        }
    }

    public void Truncate(long length) => RandomAccess.SetLength(handle, length);

    public void Sync() => RandomAccess.FlushToDisk(handle);

    public void Dispose() => handle.Dispose();

    private static bool IsFull(int code) =>
        code is FileTooBig or NoSpace or QuotaExceeded or WindowsDiskFull or WindowsHandleDiskFull;
}
