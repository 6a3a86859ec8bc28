using Streams.Log.Embedded.Files;
using Streams.Log.Embedded.Format;
using Streams.Log.Embedded.Segments;

namespace Streams.Log.Embedded.Maintenance;

/// <summary>
/// Does what a log needs now and then, beside the commits: retention, giving space back, compaction.
/// </summary>
internal sealed class Maintainer : IDisposable
{
    private readonly LogState _state;
    private readonly EmbeddedLogOptions _options;
    private readonly ILogFileSystem _files;
    private readonly SegmentFiles _segmentFiles;
    private readonly Appender _appender;
    private readonly Flusher _flusher;
    private readonly Retention _retention;
    private readonly SegmentCleaner _cleaner;
    private readonly Lock _running = new();
    private readonly ManualResetEventSlim _stopping = new();
    private readonly Thread? _thread;

    // The last segment that compaction has looked at, and where its next window begins while a round is not
    // done.
    private long _compactedThrough;
    private long _windowFrom;

    /// <summary>
    /// Starts a thread that calls <see cref="Run"/> at an interval, unless the log is a manual one.
    /// </summary>
    public Maintainer(
        LogState state, EmbeddedLogOptions options, ILogFileSystem files, SegmentFiles segmentFiles,
        Appender appender, Flusher flusher)
    {
        _state = state;
        _options = options;
        _files = files;
        _segmentFiles = segmentFiles;
        _appender = appender;
        _flusher = flusher;
        _retention = new Retention(state, options);
        _cleaner = new SegmentCleaner(state, options, files, segmentFiles, appender);
        // Whatever was rewritten before has been through compaction; a first round after a start begins
        // behind it.
        foreach (LogSegment segment in state.Segments)
        {
            if (segment.Header.Generation > 0)
                _compactedThrough = segment.Header.LastNumber;
        }
        if (options.Manual)
            return;
        _thread = new Thread(RunAtIntervals) { IsBackground = true, Name = "streams log maintenance" };
        _thread.Start();
    }

    /// <summary>Does what is due.</summary>
    public MaintenanceReport Run(DateTimeOffset now)
    {
        lock (_running)
        {
            long nowMs = now.ToUnixTimeMilliseconds();
            _appender.RollIfOlderThan(_options.SegmentAgeMax, nowMs);
            int trimmed = Trim(nowMs);
            List<LogSegment> segments = _cleaner.Sealed();
            var needed = new NeededRecords(_state);
            (int dropped, long bytes) = _cleaner.Drop(segments, needed, _flusher.Flush);
            MaintenanceReport report = new()
            {
                PartitionsTrimmed = trimmed,
                UnprocessedRecordsExpired = _retention.UnprocessedRecords,
                SegmentsDropped = dropped,
                BytesReclaimed = bytes,
            };
            return Clean(segments, needed, nowMs, report);
        }
    }

    /// <summary>Ends the thread.</summary>
    public void Dispose()
    {
        _stopping.Set();
        _thread?.Join();
        _stopping.Dispose();
    }

    private int Trim(long nowMs)
    {
        List<(TopicPartition Partition, long Start)> starts = _retention.Plan(nowMs);
        if (starts.Count == 0)
            return 0;
        using var frame = new FrameBuilder();
        lock (_appender.Lock)
        {
            foreach ((TopicPartition partition, long start) in starts)
            {
                // Its topic may be gone by now.
                if (_state.Catalog.Topics.Find(partition) is not null)
                    frame.Add(EntryHeader.DeleteBefore(partition, start), default);
            }
            _appender.Commit(frame, lease: null);
        }
        return frame.Entries;
    }

    private MaintenanceReport Clean(
        List<LogSegment> segments, NeededRecords needed, long nowMs, MaintenanceReport report)
    {
        using Compaction? compaction = IsCompactionDue(segments, needed)
            ? new Compaction(_state, _segmentFiles, _files, _options, needed, nowMs)
            : null;
        int first = Math.Max(0, segments.FindIndex(segment => segment.Header.LastNumber >= _windowFrom));
        int next = compaction?.Look(segments, first) ?? 0;
        List<List<LogSegment>> runs = _cleaner.Plan(segments, needed, compaction);
        foreach (LogSegment segment in segments)
        {
            if (!runs.Exists(run => run.Contains(segment)))
                compaction?.NoteKept(segment);
        }
        if (runs.Count > 0)
            _flusher.Flush();
        using var rewriter = new SegmentRewriter(_files, needed, compaction);
        try
        {
            foreach (List<LogSegment> run in runs)
            {
                LogSegment rewritten = rewriter.Rewrite(run, nowMs);
                report = report with
                {
                    SegmentsRewritten = report.SegmentsRewritten + run.Count,
                    BytesReclaimed = report.BytesReclaimed + _cleaner.Replace(run, rewritten),
                    RecordsCompacted = rewriter.RecordsCompacted,
                };
            }
            if (compaction is not null)
                Advance(segments, next);
        }
        catch (LogFullException e)
        {
            // It goes on when there is room again. Later runs must not overtake: a tombstone may go only
            // after what it hides.
            report = report with { Stopped = e.Message };
        }
        return report;
    }

    // A round begins when enough is new; one that is under way goes on.
    private bool IsCompactionDue(List<LogSegment> segments, NeededRecords needed)
    {
        long all = 0, fresh = 0;
        foreach (LogSegment segment in segments)
        {
            foreach (PartitionSlice slice in segment.Slices)
            {
                if (!needed.IsCompacted(slice.Partition))
                    continue;
                all += slice.Bytes;
                fresh += segment.Number > _compactedThrough ? slice.Bytes : 0;
            }
        }
        return _windowFrom > 0 || (fresh > 0 && fresh * 100 >= all * _options.CompactionDirtyPercentMin);
    }

    private void Advance(List<LogSegment> segments, int next)
    {
        _compactedThrough = segments[^1].Header.LastNumber;
        // The newest one is never rewritten, so a window of it alone is none.
        _windowFrom = next < segments.Count - 1 ? segments[next].Number : 0;
    }

    private void RunAtIntervals()
    {
        while (!_stopping.Wait(_options.MaintainInterval))
        {
            try
            {
                Run(_options.TimeProvider.GetUtcNow());
            }
            catch (LogFullException)
            {
                // A commit of its own found no room; writers are told the same, and the next round tries
                // again.
            }
            catch (LogException e)
            {
                // Damage, found here first: going on would spread it to what is made from the log.
                _state.Fail(e);
                return;
            }
            catch (IOException e)
            {
                _state.Fail(new LogUnavailableException(
                    $"Maintaining the log in {_files.Location} failed: {e.Message}", e));
                return;
            }
        }
    }
}
