using System.Globalization;

namespace Streams.Topologies.Commands;

/// <summary>What a process serves at its metrics address, at one instant.</summary>
internal sealed class MetricsSample
{
    private readonly List<(string Name, Dictionary<string, string> Labels, double Value)> _samples = [];

    /// <summary>Reads the Prometheus text format, as far as this program writes it.</summary>
    internal static MetricsSample Parse(string text)
    {
        var sample = new MetricsSample();
        foreach (string line in text.Split('\n'))
        {
            int space = line.LastIndexOf(' ');
            if (space <= 0 || line[0] == '#'
                || !double.TryParse(
                    line.AsSpan(space + 1), NumberStyles.Float, CultureInfo.InvariantCulture,
                        out double value))
                continue;
            int brace = line.IndexOf('{', StringComparison.Ordinal);
            string name = brace < 0 ? line[..space] : line[..brace];
            sample._samples.Add((name, brace < 0 ? [] : Labels(line.AsSpan(brace + 1, space - brace - 2)),
                value));
        }
        return sample;
    }

    /// <summary>The values of a metric, summed by a label.</summary>
    internal IReadOnlyDictionary<string, double> By(string name, string label) => _samples
        .Where(s => s.Name == name && s.Labels.ContainsKey(label))
        .GroupBy(s => s.Labels[label], StringComparer.Ordinal).OrderBy(g => g.Key, StringComparer.Ordinal)
        .ToDictionary(g => g.Key, g => g.Sum(s => s.Value), StringComparer.Ordinal);

    /// <summary>The sum of a metric; 0 where it has no values.</summary>
    internal double Sum(string name) => _samples.Where(s => s.Name == name).Sum(s => s.Value);

    /// <summary>A quantile of a histogram between two samples, by its buckets.</summary>
    /// <returns>The upper bound of the bucket; null where nothing was measured in between.</returns>
    internal double? Quantile(string name, string label, string value, double quantile, MetricsSample before)
    {
        List<(double Bound, double Count)> buckets = [.. Buckets(name, label, value)];
        Dictionary<double, double> older = before.Buckets(name, label, value)
            .ToDictionary(b => b.Bound, b => b.Count);
        List<(double Bound, double Count)> fresh = [.. buckets
            .Select(b => (b.Bound, b.Count - older.GetValueOrDefault(b.Bound))).OrderBy(b => b.Bound)];
        if (fresh.Count == 0 || fresh[^1].Count <= 0)
            return null;
        return fresh.First(b => b.Count >= quantile * fresh[^1].Count).Bound;
    }

    private IEnumerable<(double Bound, double Count)> Buckets(string name, string label, string value) =>
        _samples
        .Where(s => s.Name == $"{name}_bucket" && s.Labels.GetValueOrDefault(label) == value)
        .Select(s => (
            s.Labels["le"] == "+Inf" ? double.PositiveInfinity
                : double.Parse(s.Labels["le"], CultureInfo.InvariantCulture), s.Value));

    // name="value",... where a value has its quotes and backslashes escaped.
    private static Dictionary<string, string> Labels(ReadOnlySpan<char> text)
    {
        var labels = new Dictionary<string, string>(StringComparer.Ordinal);
        while (text.IndexOf('=') is > 0 and int equals)
        {
            string name = text[..equals].TrimStart(',').ToString();
            int end = equals + 2;
            while (end < text.Length && text[end] != '"')
                end += text[end] == '\\' ? 2 : 1;
            labels[name] = text[(equals + 2)..end].ToString()
                .Replace("\\\"", "\"", StringComparison.Ordinal).Replace("\\\\", "\\",
                    StringComparison.Ordinal);
            text = text[Math.Min(end + 1, text.Length)..];
        }
        return labels;
    }
}
