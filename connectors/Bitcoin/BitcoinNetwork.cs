namespace Streams.Connectors.Bitcoin;

/// <summary>What tells one Bitcoin network from another: bytes of its frames, addresses and rules.</summary>
/// <remarks>
/// A custom signet is <c>BitcoinNetwork.Signet with { Magic = ... }</c>. The three public test networks share
/// their address formats, so an address does not say which of them it is for. Sources: Bitcoin Core,
/// <c>kernel/chainparams.cpp</c>; BIP94 (testnet4); BIP325 (signet); BIP173 (prefixes).
/// </remarks>
public sealed record BitcoinNetwork
{
    // P2PKH, P2SH and private key on every network but the main one.
    private const byte TestPublicKeyHashPrefix = 111;
    private const byte TestScriptHashPrefix = 196;
    private const byte TestPrivateKeyPrefix = 239;

    /// <summary>The network where coins have a price.</summary>
    public static BitcoinNetwork Mainnet { get; } = new()
    {
        Name = "mainnet",
        Magic = 0xD9B4BEF9,
        PublicKeyHashPrefix = 0,
        ScriptHashPrefix = 5,
        PrivateKeyPrefix = 128,
        WitnessPrefix = "bc",
        EasiestBits = 0x1D00FFFF,
        SegwitHeight = 481_824,
    };

    /// <summary>The third public test network.</summary>
    public static BitcoinNetwork Testnet3 { get; } = new()
    {
        Name = "testnet3",
        Magic = 0x0709110B,
        PublicKeyHashPrefix = TestPublicKeyHashPrefix,
        ScriptHashPrefix = TestScriptHashPrefix,
        PrivateKeyPrefix = TestPrivateKeyPrefix,
        WitnessPrefix = "tb",
        EasiestBits = 0x1D00FFFF,
        SegwitHeight = 834_624,
    };

    /// <summary>The fourth public test network.</summary>
    public static BitcoinNetwork Testnet4 { get; } = Testnet3 with
    {
        Name = "testnet4",
        Magic = 0x283F161C,
        SegwitHeight = 1,
    };

    /// <summary>The public test network whose blocks are signed.</summary>
    public static BitcoinNetwork Signet { get; } = Testnet3 with
    {
        Name = "signet",
        Magic = 0x40CF030A,
        EasiestBits = 0x1E0377AE,
        SegwitHeight = 1,
    };

    /// <summary>A private test network, where anybody makes blocks at once.</summary>
    public static BitcoinNetwork Regtest { get; } = Testnet3 with
    {
        Name = "regtest",
        Magic = 0xDAB5BFFA,
        WitnessPrefix = "bcrt",
        EasiestBits = 0x207FFFFF,
        SegwitHeight = 0,
    };

    /// <summary>What configuration and records call it.</summary>
    public required string Name { get; init; }

    /// <summary>The four bytes before each block of a node's file, read little-endian.</summary>
    public required uint Magic { get; init; }

    /// <summary>The first byte of an address that pays to a public key's hash.</summary>
    public required byte PublicKeyHashPrefix { get; init; }

    /// <summary>The first byte of an address that pays to a script's hash.</summary>
    public required byte ScriptHashPrefix { get; init; }

    /// <summary>The first byte of a private key in wallet import format.</summary>
    public required byte PrivateKeyPrefix { get; init; }

    /// <summary>What a witness address begins with, before the 1; lower case.</summary>
    public required string WitnessPrefix { get; init; }

    /// <summary>The easiest target that a header may have, as header bits.</summary>
    public required uint EasiestBits { get; init; }

    /// <summary>From this height on, a block that commits to witnesses must carry them.</summary>
    public required int SegwitHeight { get; init; }

    /// <summary>The network of a name in configuration.</summary>
    /// <returns>Whether there is one.</returns>
    public static bool TryFromName(string name, out BitcoinNetwork network)
    {
        network = name switch
        {
            "testnet3" => Testnet3,
            "testnet4" => Testnet4,
            "signet" => Signet,
            "regtest" => Regtest,
            _ => Mainnet,
        };
        return network.Name == name;
    }

    /// <inheritdoc/>
    public override string ToString() => Name;
}
