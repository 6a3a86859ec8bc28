using Microsoft.Extensions.Logging;
using Streams.Telemetry;

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
                room.NoteRoom(contents);
                return commit;
            }
            catch (LogFullException e) when (!cancellation.IsCancellationRequested)
            {
                room.NoteFull(contents, e.Message);
                cancellation.WaitHandle.WaitOne(interval);
            }
        }
    }
}

/// <summary>Which commits wait for room on the disk; readiness and operators ask.</summary>
/// <param name="logger">Told when the disk turns out full and when it has room again.</param>
internal sealed class LogRoom(ILogger? logger = null)
{
    private readonly HashSet<ICommit> _waiting = [];
    private volatile bool _isFull;

    /// <summary>Whether a commit waits.</summary>
    internal bool IsFull => _isFull;

    /// <summary>A commit found no room.</summary>
    internal void NoteFull(ICommit commit, string reason)
    {
        lock (_waiting)
        {
            _waiting.Add(commit);
            if (_isFull)
                return;
            _isFull = true;
        }
        logger?.LogFull(reason);
    }

    /// <summary>A commit was made.</summary>
    internal void NoteRoom(ICommit commit)
    {
        if (!_isFull)
            return;
        lock (_waiting)
        {
            if (!_waiting.Remove(commit) || _waiting.Count > 0)
                return;
            _isFull = false;
        }
        logger?.LogHasRoom();
    }
}
