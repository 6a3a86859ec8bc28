using System.Diagnostics;
using Streams.Log.Embedded.Catalog;
using Streams.Log.Embedded.Files;
using Streams.Log.Embedded.Format;
using Streams.Log.Embedded.Segments;
using Streams.Telemetry;

namespace Streams.Log.Embedded;

/// <summary>
/// Writes commits, one at a time: gives them numbers and offsets, and ends segments that are long enough.
/// </summary>
internal sealed class Appender
{
    private readonly LogState _state;
    private readonly EmbeddedLogOptions _options;
    private readonly ILogFileSystem _files;
    private readonly SegmentFiles _segmentFiles;
    private readonly DurableNote _note;
    private readonly DiskRoom _room;
    private ILogFile _file;
    private long _attempts;

    /// <summary>Goes on at the end of the active segment.</summary>
    public Appender(
        LogState state, EmbeddedLogOptions options, ILogFileSystem files, SegmentFiles segmentFiles,
        DurableNote note)
    {
        _state = state;
        _options = options;
        _files = files;
        _segmentFiles = segmentFiles;
        _note = note;
        _room = new DiskRoom(files, options.DiskFreeBytesMin);
        _file = state.Active.File!;
    }

    /// <summary>
    /// Held over a commit. The catalog, the active segment and the commit numbers change only under this lock
    /// and the gate, so whoever holds either may read them.
    /// </summary>
    public Lock Lock { get; } = new();

    /// <summary>Writes a frame and makes it visible.</summary>
    /// <param name="frame">The entries, with offsets still to be given.</param>
    /// <param name="lease">Whose commit it is; null for the log's own.</param>
    /// <returns>The commit's number.</returns>
    public long Commit(FrameBuilder frame, WriterLease? lease)
    {
        LogSegment? ended = null;
        long commit;
        long started = Stopwatch.GetTimestamp();
        try
        {
            lock (Lock)
            {
                _state.ThrowIfUnusable();
                lease?.ThrowIfFenced();
                if (_state.Active.Length + frame.Length > _options.SegmentBytes && _state.Active.HasCommits)
                    ended = Roll();
                commit = Append(frame);
            }
            EngineMeter.RecordLogCommit(frame.Length, Stopwatch.GetElapsedTime(started));
            return commit;
        }
        finally
        {
            if (ended is not null)
                Finish(ended);
        }
    }

    /// <summary>Ends the active segment where it has records and is old enough.</summary>
    public void RollIfOlderThan(TimeSpan age, long nowMs)
    {
        LogSegment ended;
        lock (Lock)
        {
            _state.ThrowIfUnusable();
            // A log in which nothing happens would otherwise begin segments for ever, each to say so.
            LogSegment active = _state.Active;
            if (active.Slices.Count == 0 || nowMs - active.Header.CreatedMs < age.TotalMilliseconds)
                return;
            ended = Roll();
        }
        Finish(ended);
    }

    /// <summary>Syncs all commits, and marks that the log was closed in good order.</summary>
    public void Close()
    {
        lock (Lock)
        {
            LogSegment active = _state.Active;
            Sync(_file);
            try
            {
                SegmentWriter.TryEnd(_file, active, FrameKind.Close, NowMs(), _state.Catalog);
            }
            catch (IOException e)
            {
                throw Failed("closing it", e);
            }
            Sync(_file);
            _note.Write(active.Number, active.Length, active.LastCommit);
        }
    }

    /// <summary>
    /// Syncs a file; a failure is final, because what the system still has in memory is unknown then.
    /// </summary>
    public void Sync(ILogFile file)
    {
        long started = Stopwatch.GetTimestamp();
        try
        {
            file.Sync();
        }
        catch (IOException e)
        {
            throw Failed("syncing it to disk", e);
        }
        EngineMeter.RecordLogSync(Stopwatch.GetElapsedTime(started));
    }

    private long Append(FrameBuilder frame)
    {
        LogSegment active = _state.Active;
        _room.Take(frame.Length);
        AssignOffsets(frame);
        FrameHeader header = frame.Seal(
            FrameKind.Commit, _state.LastCommit + 1, NowMs(), _state.DurableEnd, active.Place, active.Length);
        Write(frame);
        lock (_state.Gate)
        {
            LogDefect defect = _state.Apply(header, frame.Body, active.Length);
            if (defect != LogDefect.None)
            {
                throw _state.Fail(new LogUnavailableException(
                    $"A commit contradicts itself: {defect.Describe()}."));
            }
            _state.WakeWaiters();
        }
        return header.Commit;
    }

    private void Write(FrameBuilder frame)
    {
        try
        {
            _file.WriteAt(frame.Frame, _state.Active.Length);
        }
        catch (LogFullException)
        {
            Cut();
            throw;
        }
        catch (IOException e)
        {
            throw Failed("writing a commit", e);
        }
    }

    // Takes away what a failed write left behind the last commit.
    private void Cut()
    {
        try
        {
            _file.Truncate(_state.Active.Length);
        }
        catch (IOException e)
        {
            throw Failed("cutting off what a full disk left of a commit", e);
        }
    }

    private void AssignOffsets(FrameBuilder frame)
    {
        _attempts++;
        Span<byte> body = frame.Body;
        var entries = new FrameEntries(body);
        while (entries.MoveNext())
        {
            if (entries.Header.Kind != EntryKind.Records)
                continue;
            PartitionState partition = _state.Catalog.Topics.Get(entries.Header.TopicPartition);
            if (partition.PendingAttempt != _attempts)
            {
                partition.PendingAttempt = _attempts;
                partition.PendingOffset = partition.NextOffset;
            }
            EntryHeader.SetBaseOffset(body[entries.At..], partition.PendingOffset);
            partition.PendingOffset += entries.Header.Records;
        }
    }

    private LogSegment Roll()
    {
        LogSegment ended = _state.Active;
        Sync(_file);
        long number = ended.Header.LastNumber + 1;
        lock (_state.Gate)
        {
            _state.DurableEnd = ended.Length;
            _state.DurableCommit = _state.LastCommit;
            _state.Catalog.LiveSegments.Add(number);
            _state.WakeWaiters();
        }
        SegmentHeader header = ended.Header with
        {
            Number = number,
            LastNumber = number,
            Generation = 0,
            CreatedMs = NowMs(),
            PreviousEnd = ended.Length,
        };
        LogSegment next = Create(header);
        _state.Begin(next);
        _file = next.File!;
        _note.Write(next.Number, next.Length, next.LastCommit);
        return ended;
    }

    private LogSegment Create(in SegmentHeader header)
    {
        try
        {
            return SegmentWriter.Create(_files, header, _state.Catalog, _state.LastCommit);
        }
        catch (LogFullException)
        {
            lock (_state.Gate)
                _state.Catalog.LiveSegments.Remove(header.Number);
            throw;
        }
        catch (IOException e)
        {
            throw Failed("beginning a segment", e);
        }
    }

    // Nobody writes to the segment any more, so this needs no lock and holds nobody up.
    private void Finish(LogSegment ended)
    {
        try
        {
            bool isSealed = SegmentWriter.TryEnd(ended.File!, ended, FrameKind.Seal, NowMs());
            Sync(ended.File!);
            // Without its seal, for want of room, it is left as it is until the next start ends it.
            if (isSealed)
                SegmentIndexFile.TryWrite(_files, ended);
            _segmentFiles.Adopt(ended, isSealed);
        }
        catch (IOException e)
        {
            throw Failed("ending a segment", e);
        }
    }

    // What is on the disk is not known any more: nothing may build on it.
    private LogException Failed(string doing, IOException e) => _state.Fail(new LogUnavailableException(
        $"The log in {_files.Location} must not go on, because {doing} failed: {e.Message}. " +
        "Check the disk, then start again.", e));

    private long NowMs() => _options.TimeProvider.GetUtcNow().ToUnixTimeMilliseconds();
}
