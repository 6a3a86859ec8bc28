using Streams.Log;
using Streams.Telemetry;

namespace Streams.Processing;

/// <summary>
/// Deletes what is processed of the topics between an application's parts. Kafka would go by the records' own
/// times, and delete history before it is processed; so they are kept for ever there, and cut off here.
/// </summary>
/// <remarks>Kafka Streams does so too (KIP-220).</remarks>
internal sealed class RepartitionPurge(TaskEnvironment environment)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(30);

    private readonly List<(TopicPartition Partition, long Position)> _processed = [];
    private long _last = environment.Clock.GetTimestamp();

    /// <summary>Notes, now and then, up to where a commit has come that is about to be made.</summary>
    internal void Collect(IReadOnlyList<StreamTask> tasks)
    {
        if (!environment.Log.SharesWork || environment.Clock.GetElapsedTime(_last) < Interval)
            return;
        _last = environment.Clock.GetTimestamp();
        foreach (TaskInput input in tasks.SelectMany(t => t.Inputs))
        {
            if (input.Node is SourceNode { IsInternal: true } && input.CommittedPosition > 0)
                _processed.Add((input.Partition, input.CommittedPosition));
        }
    }

    /// <summary>Deletes what was noted, once that commit is made; beside the processing.</summary>
    internal void Begin()
    {
        if (_processed.Count == 0)
            return;
        (TopicPartition, long)[] processed = [.. _processed];
        _processed.Clear();
        _ = Task.Factory.StartNew(
            () => Delete(processed), CancellationToken.None, TaskCreationOptions.DenyChildAttach,
            environment.Background);
    }

    private void Delete((TopicPartition Partition, long Position)[] processed)
    {
        try
        {
            foreach ((TopicPartition partition, long position) in processed)
                environment.Log.DeleteRecordsBefore(partition, position);
        }
        catch (LogException e)
        {
            // Kept a while longer.
            environment.Logger.RepartitionsNotPurged(e.Message);
        }
    }
}
