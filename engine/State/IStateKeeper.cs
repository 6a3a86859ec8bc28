namespace Streams.State;

/// <summary>Keeps a store beside its changelog, so that a restart need not begin at the beginning.</summary>
internal interface IStateKeeper : IDisposable
{
    /// <summary>Brings the empty store to a point of its changelog.</summary>
    /// <param name="progress">Told how far it has come.</param>
    /// <returns>The offset from which the changelog has to be replayed.</returns>
    /// <exception cref="StateLostException">That point is not there any more.</exception>
    long Load(RestoreProgress progress);

    /// <summary>Called after the replay.</summary>
    /// <param name="end">One past the last offset that was replayed.</param>
    void Replayed(long end);

    /// <summary>Notes that the changelog grew.</summary>
    void CountChangelogBytes(int bytes);

    /// <summary>Called when a commit that holds the last flush has begun.</summary>
    /// <param name="commit">The commit, which may still be under way.</param>
    void Committed(Task<long> commit);
}

/// <summary>How far a store has come that is being restored; read by whoever wants to know.</summary>
internal sealed class RestoreProgress(string task, string store)
{
    private long _done;
    private long _total;

    internal string Task { get; } = task;

    internal string Store { get; } = store;

    /// <summary>What has been read, in bytes of a snapshot or records of a changelog.</summary>
    internal long Done => Volatile.Read(ref _done);

    /// <summary>What is to be read of it.</summary>
    internal long Total => Volatile.Read(ref _total);

    /// <summary>Whether <see cref="Done"/> counts bytes of a snapshot, or records of the changelog.</summary>
    internal bool IsSnapshot { get; private set; }

    /// <summary>Share that is done, in percent.</summary>
    internal int Percent => Total == 0 ? 0 : (int)(100 * Math.Min(Done, Total) / Total);

    internal void Begin(bool isSnapshot, long total)
    {
        IsSnapshot = isSnapshot;
        Volatile.Write(ref _done, 0);
        Volatile.Write(ref _total, total);
    }

    internal void Report(long done) => Volatile.Write(ref _done, done);

    /// <inheritdoc/>
    public override string ToString() =>
        $"{Store} of task {Task}: {Percent} % of {(IsSnapshot ? "its snapshot" : "its changelog")}";
}
