using System.Runtime.CompilerServices;
using Streams.Log.Embedded.Catalog;
using Streams.Log.Embedded.Format;
using Streams.Log.Embedded.Segments;

namespace Streams.Log.Embedded;

/// <summary>
/// What readers and writers of the log share. Everything here is guarded by <see cref="Gate"/>, which is held
/// for moments and never over I/O. A commit changes it in one hold, so that everybody sees all of the commit
/// or nothing.
/// </summary>
internal sealed class LogState
{
    /// <summary>
    /// Guards all of this; pulsed when a commit is made or becomes durable, if somebody waits.
    /// </summary>
    public object Gate { get; } = new();

    /// <summary>Topics, positions, cursors.</summary>
    public LogCatalog Catalog { get; } = new();

    /// <summary>The segments, by number; the last one is written to.</summary>
    public List<LogSegment> Segments { get; } = [];

    /// <summary>
    /// The segment that is written to: the last of <see cref="Segments"/>. Apart from these, because it
    /// changes under the appender's lock too, which may thus read it without the gate, while maintenance
    /// changes the list.
    /// </summary>
    public LogSegment Active { get; private set; } = null!;

    /// <summary>The last commit.</summary>
    public long LastCommit { get; set; }

    /// <summary>The last commit that survives a power cut.</summary>
    public long DurableCommit { get; set; }

    /// <summary>Everything before this position of the active segment survives a power cut.</summary>
    public long DurableEnd { get; set; }

    /// <summary>How many threads wait at the gate.</summary>
    public int Waiters { get; set; }

    /// <summary>Why the log can do nothing any more; null while it can.</summary>
    public LogException? Failure { get; private set; }

    /// <summary>Whether the log was closed.</summary>
    public bool IsClosed { get; set; }

    /// <summary>
    /// Ends the log's work: what it believes and what is on the disk may differ from here on.
    /// </summary>
    public LogException Fail(LogException failure)
    {
        lock (Gate)
        {
            Failure ??= failure;
            Monitor.PulseAll(Gate);
            return Failure;
        }
    }

    /// <summary>Checks, under the gate or not, that the log works.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void ThrowIfUnusable()
    {
        if (Failure is not null || IsClosed)
            ThrowUnusable();
    }

    /// <summary>Adds the segment that is written to from now on.</summary>
    public void Begin(LogSegment segment)
    {
        lock (Gate)
        {
            Segments.Add(segment);
            Active = segment;
            DurableEnd = segment.Length;
        }
    }

    /// <summary>Takes in a frame that stands at a position of the active segment.</summary>
    /// <returns>None, or what is wrong with an entry; then a part was taken in.</returns>
    public LogDefect Apply(in FrameHeader frame, ReadOnlySpan<byte> body, long position)
    {
        LogSegment active = Active;
        var entries = new FrameEntries(body);
        while (entries.MoveNext())
        {
            if (entries.Header.Kind == EntryKind.Records)
            {
                PartitionState? partition = Catalog.Advance(entries.Header);
                if (partition is null)
                    return LogDefect.EntryContents;
                SliceOf(partition, active).Add(entries.Header, position + FrameHeader.Bytes + entries.At);
            }
            else if (!Catalog.Apply(entries.Header, entries.Payload))
            {
                return LogDefect.EntryContents;
            }
        }
        active.Length = position + frame.FrameBytes;
        LastCommit = active.LastCommit = frame.Commit;
        active.HasCommits |= frame.Kind == FrameKind.Commit;
        if (frame.Kind is FrameKind.Commit or FrameKind.Snapshot)
            active.LastAppendTimeMs = Math.Max(active.LastAppendTimeMs, frame.AppendTimeMs);
        return LogDefect.None;
    }

    /// <summary>One past the last offset that a level sees. The caller holds the gate.</summary>
    public long EndOffset(PartitionState partition, ReadLevel level)
    {
        if (level == ReadLevel.Committed || partition.Slices.Count == 0)
            return partition.NextOffset;
        PartitionSlice last = partition.Slices[^1];
        if (!ReferenceEquals(last.Segment, Active))
            return partition.NextOffset;
        ReadOnlySpan<BatchLocation> locations = last.Locations;
        int at = locations.Length;
        while (at > 0 && locations[at - 1].End > DurableEnd)
            at--;
        return at > 0 ? locations[at - 1].LastOffset + 1 : last.FirstOffset;
    }

    /// <summary>Wakes whoever waits at the gate, which the caller holds.</summary>
    public void WakeWaiters()
    {
        if (Waiters > 0)
            Monitor.PulseAll(Gate);
    }

    /// <summary>Waits at the gate, which the caller holds, for a change, a time or a cancellation.</summary>
    /// <returns>False when the time was over.</returns>
    public bool WaitForChange(int milliseconds)
    {
        Waiters++;
        try
        {
            return Monitor.Wait(Gate, milliseconds);
        }
        finally
        {
            Waiters--;
        }
    }

    private static PartitionSlice SliceOf(PartitionState partition, LogSegment segment)
    {
        List<PartitionSlice> slices = partition.Slices;
        if (slices.Count > 0 && ReferenceEquals(slices[^1].Segment, segment))
            return slices[^1];
        var slice = new PartitionSlice(segment, partition.Id);
        segment.Slices.Add(slice);
        slices.Add(slice);
        return slice;
    }

    private void ThrowUnusable()
    {
        if (Failure is { } failure)
            throw new LogUnavailableException("The log has stopped: " + failure.Message, failure);
        throw new ObjectDisposedException(nameof(EmbeddedLog));
    }
}
