using System.Numerics;
using System.Runtime.InteropServices;
using Streams.Connectors.Bitcoin.Simulation;
using Streams.Connectors.Chain;
using Streams.Records;
using Streams.Topologies.Transactions;

namespace Streams.Topologies.Demo;

/// <summary>
/// Compares what a simulation put in with what came out: enriched transactions and alerts are added as they
/// come, and at any time the comparison can be made. Not thread-safe.
/// </summary>
/// <remarks>
/// An injection counts once its last block was processed, so that a running comparison is not unfair to what
/// is still on its way. A rule that fires on a transaction is explained where the transaction belongs to an
/// injection of that rule, or to one that says that it is that too; anything else is a false alarm.
/// </remarks>
public sealed class DemoEvaluation
{
    /// <summary>How many missed injections and false alarms are listed.</summary>
    public const int ExamplesMax = 100;

    private readonly Dictionary<Bytes32, Finding> _findings = [];
    private long _transactions;
    private long _height = -1;

    /// <summary>Height up to which all blocks were processed.</summary>
    public long ProcessedHeight => _height;

    /// <summary>Adds a record of <see cref="TransactionsTopology.Enriched"/>; it is not kept.</summary>
    public void Add(ChainTransaction enriched)
    {
        if (enriched.Op == Operation.Retract)
        {
            _findings.Remove(enriched.TxId);
            _transactions--;
            return;
        }
        _transactions++;
        if (enriched.TxIndex == enriched.BlockTxCount - 1)
            _height = Math.Max(_height, enriched.BlockHeight ?? -1);
        ref TransactionAnalysis analysis = ref enriched.Analysis.Value;
        if (!enriched.Analysis.IsPresent
            || (analysis.Reasons.Count == 0 && analysis.CoinJoin == CoinJoinKind.None))
            return;
        ref Finding finding = ref CollectionsMarshal.GetValueRefOrAddDefault(_findings, enriched.TxId, out _);
        finding.CoinJoin = analysis.CoinJoin;
        finding.IsFanOut = analysis.FanOut > analysis.FanIn;
        foreach (ref RiskReason reason in analysis.Reasons.Items)
            finding.Rules |= BitOf(reason.Rule);
        foreach (ref TransactionOutput output in enriched.Outputs.Items)
            finding.Pays |= ActorOf(output);
    }

    /// <summary>Adds a record of <see cref="TransactionsTopology.Alerts"/>; it is not kept.</summary>
    public void Add(Alert alert)
    {
        ref Finding finding = ref CollectionsMarshal.GetValueRefOrAddDefault(_findings, alert.TxId, out _);
        if (alert.Op == Operation.Append)
            finding.Alerts |= BitOf(alert.Rule);
        else
            finding.Alerts &= ~BitOf(alert.Rule);
    }

    /// <summary>Compares.</summary>
    /// <param name="truth">What was put in.</param>
    /// <param name="deliveries">What became of damaged and repeated blocks; null where it is not known
    /// yet.</param>
    public DemoResult Compare(IReadOnlyList<Injection> truth, DemoDeliveries? deliveries = null)
    {
        var rows = new Row[Enum.GetValues<SimulatedTypology>().Length + 1];
        var missed = new List<Injection>();
        var explained = new Dictionary<Bytes32, Explanation>();
        foreach (Injection injection in truth)
        {
            Explain(injection, explained);
            ref Row row = ref rows[(int)injection.Typology];
            row.Rule = injection.Rule;
            if (!injection.IsComplete || injection.Height > _height)
                continue;
            row.Injected++;
            if (injection.FiresOn is not { } firesOn)
                continue;
            Finding finding = _findings.GetValueOrDefault(firesOn);
            bool found = (finding.Rules & BitOf(injection.Rule)) == BitOf(injection.Rule)
                && (injection.CoinJoin == CoinJoinKind.None || finding.CoinJoin == injection.CoinJoin);
            row.Found += found ? 1 : 0;
            row.Alerted += (finding.Alerts & BitOf(injection.Rule)) != 0 ? 1 : 0;
            if (!found && missed.Count < ExamplesMax)
                missed.Add(injection);
        }
        if (deliveries is not null)
            CountDeliveries(rows, deliveries);
        List<FalseAlarm> falseAlarms = FindFalseAlarms(rows, explained);
        return new DemoResult
        {
            Typologies = [.. Enum.GetValues<SimulatedTypology>().Select(t => rows[(int)t].ToResult(t))],
            Missed = missed,
            FalseAlarms = falseAlarms,
            Transactions = _transactions,
        };
    }

    private static uint BitOf(RiskRule rule) => rule == RiskRule.None ? 0 : 1u << (int)rule;

    private static Actors ActorOf(in TransactionOutput output)
    {
        var actors = Actors.None;
        foreach (Text tag in output.Tags.Items)
        {
            actors |= tag.Span switch
            {
                _ when tag.Span.StartsWith("sanction:"u8) => Actors.Sanctioned,
                _ when tag.Span.StartsWith("ransomware:"u8) => Actors.Ransomware,
                _ when tag.Span.StartsWith("darknet_market:"u8) => Actors.DarknetMarket,
                _ => Actors.None,
            };
        }
        return actors;
    }

    private static void Explain(Injection injection, Dictionary<Bytes32, Explanation> explained)
    {
        uint rules = BitOf(injection.Rule);
        foreach (RiskRule rule in injection.AlsoExplains)
            rules |= BitOf(rule);
        foreach (Bytes32 transaction in injection.Transactions)
        {
            ref Explanation explanation =
                ref CollectionsMarshal.GetValueRefOrAddDefault(explained, transaction, out _);
            explanation.Rules |= rules;
            explanation.IsCoinJoin |= injection.CoinJoin != CoinJoinKind.None;
        }
    }

    // Refused blocks do not say what was wrong with them on the way; those with a flipped bit are counted
    // first.
    private static void CountDeliveries(Row[] rows, DemoDeliveries deliveries)
    {
        ref Row duplicate = ref rows[(int)SimulatedTypology.DuplicateBlock];
        ref Row flipped = ref rows[(int)SimulatedTypology.FlippedBit];
        ref Row truncated = ref rows[(int)SimulatedTypology.TruncatedBlock];
        duplicate.Found = Math.Min(duplicate.Injected, deliveries.DuplicateBlocks);
        flipped.Found = Math.Min(flipped.Injected, deliveries.RefusedBlocks);
        truncated.Found = Math.Min(truncated.Injected, deliveries.RefusedBlocks - flipped.Found);
    }

    private List<FalseAlarm> FindFalseAlarms(Row[] rows, Dictionary<Bytes32, Explanation> explained)
    {
        var falseAlarms = new List<FalseAlarm>();
        foreach ((Bytes32 transaction, Finding finding) in _findings)
        {
            Explanation explanation = explained.GetValueOrDefault(transaction);
            bool isWeakCoinJoin = finding.CoinJoin != CoinJoinKind.None
                && (finding.Rules & BitOf(RiskRule.Mixer)) == 0;
            if (isWeakCoinJoin && !explanation.IsCoinJoin)
                Add(transaction, RiskRule.None, TypologyOf(RiskRule.Mixer, finding));
            for (uint left = (
                finding.Rules | finding.Alerts) & ~explanation.Rules; left != 0; left &= left - 1)
            {
                var rule = (RiskRule)BitOperations.TrailingZeroCount(left);
                Add(transaction, rule, TypologyOf(rule, finding));
            }
        }
        return falseAlarms;

        void Add(Bytes32 transaction, RiskRule rule, SimulatedTypology typology)
        {
            rows[(int)typology].FalseAlarms++;
            if (falseAlarms.Count < ExamplesMax)
                falseAlarms.Add(new FalseAlarm(transaction, rule, typology));
        }
    }

    private static SimulatedTypology TypologyOf(RiskRule rule, in Finding finding) => rule switch
    {
        RiskRule.SanctionedDirect when finding.Pays.HasFlag(Actors.Sanctioned) =>
            SimulatedTypology.SanctionedPayment,
        RiskRule.SanctionedDirect => SimulatedTypology.SanctionedReceipt,
        RiskRule.SanctionedIndirect => SimulatedTypology.SanctionedIndirect,
        RiskRule.IllicitActor when finding.Pays.HasFlag(Actors.Ransomware) =>
            SimulatedTypology.RansomwarePayment,
        RiskRule.IllicitActor when finding.Pays.HasFlag(Actors.DarknetMarket) =>
            SimulatedTypology.DarknetPayment,
        RiskRule.IllicitActor => SimulatedTypology.DarknetProceeds,
        RiskRule.Mixer => finding.CoinJoin switch
        {
            CoinJoinKind.Whirlpool => SimulatedTypology.Whirlpool,
            CoinJoinKind.Wasabi1 => SimulatedTypology.Wasabi1,
            CoinJoinKind.Wasabi2 => SimulatedTypology.Wasabi2,
            CoinJoinKind.JoinMarket => SimulatedTypology.JoinMarket,
            _ => SimulatedTypology.MixerPayment,
        },
        RiskRule.PeelChain => SimulatedTypology.PeelChain,
        RiskRule.Structuring => SimulatedTypology.Structuring,
        RiskRule.Velocity => SimulatedTypology.Velocity,
        RiskRule.RapidPassThrough => SimulatedTypology.RapidPassThrough,
        RiskRule.FanOutFanIn => finding.IsFanOut ? SimulatedTypology.FanOut : SimulatedTypology.FanIn,
        _ => SimulatedTypology.DustAttack,
    };

    [Flags]
    private enum Actors : byte
    {
        None = 0,
        Sanctioned = 1,
        Ransomware = 2,
        DarknetMarket = 4,
    }

    private struct Finding
    {
        internal uint Rules;
        internal uint Alerts;
        internal CoinJoinKind CoinJoin;
        internal Actors Pays;
        internal bool IsFanOut;
    }

    private struct Explanation
    {
        internal uint Rules;
        internal bool IsCoinJoin;
    }

    private struct Row
    {
        internal RiskRule Rule;
        internal long Injected;
        internal long Found;
        internal long Alerted;
        internal long FalseAlarms;

        internal readonly TypologyResult ToResult(SimulatedTypology typology) =>
            new(typology, Rule, Injected, Found, Alerted, FalseAlarms);
    }
}
