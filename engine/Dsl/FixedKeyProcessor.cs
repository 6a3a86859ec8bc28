using Streams.Processing;
using Streams.Records;
using Streams.State;

namespace Streams.Dsl;

/// <summary>An operator of the user's own that makes values of values: the key stays.</summary>
/// <remarks>Each task makes its own; all calls come on the task's thread.</remarks>
public interface IFixedKeyProcessor<TKey, TValue, TNewValue>
{
    /// <summary>Called once, when the task's stores are there, before they are restored.</summary>
    void Init(FixedKeyProcessorContext<TKey, TNewValue> context);

    /// <summary>Called for each record; the record and what it refers to are valid during the call.</summary>
    void Process(in Record<TKey, TValue> record);
}

/// <summary>What a processor of values can do besides computing.</summary>
public sealed class FixedKeyProcessorContext<TKey, TValue>
{
    private readonly ProcessorContext<TKey, TValue> _context;
    private TKey _key = default!;
    private bool _hasKey;
    private long _timestampMs;
    private Headers _headers;
    private bool _isProcessing;

    internal FixedKeyProcessorContext(ProcessorContext<TKey, TValue> context) => _context = context;

    /// <summary>The task.</summary>
    public TaskId Task => _context.Task;

    /// <summary>The highest record time that the task has seen; long.MinValue before the first.</summary>
    public long StreamTimeMs => _context.StreamTimeMs;

    /// <summary>The wall clock, Unix milliseconds UTC. What it says must not get into a record.</summary>
    public long WallClockMs => _context.WallClockMs;

    /// <summary>Passes a value on under the key, time and headers of the record that is being
    /// processed.</summary>
    /// <exception cref="InvalidOperationException">None is: there is no key, in a punctuation for
    /// example.</exception>
    public void Forward(in TValue value) => Forward(value, _timestampMs, _headers);

    /// <summary>Passes a value on under the key of the record that is being processed.</summary>
    /// <exception cref="InvalidOperationException">None is: there is no key, in a punctuation for
    /// example.</exception>
    public void Forward(in TValue value, long timestampMs, Headers headers)
    {
        if (!_isProcessing)
            throw new InvalidOperationException(
                "A processor of values forwards under the key of the record that it is given, so it can "
                + "do so while it processes one only. Use Process to forward from a punctuation.");
        _context.Forward(new Record<TKey, TValue>(
            _key, _hasKey, value, value is not null, timestampMs, headers));
    }

    /// <summary>A store that the processor named.</summary>
    /// <exception cref="TopologyException">It did not, or the store is of another type.</exception>
    public TStore GetStore<TStore>(string name)
        where TStore : StateStore => _context.GetStore<TStore>(name);

    /// <summary>Calls back at intervals; disposing of the result ends that.</summary>
    /// <param name="interval">At least a millisecond.</param>
    /// <param name="type">Which clock it goes by.</param>
    /// <param name="callback">Gets the clock's time in milliseconds.</param>
    public IDisposable Schedule(TimeSpan interval, PunctuationType type, Action<long> callback) =>
        _context.Schedule(interval, type, callback);

    internal void Begin(TKey key, bool hasKey, long timestampMs, Headers headers)
    {
        _key = key;
        _hasKey = hasKey;
        _timestampMs = timestampMs;
        _headers = headers;
        _isProcessing = true;
    }

    internal void End() => _isProcessing = false;
}
