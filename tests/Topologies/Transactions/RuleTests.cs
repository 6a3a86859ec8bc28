using Streams.Connectors.Chain;
using Xunit;

namespace Streams.Tests.Topologies.Transactions;

/// <summary>Each rule at its threshold and just below, as docs/rules.md gives them (CSIC-041,
/// CSIC-044, CSIC-103, CSIC-108).</summary>
public sealed class RuleTests
{
    private const string Labels = """
        bad,sanction,A sanctioned party
        thief,ransomware,A ransom
        mixer,mixing_service,A mixer
        shop,exchange,An exchange

        """;

    private const long Bitcoin = 100_000_000;

    [Fact]
    public void R1_meets_whoever_pays_a_sanctioned_address_any_value()
    {
        using var chain = new RuleScenario(Labels);
        Coin coin = chain.Mine("ann", Bitcoin);
        chain.Pay([coin], ("bad", 1), ("ann", Bitcoin - 1));
        Assert.Equal("R1 100", chain.Reasons);
        Assert.Equal(RiskLevel.Severe, chain.Last.Analysis.Value.Level);
        Assert.Equal(["R1"], chain.Alerts());
    }

    [Fact]
    public void R1_meets_whoever_spends_what_a_sanctioned_address_paid()
    {
        using var chain = new RuleScenario(Labels);
        Coin[] paid = chain.Pay([chain.Mine("bad", Bitcoin)], ("ann", Bitcoin));
        chain.Pay(paid, ("ben", Bitcoin));
        Assert.Equal("R1 100", chain.Reasons.Split(", ")[0]);
        Assert.Equal("spends what a sanctioned address paid, 1000000 ppm", chain.Evidence);
    }

    [Theory]
    [InlineData(99_000_000, "R2 80")]
    [InlineData(99_000_001, "")]
    public void R2_needs_one_percent_from_two_to_five_hops_away(long clean, string reasons)
    {
        using var chain = new RuleScenario(Labels);
        Coin[] dirty = chain.Pay([chain.Mine("bad", 1_000_000)], ("ann", 1_000_000));
        Coin[] mixed = chain.Pay([dirty[0], chain.Mine("cat", clean)], ("ben", 1_000_000 + clean));
        chain.Now = TimeSpan.FromHours(3);
        chain.Pay(mixed, ("dan", 1_000_000 + clean));
        Assert.Equal(reasons, chain.Reasons);
    }

    [Fact]
    public void R2_follows_money_for_five_hops_and_not_further()
    {
        using var chain = new RuleScenario(Labels);
        Coin[] coins = chain.Pay([chain.Mine("bad", Bitcoin)], ("hop 0", Bitcoin));
        for (int hop = 1; hop <= 6; hop++)
        {
            chain.Now += TimeSpan.FromHours(3);
            coins = chain.Pay(coins, ($"hop {hop}", Bitcoin));
            Assert.Equal(hop == 1 ? "R1 100" : hop <= 5 ? "R2 80" : "", chain.Reasons);
        }
    }

    [Theory]
    [InlineData(20_000, "R3 85")]
    [InlineData(19_999, "")]
    public void R3_needs_a_value_at_an_illicit_actor(long value, string reasons)
    {
        using var chain = new RuleScenario(Labels);
        chain.Pay([chain.Mine("ann", Bitcoin)], ("thief", value), ("ann", Bitcoin - value));
        Assert.Equal(reasons, chain.Reasons);
    }

    [Theory]
    [InlineData(9_000_000, "R3 60")]
    [InlineData(9_000_010, "")]
    public void R3_meets_a_tenth_of_illicit_money_further_on(long clean, string reasons)
    {
        using var chain = new RuleScenario(Labels);
        Coin[] dirty = chain.Pay([chain.Mine("thief", 1_000_000)], ("ann", 1_000_000));
        chain.Now = TimeSpan.FromHours(3);
        chain.Pay([dirty[0], chain.Mine("cat", clean)], ("ben", 1_000_000 + clean));
        Assert.Equal(reasons, chain.Reasons);
    }

    [Fact]
    public void R4_meets_a_CoinJoin_by_structure_and_a_mixer_by_its_tag()
    {
        using var chain = new RuleScenario(Labels);
        Coin[] pool = [.. Enumerable.Range(0, 5).Select(i => chain.Mine($"in {i}", 1_000_000))];
        chain.Pay(pool, [.. Enumerable.Range(0, 5).Select(i => ($"out {i}", 1_000_000L))]);
        Assert.Equal("R4 50", chain.Reasons);
        Assert.Equal("Whirlpool by structure, 60 %", chain.Evidence);
        Assert.True(chain.Last.Analysis.Value.CoinJoinSuppressed);
        chain.Pay([chain.Mine("ann", Bitcoin)], ("mixer", 5_000), ("ann", Bitcoin - 5_000));
        Assert.Equal("R4 50", chain.Reasons);
    }

    [Fact]
    public void R4_leaves_out_what_is_less_sure_than_its_threshold()
    {
        using var chain = new RuleScenario(Labels);
        Coin[] makers = [.. Enumerable.Range(0, 5).Select(i => chain.Mine($"in {i}", 3_000_000 + i))];
        chain.Pay(makers, [
            .. Enumerable.Range(0, 5).Select(i => ($"out {i}", 1_000_000L)), ("change", 2_000_003),
            ("more", 2_000_007)]);
        Assert.Equal(CoinJoinKind.JoinMarket, chain.Last.Analysis.Value.CoinJoin);
        Assert.Equal(49, chain.Last.Analysis.Value.CoinJoinConfidence);
        Assert.Equal("", chain.Reasons);
    }

    [Theory]
    [InlineData(6.0, "R5 50")]
    [InlineData(6.01, "")]
    public void R5_needs_five_hops_within_a_day(double hoursApart, string reasons)
    {
        using var chain = new RuleScenario(Labels);
        Coin coin = chain.Mine("ann", Bitcoin);
        long value = Bitcoin;
        for (int hop = 1; hop <= 5; hop++)
        {
            // The first receipt lies back far enough for R8.
            chain.Now += TimeSpan.FromHours(hop == 1 ? 2 : hoursApart);
            value -= 1_000_003;
            coin = chain.Pay([coin], ($"payee {hop}", 1_000_003), ($"hop {hop}", value))[1];
            Assert.Equal(hop, chain.Last.Analysis.Value.PeelHop);
            Assert.Equal(hop < 5 ? "" : reasons, chain.Reasons);
        }
    }

    [Theory]
    [InlineData(90_000_000, "R6 60")]
    [InlineData(99_900_000, "R6 60")]
    [InlineData(89_999_999, "")]
    [InlineData(99_900_001, "")]
    public void R6_needs_three_transfers_just_under_the_limit(long value, string reasons)
    {
        using var chain = new RuleScenario(Labels);
        Coin[] coins = [chain.Mine("ann", 10 * Bitcoin)];
        long left = 10 * Bitcoin;
        for (int i = 1; i <= 3; i++)
        {
            chain.Now += TimeSpan.FromHours(2);
            left -= value;
            coins = [chain.Pay(coins, ($"payee {i}", value), ("ann", left))[1]];
            Assert.Equal(i < 3 ? "" : reasons, chain.Reasons);
        }
    }

    [Theory]
    [InlineData(10_000_001, "R7 40")]
    [InlineData(10_000_000, "")]
    public void R7_needs_more_than_ten_times_the_median_day_by_value(long value, string reasons)
    {
        using var chain = new RuleScenario(Labels);
        Habit(chain, sent: 1_000_000);
        chain.Pay([chain.Mine("ann", value)], ("payee", value));
        Assert.Equal(reasons, chain.Reasons);
        Assert.Empty(chain.Alerts());
    }

    [Fact]
    public void R7_needs_more_than_ten_times_the_median_day_by_transactions()
    {
        using var chain = new RuleScenario(Labels);
        Habit(chain, sent: 3_000_000);
        for (int i = 1; i <= 11; i++)
        {
            // Two transactions a day make the habit: one that brings, one that spends.
            chain.Pay([chain.Mine("ann", 300_000)], ($"payee {i}", 300_000));
            Assert.Equal(i < 11 ? "" : "R7 40", chain.Reasons);
        }
        Assert.Equal("22 transactions in 24 h; the median day has 2", chain.Evidence);
    }

    [Theory]
    [InlineData(60, 90, "R8 45")]
    [InlineData(61, 90, "")]
    [InlineData(60, 89, "")]
    public void R8_needs_nine_tenths_passed_on_within_the_hour(int minutes, int percent, string reasons)
    {
        using var chain = new RuleScenario(Labels);
        long part = Bitcoin / 100 * percent;
        Coin[] coins = chain.Pay(
            [chain.Mine("ann", 3 * Bitcoin)], ("new", part), ("new", Bitcoin - part), ("ann", Bitcoin));
        chain.Now = TimeSpan.FromMinutes(minutes);
        chain.Pay([coins[0]], ("payee", part));
        Assert.Equal(reasons, chain.Reasons);
        Assert.Empty(chain.Alerts());
    }

    [Theory]
    [InlineData(1, 50, "R9 20")]
    [InlineData(1, 49, "")]
    [InlineData(20, 2, "R9 20")]
    [InlineData(20, 3, "")]
    [InlineData(19, 2, "")]
    public void R9_needs_very_many_on_one_side(int inputs, int outputs, string reasons)
    {
        using var chain = new RuleScenario(Labels);
        Coin[] coins = [.. Enumerable.Range(0, inputs).Select(i => chain.Mine($"in {i}", Bitcoin + i))];
        chain.Now = TimeSpan.FromHours(3);
        chain.Pay(coins, [.. Enumerable.Range(0, outputs).Select(i => ($"out {i}", 1_000_001L + i))]);
        Assert.Equal(reasons, chain.Reasons);
    }

    [Fact]
    public void R9_leaves_out_services()
    {
        using var chain = new RuleScenario(Labels);
        Coin coin = chain.Mine("shop", 10 * Bitcoin);
        chain.Now = TimeSpan.FromHours(3);
        chain.Pay([coin], [.. Enumerable.Range(0, 60).Select(i => ($"out {i}", 1_000_001L + i))]);
        Assert.Equal("", chain.Reasons);
    }

    [Theory]
    [InlineData(10, 545, "R10 0")]
    [InlineData(9, 545, "")]
    [InlineData(10, 546, "")]
    public void R10_marks_dust_to_many_addresses_and_scores_nothing(int outputs, long value, string reasons)
    {
        using var chain = new RuleScenario(Labels);
        Coin coin = chain.Mine("ann", Bitcoin);
        chain.Now = TimeSpan.FromHours(3);
        chain.Pay([coin], [.. Enumerable.Range(0, outputs).Select(i => ($"out {i}", value))]);
        Assert.Equal(reasons, chain.Reasons);
        Assert.Equal(0, chain.Last.Analysis.Value.Score);
        Assert.Empty(chain.Alerts());
    }

    // Five days on each of which the address sends the same; then a sixth day begins.
    private static void Habit(RuleScenario chain, long sent)
    {
        for (int day = 0; day < 5; day++)
        {
            chain.Now = TimeSpan.FromDays(day);
            Coin coin = chain.Mine("ann", sent);
            chain.Now += TimeSpan.FromHours(2);
            chain.Pay([coin], ($"shop of day {day}", sent));
        }
        chain.Now = TimeSpan.FromDays(6);
    }
}
