using Microsoft.Extensions.Logging;

namespace Streams.Telemetry;

/// <summary>What the engine tells its operators. One method per message, so that the list of them is
/// here.</summary>
internal static partial class EngineLog
{
    [LoggerMessage(
        1, LogLevel.Warning, "{Component} failed and starts again in {DelaySeconds:F1} s: {Reason}")]
    internal static partial void ComponentRestarts(
        this ILogger logger, string component, double delaySeconds, string reason);

    [LoggerMessage(2, LogLevel.Error, "{Component} failed for good: {Reason}")]
    internal static partial void ComponentFailed(this ILogger logger, string component, string reason);

    [LoggerMessage(3, LogLevel.Information, "{Application} runs {Tasks} tasks on {Threads} threads")]
    internal static partial void ApplicationStarted(
        this ILogger logger, string application, int tasks, int threads);

    [LoggerMessage(
        5, LogLevel.Information,
        "{Task} restored {Store} from {From}: {Entries} entries, {Replayed} changelog records replayed, " +
            "{Seconds:F2} s, of which {LoadSeconds:F2} s to load")]
    internal static partial void StoreRestored(
        this ILogger logger, string task, string store, string from, long entries, long replayed,
        double seconds, double loadSeconds);

    [LoggerMessage(
        12, LogLevel.Information,
        "{Task} restores {Store}: {Percent} % of {From} after {Seconds:F0} s")]
    internal static partial void StoreRestoring(
        this ILogger logger, string task, string store, int percent, string from, double seconds);

    [LoggerMessage(
        6, LogLevel.Warning,
        "The disk of the log is full: commits wait, nothing is lost, and work goes on when there is room. " +
            "{Reason}")]
    internal static partial void LogFull(this ILogger logger, string reason);

    [LoggerMessage(7, LogLevel.Information, "There is room on the disk of the log again: work goes on")]
    internal static partial void LogHasRoom(this ILogger logger);

    [LoggerMessage(
        8, LogLevel.Warning,
        "{Sink} refused the record at offset {Offset} of {Topic} {Partition} ({Policy}): {Reason}")]
    internal static partial void RecordRejected(
        this ILogger logger, string sink, long offset, string topic, int partition, string policy,
        string reason);

    [LoggerMessage(9, LogLevel.Information, "The topology changed: {Kind} '{Subject}' {What}")]
    internal static partial void TopologyChanged(
        this ILogger logger, string kind, string subject, string what);

    [LoggerMessage(10, LogLevel.Information, "Deleted the topic {Topic}, which the topology does without")]
    internal static partial void TopicDeleted(this ILogger logger, string topic);

    [LoggerMessage(
        11, LogLevel.Warning,
        "Nothing of '{Name}' is lost by this start: take its --accept-loss away, or it lets a later change " +
            "pass")]
    internal static partial void LossAcceptedNeedlessly(this ILogger logger, string name);

    [LoggerMessage(
        16, LogLevel.Warning,
        "{Operator} of task {Task} makes no calls for {PauseSeconds:F1} s, for too many of them failed, " +
            "the last one of: {Reason}")]
    internal static partial void BreakerOpened(
        this ILogger logger, string @operator, string task, double pauseSeconds, string reason);

    [LoggerMessage(17, LogLevel.Information, "{Operator} of task {Task} makes calls again")]
    internal static partial void BreakerClosed(this ILogger logger, string @operator, string task);

    [LoggerMessage(
        12, LogLevel.Information,
        "{Application} processes again what it was asked to ({Words}): {Records} records are left")]
    internal static partial void BackfillUnderWay(
        this ILogger logger, string application, string words, long records);

    [LoggerMessage(13, LogLevel.Information,
        "{Application} has processed again what it was asked to ({Words})")]
    internal static partial void BackfillDone(this ILogger logger, string application, string words);

    [LoggerMessage(
        14, LogLevel.Information,
            "The store {Store} is migrated: partition {Partition}, {Done} of {Count} entries")]
    internal static partial void StoreMigrates(
        this ILogger logger, string store, int partition, long done, long count);

    [LoggerMessage(15, LogLevel.Information, "The store {Store} is migrated")]
    internal static partial void StoreMigrated(this ILogger logger, string store);

    [LoggerMessage(18, LogLevel.Warning, "{Sink}: {Note}")]
    internal static partial void SinkNote(this ILogger logger, string sink, string note);

    [LoggerMessage(20, LogLevel.Debug, "librdkafka ({Client}): {Message}")]
    internal static partial void KafkaMessage(this ILogger logger, string client, string message);

    [LoggerMessage(
        27, LogLevel.Warning,
        "{Partition}: the records from offset {From} to before {To} were deleted before they were read. " +
            "Kafka deletes by the records' own times: a topic for history needs retention.ms=-1")]
    internal static partial void RecordsDeleted(this ILogger logger, string partition, long from, long to);

    [LoggerMessage(
        28, LogLevel.Warning,
        "What is processed between the application's parts could not be deleted: {Reason}")]
    internal static partial void RepartitionsNotPurged(this ILogger logger, string reason);

    [LoggerMessage(26, LogLevel.Information, "Kafka at {Brokers} answers again")]
    internal static partial void BrokersAnswerAgain(this ILogger logger, string brokers);

    [LoggerMessage(21, LogLevel.Warning, "Kafka ({Client}): {Reason} ({Code})")]
    internal static partial void KafkaError(this ILogger logger, string client, string reason, string code);

    [LoggerMessage(22, LogLevel.Information, "A transaction was aborted and is sent again: {Reason}")]
    internal static partial void TransactionSentAgain(this ILogger logger, string reason);

    [LoggerMessage(23, LogLevel.Error, "The membership in the group {Group} ended: {Reason}")]
    internal static partial void MembershipEnded(this ILogger logger, string group, string reason);

    [LoggerMessage(24, LogLevel.Information, "{Group}: lanes {Added} came to this process, which has {All}")]
    internal static partial void LanesAssigned(
        this ILogger logger, string group, string added, string all);

    [LoggerMessage(30, LogLevel.Information, "{Group}: this process stands by for lanes {Lanes}")]
    internal static partial void StandbysChosen(this ILogger logger, string group, string lanes);

    [LoggerMessage(
        33, LogLevel.Information, "{Task}: the standby of {Store} is up to date, with {Entries} entries")]
    internal static partial void StandbyUpToDate(
        this ILogger logger, string task, string store, long entries);

    [LoggerMessage(
        31, LogLevel.Warning, "{Thread}: its standbys wait for the log: {Reason}")]
    internal static partial void StandbysWait(this ILogger logger, string thread, string reason);

    [LoggerMessage(
        32, LogLevel.Warning,
        "The standby of task {Task} is given up; the task is restored as a whole when it comes here: " +
            "{Reason}")]
    internal static partial void StandbyFailed(this ILogger logger, string task, string reason);

    [LoggerMessage(
        25, LogLevel.Information,
        "{Group}: lanes {Removed} were {How} after {Milliseconds} ms; this process has {All}")]
    internal static partial void LanesRevoked(
        this ILogger logger, string group, string how, string removed, string all, long milliseconds);

    [LoggerMessage(4, LogLevel.Information, "{Application} is stopped; everything processed is committed")]
    internal static partial void ApplicationStopped(this ILogger logger, string application);
}
