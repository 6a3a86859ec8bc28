using Streams.Connectors.Chain;

namespace Streams.Connectors.Bitcoin.Simulation.Behaviours;

/// <summary>A taker and a few makers: an equal output for each, and change for the makers at least.</summary>
/// <remarks>Its structure is a weak sign, so it is recognised with less certainty than R4 asks for. Source:
/// graphsense-lib, pull request 76.</remarks>
internal sealed class JoinMarket : SimulatedBehaviour
{
    private const long MarginSatoshi = 20_000;
    private const long FeeSatoshi = 3_000;

    internal override SimulatedTypology Typology => SimulatedTypology.JoinMarket;

    internal override RiskRule Rule => RiskRule.None;

    internal override CoinJoinKind CoinJoin => CoinJoinKind.JoinMarket;

    internal override IEnumerable<TimeSpan> Play(Scene scene)
    {
        int participants = scene.Random.Between(3, 8);
        long amount = scene.Random.Between(1_000_000L, 20_000_000L);
        var coins = new List<Coin>();
        while (!scene.TryTakeCoins(participants, amount + MarginSatoshi, coins))
            yield return NextBlock;
        bool takerHasChange = scene.Random.Chance(500);
        scene.Begin();
        foreach (Coin coin in coins)
            scene.Spend(coin);
        foreach (Coin _ in coins)
            scene.PayStranger(amount);
        for (int i = takerHasChange ? 0 : 1; i < participants; i++)
            scene.PayBack(coins[i], coins[i].Satoshi - amount - FeeSatoshi);
        scene.Commit(fires: true);
    }
}
