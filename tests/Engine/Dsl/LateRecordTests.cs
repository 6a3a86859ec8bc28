using System.Diagnostics.Metrics;
using Streams.Dsl;
using Streams.Records;
using Streams.Telemetry;
using Xunit;

namespace Streams.Tests.Engine.Dsl;

/// <summary>What comes too late, or lacks what an operator goes by, is counted, and goes to a stream of its
/// own where that is asked for. Those of windows: <see cref="WindowTests"/>.</summary>
public sealed class LateRecordTests : IDisposable
{
    private static readonly TimeSpan Ten = TimeSpan.FromMilliseconds(10);

    private readonly Dictionary<(string Source, string Reason), long> _skipped = [];
    private readonly MeterListener _listener = new();

    public LateRecordTests()
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == EngineMeter.Name && instrument.Name == "streams_records_skipped")
                listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<long>((_, value, tags, _) =>
        {
            lock (_skipped)
            {
                (string, string) of = ($"{tags[0].Value}", $"{tags[1].Value}");
                _skipped[of] = _skipped.GetValueOrDefault(of) + value;
            }
        });
        _listener.Start();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Records_too_late_for_a_join_of_streams_go_to_topics_of_their_own(bool promptly)
    {
        using var run = new DslRun(b => b.Stream("a", DslRun.Text).OuterJoin(
            b.Stream("b", DslRun.Text), (_, l, hasL, r, hasR) => (hasL ? l : "-") + (hasR ? r : "-"),
            JoinWindows.OfTimeDifferenceWithNoGrace(Ten),
            new StreamJoined
            {
                StoreName = $"late-join-{promptly}",
                UnmatchedPromptly = promptly,
                LateLeftTopic = "late-left",
                LateRightTopic = "late-right",
            }).To("out", DslRun.TextOut));
        run.Pipe("a", "k", "l1", 1000);
        run.Pipe("b", "k", "r1", 1000);
        run.Pipe("a", "k", "l2", 985);
        run.Pipe("a", "k", "l3", 980);
        run.Pipe("b", "k", "r2", 970);
        Assert.Equal(["k=l3@980"], run.Read("late-left"));
        Assert.Equal(["k=r2@970"], run.Read("late-right"));
        Assert.Equal(1, Skipped($"late-join-{promptly}-this", "late"));
        Assert.Equal(1, Skipped($"late-join-{promptly}-other", "late"));
        // What there is of the other side they are joined with; a window that is over gives them alone.
        Assert.Equal(["k=l1r1@1000", "k=l2-@985", "k=l3-@980", "k=-r2@970"], run.Read());
    }

    [Fact]
    public void Records_too_late_for_a_join_of_a_stream_with_itself_do_too()
    {
        using var run = new DslRun(b =>
        {
            KStream<string, string> stream = b.Stream("a", DslRun.Text);
            stream.Join(stream, (_, l, r) => l + r, JoinWindows.OfTimeDifferenceWithNoGrace(Ten),
                new StreamJoined { SingleStoreSelfJoin = true, LateLeftTopic = "late" })
                .To("out", DslRun.TextOut);
        });
        run.Pipe("a", "k", "1", 1000);
        run.Pipe("a", "k", "2", 980);
        Assert.Equal(["k=2@980"], run.Read("late"));
    }

    [Fact]
    public void Each_stream_of_a_cogroup_has_its_own_late_records()
    {
        using var run = new DslRun(b => DslRun.Render(b.Stream("a", DslRun.Text).GroupByKey()
            .Cogroup<string>((_, value, sum) => sum + value, late => late.To("late-a"))
            .Cogroup(
                b.Stream("b", DslRun.Text).GroupByKey(), (_, value, sum) => sum + value,
                late => late.To("late-b"))
            .WindowedBy(TimeWindows.OfSizeWithNoGrace(Ten))
            .Aggregate(() => "", DslRun.TextStore with { StoreName = "late-cogroup" })));
        run.Pipe("a", "k", "1", 100);
        run.Pipe("b", "k", "2", 50);
        run.Pipe("a", "k", "3", 50);
        run.Pipe("b", "k", "4", 30);
        Assert.Equal(["k=3@50"], run.Read("late-a"));
        Assert.Equal(["k=4@30"], run.Read("late-b"));
        Assert.Equal(2, Skipped("late-cogroup", "late"));
    }

    [Fact]
    public void What_is_older_than_a_tables_history_goes_to_a_topic_of_its_own()
    {
        using var run = new DslRun(b => b.Table("a", DslRun.Text, new Materialized<string, string>
        {
            StoreName = "late-history",
            HistoryRetention = Ten,
            LateTopic = "late",
        }).ToStream().To("out"));
        run.Pipe("a", "k", "1", 100);
        run.Pipe("a", "k", "2", 95);
        run.Pipe("a", "k", "3", 80);
        Assert.Equal(["k=3@80"], run.Read("late"));
        Assert.Equal(1, Skipped("late-history", "late"));
    }

    [Fact]
    public void Records_without_what_an_operator_goes_by_are_counted_by_its_name()
    {
        using var run = new DslRun(b =>
        {
            KStream<string, string> stream = b.Stream("a", DslRun.Text);
            KTable<string, string> table = b.Table("t", DslRun.Text);
            stream.Join(table, (_, l, r) => l + r, new Joined("null-join")).ForEach((_, _) => { });
            stream.GapFill(GapFilling.Hold<string>(Ten) with { Name = "null-gaps" })
                .ForEach((_, _) => { });
            stream.Deduplicate(Ten, options: new DeduplicateOptions { Name = "null-seen" })
                .ForEach((_, _) => { });
        });
        run.Pipe("a", null, "v", 1);
        run.Pipe("a", "k", null, 2);
        Assert.Equal((1, 1), (Skipped("null-join", "null_key"), Skipped("null-join", "null_value")));
        Assert.Equal((1, 1), (Skipped("null-gaps", "null_key"), Skipped("null-seen", "null_key")));
    }

    public void Dispose() => _listener.Dispose();

    private long Skipped(string source, string reason)
    {
        lock (_skipped)
            return _skipped.GetValueOrDefault((source, reason));
    }
}
