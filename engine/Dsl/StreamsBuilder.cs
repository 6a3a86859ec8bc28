using System.Globalization;
using Streams.Log;
using Streams.Processing;
using Streams.Records;
using Streams.State;

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
    private int _generated;

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

    /// <summary>Checks what was written and makes a topology of it.</summary>
    /// <exception cref="TopologyException">It cannot run: the message says which node and why.</exception>
    public Topology Build() => TopologyPlan.Make(_nodes, _stores, _topics, _repartitions);

    /// <summary>A name of its own for a node or a store: the one given, or a generated one as Kafka Streams
    /// makes it.</summary>
    internal string NameFor(string? given, string kind)
    {
        string name = given ?? string.Create(CultureInfo.InvariantCulture, $"{kind}-{_generated++:D10}");
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
        string topic, bool isInternal, Consumed<TKey, TValue> consumed)
    {
        GraphNode? same = _nodes.FirstOrDefault(n => n is SourceNode && n.TopicName == topic);
        if (same is not null)
            throw new TopologyException(
                $"The topic '{topic}' is read by '{same.Name}' already: use that stream twice.");
        return Add(new SourceNode<TKey, TValue>(
            NextId, NameFor(consumed.Name, "KSTREAM-SOURCE"), topic, isInternal, consumed.KeySerde,
            consumed.ValueSerde, consumed.TimestampExtractor));
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
            NextId, NameFor(name, kind), to, create);
        node.Stores.AddRange(stores);
        from.Attach(Add(node));
        return node;
    }
}

/// <summary>A store to add to a topology.</summary>
public sealed class StoreDefinition
{
    internal StoreDefinition(StoreSpec spec) => Spec = spec;

    internal StoreSpec Spec { get; }
}

/// <summary>The kinds of stores.</summary>
public static class Stores
{
    /// <summary>Typed keys and values.</summary>
    public static StoreDefinition KeyValue<TKey, TValue>(
        StoreOptions options, Serde<TKey> keySerde, Serde<TValue> valueSerde, bool savepoints = false) =>
        new(new StoreSpec(
            options, StoreShape.Of("key-value", keySerde, valueSerde),
            (undo, number) =>
                new KeyValueStore<TKey, TValue>(options, keySerde, valueSerde, undo, number), savepoints));

    /// <summary>Bytes, changed in place.</summary>
    public static StoreDefinition Bytes(StoreOptions options, bool savepoints = false) =>
        new(new StoreSpec(
            options, $"bytes<{options.Shape}>", (undo, number) =>
                new BytesStore(options, undo, number), savepoints));

    /// <summary>Typed keys and values by window start.</summary>
    public static StoreDefinition Window<TKey, TValue>(
        StoreOptions options, TimeSpan retention, Serde<TKey> keySerde, Serde<TValue> valueSerde,
        bool savepoints = false) =>
        new(new StoreSpec(
            options, StoreShape.Of("window", keySerde, valueSerde),
            (undo, number) => new WindowStore<TKey, TValue>(
                options, (long)retention.TotalMilliseconds, keySerde, valueSerde, undo, number), savepoints));
}
