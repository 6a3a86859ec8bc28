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

    /// <summary>A session that was merged into another is not deleted downstream.</summary>
    ForgetSessionTombstone,

    /// <summary>A row that names another foreign key stays subscribed to the one before.</summary>
    ForgetUnsubscribe,

    /// <summary>A record without a match that came out waits on after a restart.</summary>
    ForgetUnmatchedEmitted,

    /// <summary>What a suppression holds back is gone after a restart.</summary>
    ForgetHeldBack,

    /// <summary>A record that an operator failed at is dropped.</summary>
    ForgetDeadLetter,

    /// <summary>A store is restored without the last of its changelog.</summary>
    RestoreWithoutEnd,

    /// <summary>A side of a join of streams ends a millisecond early.</summary>
    JoinExpiresEarly,

    /// <summary>A window takes late records for a millisecond too long.</summary>
    WindowClosesLate,

    /// <summary>A history is a millisecond too short.</summary>
    HistoryEndsEarly,

    /// <summary>A timer goes off a millisecond early.</summary>
    TimerFiresEarly,

    /// <summary>A thread does not take in what is new of a global table.</summary>
    GlobalTableStandsStill,

    /// <summary>Results have no headers.</summary>
    ForgetHeaders,
}
