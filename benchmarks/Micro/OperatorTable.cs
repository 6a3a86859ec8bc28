using Streams.Dsl;
using Streams.Processing;
using Streams.Records;
using Streams.State;

namespace Streams.Benchmarks.Micro;

/// <summary>A small topology for every operator; those marked go from topic to topic.</summary>
internal static class OperatorTable
{
    private const bool Direct = false;
    private const bool ThroughLog = true;

    private static readonly Consumed<long, long> Numbers = new(Serdes.Int64, Serdes.Int64);
    private static readonly Materialized<long, long> Kept = new() { ValueSerde = Serdes.Int64 };
    private static readonly Produced<long, long> Written = new()
    {
        KeySerde = Serdes.Int64,
        ValueSerde = Serdes.Int64,
    };

    private static readonly TimeWindows Tumbling =
        TimeWindows.OfSizeAndGrace(TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(1));

    private static readonly TimeWindows Hopping = Tumbling.AdvanceBy(TimeSpan.FromMilliseconds(2500));

    private static readonly SlidingWindows Sliding =
        SlidingWindows.OfTimeDifferenceAndGrace(TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(1));

    private static readonly SessionWindows Sessions =
        SessionWindows.OfInactivityGapAndGrace(TimeSpan.FromMilliseconds(900), TimeSpan.FromSeconds(1));

    private static readonly JoinWindows Within =
        JoinWindows.OfTimeDifferenceAndGrace(TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(1));

    private static readonly Materialized<long, long> WithHistory =
        new() { HistoryRetention = TimeSpan.FromMinutes(1) };

    private static long _seen;

    /// <summary>How each is built, and whether it needs a log.</summary>
    internal static IReadOnlyDictionary<string, OperatorCase> Topologies { get; } = new CaseTable
    {
        ["Filter"] = new(b => See(A(b).Filter((_, value) => value % 16 != 0)), Direct),
        ["FilterNot"] = new(b => See(A(b).FilterNot((_, value) => value % 16 == 0)), Direct),
        ["Map"] = new(b => See(A(b).Map((key, value) => (key + 1, value + 1))), Direct),
        ["MapValues"] = new(b => See(A(b).MapValues((_, value) => value + 1)), Direct),
        ["SelectKey"] = new(b => See(A(b).SelectKey((key, _) => key + 1)), Direct),
        ["FlatMap to two"] = new(b => See(A(b).FlatMap<long, long>((in record, emit) =>
        {
            emit(record);
            emit(record);
        })), Direct),
        ["FlatMapValues to one"] = new(b => See(A(b).FlatMapValues((_, value) => Once(value))), Direct),
        ["Peek"] = new(b => See(A(b).Peek((_, value) => _seen ^= value)), Direct),
        ["ForEach"] = new(b => See(A(b)), Direct),
        ["Merge"] = new(b => See(A(b).Merge(B(b))), Direct),
        ["Split, second branch"] = new(b => A(b).Split()
            .Branch((_, value) => value < 0, See).DefaultBranch(See), Direct),
        ["Deduplicate"] = new(b => See(A(b).Deduplicate(TimeSpan.FromSeconds(2))), Direct),
        ["Process, store"] = new(b => See(WithTotals(b).Process(
            () => new Totals(), new ProcessOptions("totals-of", "totals")).Main), Direct),
        ["ProcessValues, store"] = new(b => See(WithTotals(b).ProcessValues(
            () => new TotalValues(), new ProcessOptions("totals-of", "totals"))), Direct),
        ["Process, stream-time punctuator each 100 ms"] = new(b => See(A(b).Process(
            () => new Ticks(), new ProcessOptions("ticks")).Main), Direct),
        ["Count"] = new(b => See(A(b).GroupByKey().Count()), Direct),
        ["Reduce"] = new(b => See(A(b).GroupByKey().Reduce((sum, value) => sum + value)), Direct),
        ["Aggregate"] = new(b => See(A(b).GroupByKey().Aggregate(() => 0L, Add, Kept)), Direct),
        ["Cogroup of two"] = new(b => See(Cogrouped(b).Aggregate(() => 0L, Kept)), Direct),
        ["Cogroup of two, tumbling"] = new(b => See(Cogrouped(b).WindowedBy(Tumbling)
            .Aggregate(() => 0L, Kept)), Direct),
        ["Cogroup of two, sessions"] = new(b => See(Cogrouped(b).WindowedBy(Sessions)
            .Aggregate(() => 0L, (_, x, y) => x + y, Kept)), Direct),
        ["Tumbling window"] = new(b => See(A(b).GroupByKey().WindowedBy(Tumbling).Count()), Direct),
        ["Tumbling window, on close"] = new(b => See(A(b).GroupByKey().WindowedBy(Tumbling)
            .EmitStrategy(EmitStrategy.OnWindowClose).Count()), Direct),
        ["Hopping window, four"] = new(b => See(A(b).GroupByKey().WindowedBy(Hopping).Count()), Direct),
        ["Hopping window, four, on close"] = new(b => See(A(b).GroupByKey().WindowedBy(Hopping)
            .EmitStrategy(EmitStrategy.OnWindowClose).Count()), Direct),
        ["Sliding window, five records"] = new(b => See(
            A(b).GroupByKey().WindowedBy(Sliding).Count()), Direct),
        ["Sliding window, five records, on close"] = new(b => See(A(b).GroupByKey().WindowedBy(Sliding)
            .EmitStrategy(EmitStrategy.OnWindowClose).Count()), Direct),
        ["Session window"] = new(b => See(A(b).GroupByKey().WindowedBy(Sessions).Count()), Direct),
        ["Session window, on close"] = new(b => See(A(b).GroupByKey().WindowedBy(Sessions)
            .EmitStrategy(EmitStrategy.OnWindowClose).Count()), Direct),
        ["Suppress until a window closes"] = new(b => See(A(b).GroupByKey().WindowedBy(Tumbling)
            .Aggregate(() => 0L, Add, Kept)
            .Suppress(Suppressed.UntilWindowCloses(BufferConfig.Unbounded()))), Direct),
        ["Suppress until a time limit"] = new(b => See(A(b).GroupByKey().Aggregate(() => 0L, Add, Kept)
            .Suppress(Suppressed.UntilTimeLimit(
                TimeSpan.FromSeconds(3), BufferConfig.Unbounded()))), Direct),
        ["Stream-stream join"] = new(b => See(A(b).Join(B(b), (_, x, y) => x + y, Within)), Direct),
        ["Stream-stream left join"] = new(b => See(A(b).LeftJoin(
            B(b), (_, x, y, _) => x + y, Within)), Direct),
        ["Stream-stream outer join"] = new(b => See(A(b).OuterJoin(
            B(b), (_, x, _, y, _) => x + y, Within)), Direct),
        ["Self join, one store"] = new(b =>
        {
            KStream<long, long> stream = A(b);
            See(stream.Join(
                stream, (_, x, y) => x + y, Within, new StreamJoined { SingleStoreSelfJoin = true }));
        }, Direct),
        ["Stream-table join"] = new(b => See(A(b).Join(Table(b), (_, x, y) => x + y)), Direct),
        ["Stream-table left join"] = new(b => See(A(b).LeftJoin(
            Table(b), (_, x, y, _) => x + y)), Direct),
        ["Stream-table join, versioned"] = new(b => See(A(b).Join(
            b.Table("b", Numbers, WithHistory), (_, x, y) => x + y)), Direct),
        ["Stream-table join, versioned, grace"] = new(b => See(A(b).Join(
            b.Table("b", Numbers, WithHistory), (_, x, y) => x + y,
            new Joined { GracePeriod = TimeSpan.FromSeconds(1) })), Direct),
        ["Stream-globalTable join"] = new(b => See(A(b).Join(
            b.GlobalTable("b", Numbers), (key, _) => key, (_, x, y) => x + y)), ThroughLog),
        ["Table"] = new(b => See(b.Table("a", Numbers)), Direct),
        ["Table, versioned"] = new(b => See(b.Table("a", Numbers, WithHistory)), Direct),
        ["ToTable"] = new(b => See(A(b).ToTable(Kept)), Direct),
        ["Table Filter"] = new(b => See(
            b.Table("a", Numbers).Filter((_, value) => value % 16 != 0)), Direct),
        ["Table MapValues"] = new(b => See(b.Table("a", Numbers).MapValues((_, value) => value + 1)), Direct),
        ["Table MapValues, stored"] = new(b => See(
            b.Table("a", Numbers).MapValues((_, value) => value + 1, Kept)), Direct),
        ["Table-table join"] = new(b => See(b.Table("a", Numbers).Join(
            Table(b), (_, x, y) => x + y)), Direct),
        ["Table-table left join"] = new(b => See(b.Table("a", Numbers).LeftJoin(
            Table(b), (_, x, y, _) => x + y)), Direct),
        ["Table-table outer join"] = new(b => See(b.Table("a", Numbers).OuterJoin(
            Table(b), (_, x, _, y, _) => x + y)), Direct),
        ["To (topic to topic, for comparison)"] = new(b => A(b).To("out", Written), ThroughLog),
        ["Repartition"] = new(b => See(A(b).SelectKey((key, _) => key + 1).Repartition()), ThroughLog),
        ["Table GroupBy, Count"] = new(b => See(TableGroups(b).Count()), ThroughLog),
        ["Table GroupBy, Reduce"] = new(b => See(TableGroups(b).Reduce(
            (sum, value) => sum + value, (sum, value) => sum - value)), ThroughLog),
        ["Table GroupBy, Aggregate"] = new(b => See(TableGroups(b).Aggregate(
            () => 0L, Add, (_, value, sum) => sum - value, Kept)), ThroughLog),
        ["Foreign-key join"] = new(b => See(b.Table("a", Numbers).Join(
            Table(b), (_, value) => value % 1000, (_, x, y) => x + y)), ThroughLog),
        ["Foreign-key left join"] = new(b => See(b.Table("a", Numbers).LeftJoin(
            Table(b), (_, value) => value % 1000, (_, x, y, _) => x + y)), ThroughLog),
        ["Process, wall-clock punctuator"] = new(b => See(A(b).Process(
            () => new WallTicks(), new ProcessOptions("ticks")).Main), ThroughLog),
        ["MapValuesAsync, answered at once"] = new(b => See(A(b).MapValuesAsync(
            (_, value, _) => Task.FromResult(value + 1))), ThroughLog),
    };

    private static KStream<long, long> A(StreamsBuilder builder) => builder.Stream("a", Numbers);

    private static KStream<long, long> B(StreamsBuilder builder) => builder.Stream("b", Numbers);

    private static KTable<long, long> Table(StreamsBuilder builder) => builder.Table("b", Numbers);

    private static KStream<long, long> WithTotals(StreamsBuilder builder)
    {
        builder.AddStateStore(Stores.KeyValue(
            new StoreOptions { Name = "totals" }, Serdes.Int64, Serdes.Int64));
        return A(builder);
    }

    private static CogroupedKStream<long, long> Cogrouped(StreamsBuilder builder) =>
        A(builder).GroupByKey().Cogroup<long>(Add)
            .Cogroup(B(builder).GroupByKey(), (_, value, sum) => sum - value);

    private static KGroupedTable<long, long> TableGroups(StreamsBuilder builder) =>
        builder.Table("a", Numbers).GroupBy((key, value) => (key % 10, value));

    private static long Add(long key, long value, long sum) => sum + value;

    private static void See<TKey>(KStream<TKey, long> stream) => stream.ForEach((_, value) => _seen ^= value);

    private static void See<TKey>(KTable<TKey, long> table) => See(table.ToStream());

    private static long[] Once(long value)
    {
        OneValue[0] = value;
        return OneValue;
    }

    private static readonly long[] OneValue = new long[1];

    private sealed class Totals : IProcessor<long, long, long, long>
    {
        private ProcessorContext<long, long> _context = null!;
        private KeyValueStore<long, long> _totals = null!;

        public void Init(ProcessorContext<long, long> context)
        {
            _context = context;
            _totals = context.GetStore<KeyValueStore<long, long>>("totals");
        }

        public void Process(in Record<long, long> record)
        {
            _totals.TryGet(record.Key, out long total);
            _totals.Put(record.Key, total + record.Value, record.TimestampMs);
            _context.Forward(record);
        }
    }

    private sealed class TotalValues : IFixedKeyProcessor<long, long, long>
    {
        private FixedKeyProcessorContext<long, long> _context = null!;
        private KeyValueStore<long, long> _totals = null!;

        public void Init(FixedKeyProcessorContext<long, long> context)
        {
            _context = context;
            _totals = context.GetStore<KeyValueStore<long, long>>("totals");
        }

        public void Process(in Record<long, long> record)
        {
            _totals.TryGet(record.Key, out long total);
            _totals.Put(record.Key, total + record.Value, record.TimestampMs);
            _context.Forward(total);
        }
    }

    private sealed class CaseTable : Dictionary<string, OperatorCase>;

    private class Ticks : IProcessor<long, long, long, long>
    {
        private ProcessorContext<long, long> _context = null!;

        protected virtual PunctuationType Clock => PunctuationType.StreamTime;

        public void Init(ProcessorContext<long, long> context)
        {
            _context = context;
            context.Schedule(TimeSpan.FromMilliseconds(100), Clock, time => _seen ^= time);
        }

        public void Process(in Record<long, long> record) => _context.Forward(record);
    }

    private sealed class WallTicks : Ticks
    {
        protected override PunctuationType Clock => PunctuationType.WallClockTime;
    }
}

/// <summary>A topology of one operator.</summary>
/// <param name="Write">Builds it.</param>
/// <param name="ThroughLog">Whether it needs a log, to go from topic to topic.</param>
internal sealed record OperatorCase(Action<StreamsBuilder> Write, bool ThroughLog);
