using System.Diagnostics.Metrics;
using Streams.Log.Embedded.Files;
using Streams.Log.Embedded.Segments;
using Streams.Telemetry;

namespace Streams.Log.Embedded;

/// <summary>Size and room of a log, read when somebody scrapes.</summary>
internal sealed class EmbeddedLogGauges : IDisposable
{
    private readonly Meter _meter = new(EngineMeter.Name);
    private readonly LogState _state;
    private readonly KeyValuePair<string, object?> _log;

    internal EmbeddedLogGauges(string logId, LogState state, ILogFileSystem files)
    {
        _state = state;
        _log = new("log", logId);
        Add("streams_log_bytes", "Bytes of the embedded log's segments.", Bytes);
        Add("streams_log_segments", "Segments of the embedded log.", () => _state.Segments.Count);
        Add(
            "streams_log_unsynced_bytes", "Bytes that were committed and may not survive a power cut yet.",
            () => _state.Active.Length - _state.DurableEnd);
        _meter.CreateObservableGauge(
            "streams_log_disk_free_bytes", () => new Measurement<long>(files.FreeBytes(), _log), "bytes",
            "Bytes left on the disk of the embedded log.");
    }

    /// <inheritdoc/>
    public void Dispose() => _meter.Dispose();

    private long Bytes()
    {
        long bytes = 0;
        foreach (LogSegment segment in _state.Segments)
            bytes += segment.Length;
        return bytes;
    }

    private void Add(string name, string meaning, Func<long> read) =>
        _meter.CreateObservableGauge(name, () => Read(read), null, meaning);

    private Measurement<long> Read(Func<long> read)
    {
        lock (_state.Gate)
            return new Measurement<long>(read(), _log);
    }
}
