using System.Diagnostics.Metrics;
using Streams.Telemetry;
using Streams.Tests.Support;
using Xunit;

namespace Streams.Tests.Engine.Telemetry;

/// <summary>The exposition, by a reader of the format that shares no code with the writer
/// (CSIC-119).</summary>
public sealed class MetricsTextTests : IDisposable
{
    private readonly MetricsText _metrics = new();
    private readonly Meter _meter = new(EngineMeter.Name);

    [Fact]
    public void Labels_and_help_are_escaped()
    {
        const string Awkward = "a \"quoted\" \\ path\nand a second line, {x=\"y\"}";
        Counter<long> counter = _meter.CreateCounter<long>("test_escaped", null, "one \\ two\nthree");
        counter.Add(3, new KeyValuePair<string, object?>("reason", Awkward));
        PrometheusMetric metric = Scrape()["test_escaped_total"];
        Assert.Equal("one \\ two\nthree", metric.Help);
        Assert.Equal("counter", metric.Type);
        PrometheusSample sample = Assert.Single(metric.Samples);
        Assert.Equal(Awkward, sample.Labels["reason"]);
        Assert.Equal(3, sample.Value);
    }

    [Fact]
    public void Histograms_are_cumulative_and_end_at_infinity()
    {
        Histogram<double> histogram = _meter.CreateHistogram(
            "test_wait", "s", "Waits.", null,
            new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.1, 1, 10] });
        foreach (double value in new[] { 0.05, 0.1, 0.5, 5, 50, 500 })
            histogram.Record(value, new KeyValuePair<string, object?>("stage", "read"));
        PrometheusMetric metric = Scrape()["test_wait_seconds"];
        Assert.Equal(
            [("0.1", 2), ("1", 3), ("10", 4), ("+Inf", 6)],
            metric.Samples.Where(s => s.Labels.ContainsKey("le")).Select(s => (s.Labels["le"], s.Value)));
        Assert.Equal(555.65, metric.Samples.Single(s => s.Name == "test_wait_seconds_sum").Value);
    }

    [Fact]
    public void A_gauge_shows_what_is_there_now_and_forgets_what_is_gone()
    {
        string[] there = ["a", "b"];
        _meter.CreateObservableGauge("test_gone", () => there.Select(
            name => new Measurement<long>(1, new KeyValuePair<string, object?>("name", name))));
        Assert.Equal(2, Scrape()["test_gone"].Samples.Count);
        there = ["b"];
        Assert.Equal("b", Assert.Single(Scrape()["test_gone"].Samples).Labels["name"]);
        _meter.Dispose();
        Assert.Empty(Scrape()["test_gone"].Samples);
    }

    [Fact]
    public void An_instrument_is_shown_before_it_has_measured_anything()
    {
        _meter.CreateCounter<long>("test_silent", null, "Nothing yet.");
        PrometheusMetric metric = Scrape()["test_silent_total"];
        Assert.Equal("Nothing yet.", metric.Help);
        Assert.Empty(metric.Samples);
    }

    [Fact]
    public void Numbers_of_any_size_can_be_read_back()
    {
        double[] values = [0, -1.5, 1e300, double.PositiveInfinity, double.NegativeInfinity, double.NaN];
        _meter.CreateObservableGauge("test_number", () => values.Select(
            (v, i) => new Measurement<double>(v, new KeyValuePair<string, object?>("at", $"{i}"))));
        Assert.Equal(values, Scrape()["test_number"].Samples.Select(s => s.Value));
    }

    [Fact]
    public void Reporting_again_allocates_nothing()
    {
        Counter<long> counter = _meter.CreateCounter<long>("test_again");
        Histogram<double> histogram = _meter.CreateHistogram<double>("test_again_wait", "s");
        Allocation.AssertNone(() =>
        {
            counter.Add(1, new("source", "feed"), new("stage", "read"), new("reason", "Torn"));
            histogram.Record(0.2, new KeyValuePair<string, object?>("stage", "read"));
            EngineMeter.RecordCommit("component", TimeSpan.FromMilliseconds(3));
            EngineMeter.RecordLogCommit(1000, TimeSpan.FromMilliseconds(3));
        });
    }

    [Fact]
    public void The_number_of_series_of_a_metric_is_bounded()
    {
        Counter<long> counter = _meter.CreateCounter<long>("test_bounded");
        for (int i = 0; i < 10_500; i++)
            counter.Add(1, new KeyValuePair<string, object?>("id", $"{i}"));
        Assert.Equal(10_000, Scrape()["test_bounded_total"].Samples.Count);
    }

    public void Dispose()
    {
        _meter.Dispose();
        _metrics.Dispose();
    }

    private IReadOnlyDictionary<string, PrometheusMetric> Scrape() => PrometheusText.Parse(_metrics.Write());
}
