using System.Globalization;
using Streams.Log.Embedded.Files;
using Streams.Log.Embedded.Format;
using Streams.Log.Embedded.Segments;

namespace Streams.Log.Embedded;

/// <summary>
/// The log of a directory as it was at the moment of opening, to read: all that was committed by then, and
/// nothing later. It takes no lock, cuts nothing off and writes nothing, so the log may be in use: its owner
/// goes on appending, beginning segments, dropping and compacting, and does not notice.
/// </summary>
/// <remarks>
/// All segment files stay open until it is disposed, so space that the owner gives back meanwhile is free
/// only then. Readers belong to one thread each.
/// </remarks>
public sealed class EmbeddedLogView : ILogContents, IDisposable
{
    // What looks damaged may be a commit that the owner took back, on a full disk, while it was being read.
    // Real damage is still there at the next look.
    private const int LooksMax = 3;

    private const int ReadBytesMax = 256 * 1024;
    private const long IndexCacheBytesMax = 32 * 1024 * 1024;

    private readonly LogState _state;
    private readonly PinnedFileSystem _files;
    private readonly SegmentFiles _segmentFiles;

    private EmbeddedLogView(LogState state, PinnedFileSystem files)
    {
        _state = state;
        _files = files;
        _segmentFiles = new SegmentFiles(state, files, int.MaxValue, IndexCacheBytesMax);
        Id = state.Active.Header.LogId.ToString("x16", CultureInfo.InvariantCulture);
    }

    /// <summary>The log's id; see <see cref="ITopicLog.Id"/>.</summary>
    public string Id { get; }

    /// <summary>The last commit that is seen.</summary>
    public long LastCommit => _state.LastCommit;

    /// <summary>All topics, by name.</summary>
    public IReadOnlyList<Topic> Topics => _state.Catalog.Topics.Sorted;

    /// <summary>Opens the log of a directory as it is now.</summary>
    /// <exception cref="LogUnavailableException">There is no log, it cannot be read, or a later version
    /// of the program wrote it.</exception>
    /// <exception cref="LogDamagedException">Bytes that had reached the disk are not what was
    /// written.</exception>
    public static EmbeddedLogView Open(string directory) => Open(new DirectoryFileSystem(directory));

    /// <summary>Opens the log in some files as it is now.</summary>
    /// <inheritdoc cref="Open(string)" path="/exception"/>
    public static EmbeddedLogView Open(ILogFileSystem files)
    {
        for (int look = 1; ; look++)
        {
            try
            {
                return Look(files);
            }
            catch (LogDamagedException) when (look < LooksMax)
            {
                // See LooksMax.
            }
            catch (IOException e)
            {
                throw new LogUnavailableException(
                    $"The log in {files.Location} cannot be read: {e.Message}", e);
            }
        }
    }

    /// <summary>The topic of that name, or null.</summary>
    public Topic? FindTopic(string name) => _state.Catalog.Topics.Find(name)?.Topic;

    /// <summary>The first offset still kept.</summary>
    public long StartOffset(TopicPartition partition) => _state.Catalog.Topics.Get(partition).StartOffset;

    /// <summary>One past the last offset committed.</summary>
    public long EndOffset(TopicPartition partition) => _state.Catalog.Topics.Get(partition).NextOffset;

    /// <summary>The next offset that the group has to process, or null when it never committed one.</summary>
    public long? CommittedOffset(string group, TopicPartition partition) =>
        _state.Catalog.Groups.Find(group, partition);

    /// <summary>The cursor last committed for a source under a key, or null.</summary>
    public byte[]? Cursor(string source, string key) => _state.Catalog.Cursors.Find(source, key);

    /// <summary>All of a source's committed cursors, by key in ordinal order.</summary>
    public IReadOnlyList<KeyValuePair<string, byte[]>> Cursors(string source) =>
        _state.Catalog.Cursors.All(source);

    /// <summary>The sources that have committed cursors, in ordinal order.</summary>
    public IReadOnlyList<string> CursorSources => _state.Catalog.Cursors.Sources;

    /// <summary>Opens a reader.</summary>
    public ILogReader OpenReader() =>
        new EmbeddedLogReader(_state, _segmentFiles, _files, ReadBytesMax, ReadLevel.Committed);

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_state.Gate)
            _state.IsClosed = true;
        _files.Dispose();
    }

    private static EmbeddedLogView Look(ILogFileSystem files)
    {
        PinnedFileSystem pinned = PinnedFileSystem.Take(files);
        EmbeddedLogView? view = null;
        try
        {
            return view = new EmbeddedLogView(Read(pinned), pinned);
        }
        finally
        {
            if (view is null)
                pinned.Dispose();
        }
    }

    private static LogState Read(PinnedFileSystem files)
    {
        SegmentListing listing = SegmentListing.Read(files);
        if (listing.Segments.Count == 0)
            throw new LogUnavailableException($"There is no log in {files.Location}.");
        var state = new LogState();
        LogSegment active = listing.Segments[^1];
        state.Segments.AddRange(listing.Segments[..^1]);
        state.Begin(active);
        DurableMark? note = DurableNote.Read(files);
        if (note?.LogId != active.Header.LogId)
            note = null;
        if (note?.Segment > active.Header.LastNumber)
            throw SegmentReplay.Missing(files, note.Value.Segment);
        active.File = files.Open(active.FileName, LogFileMode.Read);
        long notedEnd = note?.Segment == active.Number ? note.Value.Position : 0;
        SegmentReplay.Run(state, active, files, notedEnd);
        SegmentReplay.RequireAll(state, files);
        for (int i = 0; i < listing.Segments.Count - 1; i++)
            Attach(state, listing.Segments[i], listing.Segments[i + 1], files);
        return state;
    }

    private static void Attach(LogState state, LogSegment segment, LogSegment next, PinnedFileSystem files)
    {
        segment.IsFinished = SegmentIndexFile.TryReadSlices(files, segment);
        if (!segment.IsFinished)
            Scan(segment, next, files);
        foreach (PartitionSlice slice in segment.Slices)
            state.Catalog.Topics.Find(slice.Partition)?.Insert(slice);
    }

    // A segment that was ended just now may not have its seal yet; what is not finished is kept in memory.
    private static void Scan(LogSegment segment, LogSegment next, PinnedFileSystem files)
    {
        using ILogFile file = files.Open(segment.FileName, LogFileMode.Read);
        long sealAt = next.Header.SealPositionOf(segment.Header) ?? long.MaxValue;
        LogSegment rebuilt = SegmentRebuild.Scan(files, segment, file, sealAt);
        if (!rebuilt.IsFinished && sealAt == long.MaxValue)
            throw segment.Damaged(files, rebuilt.Length, LogDefect.NotSealed);
        segment.Length = rebuilt.Length;
        segment.TakeFigures(rebuilt);
        for (int i = 0; i < segment.Slices.Count; i++)
            segment.Slices[i].Load(rebuilt.Slices[i].Detach());
        segment.IsIndexLoaded = true;
    }
}
