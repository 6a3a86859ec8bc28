namespace Streams.Topologies.Demo;

/// <summary>How long things took, in bounded memory: counts in bins that grow by a twentieth each. Written by
/// one thread and read by any.</summary>
public sealed class LatencyHistogram
{
    private const double FirstSeconds = 0.0001;
    private const double Growth = 1.05;
    private const int Bins = 320;

    private readonly Lock _lock = new();
    private readonly long[] _bins = new long[Bins];
    private double _mostSeconds;

    /// <summary>How many were added.</summary>
    public long Count { get; private set; }

    /// <summary>Adds one.</summary>
    public void Add(TimeSpan latency)
    {
        double seconds = Math.Max(latency.TotalSeconds, 0);
        int bin = seconds <= FirstSeconds
            ? 0
            : Math.Min(Bins - 1, (int)Math.Ceiling(Math.Log(seconds / FirstSeconds, Growth)));
        lock (_lock)
        {
            _bins[bin]++;
            Count++;
            _mostSeconds = Math.Max(_mostSeconds, seconds);
        }
    }

    /// <summary>The longest.</summary>
    /// <returns>Absent where there was none.</returns>
    public TimeSpan? Max()
    {
        lock (_lock)
            return Count == 0 ? null : TimeSpan.FromSeconds(_mostSeconds);
    }

    /// <summary>The time that a part of them did not exceed, rounded up by at most a twentieth.</summary>
    /// <param name="part">0 to 1.</param>
    /// <returns>Absent where there was none.</returns>
    public TimeSpan? Percentile(double part)
    {
        lock (_lock)
        {
            if (Count == 0)
                return null;
            long wanted = Math.Max(1, (long)Math.Ceiling(part * Count));
            int bin = 0;
            for (long below = _bins[0]; below < wanted; below += _bins[bin])
                bin++;
            return TimeSpan.FromSeconds(Math.Min(FirstSeconds * Math.Pow(Growth, bin), _mostSeconds));
        }
    }
}
