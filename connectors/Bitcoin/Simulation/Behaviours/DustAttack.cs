using Streams.Connectors.Chain;

namespace Streams.Connectors.Bitcoin.Simulation.Behaviours;

/// <summary>Somebody sends next to nothing to many addresses that are in use, to see where it is
/// spent.</summary>
internal sealed class DustAttack : SimulatedBehaviour
{
    private const long SatoshiMin = 200_000;

    // From the limit of P2WPKH to below that of P2PKH. Source: Bitcoin Core, GetDustThreshold.
    private const int DustSatoshiMin = 294;
    private const int DustSatoshiMax = 545;

    internal override SimulatedTypology Typology => SimulatedTypology.DustAttack;

    internal override RiskRule Rule => RiskRule.Dust;

    internal override IEnumerable<TimeSpan> Play(Scene scene)
    {
        Coin coin;
        while (!scene.TryTakeCoin(SatoshiMin, out coin))
            yield return NextBlock;
        var addresses = new HashSet<SimulatedAddress>();
        int count = scene.Random.Between(12, 45);
        scene.Begin();
        scene.Spend(coin);
        while (addresses.Count < count)
        {
            SimulatedAddress address = scene.AnyAddressInUse();
            // Multisig in the open has no address.
            if (address.Lock != SimulatedLock.BareMultisig && addresses.Add(address))
                scene.Pay(address, scene.Random.Between(DustSatoshiMin, DustSatoshiMax));
        }
        scene.PayRestBack(coin);
        scene.Commit(fires: true);
    }
}
