using Streams.Dsl;
using Streams.Processing;
using Streams.Records;
using Xunit;

namespace Streams.Tests.Engine.Dsl;

/// <summary>What the golden scenarios do not show of windows, joins of streams and processors.</summary>
public sealed class WindowTests
{
    private static readonly TimeSpan Ten = TimeSpan.FromMilliseconds(10);

    [Fact]
    public void Late_records_go_to_a_stream_of_their_own()
    {
        using var run = new DslRun(b =>
        {
            KGroupedStream<string, string> grouped = b.Stream("a", DslRun.Text).GroupByKey();
            DslRun.Render(grouped.WindowedBy(TimeWindows.OfSizeWithNoGrace(Ten))
                .LateRecords(late => late.To("late-time")).Count());
            DslRun.Render(grouped.WindowedBy(SlidingWindows.OfTimeDifferenceWithNoGrace(Ten))
                .LateRecords(late => late.To("late-sliding")).Count(), "sliding");
            DslRun.Render(grouped.WindowedBy(SessionWindows.OfInactivityGapWithNoGrace(Ten))
                .LateRecords(late => late.To("late-session")).Count(), "sessions");
        });
        run.Pipe("a", "k", "on time", 1000);
        run.Pipe("a", "k", "a little late", 995);
        run.Pipe("a", "k", "too late", 900);
        Assert.Equal(["k=a little late@995", "k=too late@900"], run.Read("late-time"));
        Assert.Equal(["k=too late@900"], run.Read("late-sliding"));
        Assert.Equal(["k=too late@900"], run.Read("late-session"));
    }

    [Fact]
    public void A_window_is_emitted_on_close_even_by_a_record_far_beyond_its_retention()
    {
        using var run = new DslRun(b =>
        {
            KGroupedStream<string, string> grouped = b.Stream("a", DslRun.Text).GroupByKey();
            DslRun.Render(grouped.WindowedBy(TimeWindows.OfSizeWithNoGrace(Ten))
                .EmitStrategy(EmitStrategy.OnWindowClose).Count());
            DslRun.Render(grouped.WindowedBy(SessionWindows.OfInactivityGapWithNoGrace(Ten))
                .EmitStrategy(EmitStrategy.OnWindowClose).Count(), "sessions");
        });
        run.Pipe("a", "k", "1", 1000);
        run.Pipe("a", "l", "1", 1003);
        run.Driver.Restart();
        run.Pipe("a", "k", "2", 1_000_000_000);
        Assert.Equal(["k@1000/1010=1@1000", "l@1000/1010=1@1003"], run.Read());
        Assert.Equal(["k@1000/1000=1@1000", "l@1003/1003=1@1003"], run.Read("sessions"));
    }

    [Fact]
    public void Windows_that_close_together_come_by_key_also_where_a_key_begins_another()
    {
        string[] keys = ["k", "k\0", "k\0l", "k\u0001", "k@", "l"];
        using var run = new DslRun(b =>
        {
            KGroupedStream<string, string> grouped = b.Stream("a", DslRun.Text).GroupByKey();
            DslRun.Render(grouped.WindowedBy(TimeWindows.OfSizeWithNoGrace(Ten))
                .EmitStrategy(EmitStrategy.OnWindowClose).Count());
            DslRun.Render(grouped.WindowedBy(SessionWindows.OfInactivityGapWithNoGrace(Ten))
                .EmitStrategy(EmitStrategy.OnWindowClose).Count(), "sessions");
        });
        foreach (string key in keys.Reverse())
            run.Pipe("a", key, "1", 1000);
        run.Pipe("a", "k", "2", 2000);
        Assert.Equal(keys.Select(k => $"{k}@1000/1010=1@1000"), run.Read());
        Assert.Equal(keys.Select(k => $"{k}@1000/1000=1@1000"), run.Read("sessions"));
    }

    [Fact]
    public void The_windows_of_a_table_can_be_filtered_grouped_and_joined()
    {
        using var run = new DslRun(b =>
        {
            KTable<Windowed<string>, long> counts = b.Stream("a", DslRun.Text).GroupByKey()
                .WindowedBy(TimeWindows.OfSizeWithNoGrace(Ten)).Count();
            counts.Filter((_, n) => n > 1).GroupBy(
                (window, n) => (window.StartMs, n),
                new Grouped<long, long> { KeySerde = Serdes.Int64, ValueSerde = Serdes.Int64 })
                .Aggregate(
                    () => 0L, (_, n, sum) => sum + n, (_, n, sum) => sum - n,
                    new Materialized<long, long> { ValueSerde = Serdes.Int64 })
                .ToStream().Map((start, sum) => ($"{start}", $"{sum}")).To("out", DslRun.TextOut);
        });
        foreach (string key in new[] { "k", "l", "k", "k", "l" })
            run.Pipe("a", key, "v", 20);
        Assert.Equal(["20=2@20", "20=3@20", "20=5@20"], run.Read());
    }

    [Fact]
    public void Values_that_cannot_be_null_are_not_invented_for_tombstones()
    {
        using var run = new DslRun(b => DslRun.Render(b
            .Stream("a", new Consumed<string, long>(Serdes.String, Serdes.Int64)).GroupByKey()
            .WindowedBy(TimeWindows.OfSizeWithNoGrace(Ten)).Reduce((x, y) => Math.Min(x, y))));
        var input = run.Driver.CreateInputTopic("a", Serdes.String, Serdes.Int64);
        input.Pipe("k", 5, 1);
        input.Pipe(new Record<string, long>("k", true, 0, false, 2, default));
        input.Pipe("k", 7, 3);
        Assert.Equal(["k@0/10=5@1", "k@0/10=5@3"], run.Read());
    }

    [Fact]
    public void Unmatched_records_come_out_as_soon_as_their_window_is_over_where_that_is_asked_for()
    {
        static Action<StreamsBuilder> Write(bool promptly) => b => b.Stream("a", DslRun.Text).OuterJoin(
            b.Stream("b", DslRun.Text), (_, l, hasL, r, hasR) => (hasL ? l : "-") + (hasR ? r : "-"),
            JoinWindows.OfTimeDifferenceWithNoGrace(Ten).After(TimeSpan.FromMilliseconds(100)),
            new StreamJoined { UnmatchedPromptly = promptly }).To("out", DslRun.TextOut);
        static string[] Run(bool promptly)
        {
            using var run = new DslRun(Write(promptly));
            run.Pipe("b", "k", "b", 1000);
            run.Pipe("a", "l", "a", 1050);
            return run.Read();
        }
        // Judged by the side of the record that arrived, the first that waits could still find a match.
        Assert.Empty(Run(promptly: false));
        Assert.Equal(["k=-b@1000"], Run(promptly: true));
    }

    [Fact]
    public void A_processor_of_values_keeps_the_key_so_nothing_is_repartitioned()
    {
        using var run = new DslRun(b => b.Stream("a", DslRun.Text)
            .ProcessValues(() => new Doubling(), new ProcessOptions("doubling"), Serdes.String)
            .GroupByKey().Reduce((x, y) => x + y, DslRun.TextStore).ToStream().To("out", DslRun.TextOut));
        Assert.DoesNotContain("repartition", run.Topology.Describe(), StringComparison.Ordinal);
        run.Pipe("a", "k", "x", 5);
        Assert.Equal(["k=x@5", "k=xX@6"], run.Read());
    }

    [Fact]
    public void A_processor_of_values_cannot_forward_without_a_record()
    {
        using var run = new DslRun(b => b.Stream("a", DslRun.Text)
            .ProcessValues(() => new Ticking(), null, Serdes.String).To("out"));
        var e = Assert.Throws<InvalidOperationException>(
            () => run.Driver.AdvanceWallClock(TimeSpan.FromSeconds(2)));
        Assert.Contains("Use Process", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Printing_writes_a_line_per_record_and_for_each_is_the_end()
    {
        using var writer = new StringWriter();
        int count = 0;
        using var run = new DslRun(b =>
        {
            b.Stream("a", DslRun.Text).Print("seen", writer);
            b.Stream("b", DslRun.Text).ForEach((_, _) => count++);
        });
        run.Pipe("a", "k", "v", 1);
        run.Pipe("a", null, null, 2);
        run.Pipe("b", "k", "v", 3);
        Assert.Equal(["[seen]: k, v", "[seen]: null, null"], writer.ToString().Split(
            writer.NewLine, StringSplitOptions.RemoveEmptyEntries));
        Assert.Equal(1, count);
    }

    private sealed class Doubling : IFixedKeyProcessor<string, string, string>
    {
        private FixedKeyProcessorContext<string, string> _context = null!;

        public void Init(FixedKeyProcessorContext<string, string> context) => _context = context;

        public void Process(in Record<string, string> record)
        {
            _context.Forward(record.Value);
            _context.Forward(record.Value.ToUpperInvariant(), record.TimestampMs + 1, record.Headers);
        }
    }

    private sealed class Ticking : IFixedKeyProcessor<string, string, string>
    {
        public void Init(FixedKeyProcessorContext<string, string> context) => context.Schedule(
            TimeSpan.FromSeconds(1), PunctuationType.WallClockTime, _ => context.Forward("tick"));

        public void Process(in Record<string, string> record)
        {
        }
    }
}
