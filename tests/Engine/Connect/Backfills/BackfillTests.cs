using System.Globalization;
using Streams.Connect.Backfills;
using Streams.Dsl;
using Streams.Records;
using Xunit;

namespace Streams.Tests.Engine.Connect.Backfills;

/// <summary>Input that is processed again, from its topics.</summary>
public sealed class BackfillTests : IDisposable
{
    private readonly ReprocessedApplication _application = new();

    // Ten keys in turn, one record a second for five minutes.
    private static IEnumerable<string> Records(int from, int to) =>
        Enumerable.Range(from, to - from).Select(i => $"k{i % 10}=v{i}@{i}");

    [Fact]
    public void Alerts_that_were_delivered_are_not_delivered_again_and_other_outputs_are_written_again()
    {
        _application.Run(Counting(5), Records(0, 300));
        string[] alerts = _application.Read("alerts");
        string[] counts = _application.Read("counts");
        Assert.Equal(60, alerts.Length);
        BackfillPlan plan = _application.Begin(Counting(5), "start");
        Assert.Equal(["alerts"], plan.DeliveredOnce);
        Assert.Contains("by-key", plan.Stores);
        _application.Run(Counting(5));
        Assert.Equal(alerts, _application.Read("alerts"));
        Assert.Equal(
            counts.Concat(counts).Order(StringComparer.Ordinal),
            _application.Read("counts").Order(StringComparer.Ordinal));
        // What comes next is new, and is counted on from the state that was made anew.
        _application.Run(Counting(5), Records(300, 360));
        Assert.True(_application.Status()!.IsDone);
        using var undisturbed = new ReprocessedApplication();
        undisturbed.Run(Counting(5), Records(0, 360));
        Assert.Equal(
            undisturbed.Read("alerts").Order(StringComparer.Ordinal),
            _application.Read("alerts").Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_rule_that_was_changed_delivers_what_it_finds_now_and_nothing_twice()
    {
        _application.Run(Counting(5), Records(0, 300));
        string[] before = _application.Read("alerts");
        _application.Begin(Counting(4), "start");
        _application.Run(Counting(4));
        string[] alerts = _application.Read("alerts");
        Assert.Equal(alerts.Distinct(StringComparer.Ordinal).Count(), alerts.Length);
        using var undisturbed = new ReprocessedApplication();
        undisturbed.Run(Counting(4), Records(0, 300));
        string[] expected = [.. undisturbed.Read("alerts").Union(before)];
        Assert.Equal(60 + 70 - 10, expected.Length);
        Assert.Equal(expected.Order(StringComparer.Ordinal), alerts.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Without_the_flag_alerts_come_again()
    {
        _application.Run(Counting(5, once: false), Records(0, 300));
        _application.Begin(Counting(5, once: false), "start");
        _application.Run(Counting(5, once: false));
        Assert.Equal(120, _application.Read("alerts").Length);
    }

    [Fact]
    public void Outputs_of_a_range_are_those_of_the_range_with_the_state_from_before()
    {
        _application.Run(Counting(5), Records(0, 300));
        string[] counts = _application.Read("counts");
        string[] range = [.. counts.Where(c => Second(c) is >= 100 and < 200)];
        BackfillPlan plan = _application.Begin(
            Counting(5), "1970-01-01T00:01:40Z", "1970-01-01T00:03:20Z");
        Assert.All(plan.Inputs, i => Assert.True(i is { Start: 0, From: > 0 } && i.To < i.End));
        _application.Run(Counting(5));
        Assert.Equal(
            counts.Concat(range).Order(StringComparer.Ordinal),
            _application.Read("counts").Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Windows_are_made_anew_from_as_far_back_as_they_reach_and_no_further()
    {
        _application.Partitions["in"] = 1;
        _application.Run(Windowed, Records(0, 300));
        string[] outputs = _application.Read("windows");
        BackfillPlan plan = _application.Begin(Windowed, "1970-01-01T00:04:00Z");
        BackfillInput input = Assert.Single(plan.Inputs);
        Assert.Equal(240, input.From);
        Assert.InRange(input.Start, 200, 220);
        _application.Run(Windowed);
        string[] again = _application.Read("windows")[outputs.Length..];
        Assert.Equal(outputs[240..], again);
        Assert.Equal(
            Enumerable.Range(0, 10).Select(k => $"k{k}=2@v{290 + k}").Order(StringComparer.Ordinal),
            again[^10..].Order(StringComparer.Ordinal));
    }

    [Fact]
    public void State_whose_records_are_not_kept_any_more_is_refused_until_that_is_accepted()
    {
        _application.Run(Counting(5), Records(0, 300));
        _application.DeleteBefore("in", 10);
        BackfillPlan plan = _application.Plan(Counting(5), "1970-01-01T00:04:00Z");
        Assert.False(plan.CanBegin);
        Assert.Contains(plan.Losses, l => l.Name == "by-key" && l.What.Contains(
            "before offset 10", StringComparison.Ordinal));
        var refused = Assert.Throws<BackfillRefusedException>(
            () => _application.Begin(Counting(5), "1970-01-01T00:04:00Z"));
        Assert.Contains("--accept-loss by-key", refused.Message, StringComparison.Ordinal);
        Assert.Null(_application.Status());
        _application.Accepted = ["by-key"];
        Assert.True(_application.Begin(Counting(5), "1970-01-01T00:04:00Z").CanBegin);
    }

    [Fact]
    public void Delivered_records_that_are_not_kept_any_more_are_a_loss_that_is_named()
    {
        _application.Run(Counting(5), Records(0, 300));
        _application.DeleteBefore("alerts", 20);
        BackfillPlan plan = _application.Plan(Counting(5), "start");
        BackfillLoss loss = Assert.Single(plan.Losses);
        Assert.Equal("alerts", loss.Name);
        Assert.Contains("would be delivered again", loss.What, StringComparison.Ordinal);
    }

    [Fact]
    public void A_record_that_cannot_be_read_is_one_dead_letter_however_often_it_is_processed()
    {
        Action<StreamsBuilder> numbers = builder => builder
            .Stream("in", new Consumed<string, long>(Serdes.String, Serdes.Int64))
            .MapValues((_, value) => value.ToString(CultureInfo.InvariantCulture))
            .To("out", ReprocessedApplication.Texts("write"));
        _application.Run(numbers, ["a=12345678@1", "b=short@2", "c=87654321@3"]);
        Assert.Single(_application.Read("in.dead-letter"));
        _application.Begin(numbers, "start");
        _application.Run(numbers);
        Assert.Single(_application.Read("in.dead-letter"));
        Assert.Equal(4, _application.Read("out").Length);
    }

    [Fact]
    public void What_feeds_the_same_state_is_set_back_with_it_or_nothing_is()
    {
        _application.Partitions["other"] = 2;
        Action<StreamsBuilder> merged = builder => ReprocessedApplication.In(builder)
            .Merge(ReprocessedApplication.In(builder, "other"))
            .To("out", ReprocessedApplication.Texts("write"));
        _application.Run(merged, Records(0, 10));
        BackfillPlan plan = _application.Plan(merged, "in:start");
        Assert.Contains(plan.Problems, p => p.Contains("'other' feeds the same state",
            StringComparison.Ordinal));
        Assert.Empty(_application.Plan(merged, "start").Problems);
    }

    [Theory]
    [InlineData("none:start", "'none' is no topic that is read and no source")]
    [InlineData("in:height=3", "a topic goes by time or offset=NUMBER")]
    [InlineData("in:offset=1,2,3", "give one offset, or one for each of 2 partitions")]
    [InlineData("in:offset=900", "are kept and processed")]
    [InlineData("2020-01-01", "nothing was processed at or after that point")]
    public void What_cannot_be_done_is_said(string from, string expected)
    {
        _application.Run(Counting(5), Records(0, 20));
        BackfillPlan plan = _application.Plan(Counting(5), from);
        Assert.False(plan.CanBegin);
        Assert.Contains(plan.Problems, p => p.Contains(expected, StringComparison.Ordinal));
    }

    [Fact]
    public void One_backfill_ends_before_another_begins()
    {
        _application.Run(Counting(5), Records(0, 20));
        _application.Begin(Counting(5), "start");
        BackfillPlan plan = _application.Plan(Counting(5), "start");
        Assert.Contains(plan.Problems, p => p.Contains("under way", StringComparison.Ordinal));
        Assert.Equal(20, _application.Status()!.RecordsLeft);
        _application.Run(Counting(5));
        Assert.True(_application.Plan(Counting(5), "start").CanBegin);
    }

    public void Dispose() => _application.Dispose();

    // Counts by key, behind a topic of the application's own, and an alert at every so many.
    private static Action<StreamsBuilder> Counting(int every, bool once = true) => builder =>
    {
        KStream<string, string> counts = ReprocessedApplication.In(builder)
            .SelectKey((key, _) => key + "!", "key")
            .GroupByKey(new Grouped<string, string>
            {
                Name = "keyed",
                KeySerde = Serdes.String,
                ValueSerde = Serdes.String,
            })
            .Aggregate(() => "0@", (_, value, sum) => $"{Count(sum) + 1}@{value}",
                new Materialized<string, string> { StoreName = "by-key", ValueSerde = Serdes.String })
            .ToStream("updates");
        counts.To("counts", ReprocessedApplication.Texts("write-counts"));
        counts.Filter((_, value) => Count(value) % every == 0, "choose")
            .Map((key, value) => ($"{key}:{Count(value)}", value), "name")
            .To("alerts", ReprocessedApplication.Texts("write-alerts", once));
    };

    private static void Windowed(StreamsBuilder builder) => ReprocessedApplication.In(builder)
        .GroupByKey(new Grouped<string, string> { KeySerde = Serdes.String, ValueSerde = Serdes.String })
        .WindowedBy(TimeWindows.OfSizeAndGrace(TimeSpan.FromSeconds(20), TimeSpan.Zero))
        .Aggregate(() => "0@", (_, value, sum) => $"{Count(sum) + 1}@{value}",
            new Materialized<string, string> { StoreName = "windows", ValueSerde = Serdes.String })
        .ToStream("updates")
        .SelectKey((window, _) => window.Key, "plain")
        .To("windows", ReprocessedApplication.Texts("write"));

    private static int Count(string sum) => int.Parse(sum.Split('@')[0], CultureInfo.InvariantCulture);

    private static int Second(string output) =>
        int.Parse(output[(output.IndexOf('v', StringComparison.Ordinal) + 1)..],
            CultureInfo.InvariantCulture);
}
