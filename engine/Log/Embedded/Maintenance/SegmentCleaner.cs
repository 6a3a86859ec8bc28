using Streams.Buffers;
using Streams.Log.Embedded.Files;
using Streams.Log.Embedded.Format;
using Streams.Log.Embedded.Segments;

namespace Streams.Log.Embedded.Maintenance;

/// <summary>
/// Gives space back: deletes segments of which nothing is needed, and writes those anew of which little is.
/// The newest sealed segment is left alone, so that what the snapshot at the head of the log says always
/// stands a second time.
/// </summary>
internal sealed class SegmentCleaner(
    LogState state, EmbeddedLogOptions options, ILogFileSystem files, SegmentFiles segmentFiles,
    Appender appender)
{
    // A segment this much smaller than the others is merged with its neighbours, when there are enough to be
    // worth it.
    private const int SmallFraction = 8;
    private const int SmallRunMin = 4;

    // Merged segments span at most this part of the shortest retention of what is in them.
    private const int SpanFraction = 8;

    // What a segment has even when nothing is in it: counted as dead, it would be rewritten again and again.
    private const int FixedBytes = SegmentHeader.Bytes + FrameHeader.Bytes;

    /// <summary>
    /// The sealed segments that may be cleaned, and the newest one, which may not, at the end.
    /// </summary>
    public List<LogSegment> Sealed()
    {
        lock (state.Gate)
        {
            List<LogSegment> segments = state.Segments[..^1];
            // Everything behind a segment that is still being ended, or could not be, waits for it.
            int unfinished = segments.FindIndex(segment => !segment.IsFinished);
            return unfinished < 0 ? segments : segments[..unfinished];
        }
    }

    /// <summary>Deletes the segments of which nothing is needed.</summary>
    /// <param name="segments">The sealed segments; those deleted are taken out.</param>
    /// <param name="needed">What is needed.</param>
    /// <param name="flush">Makes all commits durable.</param>
    /// <returns>How many, and how many bytes they had.</returns>
    public (int Segments, long Bytes) Drop(List<LogSegment> segments, NeededRecords needed, Action flush)
    {
        List<LogSegment> dead =
            segments[..^Math.Min(1, segments.Count)].FindAll(segment => LiveBytes(segment, needed) == 0);
        if (dead.Count == 0)
            return default;
        Announce(dead);
        // Before anything is gone, all that made it superfluous has to be on the disk: starts and groups'
        // offsets.
        flush();
        long bytes = 0;
        foreach (LogSegment segment in dead)
        {
            bytes += segment.Length;
            segmentFiles.Replace([segment], null, () => Delete(segment));
            segments.Remove(segment);
        }
        return (dead.Count, bytes);
    }

    /// <summary>Chooses segments to write anew: runs of neighbours that fit into one.</summary>
    /// <param name="segments">The sealed segments.</param>
    /// <param name="needed">What is needed going by the partitions' starts.</param>
    /// <param name="compaction">What is needed going by keys; null when no round of compaction is
    /// due.</param>
    public List<List<LogSegment>> Plan(
        List<LogSegment> segments, NeededRecords needed, Compaction? compaction)
    {
        var runs = new List<List<LogSegment>>();
        var run = new List<LogSegment>();
        long runBytes = 0;
        double spanMsMax = double.PositiveInfinity;
        bool isWorthIt = false;
        for (int i = 0; i < segments.Count - 1; i++)
        {
            LogSegment segment = segments[i];
            long live = Math.Max(0, LiveBytes(segment, needed) - (compaction?.DeadBytes(segment) ?? 0));
            bool isMostlyDead =
                (segment.Length - FixedBytes - live) * 100 >= segment.Length * options.CleanDeadPercentMin;
            bool isCandidate = isMostlyDead || live <= options.SegmentBytes / SmallFraction;
            // Retention goes by whole segments: merged over too long, their records would never be old.
            double ownSpanMsMax = needed.ShortestRetentionMs(segment) / SpanFraction;
            double spanMs = run.Count > 0 ? segment.LastAppendTimeMs - run[0].Header.CreatedMs : 0;
            bool isTooLong = spanMs > Math.Min(spanMsMax, ownSpanMsMax);
            if (!isCandidate || isTooLong || runBytes + live > options.SegmentBytes)
                Close();
            if (!isCandidate)
                continue;
            run.Add(segment);
            runBytes += live;
            spanMsMax = Math.Min(spanMsMax, ownSpanMsMax);
            isWorthIt |= isMostlyDead;
        }
        Close();
        return runs;

        void Close()
        {
            if (run.Count > 0 && (isWorthIt || run.Count >= SmallRunMin))
                runs.Add(run);
            run = [];
            runBytes = 0;
            spanMsMax = double.PositiveInfinity;
            isWorthIt = false;
        }
    }

    /// <summary>Puts a rewritten segment in the place of its originals.</summary>
    /// <returns>Bytes given back.</returns>
    public long Replace(List<LogSegment> run, LogSegment rewritten)
    {
        long bytes = -rewritten.Length;
        foreach (LogSegment segment in run)
            bytes += segment.Length;
        SegmentIndexFile.TryWrite(files, rewritten);
        foreach (PartitionSlice slice in rewritten.Slices)
            slice.Unload();
        rewritten.IsIndexLoaded = false;
        segmentFiles.Replace(run, rewritten, () =>
        {
            files.Rename(rewritten.FileName + LogSegment.NewSuffix, rewritten.FileName);
            files.SyncDirectory();
        });
        // Its header says that it stands for them, should a crash leave them here.
        for (int i = 1; i < run.Count; i++)
            Delete(run[i]);
        files.DropFromCache(rewritten.FileName);
        return bytes;
    }

    // What a segment would take, rewritten, at most.
    private static long LiveBytes(LogSegment segment, NeededRecords needed)
    {
        long live = 0;
        foreach (PartitionSlice slice in segment.Slices)
        {
            if (needed.IsNeeded(slice.Partition, slice.LastOffset))
                live += slice.RewrittenBytes;
        }
        return live;
    }

    private void Announce(List<LogSegment> dead)
    {
        using var payload = new PooledBuffer();
        foreach (LogSegment segment in dead)
        {
            payload.WriteNumber(segment.Number);
            payload.WriteNumber(segment.Header.LastNumber);
        }
        using var frame = new FrameBuilder();
        frame.Add(EntryKind.DroppedSegments, 0, payload.WrittenSpan);
        appender.Commit(frame, lease: null);
    }

    private void Delete(LogSegment segment)
    {
        files.Delete(segment.IndexName);
        files.Delete(segment.FileName);
    }
}
