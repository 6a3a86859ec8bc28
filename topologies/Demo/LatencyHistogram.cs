namespace Streams.Topologies.Demo;

/// <summary>How long things took, in bounded memory: counts in bins that grow by a twentieth each, of all and
/// of the last seconds. Written by one thread and read by any.</summary>
/// <param name="clock">Says which are of the last seconds; the system's by default.</param>
public sealed class LatencyHistogram(TimeProvider? clock = null)
{
    /// <summary>What is recent is this long ago, or up to twice as long.</summary>
    public static readonly TimeSpan Recent = TimeSpan.FromSeconds(3);

    private const double FirstSeconds = 0.0001;
    private const double Growth = 1.05;
    private const int BinCount = 320;

    private readonly TimeProvider _clock = clock ?? TimeProvider.System;
    private readonly Lock _lock = new();
    private readonly long[] _all = new long[BinCount];
    private long[] _now = new long[BinCount];
    private long[] _before = new long[BinCount];
    private long _turned = (clock ?? TimeProvider.System).GetTimestamp();
    private double _mostSeconds;

    /// <summary>Adds one.</summary>
    public void Add(TimeSpan latency)
    {
        double seconds = Math.Max(latency.TotalSeconds, 0);
        int bin = seconds <= FirstSeconds
            ? 0
            : Math.Min(BinCount - 1, (int)Math.Ceiling(Math.Log(seconds / FirstSeconds, Growth)));
        lock (_lock)
        {
            Turn();
            _all[bin]++;
            _now[bin]++;
            _mostSeconds = Math.Max(_mostSeconds, seconds);
        }
    }

    /// <summary>How long all of them took.</summary>
    public Latency All()
    {
        lock (_lock)
            return Of(bin => _all[bin]);
    }

    /// <summary>How long the recent ones took.</summary>
    public Latency Lately()
    {
        lock (_lock)
        {
            Turn();
            return Of(bin => _now[bin] + _before[bin]);
        }
    }

    private void Turn()
    {
        TimeSpan passed = _clock.GetElapsedTime(_turned);
        if (passed < Recent)
            return;
        (_now, _before) = (_before, _now);
        Array.Clear(_now);
        if (passed >= 2 * Recent)
            Array.Clear(_before);
        _turned = _clock.GetTimestamp();
    }

    private Latency Of(Func<int, long> bins)
    {
        long count = 0;
        int last = -1;
        for (int bin = 0; bin < BinCount; bin++)
        {
            count += bins(bin);
            last = bins(bin) > 0 ? bin : last;
        }
        return count == 0
            ? default
            : new Latency(Percentile(bins, count, 0.5), Percentile(bins, count, 0.99), Bound(last));
    }

    private TimeSpan Percentile(Func<int, long> bins, long count, double part)
    {
        long wanted = Math.Max(1, (long)Math.Ceiling(part * count));
        int bin = 0;
        for (long below = bins(0); below < wanted; below += bins(bin))
            bin++;
        return Bound(bin);
    }

    private TimeSpan Bound(int bin) =>
        TimeSpan.FromSeconds(Math.Min(FirstSeconds * Math.Pow(Growth, bin), _mostSeconds));
}

/// <summary>How long something took; each rounded up by at most a twentieth, and absent where nothing was
/// measured.</summary>
/// <param name="P50">Half of them took at most this.</param>
/// <param name="P99">99 of 100 took at most this.</param>
/// <param name="Max">The longest.</param>
public readonly record struct Latency(TimeSpan? P50, TimeSpan? P99, TimeSpan? Max);
