using Streams.Connectors.Chain;

namespace Streams.Connectors.Bitcoin.Simulation.Behaviours;

/// <summary>Somebody pays an address that stands on a list, and gets change.</summary>
internal sealed class ListedPayment(SimulatedTypology typology, SimulatedActorKind to, RiskRule rule)
    : SimulatedBehaviour
{
    private const long SatoshiMin = 1_000_000;

    internal override SimulatedTypology Typology => typology;

    internal override RiskRule Rule => rule;

    internal override IEnumerable<TimeSpan> Play(Scene scene)
    {
        Coin coin;
        while (!scene.TryTakeCoin(SatoshiMin, out coin))
            yield return NextBlock;
        scene.Begin();
        scene.Spend(coin);
        scene.Pay(scene.AnyActor(to), coin.Satoshi / 100 * scene.Random.Between(20, 80));
        scene.PayRestBack(coin);
        scene.Commit(fires: true);
    }
}
