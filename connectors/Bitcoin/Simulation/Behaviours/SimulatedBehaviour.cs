using Streams.Connectors.Chain;

namespace Streams.Connectors.Bitcoin.Simulation.Behaviours;

/// <summary>
/// Something that is put into ordinary traffic on purpose: what it is, which rule must fire on it, and how it
/// goes.
/// </summary>
/// <remarks>One object serves all injections of its kind; what one of them needs is in its
/// iterator.</remarks>
internal abstract class SimulatedBehaviour
{
    /// <summary>Waits for the next block.</summary>
    protected static readonly TimeSpan NextBlock = TimeSpan.Zero;

    /// <summary>What it is.</summary>
    internal abstract SimulatedTypology Typology { get; }

    /// <summary>The rule that must fire; none where no rule is to.</summary>
    internal abstract RiskRule Rule { get; }

    /// <summary>The CoinJoin that must be recognised.</summary>
    internal virtual CoinJoinKind CoinJoin => CoinJoinKind.None;

    /// <summary>Further rules that fire on its transactions, because what it does is that too.</summary>
    internal virtual IReadOnlyList<RiskRule> AlsoExplains => [];

    /// <summary>One of each.</summary>
    internal static SimulatedBehaviour[] All() =>
    [
        new ListedPayment(
            SimulatedTypology.SanctionedPayment, SimulatedActorKind.Sanctioned, RiskRule.SanctionedDirect),
        new SanctionedReceipt(),
        new TaintedTrail(
            SimulatedTypology.SanctionedIndirect, SimulatedActorKind.Sanctioned, RiskRule.SanctionedIndirect,
            2, 5),
        new ListedPayment(
            SimulatedTypology.RansomwarePayment, SimulatedActorKind.Ransomware, RiskRule.IllicitActor),
        new ListedPayment(
            SimulatedTypology.DarknetPayment, SimulatedActorKind.DarknetMarket, RiskRule.IllicitActor),
        new TaintedTrail(
            SimulatedTypology.DarknetProceeds, SimulatedActorKind.DarknetMarket, RiskRule.IllicitActor, 1, 4),
        new ListedPayment(SimulatedTypology.MixerPayment, SimulatedActorKind.Mixer, RiskRule.Mixer),
        new Whirlpool(),
        new Wasabi1(),
        new Wasabi2(),
        new JoinMarket(),
        new PeelChain(),
        new Structuring(),
        new Velocity(),
        new RapidPassThrough(),
        new FanOut(),
        new FanIn(),
        new DustAttack(),
    ];

    /// <summary>Plays once.</summary>
    /// <param name="scene">What it has at hand.</param>
    /// <returns>How long it waits, each time; zero for the next block.</returns>
    internal abstract IEnumerable<TimeSpan> Play(Scene scene);
}
