using Streams.Dsl;
using Streams.Processing;
using Streams.Records;
using Streams.Testing;
using Xunit;

namespace Streams.Tests.Engine.Dsl.Async;

/// <summary>In which order asynchronous calls begin and their results come out, and what bounds them
/// (CSIC-061).</summary>
public sealed class AsyncOrderTests
{
    private static readonly AsyncCallOptions ByKey = new();

    [Fact]
    public void The_results_of_a_key_keep_its_order_and_those_of_others_do_not_wait()
    {
        using var calls = new OpenCalls(ByKey with { KeyCallsMax = 2 });
        calls.Pipe("a=a1", "a=a2", "b=b1");
        Assert.Equal(["a1", "a2", "b1"], calls.Begun);
        calls.Answer("a2");
        Assert.Empty(calls.Out());
        calls.Answer("b1");
        Assert.Equal(["b=B1"], calls.Out());
        calls.Answer("a1");
        Assert.Equal(["a=A1", "a=A2"], calls.Out());
    }

    [Fact]
    public void A_key_s_next_call_begins_when_the_one_before_has_ended()
    {
        using var calls = new OpenCalls(ByKey);
        calls.Pipe("a=a1", "a=a2", "b=b1");
        Assert.Equal(["a1", "b1"], calls.Begun);
        calls.Answer("a1");
        Assert.Equal(["a1", "b1", "a2"], calls.Begun);
    }

    [Fact]
    public void All_results_of_a_partition_keep_their_order_where_that_is_asked_for()
    {
        using var calls = new OpenCalls(ByKey with { Order = AsyncOrder.Partition });
        calls.Pipe("a=a1", "a=a2", "b=b1");
        Assert.Equal(["a1", "a2", "b1"], calls.Begun);
        calls.Answer("b1");
        calls.Answer("a2");
        Assert.Empty(calls.Out());
        calls.Answer("a1");
        Assert.Equal(["a=A1", "a=A2", "b=B1"], calls.Out());
    }

    [Fact]
    public void Without_an_order_results_come_as_they_are_done()
    {
        using var calls = new OpenCalls(ByKey with { Order = AsyncOrder.None });
        calls.Pipe("a=a1", "a=a2");
        calls.Answer("a2");
        Assert.Equal(["a=A2"], calls.Out());
        calls.Answer("a1");
        Assert.Equal(["a=A1"], calls.Out());
    }

    [Fact]
    public void A_tombstone_passes_in_its_turn_and_nothing_is_called_for_it()
    {
        using var calls = new OpenCalls(ByKey);
        calls.Pipe("a=a1", "a", "b");
        Assert.Equal(["b=-"], calls.Out());
        calls.Answer("a1");
        Assert.Equal(["a=A1", "a=-"], calls.Out());
        Assert.Equal(["a1"], calls.Begun);
    }

    [Fact]
    public void No_more_calls_are_under_way_than_allowed()
    {
        using var calls = new OpenCalls(ByKey with { CallsMax = 2 });
        calls.Pipe("a=a1", "b=b1", "c=c1", "d=d1");
        Assert.Equal(["a1", "b1"], calls.Begun);
        calls.Answer("b1");
        Assert.Equal(["a1", "b1", "c1"], calls.Begun);
    }

    [Fact]
    public void A_task_that_holds_all_it_may_takes_no_record()
    {
        using var calls = new OpenCalls(ByKey with { RecordsMax = 2 });
        calls.Pipe("a=a1", "b=b1", "c=c1");
        Assert.Equal(2, calls.Position());
        Assert.Equal(["a1", "b1"], calls.Begun);
        calls.Answer("a1");
        Assert.Equal(3, calls.Position());
        Assert.Equal(["a1", "b1", "c1"], calls.Begun);
    }

    [Fact]
    public void A_key_that_waits_too_long_holds_the_task_back()
    {
        using var calls = new OpenCalls(ByKey with { KeyRecordsMax = 2 });
        calls.Pipe("a=a1", "b=b1", "a=a2", "c=c1");
        Assert.Equal(3, calls.Position());
        calls.Answer("a1");
        Assert.Equal(4, calls.Position());
    }

    [Fact]
    public void Large_records_hold_the_task_back_by_their_bytes()
    {
        using var calls = new OpenCalls(ByKey with { HeldBytesMax = 1000 });
        calls.Pipe($"a={new string('a', 1000)}", "b=b1");
        Assert.Equal(1, calls.Position());
        calls.Answer(new string('a', 1000));
        Assert.Equal(2, calls.Position());
    }

    [Fact]
    public void What_is_under_way_when_a_process_dies_is_called_for_again_and_comes_out_once()
    {
        using var calls = new OpenCalls(ByKey);
        calls.Pipe("a=a1", "a=a2", "b=b1", "c=c1");
        calls.Answer("b1");
        Assert.Equal(4, calls.Position());
        Assert.Equal(3, calls.Held());
        Assert.Equal(["b=B1"], calls.Out());
        calls.Restart();
        Assert.Equal(["a1", "c1"], calls.Begun);
        calls.Pipe("a=a3");
        calls.Answer("c1");
        calls.Answer("a1");
        calls.Answer("a2");
        calls.Answer("a3");
        Assert.Equal(["c=C1", "a=A1", "a=A2", "a=A3"], calls.Out());
        Assert.Equal(0, calls.Held());
    }

    [Fact]
    public void A_result_that_waits_for_its_turn_is_called_for_again_too()
    {
        using var calls = new OpenCalls(ByKey with { Order = AsyncOrder.Partition });
        calls.Pipe("a=a1", "b=b1");
        calls.Answer("b1");
        calls.Restart();
        Assert.Equal(["a1", "b1"], calls.Begun);
        calls.Answer("b1");
        calls.Answer("a1");
        Assert.Equal(["a=A1", "b=B1"], calls.Out());
    }

    [Fact]
    public void Time_headers_and_absent_results_are_as_after_any_mapping()
    {
        var builder = new StreamsBuilder();
        builder.Stream("input", new Consumed<string, string>(Serdes.String, Serdes.String))
            .MapValuesAsync(
                (key, value, _) => Task.FromResult(value == "none" ? null : value + key),
                new AsyncMapped<string, string, string?> { ResultSerde = Serdes.String! })
            .To("output");
        using var driver = new TopologyTestDriver(builder.Build(), new TestDriverOptions { Partitions = 3 });
        TestInputTopic<string, string> input =
            driver.CreateInputTopic("input", Serdes.String, Serdes.String);
        input.Pipe("a", "x", 7, Headers.Empty.With("trace", "t1"));
        input.Pipe(null!, "y", 8);
        input.Pipe("a", "none", 9);
        Record<string, string>[] records = [.. driver.CreateOutputTopic(
            "output", Serdes.String, Serdes.String).ReadAll().OrderBy(r => r.TimestampMs)];
        Assert.Equal(["xa", "y", null], records.Select(r => r.Value));
        Assert.Equal([true, true, false], records.Select(r => r.HasValue));
        Assert.Equal([true, false, true], records.Select(r => r.HasKey));
        Assert.Equal([7, 8, 9], records.Select(r => r.TimestampMs));
        Assert.True(records[0].Headers.TryGetLast("trace"u8, out ReadOnlySpan<byte> trace));
        Assert.Equal("t1"u8, trace);
    }

    [Theory]
    [InlineData(0, 100, 3, "CallsMax is 0. Give 1 to 10,000.")]
    [InlineData(10, 0, 3, "RecordsMax is 0. Give 1 to 1,000,000.")]
    [InlineData(10, 10, 2000, "RetriesMax is 2,000. Give 0 to 1,000.")]
    public void Bounds_that_make_no_sense_are_refused(int calls, int records, int retries, string message)
    {
        TopologyException refused = Assert.Throws<TopologyException>(() => new OpenCalls(
            ByKey with { CallsMax = calls, RecordsMax = records, RetriesMax = retries, KeyCallsMax = 1 }));
        Assert.Equal($"'call': {message}", refused.Message);
    }

    [Fact]
    public void A_fallback_that_is_missing_and_a_serde_that_is_missing_are_refused()
    {
        KStream<string, string> stream = new StreamsBuilder().Stream(
            "input", new Consumed<string, string>(Serdes.String, Serdes.String));
        TopologyException refused = Assert.Throws<TopologyException>(() => stream.MapValuesAsync(
            (_, value, _) => Task.FromResult(value), new AsyncMapped<string, string, string>
            {
                Name = "call",
                Calls = new AsyncCallOptions { OnFailure = AsyncFailure.Fallback },
            }));
        Assert.Equal("'call' is to pass on a fallback and has none: set Fallback.", refused.Message);
        refused = Assert.Throws<TopologyException>(() => stream.MapValues((_, value) => value.Length)
            .MapValuesAsync((_, value, _) => Task.FromResult(value)));
        Assert.Contains("needs a serde for values of type Int32", refused.Message, StringComparison.Ordinal);
    }
}
