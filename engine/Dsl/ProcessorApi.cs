using Streams.Processing;
using Streams.Records;
using Streams.State;

namespace Streams.Dsl;

/// <summary>An operator of the user's own, with state, timers and any number of outputs per record.</summary>
/// <remarks>Each task makes its own; all calls come on the task's thread.</remarks>
public interface IProcessor<TKeyIn, TValueIn, TKeyOut, TValueOut>
{
    /// <summary>Called once, when the task's stores are there, before they are restored.</summary>
    void Init(ProcessorContext<TKeyOut, TValueOut> context);

    /// <summary>Called for each record; the record and what it refers to are valid during the call.</summary>
    void Process(in Record<TKeyIn, TValueIn> record);
}

/// <summary>What a processor can do besides computing.</summary>
public sealed class ProcessorContext<TKey, TValue>
{
    private readonly TaskScope _scope;
    private readonly int _node;
    private readonly Receiver<TKey, TValue> _next;
    private readonly Dictionary<SideOutput, object> _sides;

    internal ProcessorContext(
        TaskScope scope, int node, Receiver<TKey, TValue> next, Dictionary<SideOutput, object> sides)
    {
        _scope = scope;
        _node = node;
        _next = next;
        _sides = sides;
    }

    /// <summary>The task.</summary>
    public TaskId Task => _scope.Id;

    /// <summary>The highest record time that the task has seen; long.MinValue before the first.</summary>
    public long StreamTimeMs => _scope.StreamTimeMs;

    /// <summary>The wall clock, Unix milliseconds UTC. What it says must not get into a record.</summary>
    public long WallClockMs => _scope.Clock.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>The offset of the record that is being processed.</summary>
    public long Offset => _scope.CurrentOffset;

    /// <summary>Points to roll the task's state back to, over its stores that were declared with
    /// savepoints.</summary>
    /// <exception cref="TopologyException">No store of the task was.</exception>
    public Savepoints Savepoints => _scope.Savepoints
        ?? throw new TopologyException("No store of this task was declared with savepoints.");

    /// <summary>Passes a record on.</summary>
    public void Forward(in Record<TKey, TValue> record)
    {
        _next.Process(record);
        _scope.CurrentNode = _node;
    }

    /// <summary>A store that the processor named.</summary>
    /// <exception cref="TopologyException">It did not, or the store is of another type.</exception>
    public TStore GetStore<TStore>(string name)
        where TStore : StateStore => _scope.Store<TStore>(name);

    /// <summary>A further output of the processor, of its own types; nothing takes what nobody asked
    /// for.</summary>
    public Forwarder<TSideKey, TSideValue> Output<TSideKey, TSideValue>(
        SideOutput<TSideKey, TSideValue> output) =>
        new(_sides.TryGetValue(output, out object? side)
            ? (Receiver<TSideKey, TSideValue>)side
            : Discard<TSideKey, TSideValue>.Instance);

    /// <summary>Calls back at intervals; disposing of the result ends that.</summary>
    /// <param name="interval">At least a millisecond.</param>
    /// <param name="type">Which clock it goes by.</param>
    /// <param name="callback">Gets the clock's time in milliseconds.</param>
    public IDisposable Schedule(TimeSpan interval, PunctuationType type, Action<long> callback) =>
        _scope.Punctuations.Schedule(_node, type, (long)interval.TotalMilliseconds, WallClockMs, callback);
}

/// <summary>Passes records to a further output of a processor.</summary>
public readonly struct Forwarder<TKey, TValue>
{
    private readonly Receiver<TKey, TValue> _receiver;

    internal Forwarder(Receiver<TKey, TValue> receiver) => _receiver = receiver;

    /// <summary>Passes a record on.</summary>
    public void Forward(in Record<TKey, TValue> record) => _receiver.Process(record);
}

/// <summary>A further output of a processor, to declare once and to name on both sides.</summary>
public abstract class SideOutput
{
    private protected SideOutput(string name) => Name = name;

    /// <summary>Its name, for messages.</summary>
    public string Name { get; }
}

/// <inheritdoc/>
public sealed class SideOutput<TKey, TValue>(string name) : SideOutput(name);

/// <summary>Where the results of a processor come out.</summary>
public sealed class ProcessedStreams<TKey, TValue>
{
    private readonly StreamsBuilder _builder;
    private readonly Dictionary<SideOutput, object> _sides;

    internal ProcessedStreams(
        StreamsBuilder builder, KStream<TKey, TValue> main, Dictionary<SideOutput, object> sides)
    {
        _builder = builder;
        _sides = sides;
        Main = main;
    }

    /// <summary>What the processor forwards.</summary>
    public KStream<TKey, TValue> Main { get; }

    /// <summary>What it passes to a further output.</summary>
    public KStream<TSideKey, TSideValue> Side<TSideKey, TSideValue>(
        SideOutput<TSideKey, TSideValue> output, Serde<TSideKey>? keySerde = null,
        Serde<TSideValue>? valueSerde = null)
    {
        if (!_sides.TryGetValue(output, out object? side))
            _sides.Add(output, side = new GraphOutput<TSideKey, TSideValue> { Origin = Main.Output.Origin });
        return new KStream<TSideKey, TSideValue>(
            _builder, (GraphOutput<TSideKey, TSideValue>)side, keySerde, valueSerde, true);
    }
}
