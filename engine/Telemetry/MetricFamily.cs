using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;

namespace Streams.Telemetry;

/// <summary>All series of one metric name.</summary>
internal sealed class MetricFamily
{
    // Labels come from configuration and from fixed sets; a set that grows without end is a defect somewhere
    // else, and must not take the memory here too.
    private const int SeriesMax = 10_000;

    private readonly Lock _lock = new();
    private readonly Dictionary<MetricLabels, MetricSeries> _series = new(MetricLabels.Comparer);
    private readonly Dictionary<MetricLabels, MetricSeries>
        .AlternateLookup<ReadOnlySpan<KeyValuePair<string, object?>>> _byTags;
    private readonly string _name;
    private readonly string _help;
    private readonly string _type;
    private readonly double[] _bounds;
    private readonly bool _isObserved;

    internal MetricFamily(string name, Instrument instrument)
    {
        _name = name;
        _help = instrument.Description ?? "";
        _type = TypeOf(instrument);
        _isObserved = instrument.IsObservable;
        _bounds = instrument switch
        {
            Histogram<double> seconds => [.. seconds.Advice?.HistogramBucketBoundaries ?? []],
            Histogram<long> sizes =>
                [.. (sizes.Advice?.HistogramBucketBoundaries ?? []).Select(b => (double)b)],
            _ => [],
        };
        _byTags = _series.GetAlternateLookup<ReadOnlySpan<KeyValuePair<string, object?>>>();
    }

    /// <summary>counter, gauge or histogram.</summary>
    internal static string TypeOf(Instrument instrument) => instrument switch
    {
        Counter<long> or Counter<double> or ObservableCounter<long> or ObservableCounter<double> => "counter",
        Histogram<long> or Histogram<double> => "histogram",
        _ => "gauge",
    };

    /// <summary>Takes in a measurement.</summary>
    internal void Record(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        lock (_lock)
        {
            if (!_byTags.TryGetValue(tags, out MetricSeries? series))
            {
                if (_series.Count == SeriesMax)
                    return;
                _series[new MetricLabels(tags)] = series = new MetricSeries(_bounds.Length);
            }
            if (_isObserved)
                series.Set(value);
            else
                series.Add(value, _bounds);
        }
    }

    /// <summary>Forgets what was observed before: what is gone is not shown any more.</summary>
    internal void ForgetObserved()
    {
        if (!_isObserved)
            return;
        lock (_lock)
            _series.Clear();
    }

    /// <summary>Appends the family; without a series it is its name only.</summary>
    internal void Write(StringBuilder text)
    {
        string help = _help.Replace("\\", "\\\\", StringComparison.Ordinal)
            .Replace("\n", "\\n", StringComparison.Ordinal);
        text.Append($"# HELP {_name} {help}\n# TYPE {_name} {_type}\n");
        lock (_lock)
        {
            foreach ((MetricLabels labels, MetricSeries series) in _series.OrderBy(
                s => s.Key.Text, StringComparer.Ordinal))
            {
                if (_type == "histogram")
                    WriteHistogram(text, labels.Text, series);
                else
                    text.Append($"{_name}{Braces(labels.Text)} {Number(series.Sum)}\n");
            }
        }
    }

    private void WriteHistogram(StringBuilder text, string labels, MetricSeries series)
    {
        string front = labels.Length == 0 ? "" : labels + ",";
        long below = 0;
        for (int i = 0; i < _bounds.Length; i++)
        {
            below += series.Buckets[i];
            text.Append($"{_name}_bucket{{{front}le=\"{Number(_bounds[i])}\"}} {below}\n");
        }
        text.Append($"{_name}_bucket{{{front}le=\"+Inf\"}} {series.Count}\n");
        text.Append($"{_name}_sum{Braces(labels)} {Number(series.Sum)}\n");
        text.Append($"{_name}_count{Braces(labels)} {series.Count}\n");
    }

    private static string Braces(string labels) => labels.Length == 0 ? "" : $"{{{labels}}}";

    private static string Number(double value) =>
        double.IsPositiveInfinity(value) ? "+Inf"
        : double.IsNegativeInfinity(value) ? "-Inf"
        : value.ToString("R", CultureInfo.InvariantCulture);
}

/// <summary>One series: its value, or its sum and buckets.</summary>
internal sealed class MetricSeries(int buckets)
{
    internal long[] Buckets { get; } = new long[buckets];

    internal double Sum { get; private set; }

    internal long Count { get; private set; }

    internal void Set(double value) => Sum = value;

    internal void Add(double value, double[] bounds)
    {
        Sum += value;
        Count++;
        for (int i = 0; i < bounds.Length; i++)
        {
            if (value > bounds[i])
                continue;
            Buckets[i]++;
            break;
        }
    }
}

/// <summary>The labels of a series, found by the tags of a measurement without making anything of
/// them.</summary>
internal sealed class MetricLabels
{
    private readonly KeyValuePair<string, object?>[] _tags;

    internal MetricLabels(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        _tags = tags.ToArray();
        var text = new StringBuilder();
        foreach ((string name, object? value) in tags)
        {
            string escaped = string.Create(CultureInfo.InvariantCulture, $"{value}")
                .Replace("\\", "\\\\", StringComparison.Ordinal)
                .Replace("\"", "\\\"", StringComparison.Ordinal)
                .Replace("\n", "\\n", StringComparison.Ordinal);
            text.Append(text.Length == 0 ? "" : ",").Append($"{name}=\"{escaped}\"");
        }
        Text = text.ToString();
    }

    /// <summary>Finds labels by labels or by tags.</summary>
    internal static TagsComparer Comparer { get; } = new();

    /// <summary>The labels as a sample writes them, without the braces.</summary>
    internal string Text { get; }

    internal sealed class TagsComparer : IEqualityComparer<MetricLabels>,
        IAlternateEqualityComparer<ReadOnlySpan<KeyValuePair<string, object?>>, MetricLabels>
    {
        public bool Equals(MetricLabels? x, MetricLabels? y) => x!.Text == y!.Text;

        public int GetHashCode(MetricLabels labels) => GetHashCode(labels._tags);

        public bool Equals(ReadOnlySpan<KeyValuePair<string, object?>> alternate, MetricLabels other)
        {
            if (alternate.Length != other._tags.Length)
                return false;
            for (int i = 0; i < alternate.Length; i++)
            {
                if (alternate[i].Key != other._tags[i].Key
                    || !Equals(alternate[i].Value, other._tags[i].Value))
                    return false;
            }
            return true;
        }

        public int GetHashCode(ReadOnlySpan<KeyValuePair<string, object?>> alternate)
        {
            var hash = new HashCode();
            foreach ((string name, object? value) in alternate)
            {
                hash.Add(name);
                hash.Add(value);
            }
            return hash.ToHashCode();
        }

        public MetricLabels Create(ReadOnlySpan<KeyValuePair<string, object?>> alternate) => new(alternate);
    }
}
