using Streams.Log;
using Streams.Processing;

namespace Streams.Dsl;

/// <summary>
/// Writes a topology with the vocabulary of Kafka Streams: streams and tables from topics, operators on them,
/// topics at the end. What it builds runs on either log and in the test driver, unchanged.
/// </summary>
public sealed class StreamsBuilder
{
    private readonly List<GraphNode> _nodes = [];
    private readonly Dictionary<string, StoreSpec> _stores = [];
    private readonly List<TopicSpec> _topics = [];
    private readonly HashSet<string> _names = [];
    private readonly Dictionary<string, int?> _repartitions = [];
    private readonly List<GlobalTable> _globals = [];
    private readonly Dictionary<string, int> _generated = [];
    private readonly HashSet<string> _generatedNames = [];
    private readonly List<StoreMigration> _migrations = [];

    /// <summary>A stream of the records of a topic.</summary>
    public KStream<TKey, TValue> Stream<TKey, TValue>(string topic, Consumed<TKey, TValue> consumed)
    {
        SourceNode<TKey, TValue> node = AddSource(topic, false, consumed);
        return new KStream<TKey, TValue>(this, node.Output, consumed.KeySerde, consumed.ValueSerde, false);
    }

    /// <summary>A table of the last record of each key of a topic; a record without a value deletes its
    /// key.</summary>
    public KTable<TKey, TValue> Table<TKey, TValue>(
        string topic, Consumed<TKey, TValue> consumed, Materialized<TKey, TValue>? materialized = null)
    {
        SourceNode<TKey, TValue> source = AddSource(topic, false, consumed);
        return KTable<TKey, TValue>.FromStream(
            this, source.Output, consumed.KeySerde, consumed.ValueSerde, materialized
                ?? new(), "KSTREAM-TOTABLE");
    }

    /// <summary>A table of a topic that every task has whole, all partitions of it, to look up by any
    /// key.</summary>
    /// <remarks>It is read to its end before anything else is, and then as it grows; the topic itself is its
    /// changelog and should be compacted. Each thread keeps a copy.</remarks>
    public GlobalKTable<TKey, TValue> GlobalTable<TKey, TValue>(
        string topic, Consumed<TKey, TValue> consumed, Materialized<TKey, TValue>? materialized = null)
    {
        RequireUnread(topic);
        materialized ??= new Materialized<TKey, TValue>();
        if (materialized.OnDisk || materialized.TimeToLive is not null)
            throw new TopologyException(
                $"The global table of '{topic}' lies in memory whole: OnDisk and TimeToLive are for tables "
                + "that tasks share out.");
        string store = NameFor(materialized.StoreName, "GLOBALTABLE-STATE-STORE", topic);
        _globals.Add(new GlobalTable<TKey, TValue>(
            topic, KTable<TKey, TValue>.StoreOptionsOf(materialized, store) with { Logged = false },
            materialized.KeySerde ?? consumed.KeySerde, materialized.ValueSerde ?? consumed.ValueSerde));
        return new GlobalKTable<TKey, TValue>(store);
    }

    /// <summary>Says how a topic that the topology writes or reads is to be created where it does not
    /// exist.</summary>
    public StreamsBuilder Topic(TopicSpec spec)
    {
        _topics.Add(spec);
        return this;
    }

    /// <summary>Adds a store for processors that name it.</summary>
    public StreamsBuilder AddStateStore(StoreDefinition store)
    {
        AddStore(store.Spec);
        return this;
    }

    /// <summary>Registers what turns the state that an earlier version of the topology kept into what this
    /// one keeps. It runs once, at the first start on data of that version; where the data is as this
    /// topology keeps it, it does nothing.</summary>
    public StreamsBuilder Migrate(StoreMigration migration)
    {
        if (_migrations.Any(m => m.Store == migration.Store))
            throw new TopologyException($"There is a migration of the store '{migration.Store}' already.");
        _migrations.Add(migration);
        return this;
    }

    /// <summary>Checks what was written and makes a topology of it.</summary>
    /// <exception cref="TopologyException">It cannot run: the message says which node and why.</exception>
    public Topology Build()
    {
        Topology topology = TopologyPlan.Make(_nodes, _stores, _topics, _repartitions, _globals);
        topology.GeneratedNames = new HashSet<string>(_generatedNames);
        if (_migrations.FirstOrDefault(m => !_stores.ContainsKey(m.Store)) is { } migration)
            throw new TopologyException(
                $"A migration is registered for the store '{migration.Store}', which is not there. Stores: "
                + $"{string.Join(", ", _stores.Keys.Order(StringComparer.Ordinal))}.");
        topology.Migrations = _migrations;
        return topology;
    }

    /// <summary>A name of its own for a node or a store: the one given, or a generated one.</summary>
    /// <remarks>
    /// A generated name counts only what is of the same kind and comes from the same topic, so that an
    /// operator elsewhere does not change it: docs/decisions/0015-topology-changes.md.
    /// </remarks>
    internal string NameFor(string? given, string kind, string? origin = null)
    {
        string name = given ?? Generate(origin is null ? kind : $"{kind}-{origin}");
        if (!_names.Add(name))
            throw new TopologyException(
                $"The name '{name}' is taken: names of nodes are unique in a topology.");
        return name;
    }

    /// <summary>Says that a topic of the application's own is needed.</summary>
    /// <param name="topic">Its short name.</param>
    /// <param name="partitions">How many partitions; null for as many as what feeds it has.</param>
    internal void DeclareRepartition(string topic, int? partitions) => _repartitions.Add(topic, partitions);

    /// <summary>The number of the next node.</summary>
    internal int NextId => _nodes.Count;

    internal TNode Add<TNode>(TNode node)
        where TNode : GraphNode
    {
        _nodes.Add(node);
        return node;
    }

    internal void AddStore(StoreSpec spec)
    {
        if (!_stores.TryAdd(spec.Name, spec))
            throw new TopologyException($"There is a store '{spec.Name}' already.");
    }

    internal SourceNode<TKey, TValue> AddSource<TKey, TValue>(
        string topic, bool isInternal, Consumed<TKey, TValue> consumed, string? origin = null)
    {
        RequireUnread(topic);
        origin ??= topic;
        SourceNode<TKey, TValue> source = Add(new SourceNode<TKey, TValue>(
            NextId, NameFor(consumed.Name, "KSTREAM-SOURCE", origin), topic, isInternal, consumed.KeySerde,
            consumed.ValueSerde, consumed.TimestampExtractor));
        source.Output.Origin = origin;
        return source;
    }

    private string Generate(string stem)
    {
        _generated.TryGetValue(stem, out int number);
        _generated[stem] = number + 1;
        string name = $"{stem}-{number}";
        _generatedNames.Add(name);
        return name;
    }

    private void RequireUnread(string topic)
    {
        string? same = _nodes.FirstOrDefault(n => n is SourceNode && n.TopicName == topic)?.Name
            ?? _globals.FirstOrDefault(g => g.TopicName == topic)?.StoreName;
        if (same is not null)
            throw new TopologyException(
                $"The topic '{topic}' is read by '{same}' already: use that stream or table twice.");
    }

    /// <summary>Attaches an operator to an output.</summary>
    internal GraphOutput<TKeyOut, TValueOut> Attach<TKeyIn, TValueIn, TKeyOut, TValueOut>(
        GraphOutput<TKeyIn, TValueIn> from, string? name, string kind, IEnumerable<string> stores,
        Func<TaskBuilder, Operator<TKeyIn, TValueIn, TKeyOut, TValueOut>> create)
    {
        var to = new GraphOutput<TKeyOut, TValueOut>();
        AttachTo(from, to, name, kind, stores, create);
        return to;
    }

    /// <summary>Attaches an operator between two outputs.</summary>
    internal OperatorNode<TKeyIn, TValueIn, TKeyOut, TValueOut>
        AttachTo<TKeyIn, TValueIn, TKeyOut, TValueOut>(
        GraphOutput<TKeyIn, TValueIn> from, GraphOutput<TKeyOut, TValueOut> to, string? name, string kind,
        IEnumerable<string> stores, Func<TaskBuilder, Operator<TKeyIn, TValueIn, TKeyOut, TValueOut>> create)
    {
        var node = new OperatorNode<TKeyIn, TValueIn, TKeyOut, TValueOut>(
            NextId, NameFor(name, kind, from.Origin), to, create);
        to.Origin ??= from.Origin;
        node.Stores.AddRange(stores);
        from.Attach(Add(node));
        return node;
    }
}
