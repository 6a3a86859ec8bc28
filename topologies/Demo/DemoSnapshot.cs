namespace Streams.Topologies.Demo;

/// <summary>How a running demonstration stands.</summary>
internal sealed record DemoSnapshot
{
    /// <summary>How long blocks have been fed.</summary>
    internal required TimeSpan Elapsed { get; init; }

    /// <summary>Whether feeding has ended, and what was fed is worked off.</summary>
    internal required bool IsDraining { get; init; }

    /// <summary>Transactions, blocks and bytes that were fed, and per second of late.</summary>
    internal required Moving Transactions { get; init; }

    internal required Moving Blocks { get; init; }

    internal required Moving Bytes { get; init; }

    /// <summary>Transactions that are enriched.</summary>
    internal required Moving Enriched { get; init; }

    /// <summary>Records that are in the SQLite file: transactions, alerts, entities, dead letters.</summary>
    internal required Moving Written { get; init; }

    internal required Moving Alerts { get; init; }

    /// <summary>Blocks that came again, and blocks that were refused.</summary>
    internal required long DuplicateBlocks { get; init; }

    internal required long RefusedBlocks { get; init; }

    /// <summary>From the raw block to its last enriched transaction: lately, or, at the end, over
    /// all.</summary>
    internal required Latency ToEnriched { get; init; }

    internal required Latency ToAlert { get; init; }

    internal required Latency ToSink { get; init; }

    /// <summary>The latest alerts, the newest first.</summary>
    internal required IReadOnlyList<ShownAlert> LatestAlerts { get; init; }

    /// <summary>Alerts by number of the rule.</summary>
    internal required IReadOnlyList<long> AlertsByRule { get; init; }

    /// <summary>Where metrics are served; null for nowhere.</summary>
    internal string? Address { get; init; }

    /// <summary>What is wrong at the moment; null for nothing.</summary>
    internal string? Trouble { get; init; }
}

/// <summary>A count and how fast it grows.</summary>
/// <param name="Total">The count.</param>
/// <param name="PerSecond">Its growth over the last seconds.</param>
internal readonly record struct Moving(long Total, double PerSecond);

/// <summary>Measures how fast a count grows, over the last two seconds.</summary>
internal sealed class RateMeter
{
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(2);

    private readonly Queue<(TimeSpan At, long Count)> _samples = new();

    internal Moving Add(TimeSpan at, long count)
    {
        _samples.Enqueue((at, count));
        while (_samples.Count > 2 && at - _samples.Peek().At > Window)
            _samples.Dequeue();
        (TimeSpan first, long before) = _samples.Peek();
        double seconds = (at - first).TotalSeconds;
        return new Moving(count, seconds > 0 ? (count - before) / seconds : 0);
    }
}
