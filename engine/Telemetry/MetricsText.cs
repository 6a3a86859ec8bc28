using System.Diagnostics.Metrics;
using System.Text;

namespace Streams.Telemetry;

/// <summary>Collects what the instruments report and writes it as Prometheus text.</summary>
/// <remarks>
/// Source: Prometheus text exposition format 0.0.4. A counter's name ends in <c>_total</c>; an instrument
/// whose unit is seconds carries it in the name. What was reported once costs nothing to allocate when it is
/// reported again.
/// </remarks>
public sealed class MetricsText : IDisposable
{
    private readonly SortedDictionary<string, MetricFamily> _families = new(StringComparer.Ordinal);
    private readonly MeterListener _listener = new();

    /// <summary>Listens to the engine's meters from now on.</summary>
    public MetricsText()
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == EngineMeter.Name)
                listener.EnableMeasurementEvents(instrument, FamilyOf(instrument));
        };
        // A meter that is disposed of in the middle of a scrape is observed once more, without its family.
        _listener.SetMeasurementEventCallback<long>(
            static (_, value, tags, family) => ((MetricFamily?)family)?.Record(value, tags));
        _listener.SetMeasurementEventCallback<double>(
            static (_, value, tags, family) => ((MetricFamily?)family)?.Record(value, tags));
        _listener.Start();
    }

    /// <summary>Everything, as a scrape wants it: one scrape at a time.</summary>
    public string Write()
    {
        var text = new StringBuilder();
        lock (_listener)
        {
            MetricFamily[] families;
            lock (_families)
                families = [.. _families.Values];
            foreach (MetricFamily family in families)
                family.ForgetObserved();
            _listener.RecordObservableInstruments();
            foreach (MetricFamily family in families)
                family.Write(text);
        }
        return text.ToString();
    }

    /// <summary>The exposed name of an instrument.</summary>
    public static string NameOf(Instrument instrument)
    {
        string name = instrument.Unit == "s" ? instrument.Name + "_seconds" : instrument.Name;
        return MetricFamily.TypeOf(instrument) == "counter" ? name + "_total" : name;
    }

    /// <inheritdoc/>
    public void Dispose() => _listener.Dispose();

    // Instruments of one name belong to several applications or logs of the process.
    private MetricFamily FamilyOf(Instrument instrument)
    {
        string name = NameOf(instrument);
        lock (_families)
        {
            if (!_families.TryGetValue(name, out MetricFamily? family))
                _families[name] = family = new MetricFamily(name, instrument);
            return family;
        }
    }
}
