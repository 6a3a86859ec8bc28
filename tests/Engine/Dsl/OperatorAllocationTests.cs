using Streams.Dsl;
using Streams.Records;
using Xunit;

namespace Streams.Tests.Engine.Dsl;

/// <summary>No operator allocates on the record path in the steady state, commits included.</summary>
public sealed class OperatorAllocationTests
{
    private static readonly Materialized<long, long> Sums = new()
    {
        ValueSerde = Serdes.Int64,
    };

    private static readonly TimeWindows Tumbling =
        TimeWindows.OfSizeAndGrace(TimeSpan.FromMilliseconds(200), TimeSpan.FromMilliseconds(100));

    private static readonly SlidingWindows Sliding =
        SlidingWindows.OfTimeDifferenceAndGrace(TimeSpan.FromMilliseconds(50), TimeSpan.FromMilliseconds(20));

    private static readonly SessionWindows Sessions =
        SessionWindows.OfInactivityGapAndGrace(TimeSpan.FromMilliseconds(15), TimeSpan.FromMilliseconds(20));

    private static readonly JoinWindows Within =
        JoinWindows.OfTimeDifferenceAndGrace(TimeSpan.FromMilliseconds(20), TimeSpan.FromMilliseconds(20));

    private long _seen;

    [Fact]
    public void A_tumbling_window() => AssertNone(b => Seen(Grouped(b).WindowedBy(Tumbling)
        .Aggregate(() => 0L, Add, Sums)));

    [Fact]
    public void A_tumbling_window_emitted_on_close() => AssertNone(b => Seen(Grouped(b).WindowedBy(Tumbling)
        .EmitStrategy(EmitStrategy.OnWindowClose).Aggregate(() => 0L, Add, Sums)));

    [Fact]
    public void A_hopping_window_suppressed_until_it_closes() => AssertNone(b => Seen(
        Grouped(b).WindowedBy(Tumbling.AdvanceBy(TimeSpan.FromMilliseconds(50))).Aggregate(() => 0L, Add,
            Sums)
        .Suppress(Suppressed.UntilWindowCloses(BufferConfig.Unbounded()))));

    [Fact]
    public void A_sliding_window() => AssertNone(b => Seen(Grouped(b).WindowedBy(Sliding)
        .Aggregate(() => 0L, Add, Sums)));

    [Fact]
    public void A_session() => AssertNone(b => Seen(Grouped(b).WindowedBy(Sessions)
        .Aggregate(() => 0L, Add, (_, x, y) => x + y, Sums)));

    [Fact]
    public void A_session_emitted_on_close() => AssertNone(b => Seen(Grouped(b).WindowedBy(Sessions)
        .EmitStrategy(EmitStrategy.OnWindowClose).Aggregate(() => 0L, Add, (_, x, y) => x + y, Sums)));

    [Fact]
    public void A_suppression_with_a_time_limit() => AssertNone(b => Seen(Grouped(b).Count()
        .Suppress(Suppressed.UntilTimeLimit(TimeSpan.FromMilliseconds(40), BufferConfig.MaxRecords(5)))));

    [Fact]
    public void A_cogroup() => AssertNone(b => Seen(Grouped(b).Cogroup<long>(Add)
        .Cogroup(b.Stream("b", OperatorHarness.Numbers).GroupByKey(), (_, value, sum) => sum - value)
        .Aggregate(() => 0L, Sums)));

    [Fact]
    public void An_outer_join_of_streams() => AssertNone(b => b.Stream("a", OperatorHarness.Numbers)
        .OuterJoin(
            b.Stream("b", OperatorHarness.Numbers), (_, left, _, right, _) => left + right, Within)
        .ForEach((_, _) => _seen++));

    [Fact]
    public void A_join_of_a_stream_with_itself()
    {
        AssertNone(b =>
        {
            KStream<long, long> stream = b.Stream("a", OperatorHarness.Numbers);
            stream.Join(
                stream, (_, left, right) => left + right, Within,
                new StreamJoined { SingleStoreSelfJoin = true })
                .ForEach((_, _) => _seen++);
        });
    }

    [Fact]
    public void A_join_of_a_stream_with_a_history() => AssertNone(b => b.Stream("a", OperatorHarness.Numbers)
        .LeftJoin(
            b.Table("b", OperatorHarness.Numbers, new Materialized<long, long>
            {
                HistoryRetention = TimeSpan.FromHours(1),
            }),
            (_, value, row, _) => value + row, new Joined { GracePeriod = TimeSpan.FromMilliseconds(10) })
        .ForEach((_, _) => _seen++));

    [Fact]
    public void Joined_filtered_mapped_and_stored_tables()
    {
        var kept = new Materialized<long, long> { ValueSerde = Serdes.Int64 };
        AssertNone(b => b.Table("a", OperatorHarness.Numbers).Filter((_, value) => value % 3 != 0)
            .OuterJoin(
                b.Table("b", OperatorHarness.Numbers).MapValues((_, value) => value * 2),
                (_, left, _, right, _) => left + right, kept)
            .ToStream().ForEach((_, _) => _seen++));
    }

    [Fact]
    public void A_gap_filling() => AssertNone(b => b.Stream("a", OperatorHarness.Numbers)
        .GapFill(GapFilling.Hold<long>(TimeSpan.FromMilliseconds(4)) with
        {
            KeepFilling = TimeSpan.FromMilliseconds(8),
        })
        .ForEach((_, _) => _seen++));

    [Fact]
    public void A_linear_gap_filling() => AssertNone(b => b.Stream("a", OperatorHarness.Numbers)
        .GapFill(GapFilling.Linear<long>(TimeSpan.FromMilliseconds(4), Interpolate.Int64))
        .ForEach((_, _) => _seen++));

    [Fact]
    public void A_sequence() => AssertNone(b => b.Stream("a", OperatorHarness.Numbers)
        .DetectSequence(
            new SequencePattern<long, long>
            {
                First = (_, value) => value % 3 == 0,
                Then = (_, first, value) => value > first && value % 3 == 1,
                Without = (_, _, value) => value % 7 == 0,
                Within = TimeSpan.FromMilliseconds(50),
                OpenMax = 4,
            },
            (_, first, last) => last - first, (_, first) => first)
        .ForEach((_, _) => _seen++));

    [Fact]
    public void A_map() => AssertNone(b => b.Stream("a", OperatorHarness.Numbers)
        .Map((key, value) => (key + 1, value + 1)).ForEach((_, _) => _seen++));

    [Fact]
    public void What_needs_no_state() => AssertNone(b =>
    {
        KStream<long, long> stream = b.Stream("a", OperatorHarness.Numbers)
            .Filter((_, value) => value % 3 != 0).SelectKey((key, _) => key * 2)
            .MapValues((_, value) => value + 1).Peek((_, _) => _seen++);
        stream.Merge(stream.FilterNot((_, value) => value % 2 == 0)).ForEach((_, _) => _seen++);
    });

    private static KGroupedStream<long, long> Grouped(StreamsBuilder builder) =>
        builder.Stream("a", OperatorHarness.Numbers).GroupByKey();

    private static long Add(long key, long value, long sum) => sum + value;

    private void Seen<TKey>(KTable<TKey, long> table) => table.ToStream().ForEach((_, _) => _seen++);

    // One record in ten comes late; each key comes back every 20 ms; a commit follows every 100 records.
    // What a
    // store reserves because more is in it than before (twice, where an index doubles) is not the path's
    // doing.
    private void AssertNone(Action<StreamsBuilder> write)
    {
        using var harness = new OperatorHarness(write);
        int turn = 0;
        Run(harness, ref turn, 20_000);
        long reserved = harness.BytesReserved;
        long before = GC.GetAllocatedBytesForCurrentThread();
        Run(harness, ref turn, 10_000);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        long grown = harness.BytesReserved - reserved;
        Assert.True(
            allocated <= 2 * grown + (grown > 0 ? 1024 : 0),
            $"{allocated:N0} bytes were allocated, while the stores grew by {grown:N0}.");
        Assert.True(_seen > 1000, $"{_seen} results came out.");
    }

    private static void Run(OperatorHarness harness, ref int turn, int records)
    {
        for (int last = turn + records; turn < last;)
        {
            turn++;
            long timeMs = 3_600_000 + turn - (turn % 10 == 0 ? 15 : 0);
            harness.Push(turn / 20 % harness.Inputs.Count, turn % 20, turn, timeMs);
            if (turn % 100 == 0)
                harness.Flush();
        }
    }
}
