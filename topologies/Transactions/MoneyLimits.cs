using Streams.Connectors.Chain;
using Streams.Records;
using Streams.Topologies.Transactions.Prices;

namespace Streams.Topologies.Transactions;

/// <summary>The rules' limits in money, in base units: as configured, or those of the dollars beside them at
/// the price of the moment.</summary>
/// <remarks>
/// A value reaches a limit when value times price does. Of that, each price gives one least whole number of
/// base units, which is computed when the price changes; so rules compare whole numbers, exactly.
/// </remarks>
internal sealed class MoneyLimits
{
    // A coin has 10^8 base units and a price 10^18 parts of a dollar; 10^3 are the thousandths of a limit.
    private static readonly Int128 Scale = PowerOfTen(8 + PriceTable.Decimals - 3);

    // Of the limit, in thousandths: 90 % and 99.9 %.
    private const int Whole = 1000;
    private const int NearFrom = 900;
    private const int NearTo = 999;

    private readonly RiskOptions _options;
    private readonly PriceTable _prices;
    private Int128 _price;
    private int _near;

    internal MoneyLimits(RiskOptions options, PriceTable prices)
    {
        _options = options;
        _prices = prices;
        SetBaseUnits();
    }

    /// <summary>R2: least value.</summary>
    internal long SanctionedMin { get; private set; }

    /// <summary>R3: least value.</summary>
    internal long IllicitMin { get; private set; }

    /// <summary>R6: from here a transfer is just under the limit.</summary>
    internal long NearLimitFrom { get; private set; }

    /// <summary>R6: up to here a transfer is just under the limit.</summary>
    internal long NearLimitTo { get; private set; }

    /// <summary>R7: least value of the day.</summary>
    internal long VelocityMin { get; private set; }

    /// <summary>Whether the limits are those of dollars.</summary>
    internal bool IsPriced => _price != 0;

    /// <summary>The table that the limits follow from; absent where they are as configured.</summary>
    internal Text? PriceSet => IsPriced ? _prices.Version : null;

    /// <summary>Sets the limits to those of a transaction's chain and time.</summary>
    internal void MoveTo(ChainTransaction tx, long eventMs)
    {
        Int128 price = _prices.Find(tx.Chain, tx.Network, eventMs, ref _near);
        if (price == _price)
            return;
        _price = price;
        if (price == 0)
            SetBaseUnits();
        else
            SetDollars(price);
    }

    /// <summary>Whether a transfer stays just under the reporting limit.</summary>
    internal bool IsNearLimit(long value) => value >= NearLimitFrom && value <= NearLimitTo;

    private void SetBaseUnits()
    {
        SanctionedMin = _options.SanctionedValueMin;
        IllicitMin = _options.IllicitValueMin;
        VelocityMin = _options.VelocityValueMin;
        Int128 limit = _options.StructuringLimitBase;
        NearLimitFrom = (long)Ceiling(limit * NearFrom, Whole);
        NearLimitTo = (long)(limit * NearTo / Whole);
    }

    private void SetDollars(Int128 price)
    {
        SanctionedMin = Least(_options.SanctionedUsdMin, price);
        IllicitMin = Least(_options.IllicitUsdMin, price);
        VelocityMin = Least(_options.VelocityUsdMin, price);
        Int128 limit = _options.StructuringLimitUsd * Scale;
        NearLimitFrom = Bounded(Ceiling(limit * NearFrom, price));
        NearLimitTo = Bounded(limit * NearTo / price);
    }

    // The least number of base units that is worth so much.
    private static long Least(long dollars, Int128 price) =>
        Bounded(Ceiling(dollars * Scale * Whole, price));

    private static Int128 Ceiling(Int128 value, Int128 divisor) => (value + divisor - 1) / divisor;

    private static long Bounded(Int128 value) => (long)Int128.Min(value, long.MaxValue);

    private static Int128 PowerOfTen(int exponent)
    {
        Int128 power = 1;
        for (int i = 0; i < exponent; i++)
            power *= 10;
        return power;
    }
}
