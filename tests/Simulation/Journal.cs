using Streams.Tests.Reference;

namespace Streams.Tests.Simulation;

/// <summary>
/// What was committed, in order, as seen from outside the engine: which records sources put where, and which
/// records tasks processed in which order. A crash cuts off its end, as it cuts off the log's.
/// </summary>
internal sealed class Journal
{
    private readonly List<JournalEntry> _entries = [];

    /// <summary>The entries, by commit.</summary>
    internal IReadOnlyList<JournalEntry> Entries => _entries;

    /// <summary>Notes a commit that is about to be made.</summary>
    internal void Add(JournalEntry entry) => _entries.Add(entry);

    /// <summary>Takes back a commit that was refused.</summary>
    internal void Remove(JournalEntry entry) => _entries.Remove(entry);

    /// <summary>Forgets commits that did not survive.</summary>
    internal void CutAfter(long commit) => _entries.RemoveAll(e => e.Commit > commit);
}

/// <summary>One commit.</summary>
/// <param name="Commit">Its number.</param>
/// <param name="Emitted">Records that a source put into topics.</param>
/// <param name="Steps">What the tasks of a group did, in order.</param>
internal sealed record JournalEntry(
    long Commit, IReadOnlyList<(Place Place, Row Row)> Emitted, IReadOnlyList<TaskStep> Steps);

/// <summary>What a task did.</summary>
internal enum TaskStepKind
{
    /// <summary>It processed a record, or left one out: the partition and its offset.</summary>
    Processed,

    /// <summary>An operator's timer began: the operator and the partition, and the wall clock.</summary>
    Opened,

    /// <summary>The task looked at the wall clock: the operator and the partition, and the time.</summary>
    LookedAtClock,

    /// <summary>Its thread took in a global table: the partition and how far.</summary>
    TookInGlobal,
}

/// <summary>A step of a task.</summary>
/// <param name="Kind">What it did.</param>
/// <param name="Place">The partition; of a timer the operator's store and the partition.</param>
/// <param name="Number">An offset or a time.</param>
internal readonly record struct TaskStep(TaskStepKind Kind, Place Place, long Number);
