namespace Streams.Connectors.Chain;

/// <summary>Kinds of CoinJoin that a transaction's structure shows.</summary>
public enum CoinJoinKind
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>Samourai Whirlpool.</summary>
    Whirlpool = 1,

    /// <summary>Wasabi 1.x (ZeroLink).</summary>
    Wasabi1 = 2,

    /// <summary>Wasabi 2 (WabiSabi).</summary>
    Wasabi2 = 3,

    /// <summary>JoinMarket.</summary>
    JoinMarket = 4,
}

/// <summary>What a cluster of addresses is known by.</summary>
public enum ClusterMethod
{
    /// <summary>Nothing: a single address.</summary>
    None = 0,

    /// <summary>Spent together.</summary>
    MultiInput = 1,

    /// <summary>Paid back to the payer.</summary>
    Change = 2,

    /// <summary>Tagged as one actor.</summary>
    Tag = 3,
}

/// <summary>Levels of risk, by score.</summary>
public enum RiskLevel
{
    /// <summary>0 to 9.</summary>
    None = 0,

    /// <summary>10 to 39.</summary>
    Low = 1,

    /// <summary>40 to 69.</summary>
    Medium = 2,

    /// <summary>70 to 89.</summary>
    High = 3,

    /// <summary>90 to 100.</summary>
    Severe = 4,
}

/// <summary>The rules of transaction risk. docs/rules.md says what each means and how it is set.</summary>
public enum RiskRule
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>R1: pays or is paid by a sanctioned address, or spends what one paid.</summary>
    SanctionedDirect = 1,

    /// <summary>R2: part of the money comes from a sanctioned address within five hops.</summary>
    SanctionedIndirect = 2,

    /// <summary>R3: ransomware, theft or a darknet market.</summary>
    IllicitActor = 3,

    /// <summary>R4: a mixer or a CoinJoin.</summary>
    Mixer = 4,

    /// <summary>R5: a peel chain.</summary>
    PeelChain = 5,

    /// <summary>R6: several transfers just under a reporting limit.</summary>
    Structuring = 6,

    /// <summary>R7: far more than the address's own habit.</summary>
    Velocity = 7,

    /// <summary>R8: passes on nearly all that it received within the hour.</summary>
    RapidPassThrough = 8,

    /// <summary>R9: very many outputs, or very many inputs.</summary>
    FanOutFanIn = 9,

    /// <summary>R10: dust to many addresses.</summary>
    Dust = 10,
}
