using Streams.Dsl;
using Streams.Log;

namespace Streams.Processing;

/// <summary>
/// A topology that was built and checked: its parts run independently of one another, because only topics
/// connect them. It holds no state and can be run many times.
/// </summary>
public sealed class Topology
{
    internal Topology(
        IReadOnlyList<SubTopology> parts, IReadOnlyList<TopicSpec> declared,
        IReadOnlyDictionary<string, int?> repartitions, IReadOnlyList<GlobalTable> globals)
    {
        Parts = parts;
        Declared = declared;
        Repartitions = repartitions;
        Globals = globals;
    }

    /// <summary>The store that savepoints keep old values in.</summary>
    internal const string SavepointStore = "savepoints";

    /// <summary>The store that stream times are kept in; the tasks of a partition share its
    /// changelog.</summary>
    internal const string StreamTimeStore = "stream-time";

    /// <summary>Topics that are read, without those that belong to the application itself.</summary>
    public IReadOnlyList<string> SourceTopics => [.. Parts.SelectMany(p => p.Sources)
        .Where(s => !s.IsInternal).Select(s => s.TopicName).Concat(Globals.Select(g => g.TopicName))
        .Distinct().Order(StringComparer.Ordinal)];

    /// <summary>Topics that are written by a name known beforehand, without the application's own.</summary>
    public IReadOnlyList<string> SinkTopics =>
        [.. Parts.SelectMany(p => p.Nodes).Where(n => n is ISinkNode { IsInternal: false })
        .Select(n => n.TopicName).OfType<string>().Distinct().Order(StringComparer.Ordinal)];

    /// <summary>The names of all stores.</summary>
    public IReadOnlyList<string> Stores =>
        [.. Parts.SelectMany(p => p.Stores).Select(s => s.Name).Order(StringComparer.Ordinal)];

    /// <summary>The parts, by number.</summary>
    internal IReadOnlyList<SubTopology> Parts { get; }

    /// <summary>Topics that the topology says how to create.</summary>
    internal IReadOnlyList<TopicSpec> Declared { get; }

    /// <summary>Topics of the application's own between its parts, with their partitions where those are
    /// given.</summary>
    internal IReadOnlyDictionary<string, int?> Repartitions { get; }

    /// <summary>Tables that every task has whole.</summary>
    internal IReadOnlyList<GlobalTable> Globals { get; }

    /// <summary>Names that nobody gave: what keeps state under one of them loses it when the name
    /// changes.</summary>
    internal IReadOnlySet<string> GeneratedNames { get; set; } = new HashSet<string>();

    /// <summary>What turns state of earlier versions into that of this one.</summary>
    internal IReadOnlyList<StoreMigration> Migrations { get; set; } = [];

    /// <summary>Stores and topics of the application's own whose names were generated, or made of a generated
    /// one; such a name can change when the topology does.</summary>
    public IReadOnlyList<string> UnnamedState => [.. Parts.SelectMany(p => p.Stores)
        .Where(s => s.Options.Logged).Select(s => s.Name).Concat(Repartitions.Keys).Where(IsGenerated)
        .Order(StringComparer.Ordinal)];

    /// <summary>Whether a name was generated or made of one that was.</summary>
    internal bool IsGenerated(string name) => GeneratedNames.Any(generated =>
        name.StartsWith(generated, StringComparison.Ordinal)
        && (name.Length == generated.Length || name[generated.Length] == '-'));

    /// <summary>The topology in words or as a picture's source.</summary>
    public string Describe(DescribeFormat format = DescribeFormat.Text) =>
        TopologyDescription.Write(this, format);
}

/// <summary>How a topology is described.</summary>
public enum DescribeFormat
{
    /// <summary>Indented text, as Kafka Streams prints it.</summary>
    Text,

    /// <summary>A Mermaid flow chart.</summary>
    Mermaid,

    /// <summary>A Graphviz digraph.</summary>
    Dot,
}

/// <summary>Nodes that are connected by pushes or by stores: one task runs them, one per partition.</summary>
internal sealed class SubTopology(
    int id, IReadOnlyList<GraphNode> nodes, IReadOnlyList<SourceNode> sources,
    IReadOnlyList<StoreSpec> stores, IReadOnlyList<Copartition> copartitions)
{
    internal int Id { get; } = id;

    internal IReadOnlyList<GraphNode> Nodes { get; } = nodes;

    internal IReadOnlyList<SourceNode> Sources { get; } = sources;

    internal IReadOnlyList<StoreSpec> Stores { get; } = stores;

    /// <summary>Sources whose topics must have equally many partitions.</summary>
    internal IReadOnlyList<Copartition> Copartitions { get; } = copartitions;

    /// <summary>Whether event times of its tasks must survive a restart.</summary>
    internal bool KeepsTime => Stores.Count > 0 || Sources.Any(s => s.HasExtractor);

    /// <summary>The name of a node, for an error.</summary>
    internal string NameOf(int node) => Nodes.FirstOrDefault(n => n.Id == node)?.Name ?? "?";
}

/// <summary>Sources that reach one store: a key's records of all of them must come to the same
/// task.</summary>
internal sealed record Copartition(string Store, IReadOnlyList<SourceNode> Sources)
{
    /// <summary>Refuses sources whose topics have different numbers of partitions.</summary>
    /// <param name="find">A source's topic by its full name and its partitions; null where they are not known
    /// yet.</param>
    internal void RequireEqualPartitions(Func<SourceNode, (string Topic, int Partitions)?> find)
    {
        List<(string Topic, int Partitions)> known = [.. Sources.Select(find).OfType<(string, int)>()];
        string counts = string.Join(", ", known.Select(t => $"'{t.Topic}' has {t.Partitions}"));
        if (known.Select(t => t.Partitions).Distinct().Count() > 1)
            throw new TopologyException(
                $"Records of one key must meet in one task at the store '{Store}', so its topics need " +
                    $"equally "
                + $"many partitions: {counts}. Send one of them through Repartition with the other's " +
                    $"number.");
    }
}
