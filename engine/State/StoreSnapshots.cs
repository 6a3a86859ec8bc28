using Streams.Buffers;
using Streams.Log;
using Streams.Log.Embedded.Files;
using Streams.Telemetry;

namespace Streams.State;

/// <summary>
/// Takes snapshots of one store, a slice after each commit, so that the record path never waits for a whole
/// table: the slice is copied on the task's thread and written by a thread of its own.
/// </summary>
/// <remarks>
/// A snapshot counts only when the commit after its last slice is durable, for a page must not hold what a
/// power cut takes from the log. Two generations are kept, and the changelog from the older one's start on,
/// so that a damaged file costs time, not state.
/// </remarks>
internal sealed class StoreSnapshots : IStateKeeper
{
    private readonly StateStore _store;
    private readonly ITopicLog _log;
    private readonly TopicPartition _changelog;
    private readonly ILogFileSystem _files;
    private readonly SnapshotOptions _options;
    private readonly TaskScheduler _background;
    private readonly PooledBuffer _slice = new();
    private SnapshotRun? _run;
    private Task _writing = Task.CompletedTask;
    private long _changelogBytes;

    internal StoreSnapshots(
        StateStore store, ITopicLog log, TopicPartition changelog, ILogFileSystem files,
        SnapshotOptions options, TaskScheduler background)
    {
        _store = store;
        _log = log;
        _changelog = changelog;
        _files = files;
        _options = options;
        _background = background;
    }

    /// <summary>Notes that the changelog grew.</summary>
    public void CountChangelogBytes(int bytes) => _changelogBytes += bytes;

    /// <summary>Loads the newest whole snapshot into the empty store.</summary>
    /// <returns>The changelog offset to replay from: 0 where there is no snapshot.</returns>
    /// <exception cref="StateLostException">The snapshots are damaged and the changelog no longer reaches
    /// back to the beginning.</exception>
    internal long Load() => Load(new RestoreProgress("", _store.Name));

    /// <inheritdoc/>
    public long Load(RestoreProgress progress)
    {
        long start = _log.StartOffset(_changelog);
        long end = _log.EndOffset(_changelog, ReadLevel.Committed);
        foreach (string name in Names().Reverse())
        {
            if (SnapshotFile.Read(_files, name, _store, _background, progress) is { } offset
                && offset >= start && offset <= end)
                return offset;
            _store.Clear();
        }
        return start == 0
            || _log.SharesWork ? start : throw new StateLostException(_store.Name, _files.Location);
    }

    /// <inheritdoc/>
    /// <remarks>A snapshot that begins behind the end is of another log, as where topics were deleted by
    /// hand, or a log was cut back by a repair: it would be taken for this one's as soon as the changelog is
    /// that long.</remarks>
    public void Replayed(long end)
    {
        foreach (string ahead in Names().Where(n => SnapshotRun.StartOffsetOf(n) > end))
            _files.Delete(ahead);
    }

    /// <summary>
    /// When the state is as a commit will have it: starts a snapshot where one is due, or copies the next
    /// slice of the one under way.
    /// </summary>
    /// <param name="commit">The commit, which may still be under way.</param>
    public void Committed(Task<long> commit)
    {
        if (!_writing.IsCompleted)
            return;
        // A failed write is not a failed state: the next snapshot tries again, the changelog still has
        // everything.
        if (_writing.IsFaulted)
            Abandon();
        if (_run is null)
        {
            long ownShare = _store.BytesReserved * _options.ChangelogPercentMin / 100;
            if (_changelogBytes < Math.Max(_options.ChangelogBytesMin, ownShare) || !TryBegin())
                return;
        }
        _slice.Clear();
        bool last = _run!.CopySlice(_slice, _options.SliceBytes, _store.ObservedMs);
        SnapshotRun run = _run;
        _writing = Task.Factory.StartNew(
            () => Write(run, commit, last), CancellationToken.None, TaskCreationOptions.DenyChildAttach,
            _background);
        if (last)
            _run = null;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        try
        {
            _writing.Wait();
        }
        catch (AggregateException)
        {
            // The file under way is left incomplete and is removed when the next one begins.
        }
        _run?.Dispose();
        _slice.Dispose();
    }

    private void Write(SnapshotRun run, Task<long> commit, bool last)
    {
        run.Write(_slice.WrittenSpan);
        if (!last)
            return;
        _log.WaitDurable(commit.GetAwaiter().GetResult(), CancellationToken.None);
        run.Complete();
        EngineMeter.RecordSnapshot(_store.Name);
        string[] names = Names();
        foreach (string old in names.SkipLast(2))
            _files.Delete(old);
        if (names.Length >= 2)
            _log.DeleteRecordsBefore(_changelog, SnapshotRun.StartOffsetOf(names[^2]));
    }

    // On a full disk there may be no room for even an empty file: that, too, is tried again.
    private bool TryBegin()
    {
        try
        {
            _files.Prepare();
            foreach (string name in _files.List())
            {
                if (name.EndsWith(SnapshotRun.WritingExtension, StringComparison.Ordinal))
                    _files.Delete(name);
            }
            _run = new SnapshotRun(
                _files, _log.EndOffset(_changelog, ReadLevel.Committed), _store.SnapshotParts());
        }
        catch (IOException)
        {
            return false;
        }
        catch (LogFullException)
        {
            return false;
        }
        catch (LogUnavailableException e) when (e.InnerException is IOException)
        {
            return false;
        }
        _changelogBytes = 0;
        return true;
    }

    private void Abandon()
    {
        _run?.Dispose();
        _run = null;
        _writing = Task.CompletedTask;
    }

    private string[] Names() =>
    [
        .. _files.List().Where(n => n.EndsWith(SnapshotRun.Extension, StringComparison.Ordinal))
            .OrderBy(SnapshotRun.StartOffsetOf),
    ];
}

/// <summary>When and how fast snapshots are taken.</summary>
public sealed record SnapshotOptions
{
    /// <summary>A snapshot begins when the changelog grew by this many bytes since the last one began, and by
    /// <see cref="ChangelogPercentMin"/> of the store. Default 64 MiB.</summary>
    public long ChangelogBytesMin { get; init; } = 64L << 20;

    /// <summary>By how much the changelog grows between two snapshots at least, in percent of the store's
    /// memory. More means fewer bytes written, and a longer replay at the start. Default 200: snapshots then
    /// add half as many bytes as the changelog has, and a restart replays up to twice the store's
    /// size.</summary>
    public int ChangelogPercentMin { get; init; } = 200;

    /// <summary>Bytes copied after one commit. Default 8 MiB, about two milliseconds.</summary>
    public int SliceBytes { get; init; } = 8 << 20;
}
