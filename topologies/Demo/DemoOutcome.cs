using Streams.Topologies.Hosting;

namespace Streams.Topologies.Demo;

/// <summary>How a demonstration ended.</summary>
internal sealed record DemoOutcome
{
    internal required DemoPlan Plan { get; init; }

    internal required DemoFolder Folder { get; init; }

    /// <summary>The last snapshot.</summary>
    internal required DemoSnapshot Last { get; init; }

    /// <summary>What was put in, against what was found.</summary>
    internal required DemoResult Result { get; init; }

    /// <summary>What went in and out.</summary>
    internal required RunSummary Summary { get; init; }

    /// <summary>Whether every block that was planned was fed: then a run of the same seed, length and rate
    /// finds the same.</summary>
    internal required bool IsWhole { get; init; }

    /// <summary>Whether somebody ended it before its time.</summary>
    internal required bool IsStoppedEarly { get; init; }

    /// <summary>Whether all that was fed was also written.</summary>
    internal required bool IsDrained { get; init; }

    /// <summary>Transactions fed per second.</summary>
    internal double TransactionsPerSecond =>
        Last.Transactions.Total / Math.Max(Last.Elapsed.TotalSeconds, 0.001);
}
