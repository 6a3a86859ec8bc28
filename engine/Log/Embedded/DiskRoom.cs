using Streams.Log.Embedded.Files;

namespace Streams.Log.Embedded;

/// <summary>
/// Sees to it that the disk keeps some room: without any, neither recovery nor cleaning could work.
/// </summary>
internal sealed class DiskRoom(ILogFileSystem files, long freeBytesMin)
{
    private const long AskAgainAfterBytes = 16 * 1024 * 1024;

    private long _allowedBytes;

    /// <summary>Asks for room to write.</summary>
    /// <exception cref="LogFullException">Afterwards less than the minimum would be left.</exception>
    public void Take(long bytes)
    {
        if (freeBytesMin == 0)
            return;
        _allowedBytes -= bytes;
        if (_allowedBytes >= 0)
            return;
        long spare = files.FreeBytes() - freeBytesMin - bytes;
        _allowedBytes = 0;
        if (spare < 0)
        {
            throw new LogFullException(
                $"The disk of {files.Location} has less than {freeBytesMin + bytes:N0} bytes left " +
                $"(DiskFreeBytesMin is {freeBytesMin:N0}). Make room; the same commit can be tried again.");
        }
        // Others use the disk too, so only a part of what is left is counted on before asking again.
        _allowedBytes = Math.Min(spare / 4, AskAgainAfterBytes);
    }
}
