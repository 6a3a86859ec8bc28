using System.Security.Cryptography;
using Streams.Log.Embedded.Files;
using Streams.Log.Embedded.Format;
using Streams.Log.Embedded.Segments;

namespace Streams.Log.Embedded;

/// <summary>
/// Brings a log's state back from its files. Only the last segment is read: it begins with a snapshot of
/// everything that the segments before it made, and those were on the disk as a whole before it existed.
/// </summary>
/// <remarks>A torn tail, which <see cref="SegmentReplay"/> tells from damage, is cut.</remarks>
internal sealed class Recovery
{
    private readonly LogState _state;
    private readonly EmbeddedLogOptions _options;
    private readonly ILogFileSystem _files;
    private readonly long _nowMs;
    private bool _closedInOrder;
    private TornTail? _cut;

    private Recovery(LogState state, EmbeddedLogOptions options, ILogFileSystem files)
    {
        _state = state;
        _options = options;
        _files = files;
        _nowMs = options.TimeProvider.GetUtcNow().ToUnixTimeMilliseconds();
    }

    /// <summary>Fills the state from the files, and creates a log where there is none.</summary>
    /// <exception cref="LogDamagedException">Bytes that had reached the disk are not what was
    /// written.</exception>
    public static RecoveryReport Run(LogState state, EmbeddedLogOptions options, ILogFileSystem files)
    {
        var recovery = new Recovery(state, options, files);
        recovery.DeleteLeftovers();
        SegmentListing listing = SegmentListing.Read(files);
        DurableMark? note = DurableNote.Read(files);
        if (listing.Segments.Count == 0)
            recovery.CreateLog(note is not null);
        else
            recovery.Recover(listing, note);
        return new RecoveryReport
        {
            ClosedInOrder = recovery._closedInOrder,
            LastCommit = state.LastCommit,
            Segments = state.Segments.Count,
            Cut = recovery._cut,
        };
    }

    // A file gets its name when it is whole; one that still has the other name was not used by anybody.
    private void DeleteLeftovers()
    {
        foreach (string name in _files.List())
        {
            if (name.EndsWith(LogSegment.NewSuffix, StringComparison.Ordinal))
                _files.Delete(name);
        }
    }

    private void CreateLog(bool wasThere)
    {
        if (wasThere)
        {
            throw new LogDamagedException(
                Path.Combine(_files.Location, LogSegment.NameOf(1)), 0,
                "the log was here and all its segments are gone");
        }
        ulong logId = _options.LogId ?? BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong)));
        _state.Catalog.LiveSegments.Add(1);
        var header = new SegmentHeader(logId, 1, 1, 0, _nowMs, 0);
        _state.Begin(SegmentWriter.Create(_files, header, _state.Catalog, commit: 0));
        _closedInOrder = true;
    }

    private void Recover(SegmentListing listing, DurableMark? note)
    {
        LogSegment active = listing.Segments[^1];
        _state.Segments.AddRange(listing.Segments[..^1]);
        _state.Begin(active);
        if (note?.LogId != active.Header.LogId)
            note = null;
        if (note?.Segment > active.Header.LastNumber)
            throw SegmentReplay.Missing(_files, note.Value.Segment);
        active.File = _files.Open(active.FileName, LogFileMode.Write);
        ReadActive(active, note?.Segment == active.Number ? note.Value.Position : 0);
        SegmentReplay.RequireAll(_state, _files);
        // What a killed process left in the system's memory has to be on the disk before anybody is told that
        // it is: the commits, and the names of the files they are in.
        active.File.Sync();
        _files.SyncDirectory();
        _state.DurableEnd = active.Length;
        _state.DurableCommit = _state.LastCommit;
        for (int i = 0; i < listing.Segments.Count - 1; i++)
            Attach(listing.Segments[i], listing.Segments[i + 1]);
        foreach (LogSegment merged in listing.Merged)
            _files.Delete(merged.FileName);
        DeleteStrayIndexes();
    }

    private void ReadActive(LogSegment active, long notedEnd)
    {
        SegmentReplay replay = SegmentReplay.Run(_state, active, _files, notedEnd);
        _closedInOrder = replay.LastFrame == FrameKind.Close && replay.Tail is null;
        _cut = replay.Tail;
        if (_cut is not null)
            active.File!.Truncate(_cut.Position);
    }

    private void Attach(LogSegment segment, LogSegment next)
    {
        segment.IsFinished = SegmentIndexFile.TryReadSlices(_files, segment) || Rebuild(segment, next);
        foreach (PartitionSlice slice in segment.Slices)
            _state.Catalog.Topics.Find(slice.Partition)?.Insert(slice);
    }

    // Whether the segment has its seal, which only a full disk can keep it from getting here.
    private bool Rebuild(LogSegment segment, LogSegment next)
    {
        using ILogFile file = _files.Open(segment.FileName, LogFileMode.Write);
        long sealAt = next.Header.SealPositionOf(segment.Header) ?? long.MaxValue;
        LogSegment rebuilt = SegmentRebuild.Scan(_files, segment, file, sealAt);
        if (!rebuilt.IsFinished)
        {
            if (sealAt == long.MaxValue)
                throw segment.Damaged(_files, rebuilt.Length, LogDefect.NotSealed);
            // A crash came between the start of the next segment and the end of this one.
            file.Truncate(rebuilt.Length);
            rebuilt.IsFinished = SegmentWriter.TryEnd(file, rebuilt, FrameKind.Seal, _nowMs);
        }
        // A seal that is there may not have reached the disk either.
        file.Sync();
        // An index says that the segment is sealed.
        if (rebuilt.IsFinished)
            SegmentIndexFile.TryWrite(_files, rebuilt);
        segment.Length = rebuilt.Length;
        segment.TakeFigures(rebuilt);
        return rebuilt.IsFinished;
    }

    private void DeleteStrayIndexes()
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (LogSegment segment in _state.Segments)
            names.Add(segment.IndexName);
        foreach (string name in _files.List())
        {
            if (name.EndsWith(LogSegment.IndexSuffix, StringComparison.Ordinal) && !names.Contains(name))
                _files.Delete(name);
        }
    }
}
