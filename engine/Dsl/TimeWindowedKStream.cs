using Streams.Records;

namespace Streams.Dsl;

/// <summary>Records grouped by key and tumbling, hopping or sliding window, to be aggregated.</summary>
/// <remarks>A record that comes when all of its windows are closed is late: it is counted and left
/// out.</remarks>
/// <typeparam name="TKey">The key's type.</typeparam>
/// <typeparam name="TValue">The value's type.</typeparam>
public sealed class TimeWindowedKStream<TKey, TValue>
{
    private readonly KGroupedStream<TKey, TValue> _grouped;
    private readonly WindowShape _shape;
    private readonly SideStream<TKey, TValue> _late;

    internal TimeWindowedKStream(
        KGroupedStream<TKey, TValue> grouped, WindowShape shape, SideStream<TKey, TValue> late = default)
    {
        _grouped = grouped;
        _shape = shape;
        _late = late;
    }

    /// <summary>The same windows, emitted at each update (the default) or once when they close.</summary>
    public TimeWindowedKStream<TKey, TValue> EmitStrategy(EmitStrategy strategy) =>
        new(_grouped, _shape with { Emit = strategy }, _late);

    /// <summary>The same windows, with the late records as a stream of their own.</summary>
    public TimeWindowedKStream<TKey, TValue> LateRecords(Action<KStream<TKey, TValue>> chain) =>
        new(_grouped, _shape, SideStream<TKey, TValue>.Of(_grouped.Stream, chain));

    /// <summary>Number of records of each key and window; those without a value count too, but not in sliding
    /// windows.</summary>
    public KTable<Windowed<TKey>, long> Count(Materialized<TKey, long>? materialized = null) => Aggregated(
        KGroupedStream<TKey, TValue>.WithSerde(materialized, Serdes.Int64), Folds<TKey, TValue>.Count, true);

    /// <summary>Combines the values of each key and window.</summary>
    public KTable<Windowed<TKey>, TValue> Reduce(
        Func<TValue, TValue, TValue> reducer, Materialized<TKey, TValue>? materialized = null) => Aggregated(
        KGroupedStream<TKey, TValue>.WithSerde(
            materialized, () => _grouped.Stream.RequireValueSerde("Reduce")),
        Folds<TKey, TValue>.Reduce(reducer), Tombstone<TValue>.IsSeen);

    /// <summary>Folds the values of each key and window into an aggregate.</summary>
    /// <param name="initializer">Makes the aggregate of a window that has none.</param>
    /// <param name="aggregator">Adds a value to it.</param>
    /// <param name="materialized">Where it is kept; its value serde is needed.</param>
    public KTable<Windowed<TKey>, TAggregate> Aggregate<TAggregate>(
        Func<TAggregate> initializer, Aggregator<TKey, TValue, TAggregate> aggregator,
        Materialized<TKey, TAggregate> materialized) => Aggregated(
        materialized, Folds<TKey, TValue>.Aggregate(initializer, aggregator), Tombstone<TValue>.IsSeen);

    private KTable<Windowed<TKey>, TAggregate> Aggregated<TAggregate>(
        Materialized<TKey, TAggregate> materialized, Fold<TKey, TValue, TAggregate> fold, bool takesNulls) =>
        WindowPlan<TKey>.Build(
            _grouped.Stream.Builder, _shape, _grouped.KeySerde, materialized,
            [
                new GroupInput<TKey, TValue, TAggregate>(_grouped.Stream, fold, takesNulls) { Late = _late },
            ]);
}

/// <summary>Records grouped by key and session, to be aggregated.</summary>
/// <typeparam name="TKey">The key's type.</typeparam>
/// <typeparam name="TValue">The value's type.</typeparam>
public sealed class SessionWindowedKStream<TKey, TValue>
{
    private readonly KGroupedStream<TKey, TValue> _grouped;
    private readonly WindowShape _shape;
    private readonly SideStream<TKey, TValue> _late;

    internal SessionWindowedKStream(
        KGroupedStream<TKey, TValue> grouped, WindowShape shape, SideStream<TKey, TValue> late = default)
    {
        _grouped = grouped;
        _shape = shape;
        _late = late;
    }

    /// <summary>The same sessions, emitted at each update (the default) or once when they close.</summary>
    public SessionWindowedKStream<TKey, TValue> EmitStrategy(EmitStrategy strategy) =>
        new(_grouped, _shape with { Emit = strategy }, _late);

    /// <summary>The same sessions, with the late records as a stream of their own.</summary>
    public SessionWindowedKStream<TKey, TValue> LateRecords(Action<KStream<TKey, TValue>> chain) =>
        new(_grouped, _shape, SideStream<TKey, TValue>.Of(_grouped.Stream, chain));

    /// <summary>Number of records of each key and session.</summary>
    public KTable<Windowed<TKey>, long> Count(Materialized<TKey, long>? materialized = null) => Aggregated(
        KGroupedStream<TKey, TValue>.WithSerde(materialized, Serdes.Int64), Folds<TKey, TValue>.Count,
        new SessionMerge<TKey, long>(() => 0L, (_, first, second) => first + second), true);

    /// <summary>Combines the values of each key and session, and the sessions that become one.</summary>
    public KTable<Windowed<TKey>, TValue> Reduce(
        Func<TValue, TValue, TValue> reducer, Materialized<TKey, TValue>? materialized = null) => Aggregated(
        KGroupedStream<TKey, TValue>.WithSerde(
            materialized, () => _grouped.Stream.RequireValueSerde("Reduce")),
        Folds<TKey, TValue>.Reduce(reducer),
        new SessionMerge<TKey, TValue>(null, (_, first, second) => reducer(first, second)),
        Tombstone<TValue>.IsSeen);

    /// <summary>Folds the values of each key and session into an aggregate.</summary>
    /// <param name="initializer">Makes the aggregate that sessions are merged into and values are added
    /// to.</param>
    /// <param name="aggregator">Adds a value to it.</param>
    /// <param name="merger">Combines the aggregates of sessions that become one.</param>
    /// <param name="materialized">Where it is kept; its value serde is needed.</param>
    public KTable<Windowed<TKey>, TAggregate> Aggregate<TAggregate>(
        Func<TAggregate> initializer, Aggregator<TKey, TValue, TAggregate> aggregator,
        Merger<TKey, TAggregate> merger, Materialized<TKey, TAggregate> materialized) => Aggregated(
        materialized, Folds<TKey, TValue>.Aggregate(initializer, aggregator),
        new SessionMerge<TKey, TAggregate>(initializer, merger), Tombstone<TValue>.IsSeen);

    private KTable<Windowed<TKey>, TAggregate> Aggregated<TAggregate>(
        Materialized<TKey, TAggregate> materialized, Fold<TKey, TValue, TAggregate> fold,
        SessionMerge<TKey, TAggregate> merge, bool takesNulls) => WindowPlan<TKey>.Build(
        _grouped.Stream.Builder, _shape, _grouped.KeySerde, materialized,
        [
            new GroupInput<TKey, TValue, TAggregate>(_grouped.Stream, fold, takesNulls)
            {
                Merge = merge,
                Late = _late,
            },
        ]);
}
