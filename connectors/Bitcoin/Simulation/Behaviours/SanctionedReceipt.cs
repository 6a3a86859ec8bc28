using Streams.Connectors.Chain;

namespace Streams.Connectors.Bitcoin.Simulation.Behaviours;

/// <summary>A sanctioned address is paid, and pays somebody hours later.</summary>
internal sealed class SanctionedReceipt : SimulatedBehaviour
{
    private const long SatoshiMin = 1_000_000;

    internal override SimulatedTypology Typology => SimulatedTypology.SanctionedReceipt;

    internal override RiskRule Rule => RiskRule.SanctionedDirect;

    // The payer is one of few: in months his address has a habit, which a large payment breaks.
    internal override IReadOnlyList<RiskRule> AlsoExplains { get; } = [RiskRule.Velocity];

    internal override IEnumerable<TimeSpan> Play(Scene scene)
    {
        Coin coin;
        while (!scene.TryTakeCoin(SatoshiMin, out coin))
            yield return NextBlock;
        scene.Begin();
        scene.Spend(coin);
        scene.PayRest(scene.AnyActor(SimulatedActorKind.Sanctioned));
        scene.Commit();
        Coin sanctioned = scene.Made(0);
        yield return scene.Random.Between(TimeSpan.FromHours(2), TimeSpan.FromHours(12));

        scene.Begin();
        scene.Spend(sanctioned);
        scene.PayStranger(sanctioned.Satoshi / 100 * scene.Random.Between(30, 60));
        scene.PayRest(scene.NewAddress());
        scene.Commit(fires: true);
    }
}
