using System.Diagnostics;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging.Abstractions;
using Streams.Connect;
using Streams.Dsl;
using Streams.Log;
using Streams.Log.Embedded;
using Streams.Processing;
using Streams.Records;
using Streams.State;
using Streams.State.Disk;
using Streams.Tests.Engine.Log;
using Streams.Tests.Support;
using Xunit;

namespace Streams.Tests.Engine.State.Disk;

/// <summary>
/// Kills a real process whose state lies on disk, again and again on one directory, and compares what a
/// restart finds with sums that are made of the input alone. STREAMS_STATE_KILLS sets how often; 8 by
/// default.
/// </summary>
public sealed class DiskKillTests
{
    private const string ChildVariable = "STREAMS_STATE_KILL_CHILD";
    private const string Store = "sums";
    private const int Keys = 3_000;

    [Fact]
    public void Killed_at_any_instant_a_store_on_disk_agrees_with_the_committed_input()
    {
        Assert.SkipUnless(DiskTableTests.HasLibrary(), "librocksdb7.8 is not installed.");
        string? asked = Environment.GetEnvironmentVariable("STREAMS_STATE_KILLS");
        int kills = int.TryParse(asked, out int count) ? count : 8;
        using var folder = new TemporaryFolder();
        var random = new Random(2);
        long records = 0;
        for (int kill = 0; kill < kills; kill++)
        {
            RunUntilKilled(folder.Path, TimeSpan.FromMilliseconds(random.Next(20, 900)));
            // Every second time another kill comes before anybody looks.
            if (kill % 2 == 1)
                records = CheckAfterRestart(folder.Path);
        }
        Assert.True(records > 10_000, $"The child has hardly fed anything: {records} records.");
        TestContext.Current.TestOutputHelper?.WriteLine($"{records} records, {kills} kills");
    }

    /// <summary>The child: feeds and sums until it is killed, and never runs a test.</summary>
#pragma warning disable CA2255 // An executable's own business: nobody else loads this module.
    [ModuleInitializer]
#pragma warning restore CA2255
    internal static void RunAsChild()
    {
        if (Environment.GetEnvironmentVariable(ChildVariable) is not { Length: > 0 } directory)
            return;
        using EmbeddedLog log = OpenLog(directory);
        Topic events = log.EnsureTopic(new TopicSpec { Name = "events", Partitions = 2, Retention = null });
        using StreamsApplication application = Application(log, directory);
        application.Start();
        using ILogWriter writer = log.OpenWriter("feed");
        Console.WriteLine("running");
        long end = log.EndOffset(events[0], ReadLevel.Committed);
        for (long n = end; application.Failure is null; n++)
        {
            for (int partition = 0; partition < 2; partition++)
                writer.Append(events[partition], KeyOf(n, partition), $"{n}", n);
            if (n % 50 == 0)
                writer.Commit();
        }
        Environment.FailFast("The child's application failed.", application.Failure);
    }

    private static string KeyOf(long n, int partition) =>
        $"{partition}-{(ulong)n * 0x9E3779B97F4A7C15 % Keys:D5}";

    private static EmbeddedLog OpenLog(string directory) => EmbeddedLog.Open(new EmbeddedLogOptions
    {
        Directory = Path.Combine(directory, "log"),
        SegmentBytes = 1 << 20,
    });

    private static StreamsApplication Application(EmbeddedLog log, string directory)
    {
        var builder = new StreamsBuilder();
        builder.Stream("events", new Consumed<string, string>(Serdes.String, Serdes.String)).GroupByKey()
            .Aggregate(() => 0L, (_, value, sum) => sum + long.Parse(value), new Materialized<string, long>
            {
                StoreName = Store,
                ValueSerde = Serdes.Int64,
                OnDisk = true,
            });
        return new StreamsApplication(
            new ApplicationDefinition
            {
                Id = "app",
                Topology = builder.Build(),
                DataFolder = directory,
                Runtime = new RuntimeOptions
                {
                    CommitInterval = TimeSpan.FromMilliseconds(5),
                    Disk = new DiskOptions
                    {
                        EntryCacheBytes = 4 << 20,
                        BlockCacheBytes = 1 << 20,
                        WriteBufferBytes = 1 << 16,
                    },
                },
            },
            log, NullLogger.Instance);
    }

    private static void RunUntilKilled(string directory, TimeSpan time)
    {
        string program = Path.ChangeExtension(typeof(DiskKillTests).Assembly.Location, null)!;
        using var child = Process.Start(new ProcessStartInfo(program)
        {
            RedirectStandardOutput = true,
            Environment = { [ChildVariable] = directory },
        })!;
        Assert.Equal("running", child.StandardOutput.ReadLine());
        Thread.Sleep(time);
        child.Kill();
        child.WaitForExit();
        // Killed, and not ended by a failure of its own.
        Assert.Equal(137, child.ExitCode);
    }

    private static long CheckAfterRestart(string directory)
    {
        using EmbeddedLog log = OpenLog(directory);
        using StreamsApplication application = Application(log, directory);
        application.Start();
        var patience = Stopwatch.StartNew();
        while (!application.IsDrained() && application.Failure is null
            && patience.Elapsed < TimeSpan.FromMinutes(2))
            Thread.Sleep(10);
        Assert.Null(application.Failure);
        Topic events = log.FindTopic("events")!;
        long records = log.EndOffset(events[0], ReadLevel.Committed);
        SortedDictionary<string, long> expected = new(StringComparer.Ordinal);
        for (int partition = 0; partition < 2; partition++)
        {
            for (long n = 0; n < log.EndOffset(events[partition], ReadLevel.Committed); n++)
            {
                string key = KeyOf(n, partition);
                expected[key] = expected.GetValueOrDefault(key) + n;
            }
        }
        IReadOnlyKeyValueStore<string, long> store =
            application.Queries.KeyValueStore<string, long>(Store);
        Assert.Equal(
            expected.Select(e => $"{e.Key}={e.Value}"), store.All().Select(e => $"{e.Key}={e.Value}"));
        Assert.Equal(expected.Count, store.Count);
        application.Stop();
        return records;
    }
}
