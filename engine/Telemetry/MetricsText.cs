using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;

namespace Streams.Telemetry;

/// <summary>Collects what the instruments report and writes it as Prometheus text.</summary>
/// <remarks>
/// Source: Prometheus text exposition format 0.0.4. A counter's name ends in <c>_total</c>; an instrument
/// whose unit is seconds or bytes carries it in the name.
/// </remarks>
public sealed class MetricsText : IDisposable
{
    private static readonly double[] SecondsBuckets =
        [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

    private readonly SortedDictionary<string, Family> _families = new(StringComparer.Ordinal);
    private readonly MeterListener _listener = new();

    /// <summary>Listens to the engine's meter from now on.</summary>
    public MetricsText()
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == EngineMeter.Name)
                listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<long>(
            (instrument, value, tags, _) => Record(instrument, value, tags));
        _listener.SetMeasurementEventCallback<double>(
            (instrument, value, tags, _) => Record(instrument, value, tags));
        _listener.Start();
    }

    /// <summary>Everything, as a scrape wants it.</summary>
    public string Write()
    {
        lock (_families)
        {
            foreach (Family family in _families.Values.Where(f => f.IsObserved))
                family.Series.Clear();
        }
        _listener.RecordObservableInstruments();
        var text = new StringBuilder();
        lock (_families)
        {
            foreach ((string name, Family family) in _families)
                Write(text, name, family);
        }
        return text.ToString();
    }

    /// <summary>The exposed name of an instrument.</summary>
    public static string NameOf(Instrument instrument)
    {
        string name = instrument.Unit switch
        {
            "s" => instrument.Name + "_seconds",
            _ => instrument.Name,
        };
        return instrument is Counter<long> or ObservableCounter<long> ? name + "_total" : name;
    }

    /// <inheritdoc/>
    public void Dispose() => _listener.Dispose();

    private void Record(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        string labels = Labels(tags);
        lock (_families)
        {
            string name = NameOf(instrument);
            if (!_families.TryGetValue(name, out Family? family))
                _families[name] = family = new Family(instrument);
            if (!family.Series.TryGetValue(labels, out Series? series))
                family.Series[labels] = series = new Series(family.IsHistogram ? SecondsBuckets.Length : 0);
            series.Add(value, family);
        }
    }

    private static void Write(StringBuilder text, string name, Family family)
    {
        text.Append($"# HELP {name} {family.Help}\n# TYPE {name} {family.Type}\n");
        foreach ((string labels, Series series) in family.Series)
        {
            if (family.IsHistogram)
                WriteHistogram(text, name, labels, series);
            else
                text.Append($"{name}{Braces(labels)} {Number(series.Sum)}\n");
        }
    }

    private static void WriteHistogram(StringBuilder text, string name, string labels, Series series)
    {
        string front = labels.Length == 0 ? "" : labels + ",";
        long below = 0;
        for (int i = 0; i < SecondsBuckets.Length; i++)
        {
            below += series.Buckets[i];
            text.Append($"{name}_bucket{{{front}le=\"{Number(SecondsBuckets[i])}\"}} {below}\n");
        }
        text.Append($"{name}_bucket{{{front}le=\"+Inf\"}} {series.Count}\n");
        text.Append($"{name}_sum{Braces(labels)} {Number(series.Sum)}\n");
        text.Append($"{name}_count{Braces(labels)} {series.Count}\n");
    }

    private static string Labels(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var text = new StringBuilder();
        foreach ((string key, object? value) in tags)
        {
            string escaped = $"{value}".Replace("\\", "\\\\", StringComparison.Ordinal)
                .Replace("\"", "\\\"", StringComparison.Ordinal).Replace(
                    "\n", "\\n", StringComparison.Ordinal);
            text.Append(text.Length == 0 ? "" : ",").Append($"{key}=\"{escaped}\"");
        }
        return text.ToString();
    }

    private static string Braces(string labels) => labels.Length == 0 ? "" : $"{{{labels}}}";

    private static string Number(double value) => value.ToString("R", CultureInfo.InvariantCulture);

    private sealed class Family(Instrument instrument)
    {
        internal bool IsHistogram { get; } = instrument is Histogram<double>;

        internal bool IsObserved { get; } = instrument.IsObservable;

        internal string Type => IsHistogram ? "histogram" : instrument is Counter<long>
            or ObservableCounter<long> ? "counter" : "gauge";

        internal string Help => instrument.Description ?? "";

        internal SortedDictionary<string, Series> Series { get; } = new(StringComparer.Ordinal);
    }

    private sealed class Series(int buckets)
    {
        internal long[] Buckets { get; } = new long[buckets];

        internal double Sum { get; private set; }

        internal long Count { get; private set; }

        internal void Add(double value, Family family)
        {
            if (family.IsObserved)
            {
                Sum = value;
                return;
            }
            Sum += value;
            Count++;
            for (int i = 0; i < Buckets.Length; i++)
            {
                if (value > SecondsBuckets[i])
                    continue;
                Buckets[i]++;
                break;
            }
        }
    }
}
