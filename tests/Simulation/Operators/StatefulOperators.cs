using Streams.Dsl;
using Streams.Processing;
using Streams.Records;
using Streams.State;
using Streams.Tests.Reference;

namespace Streams.Tests.Simulation.Operators;

/// <summary>Count, reduce or aggregate by key.</summary>
internal sealed class AggregateOperator(int id, PlanStream input, int kind) : PlanOperator(id, input)
{
    internal override string Family => kind switch { 0 => "count", 1 => "reduce", _ => "aggregate" };

    internal override void Build(StreamsBuilder builder)
    {
        KGroupedStream<string, string> grouped = Input().GroupByKey();
        var texts = new Materialized<string, string> { StoreName = StoreName, ValueSerde = Serdes.String };
        Built.Add(kind switch
        {
            0 => grouped.Count(new Materialized<string, long> { StoreName = StoreName }).ToStream()
                .MapValues((_, count) => $"{count}").WithSerdes(Serdes.String, Serdes.String),
            1 => grouped.Reduce((a, b) => UserFunctions.Add(a, b)!, texts).ToStream(),
            _ => grouped.Aggregate(
                () => "", (_, value, aggregate) => UserFunctions.Add(aggregate, value)!, texts).ToStream(),
        });
    }

    internal override ReferenceOperator CreateReference()
    {
        var aggregate = new StreamAggregate(kind switch
        {
            0 => Folds.Count,
            1 => Folds.Reduce((x, y) => UserFunctions.Add(x!, y)),
            _ => Folds.Aggregate("", UserFunctions.Add),
        });
        var reference = new ReferenceOf<StreamAggregate>(aggregate, (_, row) => aggregate.Process(0, row));
        aggregate.Next = change => reference.Emit(0, change.ToRow());
        return reference;
    }

    internal override string? CompareState(TaskScope scope, ReferenceOperator reference)
    {
        var expected = ((ReferenceOf<StreamAggregate>)reference).State.State;
        return kind == 0
            ? StoreComparison.Compare(scope.Store<KeyValueStore<string, long>>(StoreName), expected)
            : StoreComparison.Compare(scope.Store<KeyValueStore<string, string>>(StoreName), expected);
    }
}

/// <summary>A stream with a table of the same partitions: as it is, or was at the record's time; at once or
/// after a while.</summary>
internal sealed class TableLookupOperator(
    int id, PlanStream input, TableOperator table, bool isLeft, long? graceMs) : PlanOperator(id, input)
{
    internal override string Family => graceMs is not null ? "as-of join with grace"
        : table.IsVersioned ? "as-of join" : isLeft ? "stream-table left join" : "stream-table inner join";

    internal override IReadOnlyList<PlanOperator> Tables => [table];

    internal override void Build(StreamsBuilder builder)
    {
        var joined = new Joined
        {
            GracePeriod = graceMs is { } ms ? TimeSpan.FromMilliseconds(ms) : null,
            StoreName = StoreName,
        };
        KStream<string, string> result = isLeft
            ? Input().LeftJoin<string, string>(
                table.Table, (_, value, found, has) => UserFunctions.Pair(value, has ? found : null), joined)
            : Input().Join<string, string>(
                table.Table, (_, value, found) => UserFunctions.Pair(value, found), joined);
        Built.Add(result.WithSerdes(Serdes.String, Serdes.String));
    }

    internal override ReferenceOperator CreateReference() => new Reference(table, isLeft, graceMs);

    internal override string? CompareState(TaskScope scope, ReferenceOperator reference) =>
        StoreComparison.Compare(scope.Store<OrderedStore>(StoreName), ((Reference)reference).Join.Held
            .Select(r => (r.TimestampMs, r.Key)).Distinct().Count());

    private sealed class Reference(TableOperator table, bool isLeft, long? graceMs) : ReferenceOperator
    {
        internal StreamTableJoin Join { get; private set; } = null!;

        internal override void Process(int input, Row row) => Join.Process(row);

        internal override void Link(Func<PlanOperator, ReferenceOperator> find) => Join = new StreamTableJoin(
            isLeft, ((TableReference)find(table)).FindAsOf, UserFunctions.Pair, graceMs)
        {
            Next = row => Emit(0, row),
        };
    }
}

/// <summary>Drops what was seen a short time ago.</summary>
internal sealed class DeduplicateOperator(int id, PlanStream input, long withinMs) : PlanOperator(id, input)
{
    internal override string Family => "deduplicate";

    internal override void Build(StreamsBuilder builder) => Built.Add(Input().Deduplicate(
        TimeSpan.FromMilliseconds(withinMs), options: new DeduplicateOptions { StoreName = StoreName }));

    internal override ReferenceOperator CreateReference() => new Reference(withinMs);

    private sealed class Reference(long withinMs) : ReferenceOperator
    {
        private readonly Dictionary<string, long> _last = [];
        private long _observedMs = long.MinValue;

        internal override void Process(int input, Row row)
        {
            if (row.Key is null)
                return;
            _observedMs = Math.Max(_observedMs, row.TimestampMs);
            bool known = _last.TryGetValue(row.Key, out long last) && last > _observedMs - (2 * withinMs);
            if (known && Math.Abs(row.TimestampMs - last) < withinMs)
                return;
            _last[row.Key] = known ? Math.Max(last, row.TimestampMs) : row.TimestampMs;
            Emit(0, row);
        }
    }
}

/// <summary>Gathers values and gives them out at times: a processor of the user's with a timer.</summary>
internal sealed class PunctuatorOperator(int id, PlanStream input, long intervalMs, bool isWallClock)
    : PlanOperator(id, input)
{
    internal override string Family => isWallClock ? "wall-clock punctuator" : "stream-time punctuator";

    /// <summary>Whether its timer goes by the wall clock.</summary>
    internal bool IsWallClock => isWallClock;

    internal override void Build(StreamsBuilder builder)
    {
        builder.AddStateStore(
            Stores.KeyValue(new StoreOptions { Name = StoreName }, Serdes.String, Serdes.String));
        Built.Add(Input().Process<string, string>(
            () => new Processor(
                StoreName,
                TimeSpan.FromMilliseconds(Bug == PlantedBug.TimerFiresEarly ? intervalMs - 1 : intervalMs),
                isWallClock ? PunctuationType.WallClockTime : PunctuationType.StreamTime),
            new ProcessOptions($"p{Id}", StoreName)).Main.WithSerdes(Serdes.String, Serdes.String));
    }

    internal override ReferenceOperator CreateReference()
    {
        var collector = new Collector(intervalMs, UserFunctions.Gather);
        var reference = new ReferenceOf<Collector>(collector, (_, row) => collector.Process(row));
        collector.Next = row => reference.Emit(0, row);
        return reference;
    }

    internal override string? CompareState(TaskScope scope, ReferenceOperator reference) =>
        StoreComparison.Compare(
            scope.Store<KeyValueStore<string, string>>(StoreName),
            ((ReferenceOf<Collector>)reference).State.State);

    private sealed class Processor(string storeName, TimeSpan interval, PunctuationType type)
        : IProcessor<string, string, string, string>
    {
        private ProcessorContext<string, string> _context = null!;
        private KeyValueStore<string, string> _store = null!;

        public void Init(ProcessorContext<string, string> context)
        {
            _context = context;
            _store = context.GetStore<KeyValueStore<string, string>>(storeName);
            context.Schedule(interval, type, Emit);
        }

        public void Process(in Record<string, string> record)
        {
            if (!record.HasKey)
                return;
            bool has = _store.TryGet(record.Key, out string old);
            _store.Put(
                record.Key, UserFunctions.Gather(has ? old : null, record.HasValue ? record.Value : null),
                record.TimestampMs);
        }

        private void Emit(long timeMs)
        {
            foreach ((string key, string value) in _store.All().OrderBy(e => e.Key, StringComparer.Ordinal)
                .ToList())
            {
                _store.Delete(key);
                _context.Forward(new Record<string, string>(key, value, timeMs));
            }
        }
    }
}
