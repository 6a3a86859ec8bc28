using System.Net;
using System.Text.RegularExpressions;
using Streams.Tests.Connectors.Bitcoin;
using Streams.Tests.Support;
using Xunit;

namespace Streams.Tests.Integration;

/// <summary>What operators see of a real run (CSIC-116, 119, 120, 121).</summary>
public sealed partial class TelemetryTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public async Task What_a_run_serves_is_what_the_page_says()
    {
        using StreamsProcess process = Start();
        string address = await process.AddressAsync();
        IReadOnlyDictionary<string, PrometheusMetric> metrics = await ScrapeAsync(
            address, m => Sum(m, "streams_sink_records_total", "sink", "jsonl") > 1557);
        Dictionary<string, PageRow> page = ReadPage();
        Assert.Equal(page.Keys.Order(StringComparer.Ordinal), metrics.Keys.Order(StringComparer.Ordinal));
        foreach (PageRow row in page.Values)
        {
            PrometheusMetric metric = metrics[row.Name];
            Assert.Equal((row.Name, row.Type, row.Meaning), (metric.Name, metric.Type, metric.Help));
            foreach (PrometheusSample sample in metric.Samples)
            {
                IEnumerable<string> labels = sample.Labels.Keys.Where(l => l != "le").DefaultIfEmpty("none");
                Assert.Equal((row.Name, row.Labels), (row.Name, string.Join(", ", labels)));
            }
            Assert.True(
                row.Unit is not ("seconds" or "bytes")
                || row.Name.Contains($"_{row.Unit}", StringComparison.Ordinal), row.Name);
        }
        process.Terminate();
        Assert.Equal(0, process.WaitForEnd().Code);
    }

    [Fact]
    public async Task Counts_of_a_run_are_those_of_its_input()
    {
        using StreamsProcess process = Start();
        string address = await process.AddressAsync();
        IReadOnlyDictionary<string, PrometheusMetric> metrics = await ScrapeAsync(
            address, m => Sum(m, "streams_sink_records_total", "sink", "jsonl") > 1557
                && Sum(m, "streams_sink_lag_records", "sink", "jsonl") == 0
                && m["streams_stage_latency_seconds"].Samples.Any(s => s.Labels["stage"] == "total"));
        Assert.Equal(1557, Sum(metrics, "streams_records_produced_total", "source", "bitcoin-files"));
        Assert.Equal(1557, Sum(metrics, "streams_records_consumed_total", "topic", "transactions"));
        Assert.Equal(999_887 + 100, Sum(metrics, "streams_source_bytes_total", "source", "bitcoin-files"));
        Assert.Equal(1, Sum(metrics, "streams_dead_letters_total", "stage", "read"));
        Assert.Equal(0, Sum(metrics, "streams_consumer_lag_records", "topic", "transactions"));
        Assert.Equal(1557, Sum(metrics, "streams_topic_end_offset", "topic", "transactions.enriched"));
        Assert.True(Sum(metrics, "streams_state_entries", "store", "outputs") > 3000, "No outputs are kept.");
        Assert.Equal(
            ["process", "read", "sink", "total"],
            metrics["streams_stage_latency_seconds"].Samples.Select(
                s => s.Labels["stage"]).Distinct().Order());
        process.Terminate();
        Assert.Equal(0, process.WaitForEnd().Code);
    }

    [Fact]
    public async Task Health_and_readiness_answer_and_what_is_not_ready_says_why()
    {
        // A sink that cannot be reached: a file is locked by somebody else.
        string file = _folder.File("out.db");
        using SqliteLock held = SqliteLock.Take(file);
        using StreamsProcess process = Start("--sink", $"sqlite:{file}?busy_timeout=100ms");
        string address = await process.AddressAsync();
        Assert.Equal((HttpStatusCode.OK, "ok\n"), await Http.GetAsync($"{address}/healthz"));
        (HttpStatusCode status, string reasons) = await Http.WaitAsync(
            $"{address}/readyz", (s, text) => text.Contains("sqlite failed", StringComparison.Ordinal));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
        Assert.Contains(
            "sqlite failed and is going to be started again: sqlite: ", reasons, StringComparison.Ordinal);
        Assert.Contains("database is locked", reasons, StringComparison.Ordinal);
        IReadOnlyDictionary<string, PrometheusMetric> metrics = PrometheusText.Parse(
            (await Http.GetAsync($"{address}/metrics")).Text);
        Assert.Equal(0, Sum(metrics, "streams_component_up", "component", "sqlite"));
        Assert.True(Sum(metrics, "streams_component_restarts_total", "component", "sqlite") > 0);
        held.Dispose();
        (status, reasons) = await Http.WaitAsync($"{address}/readyz", (s, _) => s == HttpStatusCode.OK);
        Assert.Equal("ready\n", reasons);
        process.Terminate();
        Assert.Equal(0, process.WaitForEnd().Code);
    }

    [Theory]
    [InlineData("nonsense", "'nonsense' is no address to listen on")]
    [InlineData("127.0.0.1", "no address to listen on")]
    [InlineData("203.0.113.1:9464", "Cannot listen on 203.0.113.1:9464")]
    public void An_address_that_cannot_be_listened_on_is_a_usage_error(string address, string expected)
    {
        var ended = StreamsProcess.Run(Arguments("--listen", address));
        Assert.Equal(2, ended.Code);
        Assert.Contains(expected, ended.Errors, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();

    private StreamsProcess Start(params string[] more) =>
        StreamsProcess.Start(Arguments(["--listen", "127.0.0.1:0", .. more]));

    private string[] Arguments(params string[] more)
    {
        File.WriteAllBytes(_folder.File("block.raw"), BitcoinData.Bytes(BitcoinData.Block413567));
        File.WriteAllBytes(_folder.File("bad.raw"), new byte[100]);
        return
        [
            "run", "--topology", "transactions", "--source", $"bitcoin-files:{_folder.File("*.raw")}",
            "--sink", $"jsonl:{_folder.File("json")}", "--data", _folder.File("data"), .. more,
        ];
    }

    private static async Task<IReadOnlyDictionary<string, PrometheusMetric>> ScrapeAsync(
        string address, Func<IReadOnlyDictionary<string, PrometheusMetric>, bool> until)
    {
        (_, string text) = await Http.WaitAsync(
            $"{address}/metrics", (_, text) => until(PrometheusText.Parse(text)));
        return PrometheusText.Parse(text);
    }

    private static double Sum(
        IReadOnlyDictionary<string, PrometheusMetric> metrics, string name, string label, string value) =>
        metrics[name].Samples.Where(s => s.Labels[label] == value).Sum(s => s.Value);

    private static Dictionary<string, PageRow> ReadPage()
    {
        string path = Path.Combine(SharedData.RepositoryRoot, "docs", "metrics.md");
        return File.ReadLines(path).Select(l => Row().Match(l)).Where(m => m.Success)
            .Select(m => new PageRow(
                m.Groups[1].Value, m.Groups[2].Value, m.Groups[3].Value, m.Groups[4].Value,
                m.Groups[5].Value))
            .ToDictionary(r => r.Name, StringComparer.Ordinal);
    }

    [GeneratedRegex(@"^\| `([a-z_]+)` \| (counter|gauge|histogram) \| ([^|]+) \| ([^|]+) \| (.+) \|$")]
    private static partial Regex Row();

    private sealed record PageRow(string Name, string Type, string Unit, string Labels, string Meaning);
}
