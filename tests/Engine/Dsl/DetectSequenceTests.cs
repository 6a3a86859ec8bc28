using System.Globalization;
using Streams.Dsl;
using Streams.Processing;
using Streams.Records;
using Streams.State;
using Streams.Testing;
using Xunit;

namespace Streams.Tests.Engine.Dsl;

/// <summary>Sequences of a key's records: A, then B within a time, without C. Values are a letter and a
/// number: <c>a1</c> begins, <c>b1</c> completes, <c>c1</c> ends.</summary>
public sealed class DetectSequenceTests
{
    private static readonly SequencePattern<string, string> Pattern = new()
    {
        First = (_, value) => value[0] == 'a',
        Then = (_, _, value) => value[0] == 'b',
        Without = (_, _, value) => value[0] == 'c',
        Within = TimeSpan.FromMilliseconds(10),
        StoreName = "open",
    };

    [Fact]
    public void A_sequence_is_completed_by_the_first_record_that_can()
    {
        using DslRun run = Start(Pattern);
        Feed(run, "a1@0", "x1@1", "b1@2", "b2@3");
        Assert.Equal(["k=a1-b1@2"], run.Read());
    }

    [Fact]
    public void A_sequence_is_ended_by_what_must_not_come_between()
    {
        using DslRun run = Start(Pattern);
        Feed(run, "a1@0", "c1@1", "b1@2", "a2@3", "b2@4");
        Assert.Equal(["k=a2-b2@4"], run.Read());
    }

    [Fact]
    public void Strictly_the_next_record_completes_it_or_nothing_does()
    {
        using DslRun run = Start(Pattern with { Contiguity = Contiguity.Strict });
        Feed(run, "a1@0", "x1@1", "b1@2", "a2@3", "b2@4", "a3@5", "a4@6", "b3@7");
        Assert.Equal(["k=a2-b2@4", "k=a4-b3@7"], run.Read());
    }

    [Fact]
    public void A_record_completes_all_sequences_that_are_open_in_the_order_of_their_beginnings()
    {
        using DslRun run = Start(Pattern);
        Feed(run, "a1@0", "a2@1", "a3@2", "b1@3", "b2@4");
        Assert.Equal(["k=a1-b1@3", "k=a2-b1@3", "k=a3-b1@3"], run.Read());
    }

    [Fact]
    public void The_time_is_inclusive_and_what_nothing_followed_in_time_comes_out()
    {
        using DslRun run = Start(Pattern);
        Feed(run, "a1@0", "b1@10", "a2@20", "x1@30", "x2@31");
        Assert.Equal(["k=a1-b1@10", "k=a2 timed out@30"], run.Read());
    }

    [Fact]
    public void Other_keys_move_the_time_and_time_outs_come_in_the_order_of_time()
    {
        using DslRun run = Start(Pattern);
        run.Pipe("a", "m", "a1", 5);
        run.Pipe("a", "l", "a2", 3);
        run.Pipe("a", "l", "a3", 4);
        run.Pipe("a", "z", "x", 100);
        Assert.Equal(["l=a2 timed out@13", "l=a3 timed out@14", "m=a1 timed out@15"], run.Read());
        Assert.Equal(0, run.Driver.GetStore<BytesStore>("open").Count);
    }

    [Fact]
    public void A_record_can_complete_one_sequence_and_begin_the_next()
    {
        using DslRun run = Start(Pattern with { First = (_, _) => true, Then = (_, _, _) => true });
        Feed(run, "1@0", "2@1", "3@2");
        Assert.Equal(["k=1-2@1", "k=2-3@2"], run.Read());
    }

    [Fact]
    public void The_first_value_can_be_compared_with_the_last()
    {
        using DslRun run = Start(Pattern with { Then = (_, first, value) => value == "b" + first[1..] });
        Feed(run, "a1@0", "a2@1", "b2@2", "b1@3");
        Assert.Equal(["k=a2-b2@2", "k=a1-b1@3"], run.Read());
    }

    [Theory]
    [InlineData(SequenceFull.DropOldest, "k=a2-b1@3,k=a3-b1@3")]
    [InlineData(SequenceFull.DropNewest, "k=a1-b1@3,k=a2-b1@3")]
    public void A_key_has_so_many_open_sequences_at_most(SequenceFull whenFull, string expected)
    {
        using DslRun run = Start(Pattern with { OpenMax = 2, WhenFull = whenFull });
        Feed(run, "a1@0", "a2@1", "a3@2", "b1@3");
        Assert.Equal(expected.Split(','), run.Read());
    }

    [Fact]
    public void Or_stops_at_the_bound_and_says_which_it_is()
    {
        using DslRun run = Start(Pattern with { OpenMax = 2, WhenFull = SequenceFull.ShutDown });
        string message = Assert.Throws<StateLimitException>(
            () => Feed(run, "a1@0", "a2@1", "a3@2")).Message;
        Assert.Contains("2 open sequences in 'open'", message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_tombstone_ends_all_sequences_of_its_key()
    {
        using DslRun run = Start(Pattern);
        Feed(run, "a1@0");
        run.Pipe("a", "k", null, 1);
        Feed(run, "b1@2", "a2@3", "b2@4");
        Assert.Equal(["k=a2-b2@4"], run.Read());
    }

    [Fact]
    public void A_record_that_is_older_than_the_first_one_says_nothing_of_what_followed_it()
    {
        using DslRun run = Start(Pattern);
        Feed(run, "a1@5", "b1@4", "c1@3", "b2@6");
        Assert.Equal(["k=a1-b2@6"], run.Read());
        Feed(run, "a2@28", "a3@20", "b3@29");
        Assert.Equal(["k=a2-b3@29", "k=a3-b3@29"], run.Read());
        Feed(run, "a4@39", "a5@31", "x1@42", "x2@50");
        Assert.Equal(["k=a5 timed out@41", "k=a4 timed out@49"], run.Read());
    }

    [Fact]
    public void Records_that_are_too_late_to_take_part_go_to_a_stream_of_their_own()
    {
        using var run = new DslRun(b => b.Stream("a", DslRun.Text).DetectSequence(
            Pattern, (_, first, last) => $"{first}-{last}", null, late => late.To("late"))
            .To("out", DslRun.TextOut));
        Feed(run, "a1@100", "a2@89", "a3@90", "b1@100");
        Assert.Equal(["k=a2@89"], run.Read("late"));
        Assert.Equal(["k=a1-b1@100", "k=a3-b1@100"], run.Read());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void A_restart_at_any_record_changes_nothing_that_comes_out(int partitions)
    {
        var random = new Random(7);
        (string Key, string? Value, long TimeMs)[] input = [.. Enumerable.Range(0, 300).Select(i => (
            $"k{random.Next(5)}", random.Next(20) == 0 ? null : $"{"aabcx"[random.Next(5)]}{i}",
            2L * i + random.Next(12)))];
        string[] Run(int restartEvery)
        {
            using DslRun run = Start(
                Pattern with { OpenMax = 3 }, new TestDriverOptions { Partitions = partitions });
            for (int i = 0; i < input.Length; i++)
            {
                run.Pipe("a", input[i].Key, input[i].Value, input[i].TimeMs);
                if (i % restartEvery == restartEvery - 1)
                    run.Driver.Restart();
            }
            return run.Read();
        }
        string[] expected = Run(int.MaxValue);
        Assert.Contains(expected, line => line.Contains("timed out", StringComparison.Ordinal));
        Assert.Contains(expected, line => line.Contains("-b", StringComparison.Ordinal));
        Assert.Equal(expected, Run(1));
        Assert.Equal(expected, Run(7));
    }

    [Fact]
    public void What_it_finds_is_what_a_plain_search_finds()
    {
        var random = new Random(11);
        (char Letter, long TimeMs)[] input = [.. Enumerable.Range(0, 400).Select(i => (
            "aabcx"[random.Next(5)], 3L * i))];
        using DslRun run = Start(Pattern with { OpenMax = 100 });
        Feed(run, [.. input.Select((r, i) => $"{r.Letter}{i}@{r.TimeMs}")]);
        var expected = new List<string>();
        for (int i = 0; i < input.Length; i++)
        {
            if (input[i].Letter != 'a')
                continue;
            int end = Array.FindIndex(input, i + 1, r => r.Letter is 'b' or 'c');
            bool isInTime = end >= 0 && input[end].TimeMs <= input[i].TimeMs + 10;
            if (isInTime && input[end].Letter == 'b')
                expected.Add($"k=a{i}-b{end}@{input[end].TimeMs}");
            else if (!isInTime && input[i].TimeMs + 10 < input[^1].TimeMs)
                expected.Add($"k=a{i} timed out@{input[i].TimeMs + 10}");
        }
        Assert.Equal(expected.Order(StringComparer.Ordinal), run.Read().Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_pattern_that_cannot_match_is_refused_when_it_is_built()
    {
        Assert.Throws<TopologyException>(() => Start(Pattern with { Within = TimeSpan.Zero }));
        Assert.Throws<TopologyException>(() => Start(Pattern with { OpenMax = 0 }));
    }

    private static DslRun Start(SequencePattern<string, string> pattern, TestDriverOptions? options = null) =>
        new(b => b.Stream("a", DslRun.Text).DetectSequence(
            pattern, (_, first, last) => $"{first}-{last}", (_, first) => $"{first} timed out")
            .To("out", DslRun.TextOut), options);

    private static void Feed(DslRun run, params string[] records)
    {
        foreach (string record in records)
        {
            string[] parts = record.Split('@');
            run.Pipe("a", "k", parts[0], long.Parse(parts[1], CultureInfo.InvariantCulture));
        }
    }
}
