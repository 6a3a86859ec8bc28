namespace Streams.Topologies.Transactions.Tags;

/// <summary>What an address is or does: a closed list that the words of all files are mapped to.</summary>
/// <remarks>
/// From 1 on, in order of weight: of several categories of one tag the lowest number leads. docs/labels.md
/// has the table from GraphSense's concepts (the INTERPOL Dark Web and Virtual Assets Taxonomy) to these.
/// </remarks>
public enum TagCategory
{
    /// <summary>None of the below, or not said.</summary>
    Other = 0,

    /// <summary>Stands on a sanctions list.</summary>
    Sanction = 1,

    /// <summary>Sexual abuse, of children or others, and its trade.</summary>
    SexualAbuse = 2,

    /// <summary>Terrorism and other violence.</summary>
    Terrorism = 3,

    /// <summary>Ransomware.</summary>
    Ransomware = 4,

    /// <summary>Theft by intrusion: a hacked exchange, bridge or wallet.</summary>
    Hack = 5,

    /// <summary>A darknet market or another illegal trade.</summary>
    DarknetMarket = 6,

    /// <summary>Extortion, sextortion included.</summary>
    Extortion = 7,

    /// <summary>Laundering of money.</summary>
    MoneyLaundering = 8,

    /// <summary>Phishing and social engineering.</summary>
    Phishing = 9,

    /// <summary>Ponzi and pyramid schemes, investment and card fraud.</summary>
    Fraud = 10,

    /// <summary>Scams of other kinds.</summary>
    Scam = 11,

    /// <summary>Extremism.</summary>
    Extremism = 12,

    /// <summary>An abuse that the source does not name.</summary>
    Abuse = 13,

    /// <summary>Frozen or blacklisted by a token's issuer.</summary>
    Blacklist = 14,

    /// <summary>A mixer that takes custody.</summary>
    MixingService = 15,

    /// <summary>A CoinJoin coordinator, wallet or participant.</summary>
    CoinJoin = 16,

    /// <summary>A gambling service.</summary>
    Gambling = 17,

    /// <summary>A centralised exchange.</summary>
    Exchange = 18,

    /// <summary>A wallet service that holds its users' keys.</summary>
    HostedWallet = 19,

    /// <summary>A payment processor or cash machine.</summary>
    PaymentProcessor = 20,

    /// <summary>A miner, a pool, or mining as a service.</summary>
    Miner = 21,

    /// <summary>A protocol of smart contracts: exchange, lending, derivatives, bridge.</summary>
    Defi = 22,

    /// <summary>A marketplace that is not known to be illegal.</summary>
    Market = 23,

    /// <summary>Another service.</summary>
    Service = 24,

    /// <summary>An institution or company.</summary>
    Organization = 25,

    /// <summary>A person.</summary>
    User = 26,
}
