using System.Text;

namespace Streams.Processing;

/// <summary>Writes a topology as text, Mermaid or DOT.</summary>
internal static class TopologyDescription
{
    internal static string Write(Topology topology, DescribeFormat format) => format switch
    {
        DescribeFormat.Text => Text(topology),
        DescribeFormat.Mermaid => Mermaid(topology),
        DescribeFormat.Dot => Dot(topology),
        _ => throw new ArgumentOutOfRangeException(nameof(format)),
    };

    private static string Text(Topology topology)
    {
        var text = new StringBuilder("Topologies:\n");
        foreach (SubTopology part in topology.Parts)
        {
            text.Append($"  Sub-topology: {part.Id}\n");
            foreach (GraphNode node in part.Nodes)
            {
                text.Append($"    {Kind(node)}: {node.Name}{Suffix(node)}\n");
                foreach (GraphNode child in node.Children)
                    text.Append($"      --> {child.Name}\n");
            }
        }
        foreach (GlobalTable table in topology.Globals)
            text.Append($"  Global table: {table.StoreName} (topic: {table.TopicName})\n");
        return text.ToString();
    }

    private static string Mermaid(Topology topology)
    {
        var text = new StringBuilder("flowchart LR\n");
        foreach (SubTopology part in topology.Parts)
        {
            text.Append($"  subgraph part{part.Id}[\"sub-topology {part.Id}\"]\n");
            foreach (GraphNode node in part.Nodes)
                text.Append($"    n{node.Id}[\"{node.Name}\"]\n");
            foreach (string store in part.Stores.Select(s => s.Name))
                text.Append($"    s_{Safe(store)}[(\"{store}\")]\n");
            text.Append("  end\n");
        }
        AppendEdges(topology, text, "-->", "  ");
        return text.ToString();
    }

    private static string Dot(Topology topology)
    {
        var text = new StringBuilder("digraph topology {\n  rankdir=LR;\n  node [shape=box];\n");
        foreach (SubTopology part in topology.Parts)
        {
            text.Append($"  subgraph cluster_{part.Id} {{\n    label=\"sub-topology {part.Id}\";\n");
            foreach (GraphNode node in part.Nodes)
                text.Append($"    n{node.Id} [label=\"{node.Name}\"];\n");
            foreach (string store in part.Stores.Select(s => s.Name))
                text.Append($"    s_{Safe(store)} [label=\"{store}\", shape=cylinder];\n");
            text.Append("  }\n");
        }
        AppendEdges(topology, text, "->", "  ");
        return text.Append("}\n").ToString();
    }

    private static void AppendEdges(Topology topology, StringBuilder text, string arrow, string indent)
    {
        foreach (GlobalTable table in topology.Globals)
            text.Append($"{indent}t_{Safe(table.TopicName)} {arrow} s_{Safe(table.StoreName)}\n");
        foreach (GraphNode node in topology.Parts.SelectMany(p => p.Nodes))
        {
            if (node is { Kind: NodeKind.Source, TopicName: { } read })
                text.Append($"{indent}t_{Safe(read)} {arrow} n{node.Id}\n");
            if (node is { Kind: NodeKind.Sink, TopicName: { } written })
                text.Append($"{indent}n{node.Id} {arrow} t_{Safe(written)}\n");
            foreach (GraphNode child in node.Children)
                text.Append($"{indent}n{node.Id} {arrow} n{child.Id}\n");
            foreach (string store in node.Stores)
                text.Append($"{indent}n{node.Id} {arrow} s_{Safe(store)}\n");
        }
    }

    private static string Kind(GraphNode node) => node.Kind switch
    {
        NodeKind.Source => "Source",
        NodeKind.Sink => "Sink",
        _ => "Processor",
    };

    private static string Suffix(GraphNode node)
    {
        if (node.TopicName is { } topic)
            return $" (topic: {topic})";
        return node.Stores.Count > 0 ? $" (stores: [{string.Join(", ", node.Stores)}])" : "";
    }

    private static string Safe(string name) =>
        string.Concat(name.Select(c => char.IsAsciiLetterOrDigit(c) ? c : '_'));
}
