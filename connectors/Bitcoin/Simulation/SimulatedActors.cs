using System.Globalization;
using System.Text;

namespace Streams.Connectors.Bitcoin.Simulation;

/// <summary>What a known actor of the simulation is.</summary>
public enum SimulatedActorKind
{
    /// <summary>Stands on the simulation's own sanctions list.</summary>
    Sanctioned = 1,

    /// <summary>Takes ransoms.</summary>
    Ransomware = 2,

    /// <summary>A darknet market.</summary>
    DarknetMarket = 3,

    /// <summary>A mixer that takes custody.</summary>
    Mixer = 4,

    /// <summary>The hot wallet of an exchange.</summary>
    Exchange = 5,

    /// <summary>The wallet of a mining pool.</summary>
    MiningPool = 6,
}

/// <summary>An address of the simulation whose owner is known.</summary>
/// <param name="Kind">What he is.</param>
/// <param name="Name">What he is called.</param>
/// <param name="Address">The address on regtest.</param>
/// <param name="Country">Where he is, ISO 3166-1 alpha-2; null where nobody knows.</param>
public sealed record SimulatedActor(SimulatedActorKind Kind, string Name, string Address, string? Country);

/// <summary>The known actors: the same for every seed, so that one set of labels fits all
/// simulations.</summary>
public static class SimulatedActors
{
    internal const int SanctionedCount = 64;
    internal const int IllicitCount = 64;
    internal const int MixerCount = 16;
    internal const int ExchangeCount = 24;
    internal const int PoolCount = 8;

    private const int KindShift = 32;

    private static readonly string[] Countries = ["US", "SG", "JP", "DE", "KR", "GB", "CH", "BR"];

    /// <summary>All of them, by kind and number.</summary>
    public static IReadOnlyList<SimulatedActor> All { get; } = MakeAll();

    /// <summary>How many actors of a kind there are.</summary>
    internal static int CountOf(SimulatedActorKind kind) => kind switch
    {
        SimulatedActorKind.Sanctioned => SanctionedCount,
        SimulatedActorKind.Mixer => MixerCount,
        SimulatedActorKind.Exchange => ExchangeCount,
        SimulatedActorKind.MiningPool => PoolCount,
        _ => IllicitCount,
    };

    /// <summary>The address of an actor.</summary>
    internal static SimulatedAddress AddressOf(SimulatedActorKind kind, int index) => new(
        SimulatedAddress.ListedBit | ((ulong)kind << KindShift) | (uint)index,
        kind == SimulatedActorKind.Exchange ? LockOfExchange(index) : LockOfPerson(index));

    private static SimulatedLock LockOfExchange(int index) => (index % 4) switch
    {
        0 => SimulatedLock.ScriptMultisig,
        1 => SimulatedLock.WitnessMultisig,
        _ => SimulatedLock.WitnessPublicKeyHash,
    };

    private static SimulatedLock LockOfPerson(int index) => (index % 4) switch
    {
        0 => SimulatedLock.PublicKeyHash,
        1 => SimulatedLock.NestedWitness,
        2 => SimulatedLock.Taproot,
        _ => SimulatedLock.WitnessPublicKeyHash,
    };

    private static List<SimulatedActor> MakeAll()
    {
        var scripts = new SimulatedScripts(seed: 0);
        var actors = new List<SimulatedActor>();
        foreach (SimulatedActorKind kind in Enum.GetValues<SimulatedActorKind>())
        {
            for (int i = 0; i < CountOf(kind); i++)
                actors.Add(
                    new SimulatedActor(kind, NameOf(kind, i), TextOf(scripts, kind, i), CountryOf(kind, i)));
        }
        return actors;
    }

    private static string NameOf(SimulatedActorKind kind, int index)
    {
        string what = kind switch
        {
            SimulatedActorKind.Sanctioned => "Sanctioned person",
            SimulatedActorKind.Ransomware => "Ransomware",
            SimulatedActorKind.DarknetMarket => "Darknet market",
            SimulatedActorKind.Mixer => "Mixer",
            SimulatedActorKind.Exchange => "Exchange",
            _ => "Mining pool",
        };
        return string.Create(CultureInfo.InvariantCulture, $"{what} {index + 1} (simulated)");
    }

    private static string? CountryOf(SimulatedActorKind kind, int index) =>
        kind is SimulatedActorKind.Exchange or SimulatedActorKind.MiningPool
            ? Countries[index % Countries.Length]
            : null;

    private static string TextOf(SimulatedScripts scripts, SimulatedActorKind kind, int index)
    {
        Span<byte> script = stackalloc byte[SimulatedScripts.OutputBytesMax];
        int length = scripts.WriteOutput(AddressOf(kind, index), script);
        Span<byte> text = stackalloc byte[BitcoinAddress.TextBytesMax];
        bool hasAddress = BitcoinAddress.TryFromScript(
            BitcoinScript.Classify(script[..length]), out BitcoinAddress address);
        return hasAddress
            ? Encoding.ASCII.GetString(text[..address.Encode(BitcoinNetwork.Regtest, text)])
            : throw new InvalidOperationException($"{kind} {index} has no address.");
    }
}
