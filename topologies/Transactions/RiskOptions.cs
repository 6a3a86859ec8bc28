using Streams.Connect;
using Streams.Topologies.Transactions.State;

namespace Streams.Topologies.Transactions;

/// <summary>Thresholds of the rules. Every one is an engineering choice, to be tuned; docs/rules.md lists
/// them.</summary>
/// <remarks>
/// Limits in money are there twice: in US dollars, for transactions whose price the price table has, and in
/// base units (satoshi) for those without.
/// </remarks>
public sealed record RiskOptions
{
    private const int PpmMax = 1_000_000;
    private const int DaysKept = 30;

    // Times a price's scale it fits in 128 bits.
    private const long DollarsMax = 1_000_000_000_000;

    /// <summary>An alert is written for each rule whose score is at least this. Default 50.</summary>
    public int AlertScoreMin { get; init; } = 50;

    /// <summary>R2: least share of sanctioned money, in millionths. Default 10,000 (1 %).</summary>
    public int SanctionedSharePpmMin { get; init; } = 10_000;

    /// <summary>R2: least value without a price, in base units. Default 200,000.</summary>
    public long SanctionedValueMin { get; init; } = 200_000;

    /// <summary>R2: least value with a price, in US dollars. Default 100.</summary>
    public long SanctionedUsdMin { get; init; } = 100;

    /// <summary>R2 and R3: farthest that money is followed, in transactions. Default 5.</summary>
    public int TaintHopsMax { get; init; } = 5;

    /// <summary>R3: least value at illicit actors' addresses without a price, in base units. Default
    /// 20,000.</summary>
    public long IllicitValueMin { get; init; } = 20_000;

    /// <summary>R3: least value at illicit actors' addresses with a price, in US dollars. Default
    /// 10.</summary>
    public long IllicitUsdMin { get; init; } = 10;

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

    /// <summary>R6: the limit that transfers stay under without a price, in base units. Default 100,000,000
    /// (1 BTC).</summary>
    public long StructuringLimitBase { get; init; } = 100_000_000;

    /// <summary>R6: the limit that transfers stay under with a price, in US dollars. Default
    /// 10,000.</summary>
    public long StructuringLimitUsd { get; init; } = 10_000;

    /// <summary>R6: transfers within 24 h. Default 3.</summary>
    public int StructuringTransfersMin { get; init; } = 3;

    /// <summary>R7: how many times the median day, by value or by transactions. Default 10.</summary>
    public int VelocityFactor { get; init; } = 10;

    /// <summary>R7: least value of the day without a price, in base units. Default 2,000,000.</summary>
    public long VelocityValueMin { get; init; } = 2_000_000;

    /// <summary>R7: least value of the day with a price, in US dollars. Default 1,000.</summary>
    public long VelocityUsdMin { get; init; } = 1_000;

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

    /// <summary>Refuses what cannot work.</summary>
    /// <exception cref="ConfigurationException">An option is out of its range; the message names
    /// it.</exception>
    internal void Validate()
    {
        Require(AlertScoreMin, 0, 101, "alert_score_min");
        Require(SanctionedSharePpmMin, 0, PpmMax, "sanctioned_share_ppm_min");
        Require(IllicitSharePpmMin, 0, PpmMax, "illicit_share_ppm_min");
        Require(TaintHopsMax, 0, byte.MaxValue, "taint_hops_max");
        Require(CoinJoinConfidenceMin, 1, 101, "coin_join_confidence_min");
        Require(SuppressConfidenceMin, 1, 101, "suppress_confidence_min");
        Require(PeelHopsMin, 1, OutputState.PeelTimes + 1, "peel_hops_min");
        Require(PeelSharePercentMin, 1, 100, "peel_share_percent_min");
        Require(StructuringTransfersMin, 1, ushort.MaxValue, "structuring_transfers_min");
        Require(VelocityFactor, 1, 1_000_000, "velocity_factor");
        Require(VelocityDaysMin, 1, DaysKept, "velocity_days_min");
        Require(PassThroughPercentMin, 1, 100, "pass_through_percent_min");
        Require(SanctionedValueMin, 0, long.MaxValue, "sanctioned_value_min");
        Require(IllicitValueMin, 0, long.MaxValue, "illicit_value_min");
        Require(StructuringLimitBase, 1, long.MaxValue, "structuring_limit_base");
        Require(VelocityValueMin, 0, long.MaxValue, "velocity_value_min");
        Require(SanctionedUsdMin, 0, DollarsMax, "sanctioned_usd_min");
        Require(IllicitUsdMin, 0, DollarsMax, "illicit_usd_min");
        Require(StructuringLimitUsd, 1, DollarsMax, "structuring_limit_usd");
        Require(VelocityUsdMin, 0, DollarsMax, "velocity_usd_min");
    }

    private static void Require(long value, long from, long to, string name)
    {
        if (value < from || value > to)
            throw new ConfigurationException($"risk.{name} is {value:N0}. Give {from:N0} to {to:N0}.");
    }
}
