using Streams.Connectors.Bitcoin.Simulation;
using Streams.Connectors.Chain;
using Streams.Records;
using Streams.Topologies.Demo;
using Streams.Topologies.Transactions;
using Xunit;

namespace Streams.Tests.Topologies.Demo;

/// <summary>The comparison of what was put in with what came out, by hand-made records.</summary>
public sealed class DemoEvaluationTests
{
    [Fact]
    public void An_injection_is_found_by_its_rule_on_its_transaction()
    {
        var evaluation = new DemoEvaluation();
        evaluation.Add(Enriched(1, RiskRule.PeelChain));
        evaluation.Add(new Alert { TxId = Id(1), Rule = RiskRule.PeelChain });
        TypologyResult row = Row(
            evaluation.Compare([Injected(SimulatedTypology.PeelChain, RiskRule.PeelChain, 1)]));
        Assert.Equal((1, 1, 1, 0, 0), (row.Injected, row.Found, row.Alerted, row.Missed, row.FalseAlarms));
        Assert.Equal(1.0, row.Recall);
    }

    [Fact]
    public void An_injection_without_its_rule_is_missed_and_named()
    {
        var evaluation = new DemoEvaluation();
        evaluation.Add(Enriched(1, RiskRule.RapidPassThrough));
        DemoResult result = evaluation.Compare(
            [Injected(SimulatedTypology.PeelChain, RiskRule.PeelChain, 1)]);
        Assert.Equal((1, 0, 1), (Row(result).Injected, Row(result).Found, Row(result).Missed));
        Assert.Equal(SimulatedTypology.PeelChain, Assert.Single(result.Missed).Typology);
        Assert.Equal(RiskRule.RapidPassThrough, Assert.Single(result.FalseAlarms).Rule);
    }

    [Fact]
    public void A_rule_that_an_injection_explains_is_no_false_alarm()
    {
        var evaluation = new DemoEvaluation();
        evaluation.Add(Enriched(1, RiskRule.PeelChain, RiskRule.RapidPassThrough));
        Injection injection = Injected(SimulatedTypology.PeelChain, RiskRule.PeelChain, 1) with
        {
            AlsoExplains = [RiskRule.RapidPassThrough],
        };
        Assert.Equal(0, evaluation.Compare([injection]).FalseAlarmCount);
    }

    [Fact]
    public void A_rule_on_a_transaction_of_nobody_is_a_false_alarm_of_what_it_looks_like()
    {
        var evaluation = new DemoEvaluation();
        evaluation.Add(Enriched(7, RiskRule.FanOutFanIn));
        DemoResult result = evaluation.Compare([]);
        Assert.Equal(new FalseAlarm(Id(7), RiskRule.FanOutFanIn, SimulatedTypology.FanOut),
            Assert.Single(result.FalseAlarms));
        Assert.Null(result.Recall);
    }

    [Fact]
    public void A_weak_CoinJoin_is_found_without_a_rule_and_a_false_alarm_where_nobody_mixed()
    {
        var evaluation = new DemoEvaluation();
        evaluation.Add(CoinJoin(1));
        evaluation.Add(CoinJoin(2));
        Injection injection = Injected(SimulatedTypology.JoinMarket, RiskRule.None, 1) with
        {
            CoinJoin = CoinJoinKind.JoinMarket,
        };
        DemoResult result = evaluation.Compare([injection]);
        TypologyResult row = result.Typologies.Single(t => t.Typology == SimulatedTypology.JoinMarket);
        Assert.Equal((1, 1, 1), (row.Injected, row.Found, row.FalseAlarms));
    }

    [Fact]
    public void What_was_not_processed_yet_and_what_is_not_complete_do_not_count()
    {
        var evaluation = new DemoEvaluation();
        evaluation.Add(Enriched(1));
        Injection later = Injected(SimulatedTypology.PeelChain, RiskRule.PeelChain, 2) with { Height = 6 };
        Injection open = Injected(
            SimulatedTypology.PeelChain, RiskRule.PeelChain, 3) with
        { Height = -1, FiresOn = null };
        Assert.Equal(5, evaluation.ProcessedHeight);
        Assert.Equal(0, evaluation.Compare([later, open]).Injected);
    }

    [Fact]
    public void A_transaction_that_leaves_the_chain_takes_its_findings_with_it()
    {
        var evaluation = new DemoEvaluation();
        evaluation.Add(Enriched(1, RiskRule.Dust));
        ChainTransaction retracted = Enriched(1, RiskRule.Dust);
        retracted.Op = Operation.Retract;
        evaluation.Add(retracted);
        DemoResult result = evaluation.Compare([]);
        Assert.Equal((0, 0), (result.Transactions, result.FalseAlarmCount));
    }

    [Fact]
    public void Damaged_and_repeated_blocks_are_held_against_the_counts_of_the_source()
    {
        var evaluation = new DemoEvaluation();
        evaluation.Add(Enriched(1));
        Injection[] truth =
        [
            Delivered(SimulatedTypology.DuplicateBlock), Delivered(SimulatedTypology.FlippedBit),
            Delivered(SimulatedTypology.TruncatedBlock), Delivered(SimulatedTypology.TruncatedBlock),
        ];
        DemoResult result = evaluation.Compare(
            truth, new DemoDeliveries(DuplicateBlocks: 1, RefusedBlocks: 2));
        Assert.Equal(4, result.Injected);
        Assert.Equal(3, result.Found);
        Assert.Equal(1, result.Typologies.Single(t => t.Typology == SimulatedTypology.TruncatedBlock).Missed);
    }

    private static TypologyResult Row(DemoResult result) =>
        result.Typologies.Single(t => t.Typology == SimulatedTypology.PeelChain);

    private static Bytes32 Id(byte number)
    {
        Span<byte> bytes = stackalloc byte[Bytes32.Size];
        bytes.Fill(number);
        return new Bytes32(bytes);
    }

    private static Injection Injected(SimulatedTypology typology, RiskRule rule, byte transaction) => new()
    {
        Number = 0,
        Typology = typology,
        Rule = rule,
        CoinJoin = CoinJoinKind.None,
        AlsoExplains = [],
        Transactions = [Id(transaction)],
        FiresOn = Id(transaction),
        Height = 5,
    };

    private static Injection Delivered(SimulatedTypology typology) =>
        Injected(typology, RiskRule.None, 9) with { Transactions = [], FiresOn = null };

    private static ChainTransaction CoinJoin(byte number)
    {
        ChainTransaction tx = Enriched(number);
        tx.Analysis.Value.CoinJoin = CoinJoinKind.JoinMarket;
        return tx;
    }

    private static ChainTransaction Enriched(byte number, params RiskRule[] rules)
    {
        var tx = new ChainTransaction { TxId = Id(number), BlockHeight = 5, TxIndex = 0, BlockTxCount = 1 };
        tx.Analysis.IsPresent = true;
        tx.Analysis.Value.FanOut = 60;
        foreach (RiskRule rule in rules)
            tx.Analysis.Value.Reasons.Add(new RiskReason { Rule = rule });
        return tx;
    }
}
