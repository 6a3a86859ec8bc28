namespace Streams.Connectors.Bitcoin.Simulation;

/// <summary>How an address of the simulation is locked.</summary>
internal enum SimulatedLock : byte
{
    /// <summary>P2PKH.</summary>
    PublicKeyHash,

    /// <summary>P2WPKH in P2SH.</summary>
    NestedWitness,

    /// <summary>P2WPKH.</summary>
    WitnessPublicKeyHash,

    /// <summary>P2TR, spent by key.</summary>
    Taproot,

    /// <summary>Two of three keys in P2SH.</summary>
    ScriptMultisig,

    /// <summary>Two of three keys in P2WSH.</summary>
    WitnessMultisig,

    /// <summary>P2PK.</summary>
    PublicKey,

    /// <summary>Two of three keys in the open.</summary>
    BareMultisig,
}

/// <summary>
/// An address: keys, script and whatever it takes to spend follow from its number and its lock, so none of
/// them is kept.
/// </summary>
/// <param name="Number">Unlike for unlike addresses.</param>
/// <param name="Lock">How it is locked.</param>
internal readonly record struct SimulatedAddress(ulong Number, SimulatedLock Lock)
{
    /// <summary>Set in the numbers of addresses that are the same whatever the seed.</summary>
    internal const ulong ListedBit = 1UL << 63;
}

/// <summary>An output that was not spent yet.</summary>
internal struct Coin
{
    /// <summary>The transaction that made it.</summary>
    internal BitcoinHash TxId;

    /// <summary>Its place among the outputs there.</summary>
    internal uint Output;

    /// <summary>The wallet that it belongs to; -1 for none.</summary>
    internal int Wallet;

    /// <summary>Its value.</summary>
    internal long Satoshi;

    /// <summary>Who can spend it.</summary>
    internal SimulatedAddress Address;

    /// <summary>When it was made, Unix seconds of its block.</summary>
    internal long TimeSeconds;
}

/// <summary>Whoever takes the coins of the outputs that are paid to him.</summary>
internal interface ICoinOwner
{
    /// <summary>Takes a coin.</summary>
    void Receive(in Coin coin);
}
