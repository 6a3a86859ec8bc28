namespace Streams.Connectors.Chain;

/// <summary>Whether a record's fact comes to hold or ceases to.</summary>
public enum Operation
{
    /// <summary>It holds from now on.</summary>
    Append = 0,

    /// <summary>It left the canonical chain: everything that followed from it is to be undone.</summary>
    Retract = 1,
}

/// <summary>A block chain.</summary>
public enum ChainKind
{
    /// <summary>Not said.</summary>
    Unknown = 0,

    /// <summary>Bitcoin.</summary>
    Bitcoin = 1,

    /// <summary>Ethereum.</summary>
    Ethereum = 2,
}

/// <summary>A network of a chain.</summary>
public enum Network
{
    /// <summary>Not said.</summary>
    Unknown = 0,

    /// <summary>The network whose money has a price.</summary>
    Mainnet = 1,

    /// <summary>A public test network.</summary>
    Testnet = 2,

    /// <summary>Bitcoin's signed test network.</summary>
    Signet = 3,

    /// <summary>A private test network.</summary>
    Regtest = 4,
}

/// <summary>How far a transaction is confirmed.</summary>
public enum TransactionStatus
{
    /// <summary>Not said.</summary>
    Unknown = 0,

    /// <summary>Waits to be mined.</summary>
    Mempool = 1,

    /// <summary>In a block of the heaviest chain.</summary>
    InBlock = 2,

    /// <summary>Unlikely to leave the chain.</summary>
    Safe = 3,

    /// <summary>Deeper than any reorganisation that is followed.</summary>
    Finalized = 4,

    /// <summary>Another transaction spends the same inputs.</summary>
    Replaced = 5,

    /// <summary>Was in a block that left the chain.</summary>
    Reorged = 6,
}

/// <summary>How an amount is locked.</summary>
public enum ScriptType
{
    /// <summary>Not known: the output was never seen, and spending it shows nothing.</summary>
    Unknown = 0,

    /// <summary>Pay to public key.</summary>
    P2pk = 1,

    /// <summary>Pay to public key hash.</summary>
    P2pkh = 2,

    /// <summary>Pay to script hash (BIP 16).</summary>
    P2sh = 3,

    /// <summary>Pay to witness public key hash (BIP 141).</summary>
    P2wpkh = 4,

    /// <summary>Pay to witness script hash (BIP 141).</summary>
    P2wsh = 5,

    /// <summary>Pay to taproot (BIP 341).</summary>
    P2tr = 6,

    /// <summary>Multisig in the open (BIP 11).</summary>
    Multisig = 7,

    /// <summary>Data, not money (OP_RETURN).</summary>
    NullData = 8,

    /// <summary>A witness program of a version without rules yet.</summary>
    WitnessUnknown = 9,

    /// <summary>None of these.</summary>
    NonStandard = 10,

    /// <summary>An account, on chains that have them.</summary>
    Account = 11,
}

/// <summary>Where the address of an input is known from.</summary>
public enum AddressOrigin
{
    /// <summary>It is not known.</summary>
    None = 0,

    /// <summary>The output that is spent was seen.</summary>
    Output = 1,

    /// <summary>The signature script or the witness shows the key or script.</summary>
    Spending = 2,
}
