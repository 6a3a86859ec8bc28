using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Streams.Log;
using Streams.State;
using Streams.Telemetry;

namespace Streams.Processing;

/// <summary>Brings an empty store to the last commit: from what is kept beside its changelog, and from the
/// changelog behind that.</summary>
internal sealed class StoreRestore(ITopicLog log, ILogger logger, RestoreProgress progress)
{
    private static readonly TimeSpan LogInterval = TimeSpan.FromSeconds(2);

    private readonly long _started = Stopwatch.GetTimestamp();
    private long _logged = Stopwatch.GetTimestamp();

    /// <summary>Restores the store.</summary>
    /// <exception cref="StateLostException">It cannot be put together again.</exception>
    internal void Run(
        StateStore store, IStateKeeper? keeper, TopicPartition changelog, ILogReader reader,
        CancellationToken cancellation)
    {
        long offset = keeper?.Load(progress) ?? log.StartOffset(changelog);
        double loadedSeconds = Stopwatch.GetElapsedTime(_started).TotalSeconds;
        bool isKept = store.Count > 0;
        long end = log.HighWatermark(changelog);
        long first = offset;
        long replayed = 0;
        progress.Begin(isSnapshot: false, end - first);
        using LogBatch batch = reader.CreateBatch();
        while (offset < end)
        {
            cancellation.ThrowIfCancellationRequested();
            if (!reader.Read(changelog, offset, batch))
            {
                reader.WaitForMore();
                continue;
            }
            for (; batch.TryRead(out LogRecord record); replayed++)
                store.Restore(record.Key, record.HasValue, record.Value);
            offset = batch.NextOffset;
            progress.Report(offset - first);
            LogProgress();
        }
        reader.Close(changelog);
        store.Flush(NoChangelog.Instance);
        keeper?.Replayed(end);
        store.Restored();
        if (!isKept && replayed == 0)
            return;
        TimeSpan took = Stopwatch.GetElapsedTime(_started);
        EngineMeter.RecordRestore(store.Name, took);
        logger.StoreRestored(
            progress.Task, store.Name, isKept ? store.Disk is null ? "a snapshot" : "its database" :
            "its changelog", store.Count, replayed, took.TotalSeconds, loadedSeconds);
    }

    private void LogProgress()
    {
        if (Stopwatch.GetElapsedTime(_logged) < LogInterval)
            return;
        _logged = Stopwatch.GetTimestamp();
        logger.StoreRestoring(
            progress.Task, progress.Store, progress.Percent,
            progress.IsSnapshot ? "its snapshot" : "its changelog",
            Stopwatch.GetElapsedTime(_started).TotalSeconds);
    }
}
