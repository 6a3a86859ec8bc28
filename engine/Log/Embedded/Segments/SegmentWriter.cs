using Streams.Buffers;
using Streams.Log.Embedded.Catalog;
using Streams.Log.Embedded.Files;
using Streams.Log.Embedded.Format;

namespace Streams.Log.Embedded.Segments;

/// <summary>Begins and ends segment files.</summary>
internal static class SegmentWriter
{
    /// <summary>
    /// Creates a segment with a snapshot of the catalog at its head. It is on the disk when this returns.
    /// </summary>
    /// <remarks>
    /// The file gets its name only when it is whole, so a file of that name without a whole head is damage
    /// and never the trace of a crash.
    /// </remarks>
    public static LogSegment Create(
        ILogFileSystem files, SegmentHeader header, LogCatalog catalog, long commit)
    {
        using var frame = new FrameBuilder();
        using var scratch = new PooledBuffer();
        catalog.WriteSnapshot(frame, scratch);
        frame.Seal(FrameKind.Snapshot, commit, header.CreatedMs, 0, header.Place, SegmentHeader.Bytes);
        var segment = new LogSegment(header) { IsIndexLoaded = true };
        string name = segment.FileName + LogSegment.NewSuffix;
        ILogFile file = files.Open(name, LogFileMode.Create);
        try
        {
            Span<byte> head = stackalloc byte[SegmentHeader.Bytes];
            header.Write(head);
            file.WriteAt(head, 0);
            file.WriteAt(frame.Frame, SegmentHeader.Bytes);
        }
        catch (LogFullException)
        {
            file.Dispose();
            files.Delete(name);
            throw;
        }
        file.Sync();
        files.Rename(name, segment.FileName);
        files.SyncDirectory();
        segment.File = file;
        segment.Length = SegmentHeader.Bytes + frame.Length;
        segment.LastCommit = commit;
        segment.LastAppendTimeMs = header.CreatedMs;
        return segment;
    }

    /// <summary>
    /// Writes a last frame at the end of a segment that is synced up to there, if there is room.
    /// </summary>
    /// <remarks>
    /// Neither the seal nor the mark of an orderly end is needed to go on: the one tells a start that another
    /// segment has to follow, the other that nothing is missing before it.
    /// </remarks>
    /// <param name="file">The segment's file, open to write.</param>
    /// <param name="segment">Its length is moved behind the frame.</param>
    /// <param name="kind">What the frame says.</param>
    /// <param name="nowMs">The time.</param>
    /// <param name="catalog">Where partitions start and end, for the mark of an orderly end: behind it
    /// nothing else would tell which records are lost should the last commit be damaged.</param>
    /// <returns>Whether there was room.</returns>
    public static bool TryEnd(
        ILogFile file, LogSegment segment, FrameKind kind, long nowMs, LogCatalog? catalog = null)
    {
        using var frame = new FrameBuilder();
        using var scratch = new PooledBuffer();
        catalog?.WritePartitions(frame, scratch);
        frame.Seal(kind, segment.LastCommit, nowMs, segment.Length, segment.Place, segment.Length);
        try
        {
            file.WriteAt(frame.Frame, segment.Length);
            segment.Length += frame.Length;
            return true;
        }
        catch (LogFullException)
        {
            file.Truncate(segment.Length);
            return false;
        }
    }
}
