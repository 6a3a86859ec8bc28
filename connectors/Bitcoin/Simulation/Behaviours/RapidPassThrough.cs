using Streams.Connectors.Chain;

namespace Streams.Connectors.Bitcoin.Simulation.Behaviours;

/// <summary>A new address receives, and passes all of it on within the hour.</summary>
internal sealed class RapidPassThrough : SimulatedBehaviour
{
    internal override SimulatedTypology Typology => SimulatedTypology.RapidPassThrough;

    internal override RiskRule Rule => RiskRule.RapidPassThrough;

    internal override IEnumerable<TimeSpan> Play(Scene scene)
    {
        long amount = scene.Random.Between(2_000_000L, 80_000_000L);
        while (!scene.TryWithdraw(scene.NewAddress(), fires: false, amount))
            yield return NextBlock;
        Coin coin = scene.Made(0);
        // The block after the pause must still be within the hour, and blocks take up to one and a half
        // intervals.
        var pauseMax = TimeSpan.FromHours(1) - scene.Options.BlockInterval * 1.5;
        yield return scene.Random.Between(TimeSpan.Zero, pauseMax);
        scene.Begin();
        scene.Spend(coin);
        if (scene.Random.Chance(500))
            scene.PayStranger(amount / 100 * scene.Random.Between(40, 60));
        scene.PayRest(scene.NewAddress());
        scene.Commit(fires: true);
    }
}
