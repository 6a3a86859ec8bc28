using System.Diagnostics.Metrics;
using System.Globalization;

namespace Streams.Telemetry;

/// <summary>The engine's counters and histograms. Names, units and meaning: docs/metrics.md, which a test
/// compares with this and with the gauges of an application, a log and the process.</summary>
/// <remarks>Hot paths count in fields of their own and report per batch or commit.</remarks>
public static class EngineMeter
{
    /// <summary>The meters' name, for listeners.</summary>
    public const string Name = "Streams.Engine";

    private static readonly InstrumentAdvice<double> Seconds = new()
    {
        HistogramBucketBoundaries =
            [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    };

    private static readonly InstrumentAdvice<long> Bytes = new()
    {
        HistogramBucketBoundaries = [1 << 10, 1 << 14, 1 << 17, 1 << 20, 1 << 22, 1 << 24, 1 << 26, 1 << 28],
    };

    private static readonly Meter Meter = new(Name);

    private static readonly Counter<long> Consumed = Meter.CreateCounter<long>(
        "streams_records_consumed", "records", "Records that tasks have processed and committed, by topic.");

    private static readonly Counter<long> Produced = Meter.CreateCounter<long>(
        "streams_records_produced", "records", "Records that sources have committed, by source.");

    private static readonly Counter<long> SourceBytes = Meter.CreateCounter<long>(
        "streams_source_bytes", "bytes", "Bytes that sources took in, by source.");

    private static readonly Counter<long> Written = Meter.CreateCounter<long>(
        "streams_sink_records", "records", "Records that sinks have committed, by sink.");

    private static readonly Counter<long> Failed = Meter.CreateCounter<long>(
        "streams_errors", "records",
        "What could not be read, processed or written, whatever became of it, by source, stage and reason.");

    private static readonly Counter<long> DeadLetters = Meter.CreateCounter<long>(
        "streams_dead_letters", "records",
        "What was kept as a dead letter, by source, stage and reason.");

    private static readonly Counter<long> Skipped = Meter.CreateCounter<long>(
        "streams_records_skipped", "records", "What was left out on purpose, by source and reason.");

    private static readonly Counter<long> Restarts = Meter.CreateCounter<long>(
        "streams_component_restarts", "restarts",
        "Components that failed and were started again, by component.");

    private static readonly Counter<long> CallRetries = Meter.CreateCounter<long>(
        "streams_async_retries", "attempts",
        "Further attempts of asynchronous calls, by operator.");

    private static readonly Counter<long> CallTimeouts = Meter.CreateCounter<long>(
        "streams_async_timeouts", "attempts",
        "Asynchronous calls and attempts of them whose time was over, by operator.");

    private static readonly Histogram<double> CallSeconds = Meter.CreateHistogram(
        "streams_async_call_duration", "s",
        "How long asynchronous calls take with all their attempts, by operator and outcome.", null, Seconds);

    private static readonly Counter<long> Snapshots = Meter.CreateCounter<long>(
        "streams_snapshots", "snapshots", "State snapshots that were completed, by store.");

    private static readonly Histogram<double> CommitSeconds = Meter.CreateHistogram(
        "streams_commit_duration", "s", "How long commits of components take, by component.", null, Seconds);

    private static readonly Histogram<double> SinkFlushSeconds = Meter.CreateHistogram(
        "streams_sink_flush_duration", "s",
        "How long targets take to make what was written survive, by sink.", null, Seconds);

    private static readonly Histogram<double> StageSeconds = Meter.CreateHistogram(
        "streams_stage_latency", "s",
        "Time that the oldest record of a commit took through a stage: read, process, sink or total.", null,
        Seconds);

    private static readonly Histogram<double> InputWaitSeconds = Meter.CreateHistogram(
        "streams_input_wait_duration", "s",
        "How long a task held its records back, each time, for a partition that had none, by topic.", null,
        Seconds);

    private static readonly Histogram<double> RestoreSeconds = Meter.CreateHistogram(
        "streams_restore_duration", "s", "How long stores took to come back at a start, by store.", null,
        Seconds);

    private static readonly Histogram<double> TaskStartSeconds = Meter.CreateHistogram(
        "streams_task_start_duration", "s",
        "How long tasks took to be at work, from when this process was to run them, by sub-topology.", null,
        Seconds);

    private static readonly Counter<long> Rebalances = Meter.CreateCounter<long>(
        "streams_rebalances", "rebalances",
        "Times that lanes came to this process or went from it, by change: assigned, revoked or lost.");

    private static readonly Histogram<double> RevocationSeconds = Meter.CreateHistogram(
        "streams_revocation_duration", "s",
        "How long this process took to commit and let go of lanes that went to another.", null, Seconds);

    private static readonly Histogram<double> LogCommitSeconds = Meter.CreateHistogram(
        "streams_log_commit_duration", "s",
        "How long the embedded log takes to write a commit, waiting for its turn included.", null, Seconds);

    private static readonly Histogram<double> LogSyncSeconds = Meter.CreateHistogram(
        "streams_log_fsync_duration", "s", "How long the embedded log's fsyncs take.", null, Seconds);

    private static readonly Histogram<long> LogCommitBytes = Meter.CreateHistogram(
        "streams_log_commit_bytes", "bytes", "Sizes of the embedded log's commits.", null, Bytes);

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

    /// <summary>Something could not be read, processed or written.</summary>
    /// <param name="source">The source's name, or the topic that it was read from.</param>
    /// <param name="stage">read, decode, process or write.</param>
    /// <param name="reason">A stable code: a defect's name or an exception's type.</param>
    /// <param name="isKept">Whether it becomes a dead letter.</param>
    public static void RecordFailed(string source, string stage, string reason, bool isKept)
    {
        Failed.Add(1, Tag("source", source), Tag("stage", stage), Tag("reason", reason));
        if (isKept)
            DeadLetters.Add(1, Tag("source", source), Tag("stage", stage), Tag("reason", reason));
    }

    /// <summary>Something was left out on purpose.</summary>
    public static void RecordSkipped(string source, string reason, long count = 1) =>
        Skipped.Add(count, Tag("source", source), Tag("reason", reason));

    /// <summary>A component was started again.</summary>
    public static void RecordRestart(string component) => Restarts.Add(1, Tag("component", component));

    /// <summary>Another attempt of an asynchronous call is made.</summary>
    public static void RecordCallRetry(string name) => CallRetries.Add(1, Tag("operator", name));

    /// <summary>The time of an asynchronous call, or of an attempt of it, is over.</summary>
    public static void RecordCallTimeout(string name) => CallTimeouts.Add(1, Tag("operator", name));

    /// <summary>An asynchronous call has ended.</summary>
    /// <param name="name">The operator's name.</param>
    /// <param name="outcome">done or failed.</param>
    /// <param name="duration">How long it took with all its attempts.</param>
    public static void RecordCall(string name, string outcome, TimeSpan duration) =>
        CallSeconds.Record(duration.TotalSeconds, Tag("operator", name), Tag("outcome", outcome));

    /// <summary>A commit took that long.</summary>
    public static void RecordCommit(string component, TimeSpan duration) =>
        CommitSeconds.Record(duration.TotalSeconds, Tag("component", component));

    /// <summary>A sink's target took that long to make what was written survive.</summary>
    public static void RecordSinkFlush(string sink, TimeSpan duration) =>
        SinkFlushSeconds.Record(duration.TotalSeconds, Tag("sink", sink));

    /// <summary>The oldest record of a commit took that long through a stage.</summary>
    public static void RecordStageLatency(string stage, TimeSpan latency) =>
        StageSeconds.Record(latency.TotalSeconds, Tag("stage", stage));

    /// <summary>A task held its records back for that long because a partition had none.</summary>
    public static void RecordInputWait(string topic, TimeSpan duration) =>
        InputWaitSeconds.Record(duration.TotalSeconds, Tag("topic", topic));

    /// <summary>A snapshot of a store is complete.</summary>
    public static void RecordSnapshot(string store) => Snapshots.Add(1, Tag("store", store));

    /// <summary>A store came back.</summary>
    public static void RecordRestore(string store, TimeSpan duration) =>
        RestoreSeconds.Record(duration.TotalSeconds, Tag("store", store));

    /// <summary>A task is at work that long after this process was to run it.</summary>
    public static void RecordTaskStart(int subTopology, TimeSpan duration) => TaskStartSeconds.Record(
        duration.TotalSeconds,
        Tag("sub_topology", subTopology.ToString(CultureInfo.InvariantCulture)));

    /// <summary>Lanes came to this process or went from it.</summary>
    /// <param name="change">assigned, revoked or lost.</param>
    public static void RecordRebalance(string change) => Rebalances.Add(1, Tag("change", change));

    /// <summary>Lanes were let go of.</summary>
    public static void RecordRevocation(TimeSpan duration) =>
        RevocationSeconds.Record(duration.TotalSeconds);

    /// <summary>The embedded log wrote a commit.</summary>
    public static void RecordLogCommit(int bytes, TimeSpan duration)
    {
        LogCommitSeconds.Record(duration.TotalSeconds);
        LogCommitBytes.Record(bytes);
    }

    /// <summary>The embedded log synced a file.</summary>
    public static void RecordLogSync(TimeSpan duration) => LogSyncSeconds.Record(duration.TotalSeconds);

    private static KeyValuePair<string, object?> Tag(string name, string value) => new(name, value);
}
