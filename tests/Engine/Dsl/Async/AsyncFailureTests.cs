using Streams.Connect;
using Streams.Dsl;
using Streams.Errors;
using Streams.Processing;
using Streams.Records;
using Xunit;

namespace Streams.Tests.Engine.Dsl.Async;

/// <summary>Calls that fail, hang or come too late, in virtual time.</summary>
public sealed class AsyncFailureTests
{
    private static readonly AsyncCallOptions Options = new()
    {
        AttemptTimeout = TimeSpan.FromSeconds(2),
        TotalTimeout = TimeSpan.FromSeconds(60),
        RetriesMax = 2,
        RetryDelay = TimeSpan.FromSeconds(1),
        RetryDelayMax = TimeSpan.FromSeconds(4),
        BreakerFailurePercent = 0,
        OnFailure = AsyncFailure.Fallback,
    };

    [Fact]
    public void What_may_pass_is_tried_again_after_a_pause()
    {
        using var calls = new OpenCalls(Options);
        calls.Pipe("a=a1");
        calls.Fail("a1", new IOException("gone"));
        Assert.Equal(["a1"], calls.Begun);
        calls.AdvanceUntilBegun(2);
        Assert.Equal(["a1", "a1"], calls.Begun);
        calls.Answer("a1");
        Assert.Equal(["a=A1"], calls.Out());
    }

    [Fact]
    public void What_does_not_pass_is_not_tried_again()
    {
        using var calls = new OpenCalls(Options);
        calls.Pipe("a=a1");
        calls.Fail("a1", new FormatException("nonsense"));
        Assert.Equal(["a=a1 without: FormatException"], calls.Out());
        Assert.Equal(["a1"], calls.Begun);
    }

    [Fact]
    public void Retries_have_an_end()
    {
        using var calls = new OpenCalls(Options);
        calls.Pipe("a=a1");
        for (int attempt = 0; attempt < 3; attempt++)
        {
            calls.Fail("a1", new IOException("gone"));
            calls.AdvanceUntilBegun(Math.Min(attempt + 2, 3));
        }
        Assert.Equal(["a1", "a1", "a1"], calls.Begun);
        Assert.Equal(["a=a1 without: IOException"], calls.Out());
    }

    [Theory]
    [InlineData("a1")]
    [InlineData("deaf")]
    public void An_attempt_that_hangs_is_given_up_and_made_again(string call)
    {
        using var calls = new OpenCalls(Options);
        calls.Pipe($"a={call}");
        calls.AdvanceUntilBegun(2);
        Assert.Equal([call, call], calls.Begun);
        calls.Answer(call, "at last");
        Assert.Equal(["a=at last"], calls.Out());
    }

    [Fact]
    public void A_call_has_a_time_for_all_its_attempts()
    {
        using var calls = new OpenCalls(Options with
        {
            RetriesMax = 1000,
            TotalTimeout = TimeSpan.FromSeconds(20),
        });
        calls.Pipe("a=a1");
        for (int second = 0; second < 21; second++)
            calls.Advance(1);
        calls.Driver.WaitForCalls();
        Assert.Equal(["a=a1 without: TimeoutRejectedException"], calls.Out());
        Assert.InRange(calls.Begun.Count, 3, 10);
    }

    [Fact]
    public void Calls_that_heed_no_cancellation_end_the_task_before_they_fill_the_process()
    {
        using var calls = new OpenCalls(Options with
        {
            RetriesMax = 0,
            CallsMax = 2,
            Order = AsyncOrder.None,
        });
        calls.Pipe("a=deaf1", "b=deaf2", "c=deaf3", "d=deaf4");
        calls.Advance(2);
        Assert.Equal(["deaf1", "deaf2"], calls.Begun);
        InvalidOperationException stopped =
            Assert.Throws<InvalidOperationException>(() => calls.Advance(2.1));
        Assert.Contains("do not heed the cancellation token", stopped.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Calls_that_end_late_make_room_for_others()
    {
        using var calls = new OpenCalls(Options with
        {
            RetriesMax = 0,
            CallsMax = 2,
            Order = AsyncOrder.None,
        });
        calls.Pipe("a=deaf1", "b=deaf2", "c=c1");
        calls.Advance(2);
        calls.Answer("deaf1", "too late");
        Assert.Equal(["deaf1", "deaf2", "c1"], calls.Begun);
        calls.Answer("c1");
        Assert.Equal(
            ["a=deaf1 without: TimeoutRejectedException", "b=deaf2 without: TimeoutRejectedException",
                "c=C1"],
            calls.Out());
    }

    [Fact]
    public void The_breaker_opens_lets_one_call_try_and_closes()
    {
        using var calls = new OpenCalls(Options with
        {
            RetriesMax = 0,
            Order = AsyncOrder.None,
            BreakerFailurePercent = 50,
            BreakerAttemptsMin = 2,
            BreakerPause = TimeSpan.FromSeconds(5),
        });
        calls.Pipe("a=a1", "b=b1");
        calls.Fail("a1", new IOException("gone"));
        calls.Fail("b1", new IOException("gone"));
        calls.Driver.WaitForCalls();
        calls.Pipe("c=c1");
        calls.Driver.WaitForCalls();
        Assert.Equal(["a1", "b1"], calls.Begun);
        calls.Advance(5.1);
        calls.Pipe("d=d1");
        calls.WaitUntilBegun(3);
        calls.Pipe("e=e1");
        Assert.Equal(["a1", "b1", "d1"], calls.Begun);
        calls.Answer("d1");
        calls.Driver.WaitForCalls();
        calls.Pipe("f=f1");
        calls.WaitUntilBegun(4);
        calls.Answer("f1");
        calls.Driver.WaitForCalls();
        Assert.Equal(
            ["a=a1 without: IOException", "b=b1 without: IOException",
                "c=c1 without: BrokenCircuitException", "d=D1", "e=e1 without: BrokenCircuitException",
                "f=F1"],
            calls.Out().Order());
    }

    [Fact]
    public void A_failure_becomes_a_dead_letter_of_the_record_as_it_was_read()
    {
        using var calls = new OpenCalls(Options with { OnFailure = AsyncFailure.DeadLetter });
        calls.Pipe("a=a1", "b=b1");
        calls.Fail("a1", new FormatException("nonsense"));
        calls.Answer("b1");
        Assert.Equal(["b=B1"], calls.Out());
        DeadLetter letter = Assert.Single(Letters(calls));
        Assert.Equal("process", letter.Stage.ToString());
        Assert.Equal("input", letter.Source.ToString());
        Assert.Equal((0, 0), (letter.Partition, letter.Offset));
        Assert.Equal("FormatException", letter.Reason.ToString());
        Assert.Equal("nonsense", letter.Detail.ToString());
        Assert.Equal("call", letter.Operator.ToString());
        Assert.Equal("a1", System.Text.Encoding.UTF8.GetString(letter.Value!.Value.Span));
    }

    [Fact]
    public void What_an_operator_behind_refuses_is_a_dead_letter_of_the_record_that_was_held()
    {
        using var calls = new OpenCalls(
            Options, new RuntimeOptions { ProcessingFailures = FailurePolicy.DeadLetter });
        calls.Pipe("a=a1", "b=b1");
        calls.Answer("b1", "refused");
        calls.Answer("a1");
        Assert.Equal(["a=A1"], calls.Out());
        DeadLetter letter = Assert.Single(Letters(calls));
        Assert.Equal("ArithmeticException", letter.Reason.ToString());
        Assert.Equal("b1", System.Text.Encoding.UTF8.GetString(letter.Value!.Value.Span));
        Assert.Equal(1, letter.Offset);
    }

    [Fact]
    public void A_failure_that_may_pass_stops_the_task_to_be_started_again()
    {
        using var calls = new OpenCalls(Options with { OnFailure = AsyncFailure.Stop, RetriesMax = 0 });
        calls.Pipe("a=a1");
        UnavailableException stopped = Assert.Throws<UnavailableException>(
            () => calls.Fail("a1", new IOException("gone")));
        Assert.Equal("'call' failed for the record at offset 0 of input 0: gone", stopped.Message);
        calls.Restart();
        calls.Answer("a1");
        Assert.Equal(["a=A1"], calls.Out());
    }

    [Fact]
    public void A_failure_that_does_not_pass_stops_for_good()
    {
        using var calls = new OpenCalls(Options with { OnFailure = AsyncFailure.Stop });
        calls.Pipe("a=a1");
        AsyncCallException stopped = Assert.Throws<AsyncCallException>(
            () => calls.Fail("a1", new FormatException("nonsense")));
        Assert.Equal("'call' failed for the record at offset 0 of input 0: nonsense", stopped.Message);
    }

    private static IEnumerable<DeadLetter> Letters(OpenCalls calls) => calls.Driver.CreateOutputTopic(
        "input.dead-letter", Serdes.String, RecordSerde.Protobuf<DeadLetter>()).ReadAll()
        .Select(r => r.Value);
}
