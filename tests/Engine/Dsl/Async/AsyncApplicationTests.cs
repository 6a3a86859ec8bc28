using Microsoft.Extensions.Logging.Abstractions;
using Streams.Connect;
using Streams.Dsl;
using Streams.Log;
using Streams.Log.Embedded;
using Streams.Processing;
using Streams.Records;
using Streams.Tests.Support;
using Xunit;

namespace Streams.Tests.Engine.Dsl.Async;

/// <summary>Asynchronous calls on production's own threads.</summary>
public sealed class AsyncApplicationTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly EmbeddedLog _log;

    public AsyncApplicationTests() => _log = EmbeddedLog.Open(
        new EmbeddedLogOptions { Directory = _folder.File("log"), DiskFreeBytesMin = 0 });

    [Fact]
    public void A_call_that_blocks_its_thread_holds_nobody_up()
    {
        using var release = new ManualResetEventSlim();
        using StreamsApplication application = Start((value, _) =>
        {
            if (value == "block")
                release.Wait(CancellationToken.None);
            return Task.FromResult($"{value}!");
        });
        Append(0, ("a", "block"), ("b", "free"));
        Append(1, ("c", "other"));
        WaitFor(() => Out().Order().SequenceEqual(["b=free!", "c=other!"]));
        Assert.False(application.IsDrained());
        release.Set();
        WaitFor(application.IsDrained);
        Assert.Equal(["a=block!", "b=free!", "c=other!"], Out().Order());
        application.Stop();
        Assert.Null(application.Failure);
    }

    [Fact]
    public void A_stop_leaves_what_does_not_end_and_the_next_start_calls_for_it_again()
    {
        using (StreamsApplication application = Start(
            async (value, cancellation) =>
            {
                if (value == "hang")
                    await Task.Delay(Timeout.Infinite, cancellation);
                return $"{value}!";
            },
            TimeSpan.FromMilliseconds(50)))
        {
            Append(0, ("a", "hang"), ("a", "next"), ("b", "free"));
            WaitFor(() => Out().SequenceEqual(["b=free!"]));
            application.Stop();
            Assert.Null(application.Failure);
        }
        Assert.Equal(3, _log.CommittedOffset("async", _log.FindTopic("input")![0]));
        using StreamsApplication again = Start((value, _) => Task.FromResult($"{value}!"));
        WaitFor(again.IsDrained);
        Assert.Equal(["b=free!", "a=hang!", "a=next!"], Out());
        again.Stop();
        Assert.Null(again.Failure);
    }

    [Fact]
    public void A_failure_that_passes_is_waited_for()
    {
        int calls = 0;
        using StreamsApplication application = Start((value, _) => Interlocked.Increment(ref calls) < 4
            ? throw new IOException("gone")
            : Task.FromResult($"{value}!"));
        Append(0, ("a", "1"), ("a", "2"));
        WaitFor(application.IsDrained);
        Assert.Equal(["a=1!", "a=2!"], Out());
        application.Stop();
        Assert.Null(application.Failure);
    }

    public void Dispose()
    {
        _log.Dispose();
        _folder.Dispose();
    }

    // One thread for both partitions.
    private StreamsApplication Start(
        Func<string, CancellationToken, Task<string>> call, TimeSpan? stopWait = null)
    {
        var builder = new StreamsBuilder();
        builder.Topic(new TopicSpec { Name = "input", Partitions = 2 });
        builder.Stream("input", new Consumed<string, string>(Serdes.String, Serdes.String))
            .MapValuesAsync(
                (_, value, cancellation) => call(value, cancellation),
                new AsyncMapped<string, string, string>
                {
                    Name = "call",
                    ResultSerde = Serdes.String,
                    Calls = new AsyncCallOptions { RetriesMax = 0, AttemptTimeout = TimeSpan.FromHours(1) },
                })
            .To("output");
        var application = new StreamsApplication(
            new ApplicationDefinition
            {
                Id = "async",
                Topology = builder.Build(),
                DataFolder = _folder.Path,
                Runtime = new RuntimeOptions
                {
                    CallsStopWait = stopWait ?? TimeSpan.FromMinutes(1),
                    CommitInterval = TimeSpan.FromMilliseconds(5),
                },
                Restarts = new RestartOptions { Delay = TimeSpan.FromMilliseconds(5) },
            },
            _log, NullLogger.Instance);
        application.Start();
        return application;
    }

    private void Append(int partition, params (string Key, string Value)[] records)
    {
        using ILogWriter writer = _log.OpenWriter("test");
        foreach ((string key, string value) in records)
        {
            writer.Append(_log.FindTopic("input")![partition], new LogRecord
            {
                TimestampMs = 1,
                HasKey = true,
                Key = System.Text.Encoding.UTF8.GetBytes(key),
                HasValue = true,
                Value = System.Text.Encoding.UTF8.GetBytes(value),
            });
        }
        writer.Commit();
    }

    private List<string> Out()
    {
        var records = new List<string>();
        using ILogReader reader = _log.OpenReader(ReadLevel.Committed);
        using LogBatch batch = reader.CreateBatch();
        TopicPartition output = _log.FindTopic("output")![0];
        for (long offset = 0; reader.Read(output, offset, batch); offset = batch.NextOffset)
        {
            while (batch.TryRead(out LogRecord record))
                records.Add(
                    $"{System.Text.Encoding.UTF8.GetString(record.Key)}="
                    + System.Text.Encoding.UTF8.GetString(record.Value));
        }
        return records;
    }

    private static void WaitFor(Func<bool> what) =>
        Assert.True(SpinWait.SpinUntil(what, TimeSpan.FromMinutes(1)), "It did not come.");
}
