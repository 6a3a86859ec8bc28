namespace Streams.Topologies.Transactions;

/// <summary>Thresholds of the rules. Every one is an engineering choice, to be tuned; docs/rules.md lists
/// them.</summary>
/// <remarks>
/// Limits in money are in base units (satoshi), because no price is assumed; with a price table they follow
/// the day's price of the dollar amounts beside them.
/// </remarks>
public sealed record RiskOptions
{
    /// <summary>An alert is written for each rule whose score is at least this. Default 50.</summary>
    public int AlertScoreMin { get; init; } = 50;

    /// <summary>R2: least share of sanctioned money, in millionths. Default 10,000 (1 %).</summary>
    public int SanctionedSharePpmMin { get; init; } = 10_000;

    /// <summary>R2: least value, in base units. Default 200,000; 100 USD with prices.</summary>
    public long SanctionedValueMin { get; init; } = 200_000;

    /// <summary>R2 and R3: farthest that money is followed, in transactions. Default 5.</summary>
    public int TaintHopsMax { get; init; } = 5;

    /// <summary>R3: least value at an illicit actor's address, in base units. Default 20,000; 10 USD with
    /// prices.</summary>
    public long IllicitValueMin { get; init; } = 20_000;

    /// <summary>R3: least share of illicit money for the indirect case, in millionths. Default 100,000 (10
    /// %).</summary>
    public int IllicitSharePpmMin { get; init; } = 100_000;

    /// <summary>R4: least confidence in a CoinJoin, in percent. Default 60.</summary>
    public int CoinJoinConfidenceMin { get; init; } = 60;

    /// <summary>Inputs are not clustered from this confidence in a CoinJoin on, in percent. Default 20: a
    /// wrong cluster is worse than a missing one.</summary>
    public int SuppressConfidenceMin { get; init; } = 20;

    /// <summary>R5: hops. Default 5; at most 5 are kept with their times.</summary>
    public int PeelHopsMin { get; init; } = 5;

    /// <summary>R5: the time that those hops fit in. Default 24 h.</summary>
    public TimeSpan PeelWithin { get; init; } = TimeSpan.FromHours(24);

    /// <summary>R5: least part of the value that goes on, in percent. Default 70.</summary>
    public int PeelSharePercentMin { get; init; } = 70;

    /// <summary>R6: the limit that transfers stay under, in base units. Default 100,000,000 (1 BTC); 10,000
    /// USD with prices.</summary>
    public long StructuringLimitBase { get; init; } = 100_000_000;

    /// <summary>R6: transfers within 24 h. Default 3.</summary>
    public int StructuringTransfersMin { get; init; } = 3;

    /// <summary>R7: how many times the median day. Default 10.</summary>
    public int VelocityFactor { get; init; } = 10;

    /// <summary>R7: least value of the day, in base units. Default 2,000,000; 1,000 USD with
    /// prices.</summary>
    public long VelocityValueMin { get; init; } = 2_000_000;

    /// <summary>R7: active days that make a habit. Default 5.</summary>
    public int VelocityDaysMin { get; init; } = 5;

    /// <summary>R8: least part passed on, in percent. Default 90.</summary>
    public int PassThroughPercentMin { get; init; } = 90;

    /// <summary>R8: the time from receipt to spending. Default 60 min.</summary>
    public TimeSpan PassThroughWithin { get; init; } = TimeSpan.FromMinutes(60);

    /// <summary>R8: the address is younger than this. Default 24 h.</summary>
    public TimeSpan PassThroughAgeMax { get; init; } = TimeSpan.FromHours(24);

    /// <summary>R9: a fan-out, in outputs. Default 50.</summary>
    public int FanOutMin { get; init; } = 50;

    /// <summary>R9: a fan-in to at most two outputs, in inputs. Default 20.</summary>
    public int FanInMin { get; init; } = 20;

    /// <summary>R10: dust outputs to distinct addresses. Default 10.</summary>
    public int DustOutputsMin { get; init; } = 10;

    /// <summary>R10: an output below this is dust, in base units. Default 546, Bitcoin Core's limit for
    /// P2PKH.</summary>
    public long DustBelow { get; init; } = 546;
}
