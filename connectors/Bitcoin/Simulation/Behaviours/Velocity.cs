using Streams.Connectors.Chain;

namespace Streams.Connectors.Bitcoin.Simulation.Behaviours;

/// <summary>An address that spends about as much every day, and then, on the sixth or a later day, many times
/// that.</summary>
internal sealed class Velocity : SimulatedBehaviour
{
    private const long HabitSatoshiMin = 400_000;
    private const long HabitSatoshiMax = 1_500_000;

    // More than ten times the most of the habit.
    private const long BurstSatoshiMin = 20_000_000;
    private const long BurstSatoshiMax = 60_000_000;

    internal override SimulatedTypology Typology => SimulatedTypology.Velocity;

    internal override RiskRule Rule => RiskRule.Velocity;

    internal override IEnumerable<TimeSpan> Play(Scene scene)
    {
        SimulatedAddress address = scene.NewAddress();
        long[] amounts = new long[scene.Random.Between(5, 6)];
        for (int i = 0; i < amounts.Length; i++)
            amounts[i] = scene.Random.Between(HabitSatoshiMin, HabitSatoshiMax);
        while (!scene.TryWithdraw(address, fires: false, amounts))
            yield return NextBlock;
        var coins = new List<Coin>();
        for (int i = 0; i < amounts.Length; i++)
            coins.Add(scene.Made(i));
        yield return scene.Random.Between(TimeSpan.FromHours(2), TimeSpan.FromHours(3));
        foreach (Coin coin in coins)
        {
            SpendAll(scene, coin, fires: false);
            // A day at least, so that each falls on a day of its own.
            yield return TimeSpan.FromHours(24);
        }
        while (
            !scene.TryWithdraw(address, fires: false, scene.Random.Between(BurstSatoshiMin, BurstSatoshiMax)))
            yield return NextBlock;
        Coin burst = scene.Made(0);
        yield return scene.Random.Between(TimeSpan.FromMinutes(30), TimeSpan.FromHours(4));
        SpendAll(scene, burst, fires: true);
    }

    private static void SpendAll(Scene scene, in Coin coin, bool fires)
    {
        scene.Begin();
        scene.Spend(coin);
        scene.PayRest(scene.NewAddress());
        scene.Commit(fires);
    }
}
