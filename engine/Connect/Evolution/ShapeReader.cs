using Streams.Log;
using Streams.Processing;
using Streams.State;

namespace Streams.Connect.Evolution;

/// <summary>Makes the shape of an application as it would run, and creates nothing.</summary>
internal static class ShapeReader
{
    /// <summary>The shape.</summary>
    /// <param name="definition">The application.</param>
    /// <param name="topics">The log's topics, with those that the application would create.</param>
    /// <exception cref="TopologyException">It cannot run.</exception>
    internal static TopologyShape Read(ApplicationDefinition definition, PlannedTopics topics)
    {
        Topology topology = definition.Topology;
        IReadOnlyList<TaskId> tasks = new TopicSetup(definition, topics).Prepare();
        var stores = new List<RecordedStore>();
        foreach (SubTopology part in topology.Parts)
        {
            int partitions = tasks.Count(t => t.SubTopology == part.Id);
            stores.AddRange(part.Stores.Select(s => new RecordedStore
            {
                Name = s.Name,
                Shape = definition.Runtime.IsOnDisk(s)
                    ? s.Shape with { Kind = StoresOnDisk.Kind }
                    : s.Shape,
                Partitions = partitions,
                Logged = s.Options.Logged,
                Savepoints = s.Savepoints,
            }));
            if (part.Stores.Any(s => s.Savepoints))
                stores.Add(Own(Topology.SavepointStore, UndoShape(part), partitions));
        }
        stores.Add(Own(Topology.StreamTimeStore, "stream-time", tasks.Max(t => t.Partition) + 1));
        return new TopologyShape
        {
            Application = definition.Id,
            Stores = [.. stores.OrderBy(s => s.Name, StringComparer.Ordinal)],
            Sources = [.. topology.SourceTopics.Select(t => new RecordedTopic(t, PartitionsOf(topics, t)))],
            Repartitions = [.. topology.Repartitions.Keys.Select(t => $"{definition.Id}-{t}")
                .Order(StringComparer.Ordinal).Select(t => new RecordedTopic(t, PartitionsOf(topics, t)))],
            Sinks = topology.SinkTopics,
            Operators = [.. topology.Parts.SelectMany(p => p.Nodes).Select(n => n.Name)
                .Order(StringComparer.Ordinal)],
        };
    }

    // What is kept for rollbacks names its stores by their numbers, which follow from their order.
    private static StoreShape UndoShape(SubTopology part) => new(
        "savepoints", "", string.Join(',', part.Stores.Where(s => s.Savepoints).Select(s => s.Name)));

    private static RecordedStore Own(string name, StoreShape shape, int partitions) =>
        new() { Name = name, Shape = shape, Partitions = partitions, Logged = true };

    private static int PartitionsOf(PlannedTopics topics, string name) => topics.FindTopic(name)!.Partitions;
}

/// <summary>A log's topics, and beside them those that an application would create.</summary>
internal sealed class PlannedTopics(ILogContents log) : ITopics
{
    private readonly Dictionary<string, Topic> _planned = new(StringComparer.Ordinal);

    public IReadOnlyList<Topic> Topics =>
        [.. log.Topics.Where(t => !_planned.ContainsKey(t.Name)).Concat(_planned.Values)
            .OrderBy(t => t.Name, StringComparer.Ordinal)];

    /// <summary>Topics that exist with other partitions than are asked for.</summary>
    internal IEnumerable<(Topic Existing, Topic Planned)> Mismatches =>
        _planned.Values.OrderBy(t => t.Name, StringComparer.Ordinal)
            .Select(t => (Existing: log.FindTopic(t.Name)!, Planned: t))
            .Where(t => t.Existing is not null && t.Existing.Partitions != t.Planned.Partitions);

    public Topic EnsureTopic(TopicSpec spec) =>
        _planned[spec.Name] = new Topic(log.FindTopic(spec.Name)?.Id ?? -1 - _planned.Count, spec);

    public Topic? FindTopic(string name) => _planned.GetValueOrDefault(name) ?? log.FindTopic(name);
}
