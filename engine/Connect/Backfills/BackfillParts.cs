using Streams.Processing;

namespace Streams.Connect.Backfills;

/// <summary>How far back the state behind a topic reaches.</summary>
/// <param name="LookbackMs">Event time that is needed before the first output; null for everything.</param>
/// <param name="Stores">The stores that need it.</param>
internal sealed record BackfillReach(long? LookbackMs, IReadOnlyList<string> Stores)
{
    /// <summary>Whether there is no state.</summary>
    internal bool IsNone => Stores.Count == 0;
}

/// <summary>The parts of a topology, as far as a backfill asks: what reads what, and what hangs
/// together.</summary>
internal sealed class BackfillParts(ApplicationDefinition definition)
{
    private readonly Topology _topology = definition.Topology;

    /// <summary>Topics that tasks read, without the application's own.</summary>
    internal IReadOnlyList<string> Topics { get; } = [.. definition.Topology.Parts.SelectMany(p => p.Sources)
        .Where(s => !s.IsInternal).Select(s => s.TopicName).Distinct().Order(StringComparer.Ordinal)];

    /// <summary>All topics that tasks read, by full name.</summary>
    internal IEnumerable<string> AllInputs => _topology.Parts.SelectMany(p => p.Sources)
        .Select(s => s.IsInternal ? FullName(s.TopicName) : s.TopicName).Distinct();

    /// <summary>Topics of others' that the application both writes and reads.</summary>
    internal IEnumerable<string> WrittenAndRead => _topology.SinkTopics.Intersect(Topics);

    /// <summary>The parts that a change of some topics' positions concerns: those that read them, and those
    /// that topics of the application's own connect with these, in either direction.</summary>
    internal IReadOnlyList<SubTopology> Affected(IReadOnlyList<string> topics)
    {
        var affected = new HashSet<SubTopology>(_topology.Parts.Where(
            p => p.Sources.Any(s => !s.IsInternal && topics.Contains(s.TopicName))));
        int before;
        do
        {
            before = affected.Count;
            foreach (SubTopology part in _topology.Parts)
            {
                if (affected.Any(a => Feeds(a, part) || Feeds(part, a)))
                    affected.Add(part);
            }
        }
        while (affected.Count > before);
        return [.. affected.OrderBy(p => p.Id)];
    }

    /// <summary>The topics of others' that some parts read.</summary>
    internal IEnumerable<string> TopicsOf(IReadOnlyList<SubTopology> parts) =>
        Topics.Where(t => parts.Any(p => p.Sources.Any(s => !s.IsInternal && s.TopicName == t)));

    /// <summary>The application's own topics that some parts read, by full name.</summary>
    internal IEnumerable<string> InternalOf(IReadOnlyList<SubTopology> parts) => parts
        .SelectMany(p => p.Sources).Where(s => s.IsInternal).Select(s => FullName(s.TopicName)).Distinct();

    /// <summary>The stores of some parts.</summary>
    internal static IEnumerable<string> StoresOf(IReadOnlyList<SubTopology> parts)
    {
        IEnumerable<string> stores = parts.SelectMany(p => p.Stores).Select(s => s.Name);
        return (parts.Any(p => p.Stores.Any(s => s.Savepoints)) ? stores.Append(Topology.SavepointStore)
            : stores).Order(StringComparer.Ordinal);
    }

    /// <summary>Topics that some parts write whose records are delivered once.</summary>
    internal static IEnumerable<string> DeliveredOnce(IReadOnlyList<SubTopology> parts) => parts
        .SelectMany(p => p.Nodes).Where(n => n is ISinkNode { DeliversOnce: true, IsInternal: false })
        .Select(n => n.TopicName!).Distinct().Order(StringComparer.Ordinal);

    /// <summary>The keys of the event times of some parts that belong to no store.</summary>
    internal static IEnumerable<string> TimeKeysOf(IReadOnlyList<SubTopology> parts) => parts
        .SelectMany(p => p.Sources).Select(s => s.TopicName).Distinct()
        .SelectMany(t => new[] { $"input/{t}", $"task/{t}" });

    /// <summary>How far back the state reaches that a topic's records go into, over all parts behind
    /// it.</summary>
    internal BackfillReach ReachOf(string topic)
    {
        SubTopology part = _topology.Parts.First(
            p => p.Sources.Any(s => !s.IsInternal && s.TopicName == topic));
        return ReachOf(part, []);
    }

    // What a part needs before, and before that what the parts behind it need: their records come of it.
    private BackfillReach ReachOf(SubTopology part, IReadOnlyList<SubTopology> path)
    {
        List<string> stores = [.. part.Stores.Select(s => s.Name)];
        long? own = 0;
        foreach (StoreSpec store in part.Stores)
            own = store.LookbackMs is { } one && own is { } most ? Math.Max(most, one) : null;
        long? behind = 0;
        foreach (SubTopology next in _topology.Parts.Where(p => Feeds(part, p)))
        {
            // A part that feeds itself remembers without an end.
            BackfillReach reach = path.Contains(next) || next == part
                ? new BackfillReach(null, [])
                : ReachOf(next, [.. path, part]);
            behind = reach.LookbackMs is { } one && behind is { } most ? Math.Max(most, one) : null;
            stores.AddRange(reach.Stores);
        }
        return new BackfillReach(own + behind, [.. stores.Distinct()]);
    }

    private static bool Feeds(SubTopology from, SubTopology to) => from.Nodes.Any(
        n => n is ISinkNode { IsInternal: true }
            && to.Sources.Any(s => s.IsInternal && s.TopicName == n.TopicName));

    private string FullName(string topic) => $"{definition.Id}-{topic}";
}
