using Streams.Processing;

namespace Streams.Dsl;

/// <summary>A stream that is being divided: each record goes to the first branch whose predicate
/// holds.</summary>
/// <typeparam name="TKey">The key's type.</typeparam>
/// <typeparam name="TValue">The value's type.</typeparam>
public sealed class BranchedKStream<TKey, TValue>
{
    private readonly KStream<TKey, TValue> _stream;
    private readonly List<Func<TKey, TValue, bool>> _predicates = [];
    private readonly List<GraphOutput<TKey, TValue>> _outputs = [];
    private GraphOutput<TKey, TValue>? _default;

    internal BranchedKStream(KStream<TKey, TValue> stream, string? name)
    {
        _stream = stream;
        OperatorNode<TKey, TValue, TKey, TValue> node = stream.Builder.AttachTo(
            stream.Output, new GraphOutput<TKey, TValue>(), name, "KSTREAM-BRANCH", [],
            task => new Branch<TKey, TValue>(
                [.. _predicates], [.. _outputs.Select(o => o.Resolve(task))], _default?.Resolve(task)));
        node.SideOutputs.Add(() => _outputs.SelectMany(o => o.Nodes).Concat(_default?.Nodes ?? []));
    }

    /// <summary>The records that no earlier branch took and for which the predicate holds.</summary>
    public BranchedKStream<TKey, TValue> Branch(
        Func<TKey, TValue, bool> predicate, Action<KStream<TKey, TValue>> chain)
    {
        _predicates.Add(predicate);
        _outputs.Add(new GraphOutput<TKey, TValue> { Origin = _stream.Output.Origin });
        chain(_stream.Then(_outputs[^1]));
        return this;
    }

    /// <summary>The records that no branch took; without this they are dropped.</summary>
    public void DefaultBranch(Action<KStream<TKey, TValue>> chain)
    {
        if (_default is not null)
            throw new TopologyException("A split stream has one default branch.");
        _default = new GraphOutput<TKey, TValue> { Origin = _stream.Output.Origin };
        chain(_stream.Then(_default));
    }
}
