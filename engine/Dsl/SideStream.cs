using Streams.Processing;

namespace Streams.Dsl;

/// <summary>A further stream that an operator gives records to where somebody asked for it, such as those
/// that came too late.</summary>
internal readonly struct SideStream<TKey, TValue>
{
    private readonly GraphOutput<TKey, TValue>? _output;

    private SideStream(GraphOutput<TKey, TValue> output) => _output = output;

    /// <summary>The side stream of an operator on a stream; none where there is no chain.</summary>
    internal static SideStream<TKey, TValue> Of(
        KStream<TKey, TValue> stream, Action<KStream<TKey, TValue>>? chain)
    {
        if (chain is null)
            return default;
        var output = new GraphOutput<TKey, TValue> { Origin = stream.Output.Origin };
        chain(stream.Then(output));
        return new SideStream<TKey, TValue>(output);
    }

    /// <summary>Makes it an output of the operator.</summary>
    internal void AttachTo<TKeyIn, TValueIn, TKeyOut, TValueOut>(
        OperatorNode<TKeyIn, TValueIn, TKeyOut, TValueOut> node)
    {
        if (_output is { } output)
            node.SideOutputs.Add(() => output.Nodes);
    }

    /// <summary>Where the records go in a task; null for nowhere.</summary>
    internal Receiver<TKey, TValue>? Resolve(TaskBuilder task) => _output?.Resolve(task);
}
