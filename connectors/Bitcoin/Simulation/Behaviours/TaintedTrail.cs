using Streams.Connectors.Chain;

namespace Streams.Connectors.Bitcoin.Simulation.Behaviours;

/// <summary>
/// A listed actor is paid and pays on, and the money moves through a number of addresses, now and then mixed
/// with as much that is clean. The rule must fire at the last of them.
/// </summary>
/// <param name="typology">What it is.</param>
/// <param name="actor">Whose money it is.</param>
/// <param name="rule">The rule.</param>
/// <param name="hopsMin">Fewest addresses behind the one that the actor pays.</param>
/// <param name="hopsMax">Most.</param>
internal sealed class TaintedTrail(
    SimulatedTypology typology, SimulatedActorKind actor, RiskRule rule, int hopsMin, int hopsMax)
        : SimulatedBehaviour
{
    // Of which at least 200,000 are left (R2) when it was divided at every step.
    private const long SatoshiMin = 20_000_000;
    private const int MixPerMille = 300;

    // Twice leaves a quarter, and R3 asks for a tenth.
    private const int MixesMax = 2;

    internal override SimulatedTypology Typology => typology;

    internal override RiskRule Rule => rule;

    // The first hop spends what the actor paid, which R1 counts as direct. Hops may follow within the hour.
    // And the actor is one of few: in months his address has a habit, which a large payment breaks.
    internal override IReadOnlyList<RiskRule> AlsoExplains { get; } =
        rule == RiskRule.SanctionedIndirect
            ? [RiskRule.SanctionedDirect, RiskRule.RapidPassThrough, RiskRule.Velocity]
            : [RiskRule.RapidPassThrough, RiskRule.Velocity];

    internal override IEnumerable<TimeSpan> Play(Scene scene)
    {
        Coin coin;
        while (!scene.TryTakeCoin(SatoshiMin, out coin))
            yield return NextBlock;
        coin = PassOn(scene, coin, scene.AnyActor(actor), fires: false);
        yield return scene.Random.Between(TimeSpan.FromHours(2), TimeSpan.FromHours(6));
        coin = PassOn(scene, coin, scene.NewAddress(), fires: false);
        int hops = scene.Random.Between(hopsMin, hopsMax);
        int mixes = 0;
        for (int hop = 1; hop <= hops; hop++)
        {
            yield return scene.Random.Between(TimeSpan.FromMinutes(20), TimeSpan.FromHours(4));
            bool fires = hop == hops;
            if (mixes < MixesMax && scene.Random.Chance(MixPerMille)
                && scene.TryWithdraw(scene.NewAddress(), fires: false, coin.Satoshi))
            {
                mixes++;
                coin = Mix(scene, coin, scene.Made(0), fires);
            }
            else
            {
                coin = PassOn(scene, coin, scene.NewAddress(), fires);
            }
        }
    }

    // All of it, or about half and half: not so that one output has most of it, which would be a peel chain.
    private static Coin PassOn(Scene scene, in Coin coin, SimulatedAddress to, bool fires)
    {
        scene.Begin();
        scene.Spend(coin);
        if (scene.Random.Chance(400))
            scene.PayStranger(coin.Satoshi / 100 * scene.Random.Between(35, 45));
        int rest = scene.PayRest(to);
        scene.Commit(fires);
        return scene.Made(rest);
    }

    private static Coin Mix(Scene scene, in Coin tainted, in Coin clean, bool fires)
    {
        scene.Begin();
        scene.Spend(clean);
        scene.Spend(tainted);
        int rest = scene.PayRest(scene.NewAddress());
        scene.Commit(fires);
        return scene.Made(rest);
    }
}
