using System.Globalization;
using Streams.Buffers;
using Streams.Log.Embedded.Files;

namespace Streams.State;

/// <summary>One snapshot under way: which pages are copied, and the file they go to.</summary>
internal sealed class SnapshotRun : IDisposable
{
    internal const string Extension = ".snapshot";

    /// <summary>What a file's name ends in until it counts.</summary>
    internal const string WritingExtension = Extension + ".writing";

    private readonly ILogFileSystem _files;
    private readonly long _startOffset;
    private readonly IReadOnlyList<SnapshotPart> _parts;
    private readonly string _name;
    private readonly ILogFile _file;
    private long _written;
    private int _part;
    private int _page;
    private bool _headerDone;

    internal SnapshotRun(ILogFileSystem files, long startOffset, IReadOnlyList<SnapshotPart> parts)
    {
        _files = files;
        _startOffset = startOffset;
        _parts = parts;
        _name = startOffset.ToString("D20", CultureInfo.InvariantCulture);
        _file = files.Open(_name + WritingExtension, LogFileMode.Create);
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
        _file.WriteAt(slice, _written);
        _written += slice.Length;
        _file.Sync();
        _files.DropFromCache(_name + WritingExtension);
    }

    /// <summary>Makes the file count, also after a power cut: what it replaces is deleted next.</summary>
    internal void Complete()
    {
        _file.Sync();
        _file.Dispose();
        _files.Rename(_name + WritingExtension, _name + Extension);
        _files.SyncDirectory();
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();
}
