using Streams.Connectors.Bitcoin.Simulation;
using Streams.Connectors.Chain;
using Streams.Records;

namespace Streams.Topologies.Demo;

/// <summary>What became of one typology.</summary>
/// <param name="Typology">Which.</param>
/// <param name="Rule">The rule that is to find it; none for what the reader or the structure alone
/// shows.</param>
/// <param name="Injected">Injections that are complete, and whose last block was processed.</param>
/// <param name="Found">Those of them that were recognised.</param>
/// <param name="Alerted">Those of them of which an alert was written: none of typologies that score below the
/// threshold of alerts.</param>
/// <param name="FalseAlarms">Transactions that look like it to the rule, and that no injection
/// explains.</param>
public sealed record TypologyResult(
    SimulatedTypology Typology, RiskRule Rule, long Injected, long Found, long Alerted, long FalseAlarms)
{
    /// <summary>Injections that were not recognised.</summary>
    public long Missed => Injected - Found;

    /// <summary>Part of the injections that was recognised, 0 to 1; absent where there was none.</summary>
    public double? Recall => Injected == 0 ? null : (double)Found / Injected;
}

/// <summary>A transaction that a rule fired on, and that no injection explains.</summary>
/// <param name="TxId">The transaction.</param>
/// <param name="Rule">The rule; none where a CoinJoin was recognised without one.</param>
/// <param name="Typology">What it looks like.</param>
public sealed record FalseAlarm(Bytes32 TxId, RiskRule Rule, SimulatedTypology Typology);

/// <summary>What the source made of the blocks that were damaged or came twice.</summary>
/// <param name="DuplicateBlocks">Its count <c>duplicate_blocks</c>.</param>
/// <param name="RefusedBlocks">Its count <c>blocks_refused</c>, each a dead letter.</param>
public sealed record DemoDeliveries(long DuplicateBlocks, long RefusedBlocks);

/// <summary>What a simulation put in, against what was found.</summary>
public sealed record DemoResult
{
    /// <summary>Each typology, in order.</summary>
    public required IReadOnlyList<TypologyResult> Typologies { get; init; }

    /// <summary>Injections that were not recognised; the first
    /// <see cref="DemoEvaluation.ExamplesMax"/>.</summary>
    public required IReadOnlyList<Injection> Missed { get; init; }

    /// <summary>Alarms that nothing explains; the first <see cref="DemoEvaluation.ExamplesMax"/>.</summary>
    public required IReadOnlyList<FalseAlarm> FalseAlarms { get; init; }

    /// <summary>Transactions that were processed.</summary>
    public required long Transactions { get; init; }

    /// <summary>Injections of all typologies.</summary>
    public long Injected => Typologies.Sum(t => t.Injected);

    /// <summary>Those of them that were recognised.</summary>
    public long Found => Typologies.Sum(t => t.Found);

    /// <summary>False alarms of all typologies.</summary>
    public long FalseAlarmCount => Typologies.Sum(t => t.FalseAlarms);

    /// <summary>Part of all injections that was recognised, 0 to 1; absent where there was none.</summary>
    public double? Recall => Injected == 0 ? null : (double)Found / Injected;
}
