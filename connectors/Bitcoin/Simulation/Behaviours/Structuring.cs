using Streams.Connectors.Chain;

namespace Streams.Connectors.Bitcoin.Simulation.Behaviours;

/// <summary>
/// Transfers just under the reporting limit: by one address over some hours, to one address from several
/// exchanges, or all in one transaction. Fires at the third transfer.
/// </summary>
internal sealed class Structuring : SimulatedBehaviour
{
    private const int TransfersThatFire = 3;

    internal override SimulatedTypology Typology => SimulatedTypology.Structuring;

    internal override RiskRule Rule => RiskRule.Structuring;

    internal override IEnumerable<TimeSpan> Play(Scene scene) => scene.Random.Below(3) switch
    {
        0 => PlaySender(scene),
        1 => PlayReceiver(scene),
        _ => PlayAtOnce(scene),
    };

    private static IEnumerable<TimeSpan> PlaySender(Scene scene)
    {
        long limit = scene.Options.ReportingLimitSatoshi;
        int transfers = scene.Random.Between(TransfersThatFire, 5);
        long[] amounts = new long[transfers];
        for (int i = 0; i < transfers; i++)
            amounts[i] = scene.Random.Between(limit / 100 * 102, limit / 100 * 110);
        while (!scene.TryWithdraw(scene.NewAddress(), fires: false, amounts))
            yield return NextBlock;
        var coins = new List<Coin>();
        for (int i = 0; i < transfers; i++)
            coins.Add(scene.Made(i));
        for (int i = 0; i < transfers; i++)
        {
            yield return scene.Random.Between(TimeSpan.FromMinutes(70), TimeSpan.FromHours(4));
            scene.Begin();
            scene.Spend(coins[i]);
            scene.PayStranger(JustUnder(scene));
            scene.PayRest(scene.NewAddress());
            scene.Commit(fires: i == TransfersThatFire - 1);
        }
    }

    private static IEnumerable<TimeSpan> PlayReceiver(Scene scene)
    {
        SimulatedAddress to = scene.NewAddress();
        int transfers = scene.Random.Between(TransfersThatFire, 5);
        for (int i = 0; i < transfers; i++)
        {
            while (!scene.TryWithdraw(to, fires: i == TransfersThatFire - 1, JustUnder(scene)))
                yield return NextBlock;
            yield return scene.Random.Between(TimeSpan.FromMinutes(20), TimeSpan.FromHours(4));
        }
    }

    private static IEnumerable<TimeSpan> PlayAtOnce(Scene scene)
    {
        int transfers = scene.Random.Between(TransfersThatFire, 5);
        long sum = (transfers + 1) * scene.Options.ReportingLimitSatoshi;
        while (!scene.TryWithdraw(scene.NewAddress(), fires: false, sum))
            yield return NextBlock;
        Coin coin = scene.Made(0);
        yield return scene.Random.Between(TimeSpan.FromHours(2), TimeSpan.FromHours(20));
        scene.Begin();
        scene.Spend(coin);
        for (int i = 0; i < transfers; i++)
            scene.PayStranger(JustUnder(scene));
        scene.PayRest(scene.NewAddress());
        scene.Commit(fires: true);
    }

    private static long JustUnder(Scene scene)
    {
        long limit = scene.Options.ReportingLimitSatoshi;
        return scene.Random.Between(limit / 1000 * 905, limit / 1000 * 995);
    }
}
