using Streams.Connectors.Chain;

namespace Streams.Connectors.Bitcoin.Simulation.Behaviours;

/// <summary>Twenty inputs or more, taken apart into a few standard amounts that repeat, and change.</summary>
/// <remarks>Sources: the structure of Wasabi 2 in graphsense-lib, pull request 80; the standard amounts are
/// powers of two, of three and round numbers (WalletWasabi, AmountDecomposer).</remarks>
internal sealed class Wasabi2 : SimulatedBehaviour
{
    private const long FeeSatoshi = 4_000;
    private const long ChangeSatoshiMin = 5_000;
    private const int SkipPerMille = 250;

    // Whoever joins has enough for one of each.
    private static readonly long[] Denominations = [1_048_576, 531_441, 262_144, 100_000];

    internal override SimulatedTypology Typology => SimulatedTypology.Wasabi2;

    internal override RiskRule Rule => RiskRule.Mixer;

    internal override CoinJoinKind CoinJoin => CoinJoinKind.Wasabi2;

    internal override IEnumerable<TimeSpan> Play(Scene scene)
    {
        int participants = scene.Random.Between(20, 45);
        var coins = new List<Coin>();
        while (!scene.TryTakeCoins(participants, Denominations.Sum() + FeeSatoshi, coins))
            yield return NextBlock;
        scene.Begin();
        foreach (Coin coin in coins)
            scene.Spend(coin);
        foreach (Coin coin in coins)
        {
            long left = coin.Satoshi - FeeSatoshi;
            foreach (long denomination in Denominations)
            {
                // All take the first two, so that there is always enough that repeats.
                if (denomination < Denominations[1] && scene.Random.Chance(SkipPerMille))
                    continue;
                scene.PayStranger(denomination);
                left -= denomination;
            }
            if (left >= ChangeSatoshiMin)
                scene.PayBack(coin, left);
        }
        scene.Commit(fires: true);
    }
}
