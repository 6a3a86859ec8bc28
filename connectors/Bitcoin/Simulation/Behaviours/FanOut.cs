using Streams.Connectors.Chain;

namespace Streams.Connectors.Bitcoin.Simulation.Behaviours;

/// <summary>One who is no service pays fifty addresses or more at once.</summary>
internal sealed class FanOut : SimulatedBehaviour
{
    private const long SatoshiMin = 10_000_000;
    private const long OutputSatoshiMax = 50_000_000;

    internal override SimulatedTypology Typology => SimulatedTypology.FanOut;

    internal override RiskRule Rule => RiskRule.FanOutFanIn;

    internal override IEnumerable<TimeSpan> Play(Scene scene)
    {
        Coin coin;
        while (!scene.TryTakeCoin(SatoshiMin, out coin))
            yield return NextBlock;
        int outputs = scene.Random.Between(50, 120);
        long each = Math.Min(coin.Satoshi / (outputs + 1), OutputSatoshiMax);
        scene.Begin();
        scene.Spend(coin);
        for (int i = 0; i < outputs; i++)
            scene.PayStranger(each / 100 * scene.Random.Between(40, 90));
        scene.PayRestBack(coin);
        scene.Commit(fires: true);
    }
}
