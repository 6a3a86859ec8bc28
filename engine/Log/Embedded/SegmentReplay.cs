using Streams.Buffers;
using Streams.Log.Embedded.Files;
using Streams.Log.Embedded.Format;
using Streams.Log.Embedded.Segments;

namespace Streams.Log.Embedded;

/// <summary>Reads the last segment into a state, up to where it stops being whole.</summary>
/// <remarks>
/// An invalid byte in the last segment is either the trace of a crash or damage. What had reached the disk
/// cannot be torn by a crash: so it is damage wherever a whole commit further on, or the note beside the log,
/// says that this position had reached the disk. Otherwise it is a torn tail.
/// </remarks>
/// <param name="LastFrame">The last frame that is whole.</param>
/// <param name="Tail">What stands behind it; null for nothing.</param>
internal sealed record SegmentReplay(FrameKind LastFrame, TornTail? Tail)
{
    /// <summary>Reads the segment that the state writes to, whose file is open.</summary>
    /// <param name="state">Takes in the frames.</param>
    /// <param name="active">The segment.</param>
    /// <param name="files">Where it is.</param>
    /// <param name="notedEnd">What the note beside the log says had reached the disk of it.</param>
    /// <exception cref="LogDamagedException">Bytes that had reached the disk are not what was
    /// written.</exception>
    public static SegmentReplay Run(
        LogState state, LogSegment active, ILogFileSystem files, long notedEnd)
    {
        using var scan = new SegmentScan(active.File!, active.Place);
        ParseResult<LogDefect> result;
        FrameKind last = 0;
        while ((result = scan.ReadNext()).IsDone)
        {
            LogDefect defect = CheckOrder(state, scan, last);
            if (defect == LogDefect.None)
                defect = state.Apply(scan.Frame, scan.Body, scan.Position);
            if (defect != LogDefect.None)
                throw active.Damaged(files, scan.Position, defect);
            last = scan.Frame.Kind;
        }
        if (last == 0)
            throw active.Damaged(files, SegmentHeader.Bytes, LogDefect.FirstFrame);
        if (last == FrameKind.Seal)
            throw Missing(files, active.Header.LastNumber + 1);
        active.IsIndexLoaded = true;
        bool endsWhole = !result.IsInvalid && scan.End >= notedEnd;
        return new SegmentReplay(last, endsWhole ? null : TailOf(scan, active, files, result, notedEnd));
    }

    /// <summary>Checks that every segment that the state names is there.</summary>
    /// <exception cref="LogDamagedException">One is missing.</exception>
    public static void RequireAll(LogState state, ILogFileSystem files)
    {
        foreach (long number in state.Catalog.LiveSegments)
        {
            if (!state.Segments.Exists(segment => segment.Covers(number)))
                throw Missing(files, number);
        }
    }

    /// <summary>The exception for a segment that is not there.</summary>
    public static LogDamagedException Missing(ILogFileSystem files, long number) =>
        new(Path.Combine(files.Location, LogSegment.NameOf(number)), 0, "the segment is missing");

    private static LogDefect CheckOrder(LogState state, SegmentScan scan, FrameKind last)
    {
        if (last == FrameKind.Seal)
            return LogDefect.BehindSeal;
        if (last == 0 != (scan.Frame.Kind == FrameKind.Snapshot))
            return LogDefect.FirstFrame;
        long expected = scan.Frame.Kind switch
        {
            FrameKind.Snapshot => scan.Frame.Commit,
            FrameKind.Commit => state.LastCommit + 1,
            _ => state.LastCommit,
        };
        return scan.Frame.Commit == expected ? LogDefect.None : LogDefect.CommitOrder;
    }

    // The scan has met an invalid byte, or the end of the file, at its end.
    private static TornTail TailOf(
        SegmentScan scan, LogSegment active, ILogFileSystem files, ParseResult<LogDefect> result,
        long notedEnd)
    {
        LogDefect defect = result.IsInvalid ? result.Defect : LogDefect.BelowWatermark;
        long position = scan.End;
        long durableEnd = notedEnd;
        for (long at = position; (at = scan.FindFrame(at, out FrameHeader later)) >= 0; at++)
            durableEnd = Math.Max(durableEnd, later.Watermark);
        if (durableEnd > position)
            throw active.Damaged(files, position + result.Offset, defect);
        return new TornTail(active.FileName, position, scan.Length - position, defect.Describe());
    }
}
