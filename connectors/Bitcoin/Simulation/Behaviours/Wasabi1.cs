using Streams.Connectors.Chain;

namespace Streams.Connectors.Bitcoin.Simulation.Behaviours;

/// <summary>Ten participants or more, an output of about 0.1 bitcoin for each, change, and the coordinator's
/// fee.</summary>
/// <remarks>Source: the structure of Wasabi 1.x in graphsense-lib, pull request 80.</remarks>
internal sealed class Wasabi1 : SimulatedBehaviour
{
    private const long CoordinatorSatoshi = 12_000;
    private const long FeeSatoshi = 3_000;
    private const long ChangeSatoshiMin = 5_000;

    internal override SimulatedTypology Typology => SimulatedTypology.Wasabi1;

    internal override RiskRule Rule => RiskRule.Mixer;

    internal override CoinJoinKind CoinJoin => CoinJoinKind.Wasabi1;

    internal override IEnumerable<TimeSpan> Play(Scene scene)
    {
        int participants = scene.Random.Between(10, 25);
        long denomination = scene.Random.Between(9_500_000L, 10_000_000L);
        long cost = denomination + CoordinatorSatoshi + FeeSatoshi;
        var coins = new List<Coin>();
        while (!scene.TryTakeCoins(participants, cost, coins))
            yield return NextBlock;
        scene.Begin();
        foreach (Coin coin in coins)
            scene.Spend(coin);
        foreach (Coin _ in coins)
            scene.PayStranger(denomination);
        foreach (Coin coin in coins)
        {
            if (coin.Satoshi - cost >= ChangeSatoshiMin)
                scene.PayBack(coin, coin.Satoshi - cost);
        }
        scene.PayStranger(participants * CoordinatorSatoshi);
        scene.Commit(fires: true);
    }
}
