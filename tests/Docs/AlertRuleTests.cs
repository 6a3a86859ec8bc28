using System.Diagnostics;
using System.Text.Json;
using System.Text.RegularExpressions;
using Streams.Tests.Support;
using Xunit;
using YamlDotNet.RepresentationModel;

namespace Streams.Tests.Docs;

/// <summary>Rules and dashboard name what a run really serves, and rules do what they say (CSIC-119 to 122).
/// What a run serves is the page of metrics: TelemetryTests compares the two.</summary>
public sealed partial class AlertRuleTests
{
    private static readonly string[] OfPrometheus = ["job", "instance", "le", "alertname", "alertstate"];

    private static readonly Dictionary<string, (string Type, string[] Labels)> Page = ReadPage();

    [Fact]
    public void Rules_name_metrics_and_labels_that_a_run_serves()
    {
        string[] expressions = [.. Rules().Select(r => r["expr"])];
        Assert.True(expressions.Length > 25, $"There are {expressions.Length} rules.");
        AssertServed(expressions);
    }

    [Fact]
    public void The_dashboard_names_metrics_and_labels_that_a_run_serves()
    {
        using JsonDocument dashboard = JsonDocument.Parse(Text("grafana-dashboard.json"));
        string[] expressions = [.. dashboard.RootElement.GetProperty("panels").EnumerateArray()
            .Where(p => p.TryGetProperty("targets", out _))
            .SelectMany(p => p.GetProperty("targets").EnumerateArray())
            .Select(t => t.GetProperty("expr").GetString()!)];
        Assert.True(expressions.Length > 25, $"There are {expressions.Length} expressions.");
        AssertServed(expressions);
    }

    [Fact]
    public void The_page_of_metrics_watches_what_a_run_serves() => AssertServed(
        File.ReadLines(Path.Combine(SharedData.RepositoryRoot, "docs", "metrics.md"))
            .SkipWhile(l => l != "## What to watch").TakeWhile(l => l != "## Health")
            .SelectMany(l => Quoted().Matches(l)).Select(m => m.Groups[1].Value));

    [Fact]
    public void Every_alert_has_a_section_of_the_runbook_and_a_test_in_which_it_fires()
    {
        string[] alerts = [.. Rules().Where(r => r.ContainsKey("alert")).Select(r => r["alert"]).Order()];
        Assert.Equal(
            alerts,
            Text("runbook.md").Split('\n').Where(l => l.StartsWith("## ", StringComparison.Ordinal))
                .Select(l => l[3..]).Order());
        YamlMappingNode tests = Yaml("alerts.test.yml");
        var fired = ((YamlSequenceNode)tests["tests"]).Cast<YamlMappingNode>()
            .SelectMany(t => ((YamlSequenceNode)t["alert_rule_test"]).Cast<YamlMappingNode>())
            .Where(t => t.Children.TryGetValue("exp_alerts", out YamlNode? e) && e is YamlSequenceNode
            {
                Children.Count: > 0,
            })
            .Select(t => ((YamlScalarNode)t["alertname"]).Value).Distinct().Order();
        Assert.Equal(alerts, fired);
    }

    [Fact]
    public void Prometheus_takes_the_rules_and_fires_them_when_it_should()
    {
        Promtool("check", "config", "--syntax-only", PathOf("prometheus.yml"));
        Promtool("check", "rules", PathOf("alerts.yml"));
        Promtool("test", "rules", PathOf("alerts.test.yml"));
    }

    [Fact]
    public void A_name_that_nothing_serves_is_found()
    {
        Assert.ThrowsAny<Xunit.Sdk.XunitException>(() => AssertServed(["rate(streams_record_total[5m])"]));
        Assert.ThrowsAny<Xunit.Sdk.XunitException>(() => AssertServed(["sum by (sink) (streams_lanes)"]));
        Assert.ThrowsAny<Xunit.Sdk.XunitException>(() => AssertServed(["streams_lanes{topic=\"a\"}"]));
    }

    private static void AssertServed(IEnumerable<string> expressions)
    {
        HashSet<string> recorded =
            [.. Rules().Where(r => r.ContainsKey("record")).Select(r => r["record"])];
        foreach (string expression in expressions)
        {
            // What comes of a recording rule has the labels that the rule left.
            string[] names = [.. Name().Matches(expression).Select(m => m.Value).Distinct()];
            Assert.All(names.Where(n => n.Contains(':', StringComparison.Ordinal)), n =>
                Assert.True(recorded.Contains(n), $"No rule records {n}: {expression}"));
            string[] metrics = [.. names.Where(n => !n.Contains(':', StringComparison.Ordinal))
                .Select(n => MetricOf(n, expression))];
            string[] labels = [.. Matcher().Matches(expression).Select(m => m.Groups[1].Value)
                .Concat(Grouping().Matches(expression).SelectMany(m => m.Groups[1].Value.Split(',')))
                .Select(l => l.Trim()).Where(l => l.Length > 0).Except(OfPrometheus)];
            if (metrics.Length > 0)
                Assert.All(labels, label => Assert.True(
                    metrics.Any(m => Page[m].Labels.Contains(label)),
                    $"None of {string.Join(", ", metrics)} has a label {label}: {expression}"));
        }
    }

    private static string MetricOf(string name, string expression)
    {
        string metric = Page.ContainsKey(name) ? name : HistogramPart().Replace(name, "");
        Assert.True(Page.TryGetValue(metric, out (string Type, string[] Labels) found),
            $"Nothing serves {name}: {expression}");
        Assert.True(metric == name || found.Type == "histogram", $"{metric} is no histogram: {expression}");
        Assert.True(found.Type == "gauge" || !expression.Contains($"deriv({name}", StringComparison.Ordinal));
        return metric;
    }

    private static IEnumerable<Dictionary<string, string>> Rules() =>
        ((YamlSequenceNode)Yaml("alerts.yml")["groups"]).Cast<YamlMappingNode>()
            .SelectMany(g => ((YamlSequenceNode)g["rules"]).Cast<YamlMappingNode>())
            .Select(r => r.Children.Where(c => c.Value is YamlScalarNode).ToDictionary(
                c => ((YamlScalarNode)c.Key).Value!, c => ((YamlScalarNode)c.Value).Value!));

    private static YamlMappingNode Yaml(string name)
    {
        var yaml = new YamlStream();
        yaml.Load(new StringReader(Text(name)));
        return (YamlMappingNode)yaml.Documents[0].RootNode;
    }

    private static string Text(string name) => File.ReadAllText(PathOf(name));

    private static string PathOf(string name) =>
        Path.Combine(SharedData.RepositoryRoot, "docs", "operations", name);

    private static void Promtool(params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(
            Path.Combine(SharedData.RepositoryRoot, "tests", "servers", "promtool"), arguments)
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        })!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode == 3 && errors.Result.Contains("install", StringComparison.Ordinal))
            Assert.Skip(errors.Result.Trim());
        Assert.True(process.ExitCode == 0, output + errors.Result);
    }

    private static Dictionary<string, (string Type, string[] Labels)> ReadPage() =>
        File.ReadLines(Path.Combine(SharedData.RepositoryRoot, "docs", "metrics.md"))
            .Select(l => Row().Match(l)).Where(m => m.Success)
            .ToDictionary(m => m.Groups[1].Value, m => (m.Groups[2].Value, m.Groups[3].Value.Split(", ")));

    [GeneratedRegex(@"^\| `([a-z_]+)` \| (counter|gauge|histogram) \| [^|]+ \| ([^|]+) \| .+ \|$")]
    private static partial Regex Row();

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Quoted();

    [GeneratedRegex(@"\b(streams|dotnet|process)[_:][a-z0-9_:]+")]
    private static partial Regex Name();

    [GeneratedRegex(@"_(bucket|sum|count)$")]
    private static partial Regex HistogramPart();

    [GeneratedRegex(@"[{,]\s*([a-z_]+)\s*(?:=~|!~|!=|=)")]
    private static partial Regex Matcher();

    [GeneratedRegex(@"\b(?:by|without|on|ignoring|group_left)\s*\(([a-z_, ]*)\)")]
    private static partial Regex Grouping();
}
