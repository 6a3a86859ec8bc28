using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Xunit;

namespace Streams.Tests.Support;

/// <summary>A sample of a scrape.</summary>
/// <param name="Name">Its name, with the suffix of a histogram's part.</param>
/// <param name="Labels">Its labels, by name.</param>
/// <param name="Value">Its value.</param>
public sealed record PrometheusSample(
    string Name, IReadOnlyDictionary<string, string> Labels, double Value);

/// <summary>A metric of a scrape.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">counter, gauge or histogram.</param>
/// <param name="Help">Its meaning.</param>
/// <param name="Samples">Its samples.</param>
public sealed record PrometheusMetric(
    string Name, string Type, string Help, IReadOnlyList<PrometheusSample> Samples);

/// <summary>Reads the Prometheus text format strictly, and knows nothing of who wrote it.</summary>
/// <remarks>Source: Prometheus, "Exposition formats", text format 0.0.4.</remarks>
public static partial class PrometheusText
{
    /// <summary>Reads a scrape; anything that the format forbids fails the test.</summary>
    public static IReadOnlyDictionary<string, PrometheusMetric> Parse(string text)
    {
        Assert.True(text.Length == 0 || text[^1] == '\n', "The last line has no end.");
        var metrics = new Dictionary<string, PrometheusMetric>(StringComparer.Ordinal);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        string? name = null, help = null;
        foreach (string line in text.Split('\n')[..^1])
        {
            if (HelpLine().Match(line) is { Success: true } h)
            {
                name = h.Groups[1].Value;
                help = Unescape(h.Groups[2].Value);
                Assert.False(metrics.ContainsKey(name), $"{name} has HELP twice.");
            }
            else if (TypeLine().Match(line) is { Success: true } t)
            {
                Assert.Equal(name, t.Groups[1].Value);
                metrics.Add(name!, new PrometheusMetric(name!, t.Groups[2].Value, help!, []));
            }
            else
            {
                PrometheusSample sample = Sample(line);
                Assert.True(seen.Add(line[..line.LastIndexOf(' ')]), $"There is a second sample: {line}");
                Assert.True(name is not null && metrics.ContainsKey(name), $"No TYPE stands before: {line}");
                Assert.Equal(BaseName(sample.Name, metrics[name!].Type), name);
                metrics[name!] = metrics[name!] with { Samples = [.. metrics[name!].Samples, sample] };
            }
        }
        foreach (PrometheusMetric metric in metrics.Values.Where(m => m.Type == "histogram"))
            CheckHistogram(metric);
        return metrics;
    }

    private static string BaseName(string sample, string type)
    {
        string[] suffixes = type == "histogram" ? ["_bucket", "_sum", "_count"] : [];
        return suffixes.FirstOrDefault(s => sample.EndsWith(s, StringComparison.Ordinal)) is { } suffix
            ? sample[..^suffix.Length]
            : sample;
    }

    private static PrometheusSample Sample(string line)
    {
        Match match = SampleLine().Match(line);
        Assert.True(match.Success, $"This is no sample: {line}");
        var labels = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (Capture pair in match.Groups[2].Captures)
        {
            int equals = pair.Value.IndexOf('=', StringComparison.Ordinal);
            labels.Add(pair.Value[..equals], Unescape(pair.Value[(equals + 2)..^1]));
        }
        string number = match.Groups[3].Value;
        double value = number switch
        {
            "+Inf" => double.PositiveInfinity,
            "-Inf" => double.NegativeInfinity,
            _ => double.Parse(number, NumberStyles.Float, CultureInfo.InvariantCulture),
        };
        return new PrometheusSample(match.Groups[1].Value, labels, value);
    }

    private static void CheckHistogram(PrometheusMetric metric)
    {
        var series = metric.Samples.GroupBy(s => string.Join(
            ',', s.Labels.Where(l => l.Key != "le").OrderBy(l => l.Key, StringComparer.Ordinal)));
        foreach (IGrouping<string, PrometheusSample> one in series)
        {
            PrometheusSample[] buckets = [.. one.Where(s => s.Labels.ContainsKey("le"))];
            double[] bounds = [.. buckets.Select(b => b.Labels["le"] == "+Inf"
                ? double.PositiveInfinity
                : double.Parse(b.Labels["le"], CultureInfo.InvariantCulture))];
            Assert.Equal(bounds.Order().Distinct(), bounds);
            Assert.Equal(double.PositiveInfinity, bounds[^1]);
            Assert.Equal(buckets.Select(b => b.Value).Order(), buckets.Select(b => b.Value));
            Assert.Equal(buckets[^1].Value, Assert.Single(one, s => s.Name == metric.Name + "_count").Value);
            Assert.Single(one, s => s.Name == metric.Name + "_sum");
        }
    }

    private static string Unescape(string text)
    {
        var plain = new StringBuilder();
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] != '\\')
            {
                plain.Append(text[i]);
                continue;
            }
            i++;
            plain.Append(text[i] == 'n' ? '\n' : text[i]);
        }
        return plain.ToString();
    }

    [GeneratedRegex("^# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) (.*)$")]
    private static partial Regex HelpLine();

    [GeneratedRegex("^# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram)$")]
    private static partial Regex TypeLine();

    [GeneratedRegex(
        """^([a-zA-Z_:][a-zA-Z0-9_:]*)"""
        + """(?:\{(?:([a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\]|\\\\|\\"|\\n)*")(?:,|(?=\})))*\})? """
        + """([+-]?(?:[0-9][0-9.eE+-]*|Inf)|NaN)$""")]
    private static partial Regex SampleLine();
}
