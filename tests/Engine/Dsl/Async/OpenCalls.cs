using System.Globalization;
using Streams.Dsl;
using Streams.Processing;
using Streams.Records;
using Streams.Testing;
using Xunit;

namespace Streams.Tests.Engine.Dsl.Async;

/// <summary>A topology of one asynchronous operator whose calls the test answers.</summary>
internal sealed class OpenCalls : IDisposable
{
    private readonly List<(string Call, TaskCompletionSource<string> Answer)> _open = [];
    private readonly List<string> _begun = [];
    private readonly TestOutputTopic<string, string> _output;

    internal OpenCalls(AsyncCallOptions options, RuntimeOptions? runtime = null, int partitions = 1)
    {
        var builder = new StreamsBuilder();
        builder.Stream("input", new Consumed<string, string>(Serdes.String, Serdes.String))
            .MapValuesAsync(
                (_, value, cancellation) => CallAsync(value, cancellation),
                new AsyncMapped<string, string, string>
                {
                    Name = "call",
                    Calls = options,
                    ResultSerde = Serdes.String,
                    Fallback = (_, value, failure) => $"{value} without: {failure.GetType().Name}",
                    RetryIf = failure => failure is not FormatException,
                })
            .MapValues((_, value) => value == "refused" ? throw new ArithmeticException(value) : value)
            .To("output");
        Driver = new TopologyTestDriver(builder.Build(), new TestDriverOptions
        {
            Partitions = partitions,
            Runtime = runtime ?? new TestDriverOptions().Runtime,
        });
        _output = Driver.CreateOutputTopic("output", Serdes.String, Serdes.String);
    }

    internal TopologyTestDriver Driver { get; }

    /// <summary>The calls that have begun, in order, those that are over too.</summary>
    internal List<string> Begun
    {
        get
        {
            lock (_open)
                return [.. _begun];
        }
    }

    /// <summary>Puts records in, <c>key=value</c>; without a value a tombstone.</summary>
    internal void Pipe(params string[] records)
    {
        TestInputTopic<string, string?> input =
            Driver.CreateInputTopic<string, string?>("input", Serdes.String, Serdes.String!);
        foreach (string record in records)
        {
            string[] parts = record.Split('=');
            input.Pipe(parts[0], parts.Length > 1 ? parts[1] : null, 1000 + Begun.Count);
        }
    }

    /// <summary>Ends a call, and processes what comes of it.</summary>
    internal void Answer(string call, string? answer = null)
    {
        Take(call).SetResult(answer ?? call.ToUpper(CultureInfo.InvariantCulture));
        Process();
    }

    /// <summary>Ends a call by a failure.</summary>
    internal void Fail(string call, Exception failure)
    {
        Take(call).SetException(failure);
        Process();
    }

    /// <summary>Moves the clock.</summary>
    internal void Advance(double seconds) => Driver.AdvanceWallClock(TimeSpan.FromSeconds(seconds));

    /// <summary>Moves the clock on by little, until so many calls have begun.</summary>
    internal void AdvanceUntilBegun(int count)
    {
        for (int i = 0; Begun.Count < count && i < 1000; i++)
            Advance(0.1);
    }

    /// <summary>Waits until so many calls have begun: some begin on another thread.</summary>
    internal void WaitUntilBegun(int count) =>
        Assert.True(SpinWait.SpinUntil(() => Begun.Count >= count, TimeSpan.FromSeconds(30)));

    /// <summary>What has come out since the last time, <c>key=value</c>.</summary>
    internal List<string> Out() =>
        [.. _output.ReadAll().Select(r => $"{r.Key}={(r.HasValue ? r.Value : "-")}")];

    /// <summary>The position that the task has committed.</summary>
    internal long Position() =>
        Driver.Log.CommittedOffset("test", Driver.Log.FindTopic("input")![0]) ?? 0;

    /// <summary>Records that are held as of the last commit.</summary>
    internal long Held() => Driver.GetStore<Streams.State.BytesStore>("call-held").Count;

    /// <summary>Forgets the calls of a process that is gone, and starts anew.</summary>
    internal void Restart()
    {
        _open.Clear();
        _begun.Clear();
        Driver.Restart();
    }

    public void Dispose() => Driver.Dispose();

    private void Process() => Driver.AdvanceWallClock(TimeSpan.Zero);

    private Task<string> CallAsync(string value, CancellationToken cancellation)
    {
        var answer = new TaskCompletionSource<string>();
        lock (_open)
        {
            _begun.Add(value);
            _open.Add((value, answer));
        }
        if (!value.StartsWith("deaf", StringComparison.Ordinal))
            cancellation.Register(() => answer.TrySetCanceled(cancellation));
        return answer.Task;
    }

    private TaskCompletionSource<string> Take(string call)
    {
        int place = _open.FindLastIndex(o => o.Call == call && !o.Answer.Task.IsCompleted);
        TaskCompletionSource<string> answer = _open[place].Answer;
        _open.RemoveAt(place);
        return answer;
    }
}
