using System.Buffers;
using Streams.Log.Embedded.Format;

namespace Streams.Log.Embedded.Segments;

/// <summary>
/// The batches of one partition in one segment. Its figures stay in memory, its locations come and go.
/// </summary>
internal sealed class PartitionSlice(LogSegment segment, TopicPartition partition)
{
    private BatchLocation[]? _locations;

    /// <summary>The segment.</summary>
    public LogSegment Segment { get; } = segment;

    /// <summary>The partition.</summary>
    public TopicPartition Partition { get; } = partition;

    /// <summary>The first offset covered.</summary>
    public long FirstOffset { get; set; }

    /// <summary>The last offset covered.</summary>
    public long LastOffset { get; set; }

    /// <summary>Bytes of all entries.</summary>
    public long Bytes { get; set; }

    /// <summary>Number of records.</summary>
    public long Records { get; set; }

    /// <summary>The latest record time, Unix milliseconds.</summary>
    public long MaxTimestampMs { get; set; }

    /// <summary>Number of batches.</summary>
    public int Batches { get; set; }

    /// <summary>
    /// Bytes that the batches take when their segment is rewritten, at most: each might be alone in its
    /// commit.
    /// </summary>
    public long RewrittenBytes => Bytes + (long)Batches * FrameHeader.Bytes;

    /// <summary>Whether the locations are in memory.</summary>
    public bool IsLoaded => _locations is not null;

    /// <summary>Where the batches are, in offset order; valid while <see cref="IsLoaded"/>.</summary>
    public ReadOnlySpan<BatchLocation> Locations => _locations.AsSpan(0, _locations is null ? 0 : Batches);

    /// <summary>Adds the batch that follows on the last one.</summary>
    public void Add(in EntryHeader entry, long position)
    {
        if (_locations is null || Batches == _locations.Length)
            Grow();
        _locations![Batches] = new BatchLocation(
            entry.BaseOffset, (uint)position, entry.EntryBytes, entry.LastOffsetDelta, entry.Records);
        if (Batches == 0)
            FirstOffset = entry.BaseOffset;
        Batches++;
        LastOffset = entry.LastOffset;
        Bytes += entry.EntryBytes;
        Records += entry.Records;
        MaxTimestampMs = Batches == 1 ? entry.MaxTimestampMs : Math.Max(MaxTimestampMs, entry.MaxTimestampMs);
    }

    /// <summary>
    /// Takes locations that were read from an index file; the array came from the shared pool.
    /// </summary>
    public void Load(BatchLocation[] locations)
    {
        Unload();
        _locations = locations;
    }

    /// <summary>Hands the locations over and forgets them.</summary>
    public BatchLocation[] Detach()
    {
        BatchLocation[] locations = _locations ?? [];
        _locations = null;
        return locations;
    }

    /// <summary>Forgets the locations and gives their memory back.</summary>
    public void Unload()
    {
        if (_locations is { } locations)
            ArrayPool<BatchLocation>.Shared.Return(locations);
        _locations = null;
    }

    /// <summary>The same figures for another instance of the segment.</summary>
    public PartitionSlice WithoutLocations(LogSegment segment) => new(segment, Partition)
    {
        FirstOffset = FirstOffset,
        LastOffset = LastOffset,
        Bytes = Bytes,
        Records = Records,
        MaxTimestampMs = MaxTimestampMs,
        Batches = Batches,
    };

    /// <summary>The first batch that covers an offset or lies behind it.</summary>
    /// <returns>Its index, or <see cref="Batches"/> where there is none.</returns>
    public int Find(long offset)
    {
        ReadOnlySpan<BatchLocation> locations = Locations;
        int low = 0, high = locations.Length;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (locations[middle].LastOffset < offset)
                low = middle + 1;
            else
                high = middle;
        }
        return low;
    }

    private void Grow()
    {
        BatchLocation[] larger = ArrayPool<BatchLocation>.Shared.Rent(Math.Max(16, 2 * Batches));
        Locations.CopyTo(larger);
        Load(larger);
    }
}
