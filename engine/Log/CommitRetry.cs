namespace Streams.Log;

/// <summary>Commits that wait for room on a full disk, because nothing is lost by waiting.</summary>
internal static class CommitRetry
{
    /// <summary>
    /// Commits; where the disk is full, tries again until there is room or the caller gives up.
    /// </summary>
    /// <param name="contents">What to commit.</param>
    /// <param name="interval">The wait between tries.</param>
    /// <param name="room">Told when the log turns out full or has room again.</param>
    /// <param name="cancellation">Ends the waiting: the last failure is then thrown.</param>
    internal static long CommitWhenRoom(
        this ICommit contents, TimeSpan interval, LogRoom room, CancellationToken cancellation)
    {
        while (true)
        {
            try
            {
                long commit = contents.Commit();
                room.Report(contents, false);
                return commit;
            }
            catch (LogFullException) when (!cancellation.IsCancellationRequested)
            {
                room.Report(contents, true);
                cancellation.WaitHandle.WaitOne(interval);
            }
        }
    }
}

/// <summary>Which commits wait for room on the disk; readiness and operators ask.</summary>
internal sealed class LogRoom
{
    private readonly HashSet<ICommit> _waiting = [];

    /// <summary>Whether a commit waits.</summary>
    internal bool IsFull { get; private set; }

    internal void Report(ICommit commit, bool full)
    {
        if (!full && !IsFull)
            return;
        lock (_waiting)
        {
            _ = full ? _waiting.Add(commit) : _waiting.Remove(commit);
            IsFull = _waiting.Count > 0;
        }
    }
}
