namespace Streams.Processing;

/// <summary>What a node of a topology is, for descriptions.</summary>
internal enum NodeKind
{
    Source,
    Operator,
    Sink,
}

/// <summary>A node of a topology as it was written: it makes the running operators of each task.</summary>
internal abstract class GraphNode(int id, string name, NodeKind kind)
{
    internal int Id { get; } = id;

    internal string Name { get; } = name;

    internal NodeKind Kind { get; } = kind;

    /// <summary>Names of the stores that the node uses.</summary>
    internal List<string> Stores { get; } = [];

    /// <summary>Whether it writes dead letters of the records that its task reads, whatever the policy for
    /// failures is.</summary>
    internal bool WritesDeadLetters { get; set; }

    /// <summary>The nodes that it pushes into.</summary>
    internal abstract IEnumerable<GraphNode> Children { get; }

    /// <summary>The topic that a source reads or a sink writes; null for an operator and a computed
    /// topic.</summary>
    internal virtual string? TopicName => null;
}

/// <summary>A node that records of one type can be pushed into.</summary>
internal interface IGraphInput<TKey, TValue>
{
    GraphNode Node { get; }

    /// <summary>The node's receiver in the task that is being built; made once per task.</summary>
    Receiver<TKey, TValue> Resolve(TaskBuilder builder);
}

/// <summary>What is known of an output whatever its types.</summary>
internal interface IGraphOutput
{
    /// <summary>The nodes that are attached.</summary>
    IEnumerable<GraphNode> Nodes { get; }

    /// <summary>The receiver that stands for all that is attached, in the task that is being built.</summary>
    object ResolveAny(TaskBuilder builder);
}

/// <summary>A point of a topology where records of one type come out and further nodes are
/// attached.</summary>
internal sealed class GraphOutput<TKey, TValue> : IGraphOutput
{
    private readonly List<IGraphInput<TKey, TValue>> _inputs = [];

    /// <summary>What its records come from, a topic as a rule: part of the generated names behind it; null
    /// where nothing is known.</summary>
    internal string? Origin { get; set; }

    public IEnumerable<GraphNode> Nodes => _inputs.Select(i => i.Node);

    internal void Attach(IGraphInput<TKey, TValue> input) => _inputs.Add(input);

    public object ResolveAny(TaskBuilder builder) => Resolve(builder);

    /// <summary>The receiver that stands for all that is attached, in the task that is being built.</summary>
    internal Receiver<TKey, TValue> Resolve(TaskBuilder builder) => _inputs.Count switch
    {
        0 => Discard<TKey, TValue>.Instance,
        1 => _inputs[0].Resolve(builder),
        _ => new FanOut<TKey, TValue>([.. _inputs.Select(i => i.Resolve(builder))]),
    };
}

/// <summary>A node with one input and one output.</summary>
internal sealed class OperatorNode<TKeyIn, TValueIn, TKeyOut, TValueOut>
    : GraphNode, IGraphInput<TKeyIn, TValueIn>
{
    private readonly Func<TaskBuilder, Operator<TKeyIn, TValueIn, TKeyOut, TValueOut>> _create;

    /// <param name="id">The node's number in the topology.</param>
    /// <param name="name">Its name.</param>
    /// <param name="output">Where its records come out; several nodes may share one, as the sides of a join
    /// do.</param>
    /// <param name="create">Makes the operator of one task.</param>
    internal OperatorNode(
        int id, string name, GraphOutput<TKeyOut, TValueOut> output,
        Func<TaskBuilder, Operator<TKeyIn, TValueIn, TKeyOut, TValueOut>> create)
        : base(id, name, NodeKind.Operator)
    {
        Output = output;
        _create = create;
    }

    internal GraphOutput<TKeyOut, TValueOut> Output { get; }

    internal override IEnumerable<GraphNode> Children =>
        Output.Nodes.Concat(SideOutputs.SelectMany(s => s()));

    /// <summary>The nodes behind further outputs.</summary>
    internal List<Func<IEnumerable<GraphNode>>> SideOutputs { get; } = [];

    GraphNode IGraphInput<TKeyIn, TValueIn>.Node => this;

    public Receiver<TKeyIn, TValueIn> Resolve(TaskBuilder builder) => builder.Once(this, () =>
    {
        Operator<TKeyIn, TValueIn, TKeyOut, TValueOut> made = _create(builder);
        made.Attach(builder.Scope, Id, Output.Resolve(builder));
        return made;
    });
}
