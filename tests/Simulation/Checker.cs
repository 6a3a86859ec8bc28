using Streams.Log;
using Streams.Processing;

using Streams.Tests.Reference;

namespace Streams.Tests.Simulation;

/// <summary>Compares what the engine has with what the reference says it must have.</summary>
internal static class Checker
{
    /// <summary>The log's topics and positions, and the state of tasks that were just restored.</summary>
    internal static void CheckEngine(
        Plan plan, ReferenceModel model, ITopicLog log, IEnumerable<StreamTask> tasks)
    {
        HashSet<string> opaque = plan.OpaqueTopics;
        IEnumerable<string> letters = log.Topics.Select(t => t.Name).Where(LoggedRow.IsDeadLetter);
        foreach (string name in model.TopicsRead.Concat(plan.SinkTopics).Concat(letters))
        {
            Topic topic = log.FindTopic(name) ?? throw new SimulationFailureException($"No topic {name}.");
            for (int p = 0; p < topic.Partitions; p++)
                CheckPartition(model, log, topic, p, opaque.Contains(name));
        }
        foreach (StreamTask task in tasks)
            CheckState(plan, model, task);
    }

    /// <summary>The rows of the target: each partition's are what the log has, from the start.</summary>
    internal static void CheckTarget(Plan plan, ReferenceModel model, SimulatedTarget target, bool complete)
    {
        foreach (string topic in plan.SinkTopics)
        {
            for (int p = 0; p < plan.Partitions; p++)
            {
                var place = new Place(topic, p);
                List<Row> found = [.. target.Rows.Where(r => r.Place == place).Select(r => r.Row)];
                int count = complete ? model.Records(place).Count : found.Count;
                Compare($"the target has of {place}", model.Records(place).Take(count), found);
            }
        }
    }

    /// <summary>That the topics of the feeds have their records, in order.</summary>
    internal static void CheckFeeds(
        ReferenceModel model, IEnumerable<SimulatedFeed> feeds, bool complete)
    {
        foreach (SimulatedFeed feed in feeds)
        {
            IEnumerable<Row> rows = model.Topics.Where(t => t.Key.Topic == feed.Topic)
                .SelectMany(t => t.Value);
            if (feed.Compare(rows, complete) is { } difference)
                throw new SimulationFailureException(difference);
        }
    }

    private static void CheckPartition(
        ReferenceModel model, ITopicLog log, Topic topic, int p, bool isOpaque)
    {
        var place = new Place(topic.Name, p);
        long position = log.CommittedOffset(SimulatedRun.ApplicationId, topic[p]) ?? 0;
        long expected = model.Positions.GetValueOrDefault(place);
        if (position != expected)
            throw new SimulationFailureException($"{place} was processed to {expected}, not {position}.");
        // What tasks hand one another may go once it is processed, and not before.
        long start = log.StartOffset(topic[p]);
        bool isOwn = place.Topic.EndsWith("-repartition", StringComparison.Ordinal);
        if (start > (isOwn ? expected : 0))
            throw new SimulationFailureException($"{place} begins at {start}; processed is {expected}.");
        var found = new List<Row>();
        using ILogReader reader = log.OpenReader(ReadLevel.Committed);
        using LogBatch batch = reader.CreateBatch();
        for (long offset = start; reader.Read(topic[p], offset, batch); offset = batch.NextOffset)
        {
            while (batch.TryRead(out LogRecord record))
            {
                if (record.Offset != start + found.Count)
                    throw new SimulationFailureException(
                        $"{place} has offset {record.Offset} where {start + found.Count} was next.");
                Row row = LoggedRow.Of(topic.Name, record);
                found.Add(isOpaque ? row with { Value = null } : row);
            }
        }
        Compare($"{place} has from {start} on", model.Records(place).Skip((int)start).Select(
            row => isOpaque ? row with { Value = null } : row), found);
    }

    private static void CheckState(Plan plan, ReferenceModel model, StreamTask task)
    {
        foreach (PlanOperator any in plan.Operators.Where(o => task.Scope.Stores.Keys.Any(
            s => s == o.StoreName || s.StartsWith(o.StoreName + "-", StringComparison.Ordinal))))
        {
            if (any.CompareState(task.Scope, model.Reference(any, task.Id.Partition)) is { } difference)
                throw new SimulationFailureException($"Task {task.Id}: {difference}");
        }
    }

    private static void Compare(string what, IEnumerable<Row> expected, List<Row> found)
    {
        List<Row> all = [.. expected];
        if (all.SequenceEqual(found))
            return;
        int at = Enumerable.Range(0, all.Count).FirstOrDefault(
            i => i >= found.Count || all[i] != found[i], all.Count);
        throw new SimulationFailureException(
            $"{what} {found.Count} record(s), not {all.Count}; the first difference is at {at}: " +
            $"{(at < found.Count ? found[at] : "nothing")}, not {(at < all.Count ? all[at] : "nothing")}.");
    }
}
