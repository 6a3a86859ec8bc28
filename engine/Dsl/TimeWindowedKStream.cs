using Streams.Processing;
using Streams.Records;
using Streams.State;

namespace Streams.Dsl;

/// <summary>Records grouped by key and tumbling or hopping window, to be aggregated.</summary>
/// <typeparam name="TKey">The key's type.</typeparam>
/// <typeparam name="TValue">The value's type.</typeparam>
public sealed class TimeWindowedKStream<TKey, TValue>
{
    private readonly KStream<TKey, TValue> _stream;
    private readonly Serde<TKey>? _keySerde;
    private readonly TimeWindows _windows;

    internal TimeWindowedKStream(KStream<TKey, TValue> stream, Serde<TKey>? keySerde, TimeWindows windows)
    {
        _stream = stream;
        _keySerde = keySerde;
        _windows = windows;
    }

    /// <summary>Number of records of each key and window.</summary>
    public WindowedTable<TKey, long> Count(Materialized<TKey, long>? materialized = null) => Aggregated(
        KGroupedStream<TKey, long>.WithSerde(materialized, Serdes.Int64), () => 0L, (_, _, count) =>
            count + 1, true);

    /// <summary>Combines the values of each key and window.</summary>
    public WindowedTable<TKey, TValue> Reduce(
        Func<TValue, TValue, TValue> reducer, Materialized<TKey, TValue>? materialized = null) => Aggregated(
        KGroupedStream<TKey, TValue>.WithSerde(materialized, _stream.RequireValueSerde("Reduce")), null,
        (_, value, aggregate) => reducer(aggregate, value), false);

    /// <summary>Folds the values of each key and window into an aggregate.</summary>
    /// <param name="initializer">Makes the aggregate of a window that has none.</param>
    /// <param name="aggregator">Adds a value to it.</param>
    /// <param name="materialized">Where it is kept; its value serde is needed.</param>
    public WindowedTable<TKey, TAggregate> Aggregate<TAggregate>(
        Func<TAggregate> initializer, Aggregator<TKey, TValue, TAggregate> aggregator,
        Materialized<TKey, TAggregate> materialized) =>
            Aggregated(materialized, initializer, aggregator, true);

    private WindowedTable<TKey, TAggregate> Aggregated<TAggregate>(
        Materialized<TKey, TAggregate> materialized, Func<TAggregate>? initializer,
        Aggregator<TKey, TValue, TAggregate> aggregator, bool takesNulls)
    {
        Serde<TKey> keys = materialized.KeySerde ?? _keySerde
            ?? _stream.RequireKeySerde("A windowed aggregate");
        Serde<TAggregate> values = materialized.ValueSerde ?? throw new TopologyException(
            $"An aggregate of type {typeof(TAggregate).Name} needs a serde: Materialized.ValueSerde.");
        var least = TimeSpan.FromMilliseconds(_windows.SizeMs + _windows.GraceMs);
        TimeSpan retention = materialized.Retention ?? least;
        if (retention < least)
            throw new TopologyException(
                $"A retention of {retention} is shorter than the windows' size and grace together, {least}.");
        string store = _stream.Builder.NameFor(materialized.StoreName, "KSTREAM-AGGREGATE-STATE-STORE");
        _stream.Builder.AddStore(Stores.Window(
            KTable<TKey, TAggregate>.StoreOptionsOf(materialized, store), retention, keys, values).Spec);
        var late = new LateRecords();
        GraphOutput<Windowed<TKey>, Change<TAggregate>> output = _stream.Builder.Attach(
            _stream.Output, null, "KSTREAM-AGGREGATE", [store],
            task => new WindowAggregate<TKey, TValue, TAggregate>(
                task.Store<WindowStore<TKey, TAggregate>>(store), _windows, initializer, aggregator,
                    takesNulls, late));
        return new WindowedTable<TKey, TAggregate>(_stream.Builder, output, _windows, keys, values, late);
    }
}

/// <summary>Counts the records that came after their windows had closed.</summary>
public sealed class LateRecords
{
    private long _count;

    /// <summary>How many there were, over all tasks of this process.</summary>
    public long Count => Interlocked.Read(ref _count);

    internal void Add() => Interlocked.Increment(ref _count);
}

/// <summary>A table whose keys are windows: each update of a window's aggregate.</summary>
public sealed class WindowedTable<TKey, TAggregate>
{
    private readonly StreamsBuilder _builder;
    private readonly GraphOutput<Windowed<TKey>, Change<TAggregate>> _output;
    private readonly TimeWindows _windows;
    private readonly Serde<TKey> _keySerde;
    private readonly Serde<TAggregate> _valueSerde;

    internal WindowedTable(
        StreamsBuilder builder, GraphOutput<Windowed<TKey>, Change<TAggregate>> output, TimeWindows windows,
        Serde<TKey> keySerde, Serde<TAggregate> valueSerde, LateRecords late)
    {
        _builder = builder;
        _output = output;
        _windows = windows;
        _keySerde = keySerde;
        _valueSerde = valueSerde;
        Late = late;
    }

    /// <summary>Records that came too late for every window.</summary>
    public LateRecords Late { get; }

    /// <summary>Holds a window's aggregate back until the window closes, then emits it once.</summary>
    /// <param name="storeName">Name of the store that holds it back; null for a generated one.</param>
    public WindowedTable<TKey, TAggregate> SuppressUntilWindowCloses(string? storeName = null)
    {
        string store = _builder.NameFor(storeName, "KTABLE-SUPPRESS-STATE-STORE");
        _builder.AddStore(SuppressBuffer.Spec(store, KeySerde, _valueSerde));
        GraphOutput<Windowed<TKey>, Change<TAggregate>> output = _builder.Attach(
            _output, null, "KTABLE-SUPPRESS", [store],
            task => new SuppressUntilClose<TKey, TAggregate>(
                task.Store<SuppressBuffer>(store), KeySerde, _valueSerde, _windows.GraceMs));
        return new WindowedTable<TKey, TAggregate>(_builder, output, _windows, _keySerde, _valueSerde, Late);
    }

    /// <summary>The updates as a stream.</summary>
    public KStream<Windowed<TKey>, TAggregate> ToStream(string? name = null) => new(
        _builder, _builder.Attach(
            _output, name, "KTABLE-TOSTREAM", [], _ => new ToStream<Windowed<TKey>, TAggregate>()),
        KeySerde, _valueSerde, false);

    private Serde<Windowed<TKey>> KeySerde =>
        WindowedSerdes.TimeWindowed(_keySerde, TimeSpan.FromMilliseconds(_windows.SizeMs));
}

/// <summary>Folds each record into the aggregates of its windows that are still open.</summary>
internal sealed class WindowAggregate<TKey, TValue, TAggregate>(
    WindowStore<TKey, TAggregate> store, TimeWindows windows, Func<TAggregate>? initializer,
    Aggregator<TKey, TValue, TAggregate> aggregator, bool takesNulls, LateRecords late)
    : Operator<TKey, TValue, Windowed<TKey>, Change<TAggregate>>
{
    private TAggregate _current = default!;
    private TAggregate _old = default!;

    internal override void Process(in Record<TKey, TValue> record)
    {
        if (!record.HasKey || (!record.HasValue && !takesNulls))
            return;
        Enter();
        store.StreamTimeMs = Math.Max(store.StreamTimeMs, record.TimestampMs);
        long closedMs = store.StreamTimeMs - windows.GraceMs;
        bool counted = false;
        for (long start = windows.FirstStart(
            record.TimestampMs); start <= record.TimestampMs; start += windows.AdvanceMs)
        {
            if (start + windows.SizeMs <= closedMs)
                continue;
            counted = true;
            Update(record, start);
        }
        if (!counted)
            late.Add();
    }

    private void Update(in Record<TKey, TValue> record, long start)
    {
        bool existed = store.TryGet(record.Key, start, ref _current, out long storedMs);
        if (existed)
            store.TryGet(record.Key, start, ref _old, out _);
        long timestampMs = existed ? Math.Max(storedMs, record.TimestampMs) : record.TimestampMs;
        TAggregate result = Combine(record, existed);
        bool has = result is not null;
        if (has)
            store.Put(record.Key, start, result, timestampMs);
        else
            store.Delete(record.Key, start);
        var key = new Windowed<TKey>(record.Key, start, start + windows.SizeMs);
        var change = new Change<TAggregate>(result, has, existed ? _old : default!, existed);
        Next.Process(new Record<Windowed<TKey>, Change<TAggregate>>(
            key, true, change, true, timestampMs, record.Headers));
        Enter();
    }

    // Without an initializer this is a reduction: the first value is the aggregate.
    private TAggregate Combine(in Record<TKey, TValue> record, bool existed)
    {
        if (existed)
            return aggregator(record.Key, record.Value, _current);
        return initializer is null
            ? (TAggregate)(object)record.Value!
            : aggregator(record.Key, record.Value, initializer());
    }
}
