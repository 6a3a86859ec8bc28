using Streams.Connectors.Chain;
using Streams.Records;
using Streams.Topologies.Transactions.State;
using Streams.Topologies.Transactions.Tags;

namespace Streams.Topologies.Transactions;

/// <summary>What the rules look at, gathered by the analysis.</summary>
internal ref struct RuleFacts
{
    internal TaintShare Sanctioned;
    internal TaintShare Illicit;

    /// <summary>What the shares are parts of.</summary>
    internal long Sum;

    /// <summary>The first address on a sanctions list, with its tags.</summary>
    internal Text SanctionedAddress;
    internal TagEntry? SanctionedTags;

    /// <summary>The first address of an illicit actor, with its tags, and the value at all such
    /// addresses.</summary>
    internal Text IllicitAddress;
    internal TagEntry? IllicitTags;
    internal long IllicitValue;

    /// <summary>The first address of a mixer, with its tags.</summary>
    internal Text MixerAddress;
    internal TagEntry? MixerTags;

    internal bool IsAnyService;

    /// <summary>Hops within the time, and how long the last of them took; 0 for no chain.</summary>
    internal int PeelHopsInTime;
    internal long PeelSeconds;

    /// <summary>Transfers just under the limit here, and within 24 h by whoever has most of them.</summary>
    internal int NearLimitHere;
    internal int NearLimit24h;

    internal bool HasSender;
    internal AddressState Sender;
    internal long EventMs;

    /// <summary>Sent within 24 h, and on the median of the active days before; transactions
    /// likewise.</summary>
    internal long Sent24h;
    internal long MedianDaySent;
    internal int Transactions24h;
    internal int MedianDayTransactions;
    internal int HabitDays;
}

/// <summary>Applies the rules to a transaction: each that holds becomes a reason with its score.</summary>
/// <remarks>The score is the highest of the reasons, not their sum: docs/rules.md says why, rule by
/// rule.</remarks>
internal sealed class RuleBook(RiskOptions options, MoneyLimits limits)
{
    internal const int R1Score = 100;
    internal const int R2Score = 80;
    internal const int R3DirectScore = 85;
    internal const int R3IndirectScore = 60;
    internal const int R4Score = 50;
    internal const int R5Score = 50;
    internal const int R6Score = 60;
    internal const int R7Score = 40;
    internal const int R8Score = 45;
    internal const int R9Score = 20;
    private const int R9OutputsMax = 2;

    private readonly Utf8Line _line = new();

    /// <summary>Fills the reasons, the score and the level of an analysis.</summary>
    internal void Apply(ChainTransaction tx, ref TransactionAnalysis analysis, scoped ref RuleFacts facts)
    {
        Sanctioned(tx, ref analysis, ref facts);
        Illicit(tx, ref analysis, ref facts);
        Mixer(tx, ref analysis, ref facts);
        Peel(tx, ref analysis, ref facts);
        Structuring(tx, ref analysis, ref facts);
        Velocity(tx, ref analysis, ref facts);
        PassThrough(tx, ref analysis, ref facts);
        Fan(tx, ref analysis, ref facts);
        Dust(tx, ref analysis);
        Order(analysis.Reasons.Items);
        analysis.Score = analysis.Reasons.Count == 0 ? 0 : analysis.Reasons[0].Contribution;
        analysis.Level = LevelOf(analysis.Score);
    }

    /// <summary>The level of a score.</summary>
    internal static RiskLevel LevelOf(int score) => score switch
    {
        < 10 => RiskLevel.None,
        < 40 => RiskLevel.Low,
        < 70 => RiskLevel.Medium,
        < 90 => RiskLevel.High,
        _ => RiskLevel.Severe,
    };

    // R1, R2.
    private void Sanctioned(ChainTransaction tx, ref TransactionAnalysis analysis, ref RuleFacts facts)
    {
        if (facts.SanctionedTags is { } tags)
        {
            _line.Clear().Add(facts.SanctionedAddress).Add(" is on "u8).Add(tags.SanctionLists ?? tags.Label);
            AddReason(tx, ref analysis, RiskRule.SanctionedDirect, R1Score);
        }
        else if (facts.Sanctioned.Hops == 1 && facts.Sanctioned.Ppm > 0)
        {
            _line.Clear().Add("spends what a sanctioned address paid, "u8).Add(facts.Sanctioned.Ppm).Add(
                " ppm"u8);
            AddReason(tx, ref analysis, RiskRule.SanctionedDirect, R1Score);
        }
        long value = facts.Sanctioned.ValueOf(facts.Sum);
        if (facts.Sanctioned.Hops > 1 && facts.Sanctioned.Ppm >= options.SanctionedSharePpmMin
            && value >= limits.SanctionedMin)
        {
            _line.Clear().Add(facts.Sanctioned.Ppm).Add(" ppm from a sanctioned address "u8)
                .Add(facts.Sanctioned.Hops).Add(" hops away"u8);
            AddReason(tx, ref analysis, RiskRule.SanctionedIndirect, R2Score);
        }
    }

    // R3.
    private void Illicit(ChainTransaction tx, ref TransactionAnalysis analysis, ref RuleFacts facts)
    {
        if (facts.IllicitTags is { } tags && facts.IllicitValue >= limits.IllicitMin)
        {
            _line.Clear().Add(facts.IllicitAddress).Add(" is "u8).Add(tags.Tags[0]);
            AddReason(tx, ref analysis, RiskRule.IllicitActor, R3DirectScore);
        }
        else if (facts.Illicit.Hops > 0 && facts.Illicit.Ppm >= options.IllicitSharePpmMin)
        {
            _line.Clear().Add(facts.Illicit.Ppm).Add(" ppm from an illicit actor "u8)
                .Add(facts.Illicit.Hops).Add(" hops away"u8);
            AddReason(tx, ref analysis, RiskRule.IllicitActor, R3IndirectScore);
        }
    }

    // R4.
    private void Mixer(ChainTransaction tx, ref TransactionAnalysis analysis, ref RuleFacts facts)
    {
        if (analysis.CoinJoinConfidence >= options.CoinJoinConfidenceMin)
        {
            _line.Clear().Add(NameOf(analysis.CoinJoin)).Add(" by structure, "u8)
                .Add(analysis.CoinJoinConfidence).Add(" %"u8);
            AddReason(tx, ref analysis, RiskRule.Mixer, R4Score);
        }
        else if (facts.MixerTags is { } tags)
        {
            _line.Clear().Add(facts.MixerAddress).Add(" is "u8).Add(tags.Tags[0]);
            AddReason(tx, ref analysis, RiskRule.Mixer, R4Score);
        }
    }

    // R5.
    private void Peel(ChainTransaction tx, ref TransactionAnalysis analysis, ref RuleFacts facts)
    {
        if (facts.PeelHopsInTime < options.PeelHopsMin)
            return;
        _line.Clear().Add("hop "u8).Add(analysis.PeelHop).Add(" of a peel chain, "u8)
            .Add(facts.PeelHopsInTime).Add(" in "u8).Add(facts.PeelSeconds / 60).Add(" min"u8);
        AddReason(tx, ref analysis, RiskRule.PeelChain, R5Score);
    }

    // R6.
    private void Structuring(ChainTransaction tx, ref TransactionAnalysis analysis, ref RuleFacts facts)
    {
        if (facts.NearLimitHere == 0 || facts.NearLimit24h < options.StructuringTransfersMin)
            return;
        _line.Clear().Add(facts.NearLimit24h).Add(" transfers of 90 to 99.9 % of "u8)
            .Add(limits.IsPriced ? options.StructuringLimitUsd : options.StructuringLimitBase)
            .Add(limits.IsPriced ? " USD in 24 h"u8 : " in 24 h"u8);
        AddReason(tx, ref analysis, RiskRule.Structuring, R6Score);
    }

    // R7.
    private void Velocity(ChainTransaction tx, ref TransactionAnalysis analysis, ref RuleFacts facts)
    {
        if (facts.HabitDays < options.VelocityDaysMin || facts.Sent24h < limits.VelocityMin)
            return;
        if (facts.Sent24h > (Int128)facts.MedianDaySent * options.VelocityFactor)
            _line.Clear().Add("sent "u8).Add(facts.Sent24h).Add(" in 24 h; the median day is "u8)
                .Add(facts.MedianDaySent);
        else if (facts.Transactions24h > (long)facts.MedianDayTransactions * options.VelocityFactor)
            _line.Clear().Add(facts.Transactions24h).Add(" transactions in 24 h; the median day has "u8)
                .Add(facts.MedianDayTransactions);
        else
            return;
        AddReason(tx, ref analysis, RiskRule.Velocity, R7Score);
    }

    // R8.
    private void PassThrough(ChainTransaction tx, ref TransactionAnalysis analysis, ref RuleFacts facts)
    {
        if (!facts.HasSender || facts.Sender.ReceivedTotal <= 0 || analysis.CoinJoin != CoinJoinKind.None)
            return;
        long ageMs = facts.EventMs - facts.Sender.FirstSeenMs;
        long heldMs = facts.EventMs - facts.Sender.FirstReceivedMs;
        if (ageMs >= options.PassThroughAgeMax.TotalMilliseconds
            || heldMs > options.PassThroughWithin.TotalMilliseconds)
            return;
        long percent = (long)((Int128)facts.Sender.SentTotal * 100 / facts.Sender.ReceivedTotal);
        if (percent < options.PassThroughPercentMin)
            return;
        _line.Clear().Add(percent).Add(" % passed on "u8).Add(heldMs / 60_000).Add(
            " min after the first receipt"u8);
        AddReason(tx, ref analysis, RiskRule.RapidPassThrough, R8Score);
    }

    // R9.
    private void Fan(ChainTransaction tx, ref TransactionAnalysis analysis, ref RuleFacts facts)
    {
        bool fanOut = analysis.FanOut >= options.FanOutMin;
        bool fanIn = analysis.FanIn >= options.FanInMin && analysis.FanOut <= R9OutputsMax;
        if (facts.IsAnyService || analysis.CoinJoin != CoinJoinKind.None || (!fanOut && !fanIn))
            return;
        _line.Clear().Add(analysis.FanIn).Add(" inputs, "u8).Add(analysis.FanOut).Add(" outputs"u8);
        AddReason(tx, ref analysis, RiskRule.FanOutFanIn, R9Score);
    }

    // R10 marks, and does not score.
    private void Dust(ChainTransaction tx, ref TransactionAnalysis analysis)
    {
        if (analysis.DustOutputs < options.DustOutputsMin)
            return;
        _line.Clear().Add(analysis.DustOutputs).Add(" dust outputs"u8);
        AddReason(tx, ref analysis, RiskRule.Dust, 0);
    }

    private void AddReason(ChainTransaction tx, ref TransactionAnalysis analysis, RiskRule rule, int score) =>
        analysis.Reasons.Add(new RiskReason
        {
            Rule = rule,
            Contribution = score,
            Evidence = tx.Memory.Text(_line.Span),
        });

    // The strongest first; of equals the lower rule. There are at most ten.
    private static void Order(Span<RiskReason> reasons)
    {
        for (int i = 1; i < reasons.Length; i++)
        {
            RiskReason reason = reasons[i];
            int at = i;
            for (; at > 0 && reasons[at - 1].Contribution < reason.Contribution; at--)
                reasons[at] = reasons[at - 1];
            reasons[at] = reason;
        }
    }

    private static ReadOnlySpan<byte> NameOf(CoinJoinKind kind) => kind switch
    {
        CoinJoinKind.Whirlpool => "Whirlpool"u8,
        CoinJoinKind.Wasabi1 => "Wasabi 1"u8,
        CoinJoinKind.Wasabi2 => "Wasabi 2"u8,
        CoinJoinKind.JoinMarket => "JoinMarket"u8,
        _ => "CoinJoin"u8,
    };
}
