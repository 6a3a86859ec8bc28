using System.Diagnostics.Metrics;

namespace Streams.Telemetry;

/// <summary>The engine's instruments. Names, units and meaning: docs/metrics.md, which a test compares with
/// this.</summary>
/// <remarks>Hot paths count in fields of their own and report per batch or commit.</remarks>
public static class EngineMeter
{
    /// <summary>The meter's name, for listeners.</summary>
    public const string Name = "Streams.Engine";

    private static readonly Meter Meter = new(Name);

    private static readonly Counter<long> Consumed = Meter.CreateCounter<long>(
        "streams_records_consumed", "records", "Records that tasks processed, by topic.");

    private static readonly Counter<long> Produced = Meter.CreateCounter<long>(
        "streams_records_produced", "records", "Records that sources emitted, by source.");

    private static readonly Counter<long> SourceBytes = Meter.CreateCounter<long>(
        "streams_source_bytes", "bytes", "Bytes that sources took in, by source.");

    private static readonly Counter<long> Written = Meter.CreateCounter<long>(
        "streams_sink_records", "records", "Records that sinks have committed, by sink.");

    private static readonly Counter<long> Failed = Meter.CreateCounter<long>(
        "streams_errors", "records", "What could not be read or processed, by source, stage and reason.");

    private static readonly Counter<long> Skipped = Meter.CreateCounter<long>(
        "streams_records_skipped", "records", "What was left out on purpose, by source and reason.");

    private static readonly Counter<long> Restarts = Meter.CreateCounter<long>(
        "streams_component_restarts", "restarts",
            "Components that failed and were started again, by component.");

    private static readonly Histogram<double> CommitSeconds = Meter.CreateHistogram<double>(
        "streams_commit_duration", "s", "How long commits take, by component.");

    private static readonly Histogram<double> StageSeconds = Meter.CreateHistogram<double>(
        "streams_stage_latency", "s",
            "From the append of a record to the commit of what came of it, by stage.");

    /// <summary>Records that a task processed.</summary>
    public static void RecordConsumed(string topic, long records) =>
        Consumed.Add(records, Tag("topic", topic));

    /// <summary>Records that a source emitted.</summary>
    public static void RecordProduced(string source, long records) =>
        Produced.Add(records, Tag("source", source));

    /// <summary>Bytes that a source took in.</summary>
    public static void RecordSourceBytes(string source, long bytes) =>
        SourceBytes.Add(bytes, Tag("source", source));

    /// <summary>Records that a sink committed.</summary>
    public static void RecordWritten(string sink, long records) => Written.Add(records, Tag("sink", sink));

    /// <summary>Something could not be read or processed.</summary>
    public static void RecordFailed(string source, string stage, string reason) =>
        Failed.Add(1, Tag("source", source), Tag("stage", stage), Tag("reason", reason));

    /// <summary>Something was left out on purpose.</summary>
    public static void RecordSkipped(string source, string reason, long count = 1) =>
        Skipped.Add(count, Tag("source", source), Tag("reason", reason));

    /// <summary>A component was started again.</summary>
    public static void RecordRestart(string component) => Restarts.Add(1, Tag("component", component));

    /// <summary>A commit took that long.</summary>
    public static void RecordCommit(string component, TimeSpan duration) =>
        CommitSeconds.Record(duration.TotalSeconds, Tag("component", component));

    /// <summary>From the append of a record to the commit of what came of it.</summary>
    public static void RecordStageLatency(string stage, TimeSpan latency) =>
        StageSeconds.Record(latency.TotalSeconds, Tag("stage", stage));

    private static KeyValuePair<string, object?> Tag(string name, string value) => new(name, value);
}
