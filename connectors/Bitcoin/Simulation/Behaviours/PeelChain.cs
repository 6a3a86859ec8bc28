using Streams.Connectors.Chain;

namespace Streams.Connectors.Bitcoin.Simulation.Behaviours;

/// <summary>A large coin moves from new address to new address, and at each a little is peeled off. Fires at
/// the fifth hop and all that follow.</summary>
internal sealed class PeelChain : SimulatedBehaviour
{
    private const long SatoshiMin = 20_000_000;
    private const int HopsThatFire = 5;

    internal override SimulatedTypology Typology => SimulatedTypology.PeelChain;

    internal override RiskRule Rule => RiskRule.PeelChain;

    // Quick chains pass on within the hour what each address received.
    internal override IReadOnlyList<RiskRule> AlsoExplains { get; } = [RiskRule.RapidPassThrough];

    internal override IEnumerable<TimeSpan> Play(Scene scene)
    {
        Coin coin;
        while (!scene.TryTakeCoin(SatoshiMin, out coin))
            yield return NextBlock;
        int hops = scene.Random.Between(HopsThatFire + 1, 12);
        var pace = TimeSpan.FromMinutes(scene.Random.Between(0, 240));
        for (int hop = 1; hop <= hops; hop++)
        {
            scene.Begin();
            scene.Spend(coin);
            scene.PayStranger(coin.Satoshi / 100 * scene.Random.Between(2, 10));
            int rest = scene.PayRest(scene.NewAddress());
            scene.Commit(fires: hop == HopsThatFire);
            coin = scene.Made(rest);
            yield return pace;
        }
    }
}
