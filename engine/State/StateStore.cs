namespace Streams.State;

/// <summary>
/// State of one task that survives: what changes in it goes to its changelog with the commit that also holds
/// the task's outputs and positions.
/// </summary>
/// <remarks>Belongs to the task's thread.</remarks>
public abstract class StateStore : IDisposable
{
    private protected StateStore(StoreOptions options) => Options = options;

    /// <summary>The name, unique in the topology; part of the changelog topic's name.</summary>
    public string Name => Options.Name;

    /// <summary>Bytes of memory reserved.</summary>
    public abstract long BytesReserved { get; }

    /// <summary>Number of entries.</summary>
    public abstract long Count { get; }

    /// <summary>What the store was asked to be.</summary>
    internal StoreOptions Options { get; }

    /// <summary>The highest time that a store with retention has seen: what it forgets goes by
    /// this.</summary>
    internal virtual long ObservedMs { get; set; } = long.MinValue;

    /// <summary>The stream time of the operator that owns the store: what is late goes by this.</summary>
    internal long StreamTimeMs { get; set; } = long.MinValue;

    /// <summary>The stream time of the task, by which entries with a time to live go.</summary>
    internal Func<long> TaskTimeMs { get; set; } = static () => long.MinValue;

    /// <summary>The table on disk that the store lies in; null for one in memory.</summary>
    internal virtual Disk.DiskTable? Disk => null;

    /// <summary>Puts the empty store on disk.</summary>
    internal virtual void UseDisk(Disk.DiskTable table) =>
        throw new NotSupportedException($"The store '{Name}' is of a kind that is kept in memory.");

    /// <summary>Called when everything that was committed is there again.</summary>
    internal virtual void Restored()
    {
    }

    /// <summary>Reads entries for somebody outside; on the task's thread.</summary>
    /// <returns>Entries in order, read as they are taken.</returns>
    internal virtual IEnumerable<StateEntry> Query(StateQuery query) =>
        throw new StateQueryException($"The store '{Name}' holds what an operator keeps for itself.");

    /// <summary>The bytes of a key that somebody wrote as text.</summary>
    /// <exception cref="StateQueryException">It is no key of the store's type.</exception>
    internal virtual byte[] QueryKey(string text) => StateText.BytesOf(text);

    /// <summary>Writes what changed since the last flush.</summary>
    internal abstract void Flush(IChangelog changelog);

    /// <summary>Writes all entries as the changelog has them, changed or not.</summary>
    internal virtual void WriteAll(IChangelog changelog)
    {
        foreach (SnapshotPart part in SnapshotParts())
            part.Table.MarkAll();
        Flush(changelog);
    }

    /// <summary>Takes one changelog record, oldest first, before processing starts.</summary>
    internal abstract void Restore(ReadOnlySpan<byte> key, bool hasValue, ReadOnlySpan<byte> value);

    /// <summary>Says that a record of that key is going to be restored soon; a hint.</summary>
    /// <returns>What <see cref="ExpectEntry"/> wants.</returns>
    internal virtual uint Expect(ReadOnlySpan<byte> changelogKey) => 0;

    /// <summary>Says the same again, when what the first time asked for has come.</summary>
    internal virtual void ExpectEntry(uint hash)
    {
    }

    /// <summary>Sets an entry back to what it was before a savepoint; the change goes to the
    /// changelog.</summary>
    internal abstract void Undo(long part, ReadOnlySpan<byte> key, bool hasValue, ReadOnlySpan<byte> value);

    /// <summary>The tables that a snapshot copies; a new list where tables come and go.</summary>
    internal abstract IReadOnlyList<SnapshotPart> SnapshotParts();

    /// <summary>The table that a snapshot's part is read back into.</summary>
    internal abstract TrackedTable RestorePart(long part);

    /// <summary>Forgets everything, as after a failure, before restoring.</summary>
    internal abstract void Clear();

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Gives the memory back.</summary>
    protected virtual void Dispose(bool disposing)
    {
        if (disposing)
            Clear();
    }
}

/// <summary>A table of a store and what names it there.</summary>
/// <param name="Part">The store's own number for the table.</param>
/// <param name="Table">The table.</param>
internal readonly record struct SnapshotPart(long Part, TrackedTable Table);

/// <summary>Where a store's changes go.</summary>
internal interface IChangelog
{
    /// <summary>Adds one entry's new value, or its tombstone, to the commit that is being built.</summary>
    void Append(ReadOnlySpan<byte> key, bool hasValue, ReadOnlySpan<byte> value);
}

/// <summary>Takes changes that nobody needs to keep.</summary>
internal sealed class NoChangelog : IChangelog
{
    internal static readonly NoChangelog Instance = new();

    public void Append(ReadOnlySpan<byte> key, bool hasValue, ReadOnlySpan<byte> value)
    {
    }
}

/// <summary>What a store is to be like.</summary>
public sealed record StoreOptions
{
    /// <summary>Its name, unique in the topology.</summary>
    public required string Name { get; init; }

    /// <summary>Bound on its memory per task, in bytes. Default 8 GiB; at most 64 GiB.</summary>
    public long StateBytesMax { get; init; } = 8L << 30;

    /// <summary>Whether changes are logged; without it the state is gone after a restart. Default
    /// true.</summary>
    public bool Logged { get; init; } = true;

    /// <summary>Whether the entries lie on disk, with those used last in memory: for key-value stores that
    /// are larger than memory. Needs the package librocksdb7.8. Default false.</summary>
    public bool OnDisk { get; init; }

    /// <summary>How long an entry of a key-value store lives after its own time, by the task's stream time;
    /// null for ever, which is the default.</summary>
    public TimeSpan? TimeToLive { get; init; }

    /// <summary>What the keys and values are called in the topology's recorded shape.</summary>
    public string Shape { get; init; } = "bytes";
}
