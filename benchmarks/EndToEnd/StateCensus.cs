using System.Diagnostics.Metrics;
using System.Globalization;

namespace Streams.Benchmarks.EndToEnd;

/// <summary>What the stores of an application hold, by its own gauges.</summary>
internal static class StateCensus
{
    private const string EntriesGauge = "streams_state_entries";
    private const string BytesGauge = "streams_state_bytes";

    /// <summary>Entries and memory of each store, over all tasks.</summary>
    internal static Dictionary<string, string> Take()
    {
        var entries = new SortedDictionary<string, long>(StringComparer.Ordinal);
        var bytes = new Dictionary<string, long>(StringComparer.Ordinal);
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (instrument.Name is EntriesGauge or BytesGauge)
                self.EnableMeasurementEvents(instrument, instrument.Name == EntriesGauge ? entries : bytes);
        };
        listener.SetMeasurementEventCallback<long>((_, value, tags, sums) => Add(sums, tags, value));
        listener.Start();
        listener.RecordObservableInstruments();
        return entries.ToDictionary(e => e.Key, e => string.Create(
            CultureInfo.InvariantCulture, $"{e.Value:N0} entries, {bytes.GetValueOrDefault(e.Key):N0} B"));
    }

    private static void Add(object? sums, ReadOnlySpan<KeyValuePair<string, object?>> tags, long value)
    {
        foreach ((string name, object? store) in tags)
        {
            if (name != "store" || sums is not IDictionary<string, long> known)
                continue;
            known.TryGetValue($"{store}", out long before);
            known[$"{store}"] = before + value;
        }
    }
}
