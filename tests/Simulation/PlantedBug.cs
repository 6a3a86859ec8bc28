namespace Streams.Tests.Simulation;

/// <summary>
/// Mistakes that an engine can make, planted at seams that it has anyway: its file system, its log and
/// writers, its readers, the topology. The simulation has to find each.
/// </summary>
internal enum PlantedBug
{
    /// <summary>No mistake.</summary>
    None,

    /// <summary>The log says that commits are durable without an fsync of the segment.</summary>
    SkipSegmentSync,

    /// <summary>New segment files are not made durable in their directory.</summary>
    SkipDirectorySync,

    /// <summary>Positions of tasks are committed before their outputs and state.</summary>
    CommitPositionsBeforeOutputs,

    /// <summary>Positions of tasks are committed after their outputs and state.</summary>
    CommitPositionsAfterOutputs,

    /// <summary>A deleted entry of a store does not get into the changelog.</summary>
    ForgetTombstone,

    /// <summary>The last entry of a commit's changelog is dropped.</summary>
    DropLastChangelogEntry,

    /// <summary>A reader's batches share one buffer.</summary>
    ReuseBufferTooEarly,

    /// <summary>A snapshot claims to begin behind commits that it has only a part of.</summary>
    SnapshotStartsTooLate,

    /// <summary>A snapshot counts before the commit that it holds is durable.</summary>
    SnapshotBeforeDurable,

    /// <summary>A snapshot's name is not made durable before the one that it replaces goes.</summary>
    SkipSnapshotDirectorySync,

    /// <summary>A sink is given records that a power cut can take back.</summary>
    DeliverBeforeDurable,

    /// <summary>A source's cursor is committed before its records.</summary>
    CommitCursorBeforeRecords,

    /// <summary>A source's cursor is not committed with its records.</summary>
    ForgetCursor,

    /// <summary>A commit that found the disk full is taken for made.</summary>
    GiveUpOnFullDisk,

    /// <summary>Event times do not survive a restart.</summary>
    ForgetStreamTime,

    /// <summary>Records are spread over partitions without regard to their key.</summary>
    IgnoreKeyInPartitioning,
}
