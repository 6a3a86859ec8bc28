using System.Numerics;
using Streams.Connect;
using Streams.Connectors.Chain;
using Streams.Tests.Support;
using Streams.Topologies.Transactions;
using Streams.Topologies.Transactions.Prices;
using Xunit;

namespace Streams.Tests.Topologies.Transactions;

/// <summary>Limits in dollars at the price of the moment (CSIC-103).</summary>
public sealed class PriceTests : IDisposable
{
    private const long Bitcoin = 100_000_000;
    private const string Day = "2026-01-15,BTC,";

    private readonly TemporaryFolder _folder = new();

    [Theory]
    [InlineData("50000", 20_000, "R3 85")]
    [InlineData("50000", 19_999, "")]
    [InlineData("100000", 10_000, "R3 85")]
    [InlineData("100000", 9_999, "")]
    [InlineData("99999.999999999999999999", 10_000, "")]
    [InlineData("99999.999999999999999999", 10_001, "R3 85")]
    public void R3_needs_ten_dollars_at_the_price_of_the_day(string price, long value, string reasons)
    {
        using var chain = new RuleScenario("thief,ransomware,A ransom\n", Day + price + "\n");
        chain.Pay([chain.Mine("ann", Bitcoin)], ("thief", value), ("ann", Bitcoin - value));
        Assert.Equal(reasons, chain.Reasons);
        Assert.StartsWith("prices-", chain.Last.Analysis.Value.PriceSet.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1_000_000, "R2 80")]
    [InlineData(999_999, "")]
    public void R2_needs_a_hundred_dollars(long value, string reasons)
    {
        using var chain = new RuleScenario("bad,sanction,A sanctioned party\n", Day + "10000\n");
        Coin[] coins = chain.Pay([chain.Mine("bad", value)], ("ann", value));
        coins = chain.Pay(coins, ("ben", value));
        chain.Now = TimeSpan.FromHours(3);
        chain.Pay(coins, ("cat", value));
        Assert.Equal(reasons, chain.Reasons);
    }

    [Theory]
    [InlineData(45_000_000, "R6 60")]
    [InlineData(49_950_000, "R6 60")]
    [InlineData(44_999_999, "")]
    [InlineData(49_950_001, "")]
    public void R6_stays_under_ten_thousand_dollars(long value, string reasons)
    {
        using var chain = new RuleScenario(prices: Day + "20000\n");
        Coin[] coins = [chain.Mine("ann", 10 * Bitcoin)];
        long left = 10 * Bitcoin;
        for (int i = 1; i <= 3; i++)
        {
            chain.Now += TimeSpan.FromHours(2);
            left -= value;
            coins = [chain.Pay(coins, ($"payee {i}", value), ("ann", left))[1]];
        }
        Assert.Equal(reasons, chain.Reasons);
        if (reasons.Length > 0)
            Assert.Equal("3 transfers of 90 to 99.9 % of 10000 USD in 24 h", chain.Evidence);
    }

    [Theory]
    [InlineData("9000", "")]
    [InlineData("10000", "R7 40")]
    public void R7_needs_a_thousand_dollars_in_the_day(string price, string reasons)
    {
        using var chain = new RuleScenario(prices: $"2026-01-21,BTC,{price}\n");
        for (int day = 0; day < 5; day++)
        {
            chain.Now = TimeSpan.FromDays(day);
            Coin coin = chain.Mine("ann", 900_000);
            chain.Now += TimeSpan.FromHours(2);
            chain.Pay([coin], ($"shop of day {day}", 900_000));
        }
        chain.Now = TimeSpan.FromDays(6);
        chain.Pay([chain.Mine("ann", 10_000_000)], ("payee", 10_000_000));
        Assert.Equal(reasons, chain.Reasons);
    }

    [Theory]
    [InlineData(Network.Mainnet, 2.99, true)]
    [InlineData(Network.Mainnet, 3.01, false)]
    [InlineData(Network.Mainnet, -0.01, false)]
    [InlineData(Network.Testnet, 1, false)]
    public void Where_no_price_holds_limits_are_in_base_units(Network network, double days, bool isPriced)
    {
        using var chain = new RuleScenario("thief,ransomware,A ransom\n", Day + "1000000\n");
        chain.Network = network;
        chain.Now = TimeSpan.FromDays(days);
        chain.Pay([chain.Mine("ann", Bitcoin)], ("thief", 1_000), ("ann", Bitcoin - 1_000));
        Assert.Equal(isPriced ? "R3 85" : "", chain.Reasons);
        Assert.Equal(isPriced, chain.Last.Analysis.Value.PriceSet is not null);
    }

    [Fact]
    public void A_limit_in_base_units_is_the_least_whole_number_that_is_worth_the_dollars()
    {
        var random = new Random(7);
        for (int i = 0; i < 500; i++)
        {
            // From billionths of a dollar to millions.
            int whole = random.Next(0, 3) * random.Next(1_000_000);
            string price = $"{whole}.{random.NextInt64(1, 999_999_999):D9}";
            BigInteger scaled = BigInteger.Parse(price.Replace(".", "") + "000000000");
            var limits = new MoneyLimits(new RiskOptions(), Load($"time,asset,usd\n{Day}{price}\n"));
            limits.MoveTo(Transaction(), RuleScenario.Start.ToUnixTimeMilliseconds());
            AssertLeast(limits.SanctionedMin, 100, 1000, scaled);
            AssertLeast(limits.IllicitMin, 10, 1000, scaled);
            AssertLeast(limits.VelocityMin, 1_000, 1000, scaled);
            AssertLeast(limits.NearLimitFrom, 10_000, 900, scaled);
            Assert.True(Worth(limits.NearLimitTo, scaled) <= Dollars(10_000, 999));
            Assert.True(Worth(limits.NearLimitTo + 1, scaled) > Dollars(10_000, 999));
        }
    }

    [Fact]
    public void Moving_from_price_to_price_allocates_nothing()
    {
        string rows = string.Concat(
            Enumerable.Range(1, 28).Select(day => $"2026-02-{day:D2},BTC,{60_000 + day}.5\n"));
        var limits = new MoneyLimits(new RiskOptions(), Load("time,asset,usd\n" + rows));
        ChainTransaction tx = Transaction();
        long start = new DateTimeOffset(2026, 2, 1, 0, 0, 0, TimeSpan.Zero).ToUnixTimeMilliseconds();
        int hour = 0;
        Allocation.AssertNone(() => limits.MoveTo(tx, start + 3_600_000L * (hour = (hour + 7) % 600)));
    }

    [Fact]
    public void Days_and_seconds_say_the_same_in_any_order_and_in_any_columns()
    {
        PriceTable first = Load(
            "time,asset,usd\n2026-01-15,BTC,67432.15\n2026-01-16,XBT,1\n2026-01-15,ETH,3\n");
        PriceTable second = Load(
            "usd,Asset,TIME\r\n3.000,eth,1768435200\r\n1.0,BTC,1768521600\r\n67432.150,btc,1768435200\r\n");
        Assert.Equal(3, first.Count);
        Assert.Equal(first.Digest, second.Digest);
        Assert.Equal(first.Version, second.Version);
        Assert.NotEqual(first.Digest, Load("time,asset,usd\n2026-01-15,BTC,67432.16\n").Digest);
        Assert.Null(PriceTable.Empty.Version);
    }

    [Theory]
    [InlineData("", "prices.csv: is empty. Give it a header: time,asset,usd.")]
    [InlineData("2026-01-15,BTC,1\n", "prices.csv, line 1: starts with '2026-01-15,BTC,1'. Give it a header")]
    [InlineData("time,asset,usd\n", "prices.csv: has no price of BTC. Add its rows")]
    [InlineData("time,asset,usd\n2026-01-15,ETH,1\n", "has no price of BTC")]
    [InlineData("time,asset,usd\n2026-01-15,BTC\n", "line 2: has 2 fields where 3 are needed")]
    [InlineData("time,asset,usd\n15.01.2026,BTC,1\n", "line 2: has the time '15.01.2026'. Write a day")]
    [InlineData("time,asset,usd\n2026-02-30,BTC,1\n", "line 2: has the time '2026-02-30'")]
    [InlineData("time,asset,usd\n1768435200000,BTC,1\n", "line 2: has the time '1768435200000'")]
    [InlineData("time,asset,usd\n2026-01-15,,1\n", "line 2: has the asset ''")]
    [InlineData("time,asset,usd\n2026-01-15,B C,1\n", "line 2: has the asset 'B C'")]
    [InlineData("time,asset,usd\n2026-01-15,BTC,0\n", "line 2: has the price '0'. Write dollars")]
    [InlineData("time,asset,usd\n2026-01-15,BTC,-1\n", "line 2: has the price '-1'")]
    [InlineData("time,asset,usd\n2026-01-15,BTC,1e5\n", "line 2: has the price '1e5'")]
    [InlineData("time,asset,usd\n2026-01-15,BTC,\"67,432.15\"\n", "line 2: has the price '67,432.15'")]
    [InlineData("time,asset,usd\n2026-01-15,BTC,1.\n", "line 2: has the price '1.'")]
    [InlineData("time,asset,usd\n2026-01-15,BTC,1.0000000000000000001\n", "at most 18 decimals")]
    [InlineData("time,asset,usd\n2026-01-15,BTC,1234567890123\n", "line 2: has the price '1234567890123'")]
    [InlineData("time,asset,usd\n2026-01-15,BTC,1\n1768435200,BTC,2\n",
        "line 3: has a second price of BTC for 1768435200. Remove one.")]
    [InlineData("time,asset,usd\n2026-01-15,\"BTC,1\n", "line 2: has a quote that is never closed")]
    public void Each_mistake_in_the_file_says_where_and_what_to_do(string content, string message)
    {
        var e = Assert.Throws<ConfigurationException>(() => Load(content));
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
        Assert.Contains(_folder.Path, e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
    }

    [Fact]
    public void A_file_that_is_missing_or_too_large_and_an_age_of_nothing_are_refused()
    {
        string missing = _folder.File("none.csv");
        Assert.Contains(
            missing, Assert.Throws<ConfigurationException>(
                () => PriceLoader.Load(new PriceOptions { File = missing })).Message);
        string large = _folder.File("prices.csv");
        File.WriteAllText(large, "time,asset,usd\n2026-01-15,BTC,1\n");
        Assert.Contains(
            "Raise prices.file_bytes_max", Assert.Throws<ConfigurationException>(
                () => PriceLoader.Load(new PriceOptions { File = large, FileBytesMax = 10 })).Message);
        Assert.Contains(
            "prices.age_max", Assert.Throws<ConfigurationException>(
                () => PriceLoader.Load(new PriceOptions { AgeMax = TimeSpan.Zero })).Message);
    }

    public void Dispose() => _folder.Dispose();

    private static void AssertLeast(long value, long dollars, int thousandths, BigInteger price)
    {
        Assert.True(Worth(value, price) >= Dollars(dollars, thousandths));
        Assert.True(Worth(value - 1, price) < Dollars(dollars, thousandths));
    }

    // In 10^-29 dollars: 8 decimals of the coin, 18 of the price, 3 for thousandths.
    private static BigInteger Worth(long value, BigInteger price) => value * price * 1000;

    private static BigInteger Dollars(long dollars, int thousandths) =>
        dollars * thousandths * BigInteger.Pow(10, 26);

    private static ChainTransaction Transaction() =>
        new() { Chain = ChainKind.Bitcoin, Network = Network.Mainnet };

    private PriceTable Load(string content)
    {
        File.WriteAllText(_folder.File("prices.csv"), content);
        return PriceLoader.Load(new PriceOptions { File = _folder.File("prices.csv") });
    }
}
