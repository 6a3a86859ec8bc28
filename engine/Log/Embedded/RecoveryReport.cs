namespace Streams.Log.Embedded;

/// <summary>What was found when a log was opened.</summary>
public sealed record RecoveryReport
{
    /// <summary>Whether the log was closed in good order before; true of a new one.</summary>
    public required bool ClosedInOrder { get; init; }

    /// <summary>The last commit that was found.</summary>
    public required long LastCommit { get; init; }

    /// <summary>Number of segments.</summary>
    public required int Segments { get; init; }

    /// <summary>
    /// What a crash had left of unfinished commits, which was cut off; null where there was nothing.
    /// </summary>
    public TornTail? Cut { get; init; }
}

/// <summary>Bytes at the end of the log that were never durable and are no whole commits.</summary>
/// <param name="File">The segment's file.</param>
/// <param name="Position">Where it was cut.</param>
/// <param name="Bytes">How many bytes were cut off.</param>
/// <param name="Reason">Why they are no commit, without a full stop.</param>
public sealed record TornTail(string File, long Position, long Bytes, string Reason);
