namespace Streams.Connectors.Bitcoin.Simulation;

/// <summary>What the simulation puts into ordinary traffic on purpose. DOMAIN rules R1 to R10 are in
/// <see cref="Chain.RiskRule"/>.</summary>
public enum SimulatedTypology
{
    /// <summary>A payment to a sanctioned address (R1).</summary>
    SanctionedPayment = 1,

    /// <summary>A payment from a sanctioned address (R1).</summary>
    SanctionedReceipt = 2,

    /// <summary>Money of a sanctioned address, two to five hops later (R2).</summary>
    SanctionedIndirect = 3,

    /// <summary>A ransom (R3).</summary>
    RansomwarePayment = 4,

    /// <summary>A payment to a darknet market (R3).</summary>
    DarknetPayment = 5,

    /// <summary>Money of a darknet market, one to four hops later (R3).</summary>
    DarknetProceeds = 6,

    /// <summary>A payment to a mixer that takes custody (R4).</summary>
    MixerPayment = 7,

    /// <summary>A Whirlpool mix (R4).</summary>
    Whirlpool = 8,

    /// <summary>A Wasabi 1 CoinJoin (R4).</summary>
    Wasabi1 = 9,

    /// <summary>A Wasabi 2 CoinJoin (R4).</summary>
    Wasabi2 = 10,

    /// <summary>A JoinMarket CoinJoin: recognised, but with too little certainty for R4.</summary>
    JoinMarket = 11,

    /// <summary>A peel chain of six to twelve hops within a day (R5).</summary>
    PeelChain = 12,

    /// <summary>Three or more transfers just under the reporting limit within a day (R6).</summary>
    Structuring = 13,

    /// <summary>Ten times the habit of five days (R7).</summary>
    Velocity = 14,

    /// <summary>Received, and passed on within the hour (R8).</summary>
    RapidPassThrough = 15,

    /// <summary>Fifty outputs or more of one who is no service (R9).</summary>
    FanOut = 16,

    /// <summary>Twenty inputs or more of one who is no service (R9).</summary>
    FanIn = 17,

    /// <summary>Dust to ten addresses or more (R10).</summary>
    DustAttack = 18,

    /// <summary>A block that is delivered twice. It is not a rule's business: it must change
    /// nothing.</summary>
    DuplicateBlock = 19,

    /// <summary>A block with one bit flipped, followed by the good copy: a dead letter, and nothing
    /// else.</summary>
    FlippedBit = 20,

    /// <summary>A block that was cut off, followed by the good copy: a dead letter, and nothing
    /// else.</summary>
    TruncatedBlock = 21,
}
