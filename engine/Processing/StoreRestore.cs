using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Streams.Log;
using Streams.State;
using Streams.Telemetry;

namespace Streams.Processing;

/// <summary>Brings an empty store to the last commit: from what is kept beside its changelog, and from the
/// changelog behind that. A standby stays near that commit until it is asked for the last step.</summary>
internal sealed class StoreRestore(
    ITopicLog log, ILogger logger, RestoreProgress progress, StateStore store, IStateKeeper? keeper,
    TopicPartition changelog)
{
    private static readonly TimeSpan LogInterval = TimeSpan.FromSeconds(2);

    // What a standby's store on disk has taken in gets into its files this often.
    private static readonly TimeSpan SettleInterval = TimeSpan.FromMinutes(1);

    private readonly string _kept = store.Disk is null ? "a snapshot" : "its database";
    private long _logged;
    private long _settled = Stopwatch.GetTimestamp();
    private long _offset;
    private string? _from;
    private bool _isUpToDate;

    /// <summary>Records that a standby is behind, as far as is known.</summary>
    internal long Lag => Math.Max(0, log.KnownEndOffset(changelog) - Volatile.Read(ref _offset));

    /// <summary>Takes a batch of what the changelog has.</summary>
    /// <returns>Whether there was one.</returns>
    /// <exception cref="StateLostException">The store cannot be put together any more.</exception>
    internal bool Follow(ILogReader reader, LogBatch batch)
    {
        if (_from is null)
            Load();
        bool found = Take(reader, batch) is not null;
        store.Flush(NoChangelog.Instance);
        if (!found && !_isUpToDate && Lag == 0)
        {
            _isUpToDate = true;
            logger.StandbyUpToDate(progress.Task, store.Name, store.Count);
        }
        if (!found && store.Disk is not null && Stopwatch.GetElapsedTime(_settled) > SettleInterval)
        {
            keeper!.Replayed(_offset);
            _settled = Stopwatch.GetTimestamp();
        }
        _from = "a standby";
        return found;
    }

    /// <summary>Gives up what was fetched ahead of the changelog.</summary>
    internal void Close(ILogReader reader) => reader.Close(changelog);

    /// <summary>Brings the store to the last commit.</summary>
    /// <exception cref="StateLostException">The store cannot be put together any more.</exception>
    internal void Finish(ILogReader reader, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        long started = _logged = Stopwatch.GetTimestamp();
        if (_from is null)
            Load();
        double loadedSeconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        long end = log.HighWatermark(changelog);
        long first = _offset;
        long replayed = 0;
        progress.Begin(isSnapshot: false, end - first);
        using LogBatch batch = reader.CreateBatch();
        while (_offset < end)
        {
            cancellation.ThrowIfCancellationRequested();
            if (Take(reader, batch) is not { } records)
            {
                reader.WaitForMore();
                continue;
            }
            replayed += records;
            progress.Report(_offset - first);
            LogProgress(started);
        }
        reader.Close(changelog);
        store.Flush(NoChangelog.Instance);
        keeper?.Replayed(end);
        store.Restored();
        if (_from is "its changelog" && replayed == 0)
            return;
        TimeSpan took = Stopwatch.GetElapsedTime(started);
        EngineMeter.RecordRestore(store.Name, took);
        logger.StoreRestored(
            progress.Task, store.Name, _from!, store.Count, replayed, took.TotalSeconds, loadedSeconds);
    }

    private void Load()
    {
        _offset = keeper?.Load(progress) ?? log.StartOffset(changelog);
        _from = store.Count > 0 ? _kept : "its changelog";
    }

    // Returns how many records there were, which Kafka may make none; null where nothing has come.
    private long? Take(ILogReader reader, LogBatch batch)
    {
        if (!reader.Read(changelog, _offset, batch))
            return null;
        using var queue = new RestoreQueue(store);
        long records = 0;
        for (; batch.TryRead(out LogRecord record); records++)
            queue.Add(record.Key, record.HasValue, record.Value);
        queue.Apply();
        Volatile.Write(ref _offset, batch.NextOffset);
        return records;
    }

    private void LogProgress(long started)
    {
        if (Stopwatch.GetElapsedTime(_logged) < LogInterval)
            return;
        _logged = Stopwatch.GetTimestamp();
        logger.StoreRestoring(
            progress.Task, progress.Store, progress.Percent,
            progress.IsSnapshot ? "its snapshot" : "its changelog",
            Stopwatch.GetElapsedTime(started).TotalSeconds);
    }
}
