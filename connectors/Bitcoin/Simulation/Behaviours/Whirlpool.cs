using Streams.Connectors.Chain;

namespace Streams.Connectors.Bitcoin.Simulation.Behaviours;

/// <summary>
/// Five to eight inputs and as many outputs of one pool's amount. Newcomers split off the amount and a fee
/// first; others bring outputs of earlier mixes.
/// </summary>
/// <remarks>Source: the structure of Whirlpool in graphsense-lib, pull request 82.</remarks>
internal sealed class Whirlpool : SimulatedBehaviour
{
    private const int ParticipantsMin = 5;
    private const int ParticipantsMax = 8;
    private const int NewcomersMax = 4;

    private static readonly long[] Pools = [100_000, 1_000_000, 5_000_000];

    private readonly Queue<Coin>[] _mixed = [new(), new(), new()];

    internal override SimulatedTypology Typology => SimulatedTypology.Whirlpool;

    internal override RiskRule Rule => RiskRule.Mixer;

    internal override CoinJoinKind CoinJoin => CoinJoinKind.Whirlpool;

    internal override IEnumerable<TimeSpan> Play(Scene scene)
    {
        int pool = scene.Random.Below(Pools.Length);
        int participants = scene.Random.Between(ParticipantsMin, ParticipantsMax);
        int newcomers = scene.Random.Between(1, NewcomersMax);
        // The first mix of a pool has newcomers only.
        if (_mixed[pool].Count < participants - newcomers)
            newcomers = participants;
        var inputs = new List<Coin>();
        for (int i = newcomers; i < participants; i++)
            inputs.Add(_mixed[pool].Dequeue());
        for (int i = 0; i < newcomers; i++)
        {
            Coin coin;
            while (!scene.TryTakeCoin(Pools[pool] / 100 * 115 + 20_000, out coin))
                yield return NextBlock;
            inputs.Add(SplitOff(scene, coin, Pools[pool]));
        }
        yield return scene.Random.Between(TimeSpan.FromHours(1), TimeSpan.FromHours(8));
        scene.Begin();
        foreach (Coin coin in inputs)
            scene.Spend(coin);
        for (int i = 0; i < participants; i++)
            scene.Pay(scene.NewAddress(), Pools[pool]);
        scene.Commit(fires: true);
        for (int i = 0; i < participants; i++)
            _mixed[pool].Enqueue(scene.Made(i));
    }

    // The amount with the mix's fee on top, the coordinator's share, and change.
    private static Coin SplitOff(Scene scene, in Coin coin, long amount)
    {
        scene.Begin();
        scene.Spend(coin);
        int split = scene.Pay(scene.NewAddress(), amount + scene.Random.Between(1_000, 4_000));
        scene.PayStranger(Math.Max(1_000, amount / 1000 * 35));
        scene.PayRestBack(coin);
        scene.Commit();
        return scene.Made(split);
    }
}
