using Streams.Log;
using Streams.Processing;

namespace Streams.Dsl;

/// <summary>Divides the nodes of a topology into parts that run independently, and checks what can be
/// checked.</summary>
internal static class TopologyPlan
{
    internal static Topology Make(
        List<GraphNode> nodes, Dictionary<string, StoreSpec> stores, IReadOnlyList<TopicSpec> topics,
        IReadOnlyDictionary<string, int?> repartitions, IReadOnlyList<GlobalTable> globals)
    {
        if (!nodes.Any(n => n.Kind == NodeKind.Source))
            throw new TopologyException("The topology reads no topic.");
        int[] leader = [.. Enumerable.Range(0, nodes.Count)];
        var storeUser = new Dictionary<string, int>();
        foreach (GraphNode node in nodes)
        {
            foreach (GraphNode child in node.Children)
                Unite(leader, node.Id, child.Id);
            foreach (string store in node.Stores)
            {
                if (!stores.ContainsKey(store))
                    throw new TopologyException($"'{node.Name}' uses a store '{store}' that nobody added.");
                if (!storeUser.TryAdd(store, node.Id))
                    Unite(leader, node.Id, storeUser[store]);
            }
        }
        RequireUsed(stores, storeUser);
        RequireNoCycle(nodes);
        List<SubTopology> parts = [.. nodes.GroupBy(n => Leader(leader, n.Id)).OrderBy(g => g.Min(n => n.Id))
            .Select((group, id) => MakePart(id, [.. group.OrderBy(n => n.Id)], stores))];
        if (parts.Count(p => p.Stores.Any(s => s.Savepoints)) > 1)
            throw new TopologyException(
                "Stores with savepoints stand in parts that a topic separates: one part only can have them.");
        foreach (Copartition together in parts.SelectMany(p => p.Copartitions))
            together.RequireEqualPartitions(source => DeclaredPartitions(source, topics, repartitions));
        return new Topology(parts, topics, repartitions, globals);
    }

    // What others create is known, and compared again, at the start.
    private static (string, int)? DeclaredPartitions(
        SourceNode source, IReadOnlyList<TopicSpec> topics, IReadOnlyDictionary<string, int?> repartitions)
    {
        int? partitions = source.IsInternal
            ? repartitions.GetValueOrDefault(source.TopicName)
            : topics.FirstOrDefault(t => t.Name == source.TopicName)?.Partitions;
        return partitions is { } count ? (source.TopicName, count) : null;
    }

    private static SubTopology MakePart(int id, List<GraphNode> nodes, Dictionary<string, StoreSpec> stores)
    {
        List<SourceNode> sources = [.. nodes.OfType<SourceNode>()];
        if (sources.Count == 0)
            throw new TopologyException($"'{nodes[0].Name}' is not connected to any source.");
        IEnumerable<string> names = nodes.SelectMany(n => n.Stores).Distinct().Order(StringComparer.Ordinal);
        return new SubTopology(
            id, nodes, sources, [.. names.Select(n => stores[n])], [.. Copartitions(nodes, sources)]);
    }

    private static IEnumerable<Copartition> Copartitions(List<GraphNode> nodes, List<SourceNode> sources)
    {
        if (sources.Count == 1)
            yield break;
        Dictionary<SourceNode, HashSet<GraphNode>> reached = sources.ToDictionary(s => s, Reached);
        foreach (string store in nodes.SelectMany(n => n.Stores).Distinct().Order(StringComparer.Ordinal))
        {
            List<SourceNode> together = [.. sources.Where(
                s => reached[s].Any(n => n.Stores.Contains(store)))];
            if (together.Count > 1)
                yield return new Copartition(store, together);
        }
    }

    private static HashSet<GraphNode> Reached(GraphNode from)
    {
        var reached = new HashSet<GraphNode> { from };
        var open = new Stack<GraphNode>(reached);
        while (open.TryPop(out GraphNode? node))
        {
            foreach (GraphNode child in node.Children.Where(reached.Add))
                open.Push(child);
        }
        return reached;
    }

    private static void RequireUsed(Dictionary<string, StoreSpec> stores, Dictionary<string, int> users)
    {
        foreach (string store in stores.Keys)
        {
            if (!users.ContainsKey(store))
                throw new TopologyException($"The store '{store}' is used by no node.");
        }
    }

    // A record would go round for ever within one call. Through a topic it may: then it is another record.
    private static void RequireNoCycle(List<GraphNode> nodes)
    {
        var path = new List<GraphNode>();
        var done = new HashSet<GraphNode>();
        void Visit(GraphNode node)
        {
            int at = path.IndexOf(node);
            if (at >= 0)
                throw new TopologyException(
                    "The topology has a cycle: "
                    + $"{string.Join(" -> ", path[at..].Append(node).Select(n => n.Name))}. Send the records "
                    + "back through a topic, or take an edge away.");
            if (done.Contains(node))
                return;
            path.Add(node);
            foreach (GraphNode child in node.Children)
                Visit(child);
            path.RemoveAt(path.Count - 1);
            done.Add(node);
        }
        foreach (GraphNode node in nodes)
            Visit(node);
    }

    private static int Leader(int[] leader, int node)
    {
        while (leader[node] != node)
            node = leader[node] = leader[leader[node]];
        return node;
    }

    private static void Unite(int[] leader, int a, int b) => leader[Leader(leader, a)] = Leader(leader, b);
}
