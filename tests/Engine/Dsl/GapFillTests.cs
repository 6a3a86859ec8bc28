using Streams.Dsl;
using Streams.Processing;
using Streams.Records;
using Streams.Testing;
using Streams.Tests.Engine.Records;
using Xunit;

namespace Streams.Tests.Engine.Dsl;

/// <summary>Gaps are filled, flagged and bounded (CSIC-118).</summary>
public sealed class GapFillTests
{
    private static readonly TimeSpan Ten = TimeSpan.FromMilliseconds(10);

    [Fact]
    public void Hold_fills_each_slot_without_a_record_when_the_next_record_comes()
    {
        using DslRun run = Start(GapFilling.Hold<string>(Ten));
        run.Pipe("a", "k", "1", 3);
        run.Pipe("a", "k", "2", 17);
        Assert.Equal(["k=1@3", "k=2@17"], run.Read());
        run.Pipe("a", "k", "3", 45);
        Assert.Equal(["k=2@20", "k=2@30", "k=3@45"], run.Read());
    }

    [Fact]
    public void A_gap_that_is_longer_than_the_maximum_stays_open()
    {
        using DslRun run = Start(GapFilling.Hold<string>(Ten) with
        {
            MaxGap = TimeSpan.FromMilliseconds(30),
        });
        run.Pipe("a", "k", "1", 5);
        run.Pipe("a", "k", "2", 35);
        run.Pipe("a", "k", "3", 66);
        Assert.Equal(["k=1@5", "k=1@10", "k=1@20", "k=2@35", "k=3@66"], run.Read());
    }

    [Fact]
    public void A_quiet_key_is_filled_as_others_move_stream_time_and_for_so_long_only()
    {
        using DslRun run = Start(GapFilling.Hold<string>(Ten) with
        {
            KeepFilling = TimeSpan.FromMilliseconds(30),
        });
        run.Pipe("a", "quiet", "1", 5);
        run.Pipe("a", "other", "x", 19);
        run.Pipe("a", "other", "x", 20);
        Assert.Equal(["quiet=1@5", "other=x@19", "quiet=1@10", "other=x@20"], run.Read());
        run.Pipe("a", "other", "x", 200);
        // Slots 20 and 30 of the quiet key, 30 to 50 of the other: what is due first comes first.
        Assert.Equal(
            ["quiet=1@20", "other=x@30", "quiet=1@30", "other=x@40", "other=x@50", "other=x@200"],
            run.Read());
        // The rest of a gap that ends within the maximum is filled when it ends.
        run.Pipe("a", "other", "y", 255);
        Assert.Equal(
            ["other=x@210", "other=x@220", "other=x@230", "other=x@240", "other=y@255"], run.Read());
    }

    [Fact]
    public void Grace_waits_for_a_keys_own_record_while_others_are_ahead()
    {
        GapFilling<string> keeping = GapFilling.Hold<string>(Ten) with
        {
            KeepFilling = TimeSpan.FromMilliseconds(50),
        };
        using DslRun hasty = Start(keeping);
        using DslRun patient = Start(keeping with { Grace = Ten });
        foreach (DslRun run in new[] { hasty, patient })
        {
            run.Pipe("a", "k", "1", 5);
            run.Pipe("a", "ahead", "x", 23);
            run.Pipe("a", "k", "2", 15);
            run.Pipe("a", "k", "3", 31);
        }
        Assert.Equal(["k=1@5", "k=1@10", "ahead=x@23", "k=2@15", "k=2@20", "k=3@31"], hasty.Read());
        Assert.Equal(["k=1@5", "ahead=x@23", "k=2@15", "k=2@20", "k=3@31"], patient.Read());
    }

    [Fact]
    public void Linear_interpolates_whole_numbers_towards_the_first()
    {
        using var run = new DslRun(b => Numbers(b).GapFill(
            GapFilling.Linear<long>(Ten, Interpolate.Int64)).MapValues((_, v) => $"{v}")
            .To("out", DslRun.TextOut));
        TestInputTopic<string, long> input = run.Driver.CreateInputTopic(
            "a", Serdes.String, Serdes.Int64);
        input.Pipe("k", 0, 0);
        input.Pipe("k", 10, 30);
        input.Pipe("k", -10, 50);
        input.Pipe("k", long.MinValue, 70);
        Assert.Equal(
            ["k=0@0", "k=3@10", "k=6@20", "k=10@30", "k=0@40", "k=-10@50", "k=-4611686018427387909@60",
                $"k={long.MinValue}@70"],
            run.Read());
    }

    [Fact]
    public void Amounts_of_256_bits_are_interpolated_exactly()
    {
        UInt256 max = UInt256.MaxValue;
        Assert.Equal(max - max / 4, Interpolate.UInt256(max, 0, 1, 4));
        Assert.Equal(max, Interpolate.UInt256(0, max, 7, 7));
        Assert.Equal((UInt256)2, Interpolate.UInt256(0, 10, 1, 4));
        Assert.Equal((UInt256)8, Interpolate.UInt256(10, 0, 1, 4));
        Assert.Equal(ulong.MaxValue / 2, Interpolate.UInt64(0, ulong.MaxValue, 1, 2));
    }

    [Fact]
    public void Named_fields_of_a_record_are_interpolated_and_the_others_held()
    {
        Serde<EveryKind> serde = RecordSerde.Protobuf<EveryKind>();
        GapFilling<EveryKind> filling = GapFilling.LinearFields<EveryKind>(
            Ten, "int64", "maybe_int32", "amount", "double", "uint32", "maybe_double") with
        {
            FlagFilled = value =>
            {
                value.Flag = true;
                return value;
            },
        };
        using var run = new DslRun(b => b
            .Stream("a", new Consumed<string, EveryKind>(Serdes.String, serde)).GapFill(filling)
            .To("out"));
        TestInputTopic<string, EveryKind> input = run.Driver.CreateInputTopic("a", Serdes.String, serde);
        input.Pipe("k", Sample(10, 4, 100, 1.5, 7, "before"), 0);
        input.Pipe("k", Sample(20, null, 200, 2.5, 17, "after"), 20);
        IReadOnlyList<Record<string, EveryKind>> records =
            run.Driver.CreateOutputTopic("out", Serdes.String, serde).ReadAll();
        Assert.Equal([0, 10, 20], records.Select(r => r.TimestampMs));
        EveryKind filled = records[1].Value;
        Assert.Equal((15, 4, (UInt256)150, 2.0, 12u), (
            filled.Int64, filled.MaybeInt32, filled.Amount, filled.Double, filled.UInt32));
        Assert.Equal("before", filled.Text.ToString());
        Assert.Null(filled.MaybeDouble);
        Assert.Equal([false, true, false], records.Select(r => r.Value.Flag));
        Assert.Equal("linear", HeaderOf(records[1]));
        Assert.True(records[0].Headers.IsEmpty);
    }

    [Fact]
    public void Interpolating_fields_allocates_nothing()
    {
        var interpolation = new FieldInterpolation<EveryKind>(["int64", "maybe_int32", "amount", "double"]);
        EveryKind from = Sample(10, 4, 100, 1.5, 7, "before");
        EveryKind to = Sample(2_000_000, 6, 200, 2.5, 17, "after");
        for (int i = 0; i < 1_000; i++)
            interpolation.Between(from, to, 1, 1_000);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1_000; i++)
            interpolation.Between(from, to, 1, 1_000);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.InRange(from.Int64, 1_000_000, 2_000_000);
    }

    [Fact]
    public void Filled_records_have_a_header_that_says_how()
    {
        using DslRun run = Start(GapFilling.Hold<string>(Ten) with { FlagFilled = v => v + "?" });
        run.Pipe("a", "k", "1", 0);
        run.Pipe("a", "k", "2", 20);
        IReadOnlyList<Record<string, string>> records =
            run.Driver.CreateOutputTopic("out", Serdes.String, Serdes.String).ReadAll();
        Assert.Equal(["1", "1?", "2"], records.Select(r => r.Value));
        Assert.Equal([null, "hold", null], records.Select(HeaderOf));
        using DslRun bare = Start(GapFilling.Hold<string>(Ten) with { FilledHeader = null });
        bare.Pipe("a", "k", "1", 0);
        bare.Pipe("a", "k", "2", 20);
        Assert.All(
            bare.Driver.CreateOutputTopic("out", Serdes.String, Serdes.String).ReadAll(),
            r => Assert.True(r.Headers.IsEmpty));
    }

    [Fact]
    public void A_tombstone_ends_its_key()
    {
        using DslRun run = Start(GapFilling.Hold<string>(Ten) with { KeepFilling = 5 * Ten });
        run.Pipe("a", "k", "1", 0);
        run.Pipe("a", "k", null, 8);
        run.Pipe("a", "l", "x", 100);
        run.Pipe("a", "k", "2", 101);
        Assert.Equal(["k=1@0", "k=-@8", "l=x@100", "k=2@101"], run.Read());
    }

    [Fact]
    public void A_late_record_passes_on_and_changes_nothing()
    {
        using DslRun run = Start(GapFilling.Hold<string>(Ten));
        run.Pipe("a", "k", "1", 15);
        run.Pipe("a", "k", "late", 3);
        run.Pipe("a", "k", null, 4);
        run.Pipe("a", "k", "2", 35);
        Assert.Equal(["k=1@15", "k=late@3", "k=-@4", "k=1@20", "k=2@35"], run.Read());
    }

    [Fact]
    public void Late_records_go_to_a_stream_of_their_own_where_that_is_asked_for()
    {
        using var run = new DslRun(b => b.Stream("a", DslRun.Text)
            .GapFill(GapFilling.Hold<string>(Ten), late => late.To("late")).To("out"));
        run.Pipe("a", "k", "1", 15);
        run.Pipe("a", "k", "late", 3);
        Assert.Equal(["k=1@15"], run.Read());
        Assert.Equal(["k=late@3"], run.Read("late"));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void A_restart_at_any_record_changes_nothing_that_comes_out(int partitions)
    {
        var random = new Random(5);
        (string Key, string? Value, long TimeMs)[] input = [.. Enumerable.Range(0, 200).Select(i => (
            $"k{random.Next(6)}", random.Next(15) == 0 ? null : $"{i}", 4L * i + random.Next(25)))];
        string[] Run(int restartEvery)
        {
            using DslRun run = Start(
                GapFilling.Hold<string>(Ten) with { KeepFilling = 3 * Ten, Grace = Ten },
                new TestDriverOptions { Partitions = partitions });
            for (int i = 0; i < input.Length; i++)
            {
                run.Pipe("a", input[i].Key, input[i].Value, input[i].TimeMs);
                if (i % restartEvery == restartEvery - 1)
                    run.Driver.Restart();
            }
            return run.Read();
        }
        string[] expected = Run(int.MaxValue);
        Assert.True(expected.Length > input.Length + 50, $"Only {expected.Length} records came out.");
        Assert.Equal(expected, Run(1));
        Assert.Equal(expected, Run(7));
    }

    [Fact]
    public void A_key_is_forgotten_when_its_last_record_can_begin_no_gap_any_more()
    {
        using DslRun run = Start(GapFilling.Hold<string>(Ten) with { StoreName = "gaps" });
        run.Pipe("a", "k", "1", 0);
        run.Pipe("a", "l", "2", 109);
        Assert.Equal(2, run.Driver.GetStore<Streams.State.BytesStore>("gaps").Count);
        run.Pipe("a", "l", "2", 110);
        Assert.Equal(1, run.Driver.GetStore<Streams.State.BytesStore>("gaps").Count);
    }

    [Fact]
    public void A_key_that_was_changed_is_repartitioned_first()
    {
        using var run = new DslRun(b => b.Stream("a", DslRun.Text).SelectKey((k, _) => k[..1])
            .GapFill(GapFilling.Hold<string>(Ten)).To("out"), new TestDriverOptions { Partitions = 4 });
        run.Pipe("a", "k1", "1", 0);
        run.Pipe("a", "k2", "2", 25);
        Assert.Equal(["k=1@0", "k=1@10", "k=2@25"], run.Read());
    }

    [Fact]
    public void What_cannot_be_meant_is_refused_when_it_is_built()
    {
        GapFilling<string> hold = GapFilling.Hold<string>(Ten);
        AssertRefused(hold with { MaxGap = TimeSpan.FromMilliseconds(9) }, "fills nothing");
        AssertRefused(hold with { MaxGap = TimeSpan.FromDays(1) }, "could make 8,640,000 records of one gap");
        AssertRefused(hold with { KeepFilling = TimeSpan.FromSeconds(1) }, "between zero and MaxGap");
        AssertRefused(hold with { Grace = -Ten }, "must not be negative");
        AssertRefused(
            GapFilling.Linear<string>(Ten, (from, _, _, _) => from) with { KeepFilling = Ten },
            "KeepFilling needs hold");
        string message = Assert.Throws<TopologyException>(
            () => GapFilling.LinearFields<EveryKind>(Ten, "int64", "text")).Message;
        Assert.Contains("'every_kind' has no numeric field 'text'", message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => GapFilling.Hold<string>(TimeSpan.Zero));
    }

    private static void AssertRefused(GapFilling<string> filling, string expected)
    {
        string message = Assert.Throws<TopologyException>(() => Start(filling)).Message;
        Assert.Contains(expected, message, StringComparison.Ordinal);
    }

    private static DslRun Start(GapFilling<string> filling, TestDriverOptions? options = null) =>
        new(b => b.Stream("a", DslRun.Text).GapFill(filling).To("out"), options);

    private static KStream<string, long> Numbers(StreamsBuilder builder) =>
        builder.Stream("a", new Consumed<string, long>(Serdes.String, Serdes.Int64));

    private static EveryKind Sample(
        long number, int? maybe, ulong amount, double measured, uint count, string text)
    {
        var value = new EveryKind
        {
            Int64 = number,
            MaybeInt32 = maybe,
            Amount = amount,
            Double = measured,
            UInt32 = count,
        };
        value.Text = value.Memory.Text(text);
        return value;
    }

    private static string? HeaderOf<TValue>(Record<string, TValue> record) =>
        record.Headers.TryGetLast("filled"u8, out ReadOnlySpan<byte> value)
            ? System.Text.Encoding.UTF8.GetString(value)
            : null;
}
