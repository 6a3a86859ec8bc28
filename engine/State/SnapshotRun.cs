using System.Globalization;
using Streams.Buffers;

namespace Streams.State;

/// <summary>One snapshot under way: which pages are copied, and the file they go to.</summary>
internal sealed class SnapshotRun : IDisposable
{
    internal const string Extension = ".snapshot";

    private readonly long _startOffset;
    private readonly IReadOnlyList<SnapshotPart> _parts;
    private readonly string _path;
    private readonly FileStream _file;
    private int _part;
    private int _page;
    private bool _headerDone;

    internal SnapshotRun(string folder, long startOffset, IReadOnlyList<SnapshotPart> parts)
    {
        Directory.CreateDirectory(folder);
        _startOffset = startOffset;
        _parts = parts;
        _path = Path.Combine(folder, startOffset.ToString("D20", CultureInfo.InvariantCulture) + Extension);
        _file = new FileStream(_path + ".writing", FileMode.Create, FileAccess.Write, FileShare.None, 0);
    }

    /// <summary>The changelog offset in a snapshot's file name.</summary>
    internal static long StartOffsetOf(string path) =>
        long.TryParse(Path.GetFileNameWithoutExtension(path), CultureInfo.InvariantCulture, out long offset)
            ? offset : -1;

    /// <summary>Copies the next pages, at least one; called on the task's thread, between commits.</summary>
    /// <returns>Whether that was the last of it.</returns>
    internal bool CopySlice(PooledBuffer destination, int bytesMax, long observedMs)
    {
        if (!_headerDone)
            SnapshotFile.WriteHeader(destination, _startOffset);
        _headerDone = true;
        for (; _part < _parts.Count; _part++, _page = 0)
        {
            PageArena arena = _parts[_part].Table.Arena;
            for (; _page < arena.PageCount; _page++)
            {
                if (destination.Length >= bytesMax)
                    return false;
                SnapshotFile.WriteFrame(destination, _parts[_part].Part, arena.Page(_page));
            }
        }
        SnapshotFile.WriteClosing(destination, observedMs);
        return true;
    }

    /// <summary>Appends a slice to the file, and on the disk: nobody will read it from memory.</summary>
    internal void Write(ReadOnlySpan<byte> slice)
    {
        _file.Write(slice);
        _file.Flush(flushToDisk: true);
        PageCache.Drop(_file.SafeFileHandle);
    }

    /// <summary>Makes the file count.</summary>
    internal void Complete()
    {
        _file.Flush(flushToDisk: true);
        _file.Dispose();
        File.Move(_path + ".writing", _path, overwrite: true);
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();
}
