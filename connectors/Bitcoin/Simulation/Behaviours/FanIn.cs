using Streams.Connectors.Chain;

namespace Streams.Connectors.Bitcoin.Simulation.Behaviours;

/// <summary>One who is no service collects payments of twenty strangers or more, and puts them together at
/// once.</summary>
internal sealed class FanIn : SimulatedBehaviour
{
    internal override SimulatedTypology Typology => SimulatedTypology.FanIn;

    internal override RiskRule Rule => RiskRule.FanOutFanIn;

    internal override IEnumerable<TimeSpan> Play(Scene scene)
    {
        Collector collector = scene.Collect(scene.Random.Between(20, 40));
        while (!collector.IsDone)
            yield return TimeSpan.FromHours(1);
        yield return scene.Random.Between(TimeSpan.FromHours(2), TimeSpan.FromHours(8));
        scene.Begin();
        foreach (Coin coin in collector.Coins)
            scene.Spend(coin);
        if (scene.Random.Chance(500))
            scene.PayStranger(scene.Rest(outputs: 2) / 100 * scene.Random.Between(20, 60));
        scene.PayRest(scene.NewAddress());
        scene.Commit(fires: true);
    }
}
