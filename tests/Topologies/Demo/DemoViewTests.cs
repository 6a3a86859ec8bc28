using Spectre.Console;
using Streams.Connectors.Chain;
using Streams.Testing;
using Streams.Topologies.Demo;
using Xunit;

namespace Streams.Tests.Topologies.Demo;

/// <summary>What a demonstration shows while it runs, and the measures behind it.</summary>
public sealed class DemoViewTests
{
    private static readonly DemoPlan Plan = DemoPlan.Of(30, 10_000, 1);

    [Theory]
    [InlineData(LiveDemoView.WidthMin)]
    [InlineData(100)]
    [InlineData(200)]
    public void The_table_fits_the_terminal_and_keeps_its_height(int width)
    {
        string[] without = Draw(width, Snapshot([])).Split('\n');
        string[] with = Draw(width, Snapshot([.. Enumerable.Range(0, DemoObserver.ShownMax).Select(Alert)]))
            .Split('\n');
        Assert.Equal(without.Length, with.Length);
        Assert.All(with, line => Assert.True(line.Length <= width, line));
        Assert.Contains(with, line => line.Contains("1,234,567", StringComparison.Ordinal));
        Assert.Contains(with, line => line.StartsWith("peel chain", StringComparison.Ordinal)
            && line.Contains("1.5000 BTC", StringComparison.Ordinal));
    }

    [Fact]
    public void Plain_output_has_one_line_a_second_and_says_once_that_feeding_has_ended()
    {
        var text = new StringWriter();
        var view = new PlainDemoView(Plan, text);
        for (int i = 0; i <= 30; i++)
            view.Show(Snapshot([Alert(0)]) with { Elapsed = TimeSpan.FromSeconds(i / 10.0) });
        for (int i = 0; i < 5; i++)
            view.Show(Snapshot([]) with { IsDraining = true });
        string[] lines = text.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(4, lines.Length);
        Assert.Contains("1/30 s", lines[0], StringComparison.Ordinal);
        Assert.EndsWith("last: peel chain", lines[0], StringComparison.Ordinal);
        Assert.Contains("feeding has ended", lines[3], StringComparison.Ordinal);
    }

    [Fact]
    public void A_warning_is_written_once()
    {
        var text = new StringWriter();
        var view = new PlainDemoView(Plan, text);
        for (int i = 0; i < 5; i++)
            view.Show(Snapshot([]) with { Elapsed = TimeSpan.Zero, Trouble = "the disk is full" });
        Assert.Equal("warning: the disk is full", text.ToString().Trim());
    }

    [Fact]
    public void Percentiles_are_those_of_what_was_added_rounded_up_by_a_twentieth()
    {
        var histogram = new LatencyHistogram();
        Assert.Equal(default, histogram.All());
        for (int i = 1; i <= 1000; i++)
            histogram.Add(TimeSpan.FromMilliseconds(i));
        Latency all = histogram.All();
        Assert.InRange(all.P50!.Value.TotalMilliseconds, 500, 525);
        Assert.InRange(all.P99!.Value.TotalMilliseconds, 990, 1000);
        Assert.Equal(1000, all.Max!.Value.TotalMilliseconds, 0.001);
    }

    [Fact]
    public void Times_beyond_the_last_bin_and_below_zero_are_counted_too()
    {
        var histogram = new LatencyHistogram();
        histogram.Add(TimeSpan.FromDays(1));
        Assert.True(histogram.All().P50 > TimeSpan.FromMinutes(5));
        histogram.Add(TimeSpan.FromSeconds(-1));
        Assert.True(histogram.All().P50 < TimeSpan.FromMilliseconds(1));
    }

    [Fact]
    public void What_was_long_ago_is_not_lately()
    {
        var clock = new VirtualClock();
        var histogram = new LatencyHistogram(clock);
        histogram.Add(TimeSpan.FromSeconds(5));
        clock.Advance(LatencyHistogram.Recent);
        histogram.Add(TimeSpan.FromSeconds(1));
        Assert.InRange(histogram.Lately().Max!.Value.TotalSeconds, 5, 5.3);
        clock.Advance(LatencyHistogram.Recent);
        Assert.InRange(histogram.Lately().Max!.Value.TotalSeconds, 1, 1.06);
        clock.Advance(LatencyHistogram.Recent * 3);
        Assert.Equal(default, histogram.Lately());
        Assert.InRange(histogram.All().Max!.Value.TotalSeconds, 5, 5.3);
    }

    [Fact]
    public void A_rate_is_that_of_the_last_two_seconds()
    {
        var meter = new RateMeter();
        Moving last = default;
        for (int i = 0; i <= 100; i++)
            last = meter.Add(TimeSpan.FromSeconds(i * 0.1), i < 50 ? i * 1_000 : 50_000 + ((i - 50) * 10));
        Assert.Equal(50_500, last.Total);
        Assert.InRange(last.PerSecond, 99, 101);
    }

    [Theory]
    [InlineData(0, 1_000)]
    [InlineData(DemoPlan.SecondsMax + 1, 1_000)]
    [InlineData(10, 99)]
    [InlineData(10, DemoPlan.RateMax + 1)]
    public void A_length_or_a_rate_out_of_range_is_refused(int seconds, int rate) =>
        Assert.Throws<Streams.Connect.ConfigurationException>(() => DemoPlan.Of(seconds, rate, 1));

    [Theory]
    [InlineData(1, 100)]
    [InlineData(2, 1_000)]
    [InlineData(30, 10_000)]
    [InlineData(30, DemoPlan.RateMax)]
    [InlineData(DemoPlan.SecondsMax, 50_000)]
    public void Every_length_and_rate_makes_a_chain_that_can_be_simulated(int seconds, int rate)
    {
        DemoPlan plan = DemoPlan.Of(seconds, rate, 1);
        using var simulator = new Streams.Connectors.Bitcoin.Simulation.BlockSimulator(plan.Simulation);
        Assert.True(simulator.TryNext(out _));
        Assert.True(plan.TimeMax > TimeSpan.FromSeconds(seconds));
    }

    private static string Draw(int width, DemoSnapshot snapshot)
    {
        var text = new StringWriter();
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.No,
            ColorSystem = ColorSystemSupport.NoColors,
            Out = new AnsiConsoleOutput(text),
        });
        console.Profile.Width = width;
        console.Write(new LiveDemoView(Plan, console).Draw(snapshot));
        return text.ToString();
    }

    private static ShownAlert Alert(int number) => new(
        number, RiskRule.PeelChain, 50, 150_000_000, default,
        "hop 7 of a peel chain [5 in 384 min], which is a line that is longer than it may be here, by far");

    private static DemoSnapshot Snapshot(IReadOnlyList<ShownAlert> alerts) => new()
    {
        Elapsed = TimeSpan.FromSeconds(12),
        IsDraining = false,
        Transactions = new Moving(1_234_567, 10_000),
        Blocks = new Moving(500, 40),
        Bytes = new Moving(50_000_000, 4_000_000),
        Enriched = new Moving(1_234_000, 9_990),
        Written = new Moving(1_300_000, 12_000),
        Alerts = new Moving(alerts.Count, 1),
        DuplicateBlocks = 1,
        RefusedBlocks = 2,
        ToEnriched = new Latency(TimeSpan.FromMilliseconds(20), TimeSpan.FromMilliseconds(90), null),
        ToAlert = default,
        ToSink = default,
        LatestAlerts = alerts,
        AlertsByRule = [],
    };
}
