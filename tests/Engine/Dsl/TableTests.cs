using System.Globalization;
using Streams.Dsl;
using Streams.Log;
using Streams.Processing;
using Streams.Records;
using Streams.State;
using Streams.Testing;
using Xunit;

namespace Streams.Tests.Engine.Dsl;

/// <summary>What the golden scenarios do not show of tables: several partitions, restarts,
/// refusals.</summary>
public sealed class TableTests
{
    [Fact]
    public void A_foreign_key_join_meets_across_differently_partitioned_topics()
    {
        using var run = new DslRun(b =>
        {
            b.Topic(new TopicSpec { Name = "a", Partitions = 5 }).Topic(
                new TopicSpec { Name = "b", Partitions = 3 });
            b.Table("a", DslRun.Text).Join(
                b.Table("b", DslRun.Text), (_, order) => order[..2], (_, order, customer) =>
                    order + "/" + customer)
                .ToStream().To("out", DslRun.TextOut);
        });
        for (int i = 0; i < 40; i++)
            run.Pipe("a", "order" + i, "c" + i % 4, i);
        Assert.Empty(run.Read());
        for (int c = 0; c < 4; c++)
            run.Pipe("b", "c" + c, "name" + c, 100 + c);
        Assert.Equal(
            Enumerable.Range(0, 40).Select(i => $"order{i}=c{i % 4}/name{i % 4}@{100 + i % 4}").Order(),
            run.Read().Order());
        run.Driver.Restart();
        run.Pipe("a", "order7", "c0", 200);
        run.Pipe("b", "c3", null, 300);
        Assert.Equal(
            Enumerable.Range(0, 40).Where(i => i % 4 == 3 && i != 7).Select(i => $"order{i}=-@300")
                .Append("order7=c0/name0@200").Order(),
            run.Read().Order());
    }

    [Fact]
    public void An_answer_to_what_a_row_was_before_is_not_joined_with_what_it_is_now()
    {
        using var run = new DslRun(b => b.Table("a", DslRun.Text).LeftJoin(
            b.Table("b", DslRun.Text), (_, v) => v == "none" ? null! : v,
            (_, l, r, has) => l + "/" + (has ? r : "nothing")).ToStream().To("out", DslRun.TextOut));
        run.Pipe("b", "x", "X", 1);
        run.Pipe("a", "k", "x", 2);
        run.Pipe("a", "k", "none", 3);
        run.Pipe("b", "x", "X2", 4);
        run.Pipe("a", "k", null, 5);
        Assert.Equal(["k=x/X@2", "k=none/nothing@3", "k=-@5"], run.Read());
    }

    [Fact]
    public void A_foreign_key_join_is_grouped_further_where_its_result_is_kept_and_refused_where_not()
    {
        static KTable<string, string> Join(StreamsBuilder b, Materialized<string, string>? kept) =>
            b.Table("a", DslRun.Text).Join(
                b.Table("b", DslRun.Text), (_, v) => v, (_, l, r) => l + r, kept);
        using var run = new DslRun(b => Join(b, DslRun.TextStore)
            .GroupBy((_, v) => (v, v)).Count().ToStream()
            .MapValues((_, n) => n.ToString(CultureInfo.InvariantCulture)).To("out", DslRun.TextOut));
        run.Pipe("b", "x", "1", 1);
        run.Pipe("a", "k", "x", 2);
        run.Pipe("a", "l", "x", 3);
        run.Pipe("b", "x", "2", 4);
        Assert.Equal(["x1=1@2", "x1=2@3", "x1=1@4", "x2=1@4", "x1=0@4", "x2=2@4"], run.Read());
        var e = Assert.Throws<TopologyException>(() =>
            Join(new StreamsBuilder(), null).GroupBy(
                (_, v) => (v, v), new Grouped<string, string> { ValueSerde = Serdes.String }));
        Assert.Contains("Materialized", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_global_table_is_whole_in_every_partition_and_read_again_at_every_start()
    {
        using var run = new DslRun(
            b => b.Stream("a", DslRun.Text)
                .Join(b.GlobalTable("names", DslRun.Text), (_, v) => v, (_, v, name) => v + "=" + name)
                .To("out", DslRun.TextOut),
            new TestDriverOptions { Partitions = 4 });
        Assert.Contains("(topic: names)", run.Topology.Describe(), StringComparison.Ordinal);
        Assert.Contains(
            "t_names --> s_GLOBALTABLE", run.Topology.Describe(DescribeFormat.Mermaid),
            StringComparison.Ordinal);
        for (int i = 0; i < 10; i++)
            run.Pipe("names", "n" + i, "name" + i, i);
        for (int k = 0; k < 8; k++)
            run.Pipe("a", "key" + k, "n" + k, 100);
        Assert.Equal(
            Enumerable.Range(0, 8).Select(k => $"key{k}=n{k}=name{k}@100"), run.Read().Order());
        run.Pipe("names", "n3", null, 101);
        run.Driver.Restart();
        run.Pipe("a", "key", "n3", 102);
        run.Pipe("a", "key", "n4", 103);
        Assert.Equal(["key=n4=name4@103"], run.Read());
    }

    [Fact]
    public void Topics_that_are_joined_need_equally_many_partitions_and_both_counts_are_said()
    {
        var b = new StreamsBuilder();
        b.Topic(new TopicSpec { Name = "a", Partitions = 4 }).Topic(
            new TopicSpec { Name = "b", Partitions = 6 });
        b.Stream("a", DslRun.Text).Join(b.Table("b", DslRun.Text), (_, l, r) => l + r)
            .To("out", DslRun.TextOut);
        var e = Assert.Throws<TopologyException>(() => b.Build());
        Assert.Contains("'a' has 4", e.Message, StringComparison.Ordinal);
        Assert.Contains("'b' has 6", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_repartitioned_stream_gets_the_partitions_of_the_table_that_it_is_joined_with()
    {
        using var run = new DslRun(b =>
        {
            b.Topic(new TopicSpec { Name = "a", Partitions = 2 }).Topic(
                new TopicSpec { Name = "b", Partitions = 7 });
            b.Stream("a", DslRun.Text).SelectKey((_, v) => v)
                .Join(b.Table("b", DslRun.Text), (_, l, r) => l + "/" + r).To("out", DslRun.TextOut);
        });
        for (int i = 0; i < 30; i++)
            run.Pipe("b", "k" + i, "row" + i, 1);
        for (int i = 0; i < 30; i++)
            run.Pipe("a", null, "k" + i, 2);
        Assert.Equal(
            Enumerable.Range(0, 30).Select(i => $"k{i}=k{i}/row{i}@2").Order(), run.Read().Order());
    }

    [Fact]
    public void A_filtered_table_and_a_computed_one_are_joined_without_stores_of_their_own()
    {
        using var run = new DslRun(b => b.Stream("a", DslRun.Text)
            .LeftJoin(
                b.Table("b", DslRun.Text).Filter((_, v) => v.Length > 1).MapValues((_, v) => v + "!"),
                (_, l, r, has) => l + (has ? r : "-")).To("out", DslRun.TextOut));
        Assert.Single(run.Topology.Stores);
        run.Pipe("b", "k", "x", 1);
        run.Pipe("a", "k", "1", 2);
        run.Pipe("b", "k", "xx", 3);
        run.Pipe("a", "k", "2", 4);
        Assert.Equal(["k=1-@2", "k=2xx!@4"], run.Read());
    }

    [Fact]
    public void A_suppressed_table_is_joined_as_it_was_let_known()
    {
        using var run = new DslRun(b => b.Stream("a", DslRun.Text)
            .LeftJoin(
                b.Table("b", DslRun.Text).Suppress(Suppressed.UntilTimeLimit(
                    TimeSpan.FromMilliseconds(10), BufferConfig.Unbounded())),
                (_, l, r, has) => l + (has ? r : "-")).To("out", DslRun.TextOut));
        run.Pipe("b", "k", "old", 0);
        run.Pipe("a", "k", "1", 1);
        run.Pipe("b", "other", "x", 50);
        run.Pipe("a", "k", "2", 51);
        run.Pipe("b", "k", "new", 52);
        run.Driver.Restart();
        run.Pipe("a", "k", "3", 53);
        Assert.Equal(["k=1-@1", "k=2old@51", "k=3old@53"], run.Read());
    }

    [Fact]
    public void A_suppression_emits_early_over_its_bytes_or_stops_as_asked()
    {
        static Action<StreamsBuilder> Write(BufferConfig buffer) => b => b.Table("a", DslRun.Text)
            .Suppress(Suppressed.UntilTimeLimit(TimeSpan.FromHours(1), buffer)).ToStream()
            .To("out", DslRun.TextOut);
        using var early = new DslRun(Write(BufferConfig.MaxBytes(300)));
        for (int i = 0; i < 10; i++)
            early.Pipe("a", "k" + i, new string('x', 50), i);
        Assert.Equal("k0=" + new string('x', 50) + "@0", early.Read()[0]);
        using var strict = new DslRun(Write(BufferConfig.MaxRecords(3).ShutDownWhenFull()));
        for (int i = 0; i < 3; i++)
            strict.Pipe("a", "k" + i, "v", i);
        var e = Assert.Throws<StateLimitException>(() => strict.Pipe("a", "k3", "v", 3));
        Assert.Contains("over its bound of 3 updates", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_cannot_work_is_refused_while_the_topology_is_written()
    {
        var b = new StreamsBuilder();
        KTable<string, string> table = b.Table("a", DslRun.Text);
        KStream<string, string> stream = b.Stream("s", DslRun.Text);
        Suppressed final = Suppressed.UntilWindowCloses(BufferConfig.Unbounded());
        Assert.Contains("windowed", Refusal(() => table.Suppress(final)), StringComparison.Ordinal);
        Assert.Contains("HistoryRetention", Refusal(() => stream.Join(
            table, (_, l, r) => l + r, new Joined { GracePeriod = TimeSpan.FromSeconds(1) })),
            StringComparison.Ordinal);
        Assert.Contains("'a' is read", Refusal(() => b.GlobalTable("a", DslRun.Text)),
            StringComparison.Ordinal);
        Assert.Contains("ToTable", Refusal(() => stream.GroupByKey().Count(
            new Materialized<string, long> { HistoryRetention = TimeSpan.FromSeconds(1) })),
            StringComparison.Ordinal);
        Assert.Contains("inner join of a stream with itself", Refusal(() => stream.Join(
            b.Stream("t", DslRun.Text), (_, l, r) => l + r,
            JoinWindows.OfTimeDifferenceWithNoGrace(TimeSpan.FromSeconds(1)),
            new StreamJoined { SingleStoreSelfJoin = true })), StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => Suppressed.UntilWindowCloses(BufferConfig.MaxRecords(1)));
        Assert.Throws<ArgumentException>(() => JoinWindows
            .OfTimeDifferenceWithNoGrace(TimeSpan.FromSeconds(1)).Before(TimeSpan.FromSeconds(-2)));
    }

    private static string Refusal(Action write) => Assert.Throws<TopologyException>(write).Message;
}
