using Streams.Processing;
using Streams.Records;
using Streams.Testing;
using Streams.Tests.Engine.Dsl;
using Xunit;

namespace Streams.Tests.Engine.Processing;

/// <summary>Whom a task with several partitions waits for, and for how long.</summary>
public sealed class TaskIdleTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Fact]
    public void Without_a_wait_records_are_processed_as_they_come()
    {
        using DslRun run = Start(TimeSpan.Zero);
        run.Pipe("a", "k", "1", 10);
        run.Pipe("b", "k", "2", 5);
        Assert.Equal(["k=1@10", "k=2@5"], run.Read());
    }

    [Fact]
    public void With_one_the_oldest_record_goes_first_whichever_came_first()
    {
        using DslRun run = Start(Second);
        run.Pipe("a", "k", "1", 10);
        run.Pipe("a", "k", "3", 20);
        Assert.Empty(run.Read());
        run.Pipe("b", "k", "2", 15);
        // The third record waits for what the other topic may still get.
        Assert.Equal(["k=1@10", "k=2@15"], run.Read());
        run.Pipe("b", "k", "4", 30);
        Assert.Equal(["k=3@20"], run.Read());
    }

    [Fact]
    public void A_partition_that_is_silent_for_longer_holds_nothing_up_until_it_has_a_record_again()
    {
        using DslRun run = Start(Second);
        run.Pipe("a", "k", "1", 10);
        run.Driver.AdvanceWallClock(Second - TimeSpan.FromMilliseconds(1));
        Assert.Empty(run.Read());
        run.Driver.AdvanceWallClock(TimeSpan.FromMilliseconds(1));
        Assert.Equal(["k=1@10"], run.Read());
        run.Pipe("a", "k", "2", 20);
        Assert.Equal(["k=2@20"], run.Read());
        run.Pipe("b", "k", "3", 15);
        Assert.Empty(run.Read());
        run.Pipe("a", "k", "4", 21);
        Assert.Equal(["k=3@15"], run.Read());
    }

    [Fact]
    public void The_wait_begins_when_a_record_waits_not_when_a_partition_is_found_empty()
    {
        using DslRun run = Start(Second);
        run.Driver.AdvanceWallClock(TimeSpan.FromHours(1));
        run.Pipe("a", "k", "1", 10);
        Assert.Empty(run.Read());
        run.Driver.AdvanceWallClock(Second / 2);
        run.Pipe("b", "k", "2", 5);
        Assert.Equal(["k=2@5"], run.Read());
    }

    [Fact]
    public void All_silent_partitions_are_waited_for_at_once()
    {
        using var run = new DslRun(
            b => b.Stream("a", DslRun.Text).Merge(b.Stream("b", DslRun.Text))
                .Merge(b.Stream("c", DslRun.Text)).Merge(b.Stream("d", DslRun.Text)).To("out"),
            new TestDriverOptions { Runtime = new RuntimeOptions { MaxTaskIdle = Second } });
        run.Pipe("a", "k", "1", 10);
        run.Driver.AdvanceWallClock(Second);
        Assert.Equal(["k=1@10"], run.Read());
    }

    [Fact]
    public void A_wait_makes_a_join_find_the_row_that_was_valid_though_it_comes_second()
    {
        static string[] Run(TimeSpan maxTaskIdle)
        {
            using var run = new DslRun(
                b => b.Stream("a", DslRun.Text).LeftJoin(
                    b.Table("b", DslRun.Text), (_, value, row, hasRow) => value + (hasRow ? row : "?"))
                    .To("out", DslRun.TextOut),
                new TestDriverOptions { Runtime = new RuntimeOptions { MaxTaskIdle = maxTaskIdle } });
            run.Pipe("a", "k", "1", 10);
            run.Pipe("b", "k", "row", 5);
            run.Driver.AdvanceWallClock(Second);
            return run.Read();
        }
        Assert.Equal(["k=1?@10"], Run(TimeSpan.Zero));
        Assert.Equal(["k=1row@10"], Run(Second));
    }

    [Fact]
    public void A_restart_forgets_the_wait_and_loses_nothing()
    {
        using DslRun run = Start(Second);
        run.Pipe("a", "k", "1", 10);
        run.Driver.Restart();
        Assert.Empty(run.Read());
        run.Driver.AdvanceWallClock(Second);
        Assert.Equal(["k=1@10"], run.Read());
    }

    private static DslRun Start(TimeSpan maxTaskIdle) => new(
        b => b.Stream("a", DslRun.Text).Merge(b.Stream("b", DslRun.Text)).To("out"),
        new TestDriverOptions { Runtime = new RuntimeOptions { MaxTaskIdle = maxTaskIdle } });
}
