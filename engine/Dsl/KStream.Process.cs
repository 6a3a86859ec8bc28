using Streams.Processing;
using Streams.Records;

namespace Streams.Dsl;

/// <content>Operators of the user's own.</content>
public sealed partial class KStream<TKey, TValue>
{
    /// <summary>Runs a processor of the user's own over the records.</summary>
    /// <param name="supplier">Makes the processor of one task.</param>
    /// <param name="options">Its name and the stores that it uses.</param>
    /// <param name="keySerde">Serde of its keys, where a topic follows.</param>
    /// <param name="valueSerde">Serde of its values, where a topic follows.</param>
    public ProcessedStreams<TNewKey, TNewValue> Process<TNewKey, TNewValue>(
        Func<IProcessor<TKey, TValue, TNewKey, TNewValue>> supplier, ProcessOptions? options = null,
        Serde<TNewKey>? keySerde = null, Serde<TNewValue>? valueSerde = null)
    {
        options ??= new ProcessOptions();
        var sides = new Dictionary<SideOutput, object>();
        var main = new GraphOutput<TNewKey, TNewValue>();
        OperatorNode<TKey, TValue, TNewKey, TNewValue> node = Builder.AttachTo(
            Output, main, options.Name, "KSTREAM-PROCESSOR", options.Stores,
            task => new UserProcessor<TKey, TValue, TNewKey, TNewValue>(supplier(), Resolve(sides, task)));
        node.SideOutputs.Add(() => sides.Values.Cast<IGraphOutput>().SelectMany(side => side.Nodes));
        return new ProcessedStreams<TNewKey, TNewValue>(
            Builder, new KStream<TNewKey, TNewValue>(Builder, main, keySerde, valueSerde, true), sides);
    }

    /// <summary>Runs a processor of the user's own over the values: it cannot change keys, so no topic is
    /// needed
    /// before what follows.</summary>
    /// <param name="supplier">Makes the processor of one task.</param>
    /// <param name="options">Its name and the stores that it uses.</param>
    /// <param name="valueSerde">Serde of its values, where a topic or a store follows.</param>
    public KStream<TKey, TNewValue> ProcessValues<TNewValue>(
        Func<IFixedKeyProcessor<TKey, TValue, TNewValue>> supplier, ProcessOptions? options = null,
        Serde<TNewValue>? valueSerde = null)
    {
        options ??= new ProcessOptions();
        GraphOutput<TKey, TNewValue> output = Builder.Attach(
            Output, options.Name, "KSTREAM-PROCESSVALUES", options.Stores,
            _ => new UserValuesProcessor<TKey, TValue, TNewValue>(supplier()));
        return new KStream<TKey, TNewValue>(Builder, output, KeySerde, valueSerde, KeyChanged);
    }

    private static Dictionary<SideOutput, object> Resolve(
        Dictionary<SideOutput, object> sides, TaskBuilder task) =>
        sides.ToDictionary(side => side.Key, side => ((IGraphOutput)side.Value).ResolveAny(task));
}

internal sealed class UserProcessor<TKeyIn, TValueIn, TKeyOut, TValueOut>(
    IProcessor<TKeyIn, TValueIn, TKeyOut, TValueOut> processor, Dictionary<SideOutput, object> sides)
    : Operator<TKeyIn, TValueIn, TKeyOut, TValueOut>, IDisposable
{
    internal override void Open() =>
        processor.Init(new ProcessorContext<TKeyOut, TValueOut>(Scope, Node, Next, sides));

    internal override void Process(in Record<TKeyIn, TValueIn> record)
    {
        Enter();
        processor.Process(record);
    }

    public void Dispose() => (processor as IDisposable)?.Dispose();
}

internal sealed class UserValuesProcessor<TKey, TValue, TNewValue>(
    IFixedKeyProcessor<TKey, TValue, TNewValue> processor)
    : Operator<TKey, TValue, TKey, TNewValue>, IDisposable
{
    private FixedKeyProcessorContext<TKey, TNewValue> _context = null!;

    internal override void Open()
    {
        _context = new FixedKeyProcessorContext<TKey, TNewValue>(
            new ProcessorContext<TKey, TNewValue>(Scope, Node, Next, []));
        processor.Init(_context);
    }

    internal override void Process(in Record<TKey, TValue> record)
    {
        Enter();
        _context.Begin(record.Key, record.HasKey, record.TimestampMs, record.Headers);
        processor.Process(record);
        _context.End();
    }

    public void Dispose() => (processor as IDisposable)?.Dispose();
}
