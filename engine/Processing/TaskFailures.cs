using Streams.Errors;
using Streams.Log;
using Streams.State;
using Streams.Telemetry;

namespace Streams.Processing;

/// <summary>Writes the dead letters of a task and counts its failures.</summary>
internal sealed class TaskFailures(TaskScope scope, SubTopology part, TaskEnvironment environment)
    : IFailureSink, IDisposable
{
    private readonly DeadLetterWriter _letters = new(scope.Writer, environment.Options.DeadLetterBytesMax);
    private ILogReader? _reader;

    public void Report(FailureStage stage, FailurePolicy policy, in LogRecord record, Exception reason)
    {
        string topic = TopicName(scope.CurrentPartition);
        string stageName = stage == FailureStage.Decoding ? "decode" : "process";
        EngineMeter.RecordFailed(
            topic, stageName, reason.GetType().Name, isKept: policy == FailurePolicy.DeadLetter);
        if (policy != FailurePolicy.DeadLetter)
            return;
        // Silent records failed before, in the run that processed them first.
        if (scope.Territory == Territory.Silent)
            return;
        Topic target = environment.Topic(topic + DeadLetterTopics.Suffix);
        _letters.Delivered = scope.Territory == Territory.Known
            ? scope.Backfill!.DeliveredTo(target, DeadLetterWriter.CreateIdentify())
            : null;
        string? name = stage == FailureStage.Processing ? part.NameOf(scope.CurrentNode) : null;
        _letters.Write(target, stageName, topic, scope.CurrentPartition, record, name, reason);
    }

    // The record's bytes are gone from the batch by now, so they are read again: failures are rare. One that
    // waited for a call may be past its topic's retention; then the letter says where it was.
    public void ReportCurrent(FailureStage stage, FailurePolicy policy, Exception reason)
    {
        _reader ??= environment.Log.OpenReader(ReadLevel.Committed);
        using LogBatch batch = _reader.CreateBatch();
        bool isThere = _reader.ReadOrWait(scope.CurrentPartition, scope.CurrentOffset, batch);
        if (isThere && batch.TryRead(out LogRecord record) && record.Offset == scope.CurrentOffset)
            Report(stage, policy, record, reason);
        else
            Report(stage, policy, new LogRecord { Offset = scope.CurrentOffset, TimestampMs = 0 }, reason);
        // Nothing is fetched ahead for the next failure, which may be far away.
        _reader.Close(scope.CurrentPartition);
    }

    public Exception Stop(FailureStage stage, Exception reason)
    {
        string topic = TopicName(scope.CurrentPartition);
        string what = stage == FailureStage.Decoding
            ? $"The record at offset {scope.CurrentOffset} of {topic} {scope.CurrentPartition.Partition} "
                + "cannot be decoded"
            : $"'{part.NameOf(scope.CurrentNode)}' cannot process the record at offset {scope.CurrentOffset} "
                + $"of {topic} {scope.CurrentPartition.Partition}";
        string option = stage == FailureStage.Decoding ? "decoding_failures" : "processing_failures";
        return new RecordFailedException(
            $"{what}: {reason.GetType().Name}: {reason.Message} Read it with 'streams tap {topic}'; to go on "
            + $"without it set runtime.{option} to dead_letter.", reason);
    }

    public Exception AtLimit(StateLimitException reason)
    {
        GraphNode? node = part.Nodes.FirstOrDefault(n => n.Id == scope.CurrentNode);
        return node is null
            ? reason
            : new StateLimitException(
                $"'{node.Name}' cannot keep what it needs (stores: {string.Join(", ", node.Stores)}). "
                + reason.Message);
    }

    public void CountSkipped(string reason) =>
        EngineMeter.RecordSkipped(TopicName(scope.CurrentPartition), reason);

    public void Dispose()
    {
        _letters.Dispose();
        _reader?.Dispose();
    }

    private string TopicName(TopicPartition partition) => environment.TopicName(partition.Topic);
}
