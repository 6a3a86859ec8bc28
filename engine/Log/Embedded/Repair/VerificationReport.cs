namespace Streams.Log.Embedded.Repair;

/// <summary>What stands in a log's directory.</summary>
public sealed record VerificationReport
{
    /// <summary>Whether every byte that should be there is, and is what was written.</summary>
    public bool IsWhole => Damage.Count == 0;

    /// <summary>The segments, by number.</summary>
    public required IReadOnlyList<SegmentReport> Segments { get; init; }

    /// <summary>The partitions, by topic name and number.</summary>
    public required IReadOnlyList<PartitionReport> Partitions { get; init; }

    /// <summary>Number of whole commits.</summary>
    public required long Commits { get; init; }

    /// <summary>The last of them.</summary>
    public required long LastCommit { get; init; }

    /// <summary>Whether the log was closed in good order.</summary>
    public required bool ClosedInOrder { get; init; }

    /// <summary>
    /// What a crash has left at the end, which the next start cuts off; null where there is nothing.
    /// </summary>
    public TornTail? TornTail { get; init; }

    /// <summary>What is not as it was written.</summary>
    public required IReadOnlyList<DamageReport> Damage { get; init; }

    /// <summary>Records that went with it, where something behind them tells.</summary>
    public required IReadOnlyList<LostRecords> Lost { get; init; }

    /// <summary>
    /// Commits that were durable and are missing at the end of the log, where nothing tells what was in them:
    /// their offsets will be given again.
    /// </summary>
    public required long CommitsLostAtEnd { get; init; }
}

/// <summary>A segment of a log.</summary>
/// <param name="File">Its file.</param>
/// <param name="Bytes">Length of the file.</param>
/// <param name="Generation">How often it was rewritten.</param>
/// <param name="Commits">Number of whole commits in it.</param>
public sealed record SegmentReport(string File, long Bytes, uint Generation, long Commits);

/// <summary>A partition of a log.</summary>
/// <param name="Topic">Its topic's name.</param>
/// <param name="Partition">Its number, 0-based.</param>
/// <param name="StartOffset">The first offset that is kept.</param>
/// <param name="NextOffset">One past the last offset.</param>
/// <param name="Records">Records on the disk, those before the start included.</param>
/// <param name="Bytes">Bytes that they take.</param>
public sealed record PartitionReport(
    string Topic, int Partition, long StartOffset, long NextOffset, long Records, long Bytes);

/// <summary>Bytes that are not what was written.</summary>
/// <param name="File">The file.</param>
/// <param name="Position">Bytes from its start.</param>
/// <param name="Bytes">How many.</param>
/// <param name="Reason">What is wrong, without a full stop.</param>
public sealed record DamageReport(string File, long Position, long Bytes, string Reason);

/// <summary>Offsets whose records cannot be read any more.</summary>
/// <param name="Topic">The topic's name.</param>
/// <param name="Partition">The partition, 0-based.</param>
/// <param name="FirstOffset">The first offset lost.</param>
/// <param name="LastOffset">The last offset lost.</param>
public sealed record LostRecords(string Topic, int Partition, long FirstOffset, long LastOffset);

/// <summary>What a repair did.</summary>
/// <param name="Before">What was found.</param>
/// <param name="Rewritten">Segments that were written anew from what was whole.</param>
/// <param name="SetAside">Files that hold the damaged bytes.</param>
public sealed record RepairReport(
    VerificationReport Before, IReadOnlyList<string> Rewritten, IReadOnlyList<string> SetAside);
