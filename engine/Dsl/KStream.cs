using Streams.Processing;
using Streams.Records;

namespace Streams.Dsl;

/// <summary>Emits records from an operator that makes several of one.</summary>
public delegate void Emit<TKey, TValue>(in Record<TKey, TValue> record);

/// <summary>Makes any number of records of one; what it emits takes time and headers as it says.</summary>
public delegate void FlatMapper<TKeyIn, TValueIn, TKeyOut, TValueOut>(
    in Record<TKeyIn, TValueIn> record, Emit<TKeyOut, TValueOut> emit);

/// <summary>A stream of records, each a fact of its own.</summary>
/// <remarks>
/// Where the value's type cannot be null (a struct), functions of the value are not called for tombstones:
/// those pass through. Where it can, the function sees the null, as in Kafka Streams.
/// </remarks>
/// <typeparam name="TKey">The key's type.</typeparam>
/// <typeparam name="TValue">The value's type.</typeparam>
public sealed partial class KStream<TKey, TValue>
{
    internal KStream(
        StreamsBuilder builder, GraphOutput<TKey, TValue> output, Serde<TKey>? keySerde,
        Serde<TValue>? valueSerde,
        bool keyChanged)
    {
        Builder = builder;
        Output = output;
        KeySerde = keySerde;
        ValueSerde = valueSerde;
        KeyChanged = keyChanged;
    }

    internal StreamsBuilder Builder { get; }

    internal GraphOutput<TKey, TValue> Output { get; }

    internal Serde<TKey>? KeySerde { get; }

    internal Serde<TValue>? ValueSerde { get; }

    /// <summary>Whether an operator may have changed the key since the last topic.</summary>
    internal bool KeyChanged { get; }

    /// <summary>Keeps the records for which the predicate holds.</summary>
    public KStream<TKey, TValue> Filter(Func<TKey, TValue, bool> predicate, string? name = null) =>
        Then(Builder.Attach(
            Output, name, "KSTREAM-FILTER", [], _ => new Filter<TKey, TValue>(predicate, true)));

    /// <summary>Drops the records for which the predicate holds.</summary>
    public KStream<TKey, TValue> FilterNot(Func<TKey, TValue, bool> predicate, string? name = null) =>
        Then(Builder.Attach(
            Output, name, "KSTREAM-FILTER", [], _ => new Filter<TKey, TValue>(predicate, false)));

    /// <summary>Makes another key and value of each record.</summary>
    public KStream<TNewKey, TNewValue> Map<TNewKey, TNewValue>(
        Func<TKey, TValue, (TNewKey Key, TNewValue Value)> mapper, string? name = null) =>
        Changed(Builder.Attach(
            Output, name, "KSTREAM-MAP", [], _ => new Map<TKey, TValue, TNewKey, TNewValue>(mapper)));

    /// <summary>Makes another value of each record.</summary>
    public KStream<TKey, TNewValue> MapValues<TNewValue>(
        Func<TKey, TValue, TNewValue> mapper, string? name = null) =>
        new(Builder,
            Builder.Attach(
                Output, name, "KSTREAM-MAPVALUES", [], _ => new MapValues<TKey, TValue, TNewValue>(mapper)),
            KeySerde, ValueSerde as Serde<TNewValue>, KeyChanged);

    /// <summary>Makes any number of records of each record.</summary>
    public KStream<TNewKey, TNewValue> FlatMap<TNewKey, TNewValue>(
        FlatMapper<TKey, TValue, TNewKey, TNewValue> mapper, string? name = null) =>
        Changed(Builder.Attach(
            Output, name, "KSTREAM-FLATMAP", [], _ => new FlatMap<TKey, TValue, TNewKey, TNewValue>(mapper)));

    /// <summary>Makes any number of values of each record's value, under the same key.</summary>
    public KStream<TKey, TNewValue> FlatMapValues<TNewValue>(
        Func<TKey, TValue, IEnumerable<TNewValue>> mapper, string? name = null) =>
        new(Builder,
            Builder.Attach(
                Output, name, "KSTREAM-FLATMAPVALUES", [], _ =>
                    new FlatMapValues<TKey, TValue, TNewValue>(mapper)),
            KeySerde, ValueSerde as Serde<TNewValue>, KeyChanged);

    /// <summary>Gives each record another key.</summary>
    public KStream<TNewKey, TValue> SelectKey<TNewKey>(
        Func<TKey, TValue, TNewKey> selector, string? name = null) =>
        new(Builder,
            Builder.Attach(
                Output, name, "KSTREAM-KEY-SELECT", [], _ => new SelectKey<TKey, TValue, TNewKey>(selector)),
            KeySerde as Serde<TNewKey>, ValueSerde, true);

    /// <summary>The same stream with serdes for what follows, where an operator changed the types.</summary>
    public KStream<TKey, TValue> WithSerdes(Serde<TKey> keySerde, Serde<TValue> valueSerde) =>
        new(Builder, Output, keySerde, valueSerde, KeyChanged);

    /// <summary>Calls an action for each record and passes it on.</summary>
    public KStream<TKey, TValue> Peek(Action<TKey, TValue> action, string? name = null) =>
        Then(Builder.Attach(Output, name, "KSTREAM-PEEK", [], _ => new Peek<TKey, TValue>(action)));

    /// <summary>Calls an action for each record; nothing comes after it.</summary>
    /// <remarks>The action is not part of the commit: after a restart it can see a record again.</remarks>
    public void ForEach(Action<TKey, TValue> action, string? name = null) =>
        Builder.Attach(Output, name, "KSTREAM-FOREACH", [], _ => new ForEach<TKey, TValue>(action));

    /// <summary>Writes a line for each record, <c>[label]: key, value</c>, to look at while writing a
    /// topology.</summary>
    /// <param name="label">What stands in front; null for the name of the node.</param>
    /// <param name="writer">Where to; null for the console.</param>
    public void Print(string? label = null, TextWriter? writer = null)
    {
        string name = Builder.NameFor(null, "KSTREAM-PRINTER", Output.Origin);
        TextWriter to = writer ?? Console.Out;
        ForEach(
            (key, value) => to.WriteLine(
                $"[{label ?? name}]: {(key is null ? "null" : key)}, {(value is null ? "null" : value)}"),
            name + "-FOREACH");
    }

    /// <summary>The records of both streams, each stream's in its own order.</summary>
    public KStream<TKey, TValue> Merge(KStream<TKey, TValue> other, string? name = null)
    {
        var merged = new GraphOutput<TKey, TValue>();
        OperatorNode<TKey, TValue, TKey, TValue> node = Builder.AttachTo(
            Output, merged, name, "KSTREAM-MERGE", [], _ => new PassThrough<TKey, TValue>());
        other.Output.Attach(node);
        return new KStream<TKey, TValue>(
            Builder, merged, KeySerde ?? other.KeySerde, ValueSerde ?? other.ValueSerde, KeyChanged
                || other.KeyChanged);
    }

    /// <summary>Sends each record to the first branch whose predicate holds.</summary>
    public BranchedKStream<TKey, TValue> Split(string? name = null) => new(this, name);

    /// <summary>Drops a record whose key was seen less than <paramref name="within"/> ago, by event
    /// time.</summary>
    /// <param name="within">How long a key is remembered.</param>
    /// <param name="keySerde">Writes the keys; null takes the stream's own.</param>
    /// <param name="options">Store name, memory bound; the retention is <paramref name="within"/>.</param>
    public KStream<TKey, TValue> Deduplicate(
        TimeSpan within, Serde<TKey>? keySerde = null, DeduplicateOptions? options = null)
    {
        Serde<TKey> serde = keySerde ?? RequireKeySerde("Deduplicate");
        options ??= new DeduplicateOptions();
        string name = Builder.NameFor(options.StoreName, "KSTREAM-DEDUPLICATE-STATE-STORE", Output.Origin);
        Builder.AddStore(DeduplicateStore.Spec(name, within, serde, options));
        return Then(Builder.Attach(
            Output, options.Name, "KSTREAM-DEDUPLICATE", [name],
            task => new Deduplicate<TKey, TValue>(
                task.Store<DeduplicateStore>(name), serde, options.OnDuplicate)));
    }

    /// <summary>Writes the records to a topic.</summary>
    public void To(string topic, Produced<TKey, TValue>? produced = null) =>
        AddSink(topic, false, null, produced ?? new());

    /// <summary>Writes each record to the topic that a function names; the topics must exist.</summary>
    public void To(TopicNameExtractor<TKey, TValue> topic, Produced<TKey, TValue>? produced = null) =>
        AddSink(null, false, topic, produced ?? new());

    /// <summary>Sends the records through a topic of the application's own, partitioned by their
    /// key.</summary>
    /// <remarks>Records without a key are dropped there: they have no partition to go to.</remarks>
    public KStream<TKey, TValue> Repartition(Repartitioned<TKey, TValue>? repartitioned = null)
    {
        repartitioned ??= new Repartitioned<TKey, TValue>();
        Serde<TKey> keys = repartitioned.KeySerde ?? RequireKeySerde("Repartition");
        Serde<TValue> values = repartitioned.ValueSerde ?? RequireValueSerde("Repartition");
        string topic = Builder.NameFor(repartitioned.Name, "KSTREAM-REPARTITION", Output.Origin)
            + "-repartition";
        KStream<TKey, TValue> keyed = Then(Builder.Attach(
            Output, null, "KSTREAM-FILTER", [], _ => new RequireKey<TKey, TValue>()));
        keyed.AddSink(topic, true, null, new Produced<TKey, TValue> { KeySerde = keys, ValueSerde = values });
        Builder.DeclareRepartition(topic, repartitioned.Partitions);
        SourceNode<TKey, TValue> source = Builder.AddSource(
            topic, true, new Consumed<TKey, TValue>(keys, values), repartitioned.Name ?? Output.Origin);
        return new KStream<TKey, TValue>(Builder, source.Output, keys, values, false);
    }

    internal KStream<TKey, TValue> Then(GraphOutput<TKey, TValue> output) =>
        new(Builder, output, KeySerde, ValueSerde, KeyChanged);

    internal Serde<TKey> RequireKeySerde(string what) => KeySerde ?? throw new TopologyException(
        $"{what} needs a serde for keys of type {typeof(TKey).Name}: an operator changed the type, so " +
            $"name one.");

    internal Serde<TValue> RequireValueSerde(string what) => ValueSerde ?? throw new TopologyException(
        $"{what} needs a serde for values of type {typeof(TValue).Name}: an operator changed the type, so " +
            $"name one.");

    private KStream<TNewKey, TNewValue> Changed<TNewKey, TNewValue>(GraphOutput<TNewKey, TNewValue> output) =>
        new(Builder, output, KeySerde as Serde<TNewKey>, ValueSerde as Serde<TNewValue>, true);

    private void AddSink(
        string? topic, bool isInternal, TopicNameExtractor<TKey, TValue>? computed,
        Produced<TKey, TValue> produced)
    {
        if (produced.DeliverOnce && topic is null)
            throw new TopologyException(
                "DeliverOnce needs a topic whose name is known beforehand: what was delivered is looked up "
                + "in it.");
        Output.Attach(Builder.Add(new SinkNode<TKey, TValue>(
            Builder.NextId, Builder.NameFor(produced.Name, "KSTREAM-SINK", Output.Origin), topic, isInternal,
            computed,
            produced.KeySerde ?? RequireKeySerde($"The sink to '{topic ?? "a computed topic"}'"),
            produced.ValueSerde ?? RequireValueSerde($"The sink to '{topic ?? "a computed topic"}'"),
            produced.Partitioner)
        {
            DeliversOnce = produced.DeliverOnce,
            Identity = produced.Identity,
        }));
    }
}
