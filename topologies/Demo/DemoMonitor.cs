using System.Diagnostics;
using Streams.Connect;
using Streams.Topologies.Hosting;

namespace Streams.Topologies.Demo;

/// <summary>Reads off a running demonstration how it stands. For one thread.</summary>
internal sealed class DemoMonitor(
    ApplicationHost host, BlockClock clock, DemoObserver observer, Func<string?> warning)
{
    private readonly long _started = Stopwatch.GetTimestamp();
    private readonly RateMeter _transactions = new();
    private readonly RateMeter _blocks = new();
    private readonly RateMeter _bytes = new();
    private readonly RateMeter _enriched = new();
    private readonly RateMeter _written = new();
    private readonly RateMeter _alerts = new();

    /// <summary>How it stands now.</summary>
    /// <param name="isLast">Whether latencies are to be those of the whole run, not of the last
    /// seconds.</param>
    internal DemoSnapshot Look(bool isLast = false)
    {
        TimeSpan now = Stopwatch.GetElapsedTime(_started);
        SourceCounts? counts = host.Application.SourceCounts.Select(s => s.Counts).FirstOrDefault();
        IReadOnlyDictionary<string, long> own = counts?.Own ?? new Dictionary<string, long>();
        long written = host.Application.SinkCounts.Sum(s => s.Records);
        (IReadOnlyList<ShownAlert> latest, IReadOnlyList<long> byRule) = observer.Shown();
        return new DemoSnapshot
        {
            Elapsed = clock.Elapsed,
            IsDraining = clock.IsStopped,
            Transactions = _transactions.Add(now, counts?.Records ?? 0),
            Blocks = _blocks.Add(now, own.GetValueOrDefault("blocks")),
            Bytes = _bytes.Add(now, counts?.Bytes ?? 0),
            Enriched = _enriched.Add(now, observer.Enriched),
            Written = _written.Add(now, written),
            Alerts = _alerts.Add(now, observer.Alerts),
            DuplicateBlocks = own.GetValueOrDefault("duplicate_blocks"),
            RefusedBlocks = own.GetValueOrDefault("blocks_refused"),
            ToEnriched = Latency(observer.ToEnriched),
            ToAlert = Latency(observer.ToAlert),
            ToSink = Latency(observer.ToSink),
            LatestAlerts = latest,
            AlertsByRule = byRule,
            Address = host.Address,
            Trouble = host.Application.IsLogFull
                ? "the disk is full; commits wait for room"
                : warning(),
        };

        Latency Latency(LatencyHistogram histogram) => isLast ? histogram.All() : histogram.Lately();
    }
}
