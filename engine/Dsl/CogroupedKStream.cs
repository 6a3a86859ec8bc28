using Streams.Processing;
using Streams.Records;

namespace Streams.Dsl;

/// <summary>Several grouped streams with one aggregate per key: each stream has its own way of adding to
/// it.</summary>
/// <typeparam name="TKey">The key's type.</typeparam>
/// <typeparam name="TAggregate">The aggregate's type.</typeparam>
public sealed class CogroupedKStream<TKey, TAggregate>
{
    private readonly StreamsBuilder _builder;
    private readonly Serde<TKey>? _keySerde;
    private readonly IReadOnlyList<CogroupInput<TKey, TAggregate>> _inputs;

    internal CogroupedKStream(
        StreamsBuilder builder, Serde<TKey>? keySerde, IReadOnlyList<CogroupInput<TKey, TAggregate>> inputs)
    {
        _builder = builder;
        _keySerde = keySerde;
        _inputs = inputs;
    }

    /// <summary>The same with one more stream.</summary>
    /// <param name="grouped">The stream.</param>
    /// <param name="aggregator">Adds one of its values to the aggregate.</param>
    /// <param name="lateRecords">Takes those of its records that come when all of their windows are closed;
    /// they are counted anyhow. Null for nobody; without windows nothing is late.</param>
    public CogroupedKStream<TKey, TAggregate> Cogroup<TValue>(
        KGroupedStream<TKey, TValue> grouped, Aggregator<TKey, TValue, TAggregate> aggregator,
        Action<KStream<TKey, TValue>>? lateRecords = null) =>
        new(_builder, _keySerde ?? grouped.KeySerde, [.. _inputs,
            (initializer, merger) => new GroupInput<TKey, TValue, TAggregate>(
                grouped.Stream, Folds<TKey, TValue>.Aggregate(initializer, aggregator),
                Tombstone<TValue>.IsSeen)
            {
                Merge = merger is null ? null : new SessionMerge<TKey, TAggregate>(initializer, merger),
                Late = SideStream<TKey, TValue>.Of(grouped.Stream, lateRecords),
            }]);

    /// <summary>Folds the values of each key into an aggregate.</summary>
    /// <param name="initializer">Makes the aggregate of a key that has none.</param>
    /// <param name="materialized">Where it is kept; its value serde is needed.</param>
    public KTable<TKey, TAggregate> Aggregate(
        Func<TAggregate> initializer, Materialized<TKey, TAggregate> materialized)
    {
        var old = new OldValues();
        AggregateStore<TKey, TAggregate> kept = AggregateStore<TKey, TAggregate>.Add(
            _builder, materialized, _keySerde, "COGROUPKSTREAM-AGGREGATE", null);
        var output = new GraphOutput<TKey, Change<TAggregate>>();
        foreach (CogroupInput<TKey, TAggregate> input in _inputs)
            input(initializer, null).Attach(_builder, output, kept.Name, old);
        return kept.Table(_builder, output, old);
    }

    /// <summary>Aggregates within tumbling or hopping windows.</summary>
    public TimeWindowedCogroupedKStream<TKey, TAggregate> WindowedBy(TimeWindows windows) =>
        new(this, new WindowShape(windows));

    /// <summary>Aggregates within sliding windows.</summary>
    public TimeWindowedCogroupedKStream<TKey, TAggregate> WindowedBy(SlidingWindows windows) =>
        new(this, new WindowShape(windows));

    /// <summary>Aggregates within sessions.</summary>
    public SessionWindowedCogroupedKStream<TKey, TAggregate> WindowedBy(SessionWindows windows) =>
        new(this, new WindowShape(windows));

    internal KTable<Windowed<TKey>, TAggregate> Windowed(
        WindowShape shape, Func<TAggregate> initializer, Merger<TKey, TAggregate>? merger,
        Materialized<TKey, TAggregate> materialized) => WindowPlan<TKey>.Build(
        _builder, shape, _keySerde, materialized, [.. _inputs.Select(input => input(initializer, merger))]);
}

/// <summary>Makes a stream's input once it is known what aggregates begin with and how sessions are
/// merged.</summary>
internal delegate GroupInput<TKey, TAggregate> CogroupInput<TKey, TAggregate>(
    Func<TAggregate> initializer, Merger<TKey, TAggregate>? merger);

/// <summary>Several grouped streams with one aggregate per key and window.</summary>
/// <remarks>Each stream has its own stream time: what is late for one is not for the others.</remarks>
public sealed class TimeWindowedCogroupedKStream<TKey, TAggregate>
{
    private readonly CogroupedKStream<TKey, TAggregate> _cogrouped;
    private readonly WindowShape _shape;

    internal TimeWindowedCogroupedKStream(CogroupedKStream<TKey, TAggregate> cogrouped, WindowShape shape)
    {
        _cogrouped = cogrouped;
        _shape = shape;
    }

    /// <summary>Folds the values of each key and window into an aggregate.</summary>
    /// <param name="initializer">Makes the aggregate of a window that has none.</param>
    /// <param name="materialized">Where it is kept; its value serde is needed.</param>
    public KTable<Windowed<TKey>, TAggregate> Aggregate(
        Func<TAggregate> initializer, Materialized<TKey, TAggregate> materialized) =>
        _cogrouped.Windowed(_shape, initializer, null, materialized);
}

/// <summary>Several grouped streams with one aggregate per key and session.</summary>
public sealed class SessionWindowedCogroupedKStream<TKey, TAggregate>
{
    private readonly CogroupedKStream<TKey, TAggregate> _cogrouped;
    private readonly WindowShape _shape;

    internal SessionWindowedCogroupedKStream(CogroupedKStream<TKey, TAggregate> cogrouped, WindowShape shape)
    {
        _cogrouped = cogrouped;
        _shape = shape;
    }

    /// <summary>Folds the values of each key and session into an aggregate.</summary>
    /// <param name="initializer">Makes the aggregate that sessions are merged into.</param>
    /// <param name="merger">Combines the aggregates of sessions that become one.</param>
    /// <param name="materialized">Where it is kept; its value serde is needed.</param>
    public KTable<Windowed<TKey>, TAggregate> Aggregate(
        Func<TAggregate> initializer, Merger<TKey, TAggregate> merger,
        Materialized<TKey, TAggregate> materialized) =>
        _cogrouped.Windowed(_shape, initializer, merger, materialized);
}
