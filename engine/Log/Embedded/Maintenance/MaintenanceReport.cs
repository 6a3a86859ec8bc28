namespace Streams.Log.Embedded.Maintenance;

/// <summary>What one round of maintenance did.</summary>
public sealed record MaintenanceReport
{
    /// <summary>Partitions whose start was moved by retention.</summary>
    public int PartitionsTrimmed { get; init; }

    /// <summary>
    /// Records that went although a group had not processed them, because they were older than
    /// <see cref="EmbeddedLogOptions.UnprocessedRetention"/>.
    /// </summary>
    public long UnprocessedRecordsExpired { get; init; }

    /// <summary>Segments deleted because nothing in them was needed.</summary>
    public int SegmentsDropped { get; init; }

    /// <summary>Segments rewritten without what was not needed.</summary>
    public int SegmentsRewritten { get; init; }

    /// <summary>Records that compaction removed because their key has a later one.</summary>
    public long RecordsCompacted { get; init; }

    /// <summary>Bytes given back to the disk.</summary>
    public long BytesReclaimed { get; init; }

    /// <summary>Why cleaning stopped early; null where it did not.</summary>
    public string? Stopped { get; init; }
}
