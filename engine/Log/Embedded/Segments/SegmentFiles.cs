using Streams.Log.Embedded.Files;

namespace Streams.Log.Embedded.Segments;

/// <summary>
/// Opens segment files and loads their indexes when a read needs them, and lets go of those that were not
/// needed for longest. Sealed segments only: the active one stays open with its index.
/// </summary>
internal sealed class SegmentFiles(LogState state, ILogFileSystem files, int openFilesMax, long indexBytesMax)
{
    // Opening is rare and slow; one at a time keeps it simple.
    private readonly Lock _opening = new();
    private long _uses;
    private int _open;
    private long _indexBytes;

    /// <summary>Takes hold of a segment that a read is about to use. The caller holds the gate.</summary>
    /// <returns>False when <see cref="Open"/> has to be called first.</returns>
    public bool TryPin(LogSegment segment)
    {
        if (segment.File is null || !segment.IsIndexLoaded)
            return false;
        segment.LastUse = ++_uses;
        segment.Pins++;
        return true;
    }

    /// <summary>Lets go of a segment.</summary>
    public void Unpin(LogSegment segment)
    {
        ILogFile? unused = null;
        lock (state.Gate)
        {
            if (--segment.Pins == 0 && segment.IsRetired)
                unused = Forget(segment);
        }
        unused?.Dispose();
    }

    /// <summary>
    /// Opens a segment's file and loads its index, unless it was retired meanwhile; either way the reader
    /// looks again for what it wants. The caller does not hold the gate.
    /// </summary>
    public void Open(LogSegment segment)
    {
        lock (_opening)
        {
            if (segment.File is null && !TryOpen(segment))
                return;
            if (!segment.IsIndexLoaded)
            {
                SegmentIndexFile.Loaded loaded = SegmentIndexFile.LoadOrRebuild(files, segment);
                lock (state.Gate)
                {
                    loaded.Install(segment);
                    segment.LastUse = ++_uses;
                    _indexBytes += segment.IndexBytes;
                }
            }
            Evict(segment);
        }
    }

    /// <summary>Takes over a segment that was written to, with its file open and its index loaded.</summary>
    /// <param name="segment">The segment.</param>
    /// <param name="isFinished">Whether it has its seal.</param>
    public void Adopt(LogSegment segment, bool isFinished)
    {
        lock (_opening)
        {
            lock (state.Gate)
            {
                segment.IsFinished = isFinished;
                segment.LastUse = ++_uses;
                _open++;
                _indexBytes += segment.IndexBytes;
            }
            Evict(segment);
        }
    }

    /// <summary>
    /// Puts a segment in the place of others that follow on one another, or nothing. Reads under way end on
    /// the old files; no read ever takes an old segment's positions to the new file.
    /// </summary>
    /// <param name="old">Sealed segments.</param>
    /// <param name="replacement">What holds all of them that is needed, or null.</param>
    /// <param name="rename">Gives the replacement's file its name, for good.</param>
    public void Replace(IReadOnlyList<LogSegment> old, LogSegment? replacement, Action rename)
    {
        var unused = new List<ILogFile?>();
        lock (_opening)
        {
            rename();
            lock (state.Gate)
            {
                int at = state.Segments.IndexOf(old[0]);
                state.Segments.RemoveRange(at, old.Count);
                foreach (LogSegment segment in old)
                {
                    foreach (PartitionSlice slice in segment.Slices)
                        state.Catalog.Topics.Find(slice.Partition)?.Remove(slice);
                    segment.IsRetired = true;
                    if (segment.Pins == 0)
                        unused.Add(Forget(segment));
                }
                if (replacement is not null)
                {
                    state.Segments.Insert(at, replacement);
                    foreach (PartitionSlice slice in replacement.Slices)
                        state.Catalog.Topics.Find(slice.Partition)?.Insert(slice);
                }
            }
        }
        foreach (ILogFile? file in unused)
            file?.Dispose();
    }

    private bool TryOpen(LogSegment segment)
    {
        ILogFile file;
        try
        {
            file = files.Open(segment.FileName, LogFileMode.Read);
        }
        catch (FileNotFoundException)
        {
            lock (state.Gate)
            {
                if (segment.IsRetired)
                    return false;
            }
            throw new LogDamagedException(
                Path.Combine(files.Location, segment.FileName), 0, "the segment is missing");
        }
        lock (state.Gate)
        {
            if (!segment.IsRetired)
            {
                segment.File = file;
                segment.LastUse = ++_uses;
                _open++;
                return true;
            }
        }
        // What was opened may be the file that has taken this one's place.
        file.Dispose();
        return false;
    }

    private void Evict(LogSegment keep)
    {
        while (true)
        {
            ILogFile? unused;
            lock (state.Gate)
            {
                if (_open <= openFilesMax && _indexBytes <= indexBytesMax)
                    return;
                if (FindOldest(keep) is not { } oldest)
                    return;
                unused = Forget(oldest);
            }
            unused?.Dispose();
        }
    }

    private LogSegment? FindOldest(LogSegment keep)
    {
        LogSegment? oldest = null;
        for (int i = 0; i < state.Segments.Count - 1; i++)
        {
            LogSegment segment = state.Segments[i];
            bool isHeld = segment.File is not null || segment.IsIndexLoaded;
            bool isEvictable = isHeld && segment.IsFinished && segment.Pins == 0 && segment != keep;
            if (isEvictable && (oldest is null || segment.LastUse < oldest.LastUse))
                oldest = segment;
        }
        return oldest;
    }

    // The caller holds the gate and disposes what is returned outside of it.
    private ILogFile? Forget(LogSegment segment)
    {
        if (segment.IsIndexLoaded)
        {
            _indexBytes -= segment.IndexBytes;
            segment.IsIndexLoaded = false;
            foreach (PartitionSlice slice in segment.Slices)
                slice.Unload();
        }
        ILogFile? file = segment.File;
        if (file is not null)
            _open--;
        segment.File = null;
        return file;
    }
}
