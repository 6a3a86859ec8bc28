using System.Globalization;
using Streams.Connectors.Bitcoin.Simulation;
using Streams.Connectors.Chain;

namespace Streams.Topologies.Demo;

/// <summary>How a demonstration words things for people.</summary>
internal static class DemoWords
{
    private const double SatoshiPerBitcoin = 100_000_000;

    /// <summary>A typology in a few words.</summary>
    internal static string NameOf(SimulatedTypology typology) => typology switch
    {
        SimulatedTypology.SanctionedPayment => "payment to a sanctioned address",
        SimulatedTypology.SanctionedReceipt => "payment from a sanctioned address",
        SimulatedTypology.SanctionedIndirect => "sanctioned money, 2 to 5 hops later",
        SimulatedTypology.RansomwarePayment => "ransom",
        SimulatedTypology.DarknetPayment => "payment to a darknet market",
        SimulatedTypology.DarknetProceeds => "darknet money, 1 to 4 hops later",
        SimulatedTypology.MixerPayment => "payment to a mixer",
        SimulatedTypology.Whirlpool => "CoinJoin: Whirlpool",
        SimulatedTypology.Wasabi1 => "CoinJoin: Wasabi 1",
        SimulatedTypology.Wasabi2 => "CoinJoin: Wasabi 2",
        SimulatedTypology.JoinMarket => "CoinJoin: JoinMarket",
        SimulatedTypology.PeelChain => "peel chain",
        SimulatedTypology.Structuring => "payments just under a limit",
        SimulatedTypology.Velocity => "ten times the usual amount",
        SimulatedTypology.RapidPassThrough => "received and passed on at once",
        SimulatedTypology.FanOut => "fan-out to 50 outputs or more",
        SimulatedTypology.FanIn => "fan-in of 20 inputs or more",
        SimulatedTypology.DustAttack => "dust to 10 addresses or more",
        SimulatedTypology.DuplicateBlock => "block delivered twice",
        SimulatedTypology.FlippedBit => "block with a flipped bit",
        SimulatedTypology.TruncatedBlock => "block cut short",
        _ => typology.ToString(),
    };

    /// <summary>A rule in a few words.</summary>
    internal static string NameOf(RiskRule rule) => rule switch
    {
        RiskRule.SanctionedDirect => "sanctioned, directly",
        RiskRule.SanctionedIndirect => "sanctioned, indirectly",
        RiskRule.IllicitActor => "illicit actor",
        RiskRule.Mixer => "mixer or CoinJoin",
        RiskRule.PeelChain => "peel chain",
        RiskRule.Structuring => "structuring",
        RiskRule.Velocity => "velocity",
        RiskRule.RapidPassThrough => "rapid pass-through",
        RiskRule.FanOutFanIn => "fan-out, fan-in",
        RiskRule.Dust => "dust",
        _ => rule.ToString(),
    };

    /// <summary>R1 to R10; a dash for none.</summary>
    internal static string NumberOf(RiskRule rule) =>
        rule == RiskRule.None ? "-" : Invariant($"R{(int)rule}");

    /// <summary>1,234,567.</summary>
    internal static string Count(double count) => Invariant($"{count:N0}");

    /// <summary>12.3 MB.</summary>
    internal static string Bytes(double bytes) => bytes switch
    {
        < 1_000 => Invariant($"{bytes:N0} B"),
        < 1_000_000 => Invariant($"{bytes / 1_000:N1} kB"),
        < 1_000_000_000 => Invariant($"{bytes / 1_000_000:N1} MB"),
        _ => Invariant($"{bytes / 1_000_000_000:N1} GB"),
    };

    /// <summary>38 ms; 1.2 s; a dash where nothing was measured.</summary>
    internal static string Time(TimeSpan? time) => time switch
    {
        null => "-",
        { TotalMilliseconds: < 10 } t => Invariant($"{t.TotalMilliseconds:F1} ms"),
        { TotalSeconds: < 1 } t => Invariant($"{t.TotalMilliseconds:F0} ms"),
        { } t => Invariant($"{t.TotalSeconds:F1} s"),
    };

    /// <summary>0.1234 BTC.</summary>
    internal static string Bitcoins(long satoshi) => Invariant($"{satoshi / SatoshiPerBitcoin:N4} BTC");

    /// <summary>1 block, 2 blocks.</summary>
    internal static string Plural(long count, string one) =>
        Invariant($"{count:N0} {one}{(count == 1 ? "" : "s")}");

    internal static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
