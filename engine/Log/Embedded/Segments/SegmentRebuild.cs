using Streams.Buffers;
using Streams.Log.Embedded.Files;
using Streams.Log.Embedded.Format;

namespace Streams.Log.Embedded.Segments;

/// <summary>
/// Makes a sealed segment's index from the segment, where the index file is missing or does not fit.
/// </summary>
internal static class SegmentRebuild
{
    /// <summary>Reads the whole segment.</summary>
    /// <param name="files">Where it is.</param>
    /// <param name="segment">Which one.</param>
    /// <param name="file">Its file, open.</param>
    /// <param name="sealAt">Where nothing but its seal may stand, whole or torn.</param>
    /// <returns>The segment with its figures and all locations; finished where its seal is whole.</returns>
    /// <exception cref="LogDamagedException">A byte of it is wrong: it had reached the disk as a
    /// whole.</exception>
    public static LogSegment Scan(
        ILogFileSystem files, LogSegment segment, ILogFile file, long sealAt = long.MaxValue)
    {
        using var scan = new SegmentScan(file, segment.Place);
        var rebuilt = new LogSegment(segment.Header);
        var slices = new Dictionary<TopicPartition, PartitionSlice>();
        ParseResult<LogDefect> result;
        while ((result = scan.ReadNext()).IsDone)
        {
            if (rebuilt.IsFinished)
                throw segment.Damaged(files, scan.Position, LogDefect.BehindSeal);
            rebuilt.IsFinished = scan.Frame.Kind == FrameKind.Seal;
            Add(rebuilt, slices, scan);
        }
        if (sealAt != long.MaxValue && scan.End < sealAt && !result.IsInvalid)
            throw segment.Damaged(files, scan.End, LogDefect.BelowWatermark);
        if (result.IsInvalid && scan.End < sealAt)
            throw segment.Damaged(files, scan.End + result.Offset, result.Defect);
        rebuilt.Length = scan.End;
        rebuilt.IsIndexLoaded = true;
        return rebuilt;
    }

    private static void Add(
        LogSegment segment, Dictionary<TopicPartition, PartitionSlice> slices, SegmentScan scan)
    {
        segment.LastCommit = scan.Frame.Commit;
        if (scan.Frame.Kind is FrameKind.Commit or FrameKind.Snapshot)
            segment.LastAppendTimeMs = Math.Max(segment.LastAppendTimeMs, scan.Frame.AppendTimeMs);
        var entries = new FrameEntries(scan.Body);
        while (entries.MoveNext())
        {
            if (entries.Header.Kind != EntryKind.Records)
                continue;
            TopicPartition partition = entries.Header.TopicPartition;
            if (!slices.TryGetValue(partition, out PartitionSlice? slice))
            {
                slices[partition] = slice = new PartitionSlice(segment, partition);
                segment.Slices.Add(slice);
            }
            slice.Add(entries.Header, scan.Position + FrameHeader.Bytes + entries.At);
        }
    }
}
