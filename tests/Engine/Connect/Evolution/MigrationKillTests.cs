using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Streams.Buffers;
using Streams.Connect;
using Streams.Connect.Evolution;
using Streams.Dsl;
using Streams.Log;
using Streams.Log.Embedded;
using Streams.Records;
using Streams.Tests.Support;
using Xunit;

namespace Streams.Tests.Engine.Connect.Evolution;

/// <summary>Kills a real process while it migrates a store, at random instants, and counts what is left.
/// STREAMS_MIGRATION_KILLS sets how often; 6 by default.</summary>
public sealed class MigrationKillTests
{
    private const string ChildVariable = "STREAMS_MIGRATION_KILL_CHILD";
    private const int Keys = 150_000;

    [Fact]
    public void Killed_at_any_instant_a_migration_leaves_the_old_state_or_the_new_one_whole()
    {
        string? asked = Environment.GetEnvironmentVariable("STREAMS_MIGRATION_KILLS");
        int kills = int.TryParse(asked, out int count) ? count : 6;
        var random = new Random(Environment.TickCount);
        using var folder = new TemporaryFolder();
        Fill(folder.Path);
        TimeSpan whole = Measure(folder.Path);
        int before = 0, after = 0;
        for (int kill = 0; kill < kills; kill++)
        {
            using var round = new TemporaryFolder();
            Fill(round.Path);
            using Process child = Start(round.Path);
            if (!child.WaitForExit(TimeSpan.FromMilliseconds(random.Next((int)whole.TotalMilliseconds))))
                child.Kill();
            child.WaitForExit();
            // Either the old topology still runs on it, or the new one goes on; never neither.
            if (CanStart(round.Path, ChangingApplication.Count("counts")))
                before++;
            else
                after++;
            Assert.True(CanStart(round.Path, StoreMigrationTests.Texts(StoreMigrationTests.CountsToTexts)));
            using Process last = Start(round.Path);
            last.WaitForExit();
            Assert.Equal(0, last.ExitCode);
            AssertMigrated(round.Path);
        }
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{kills} kills, {before} with the old state left, {after} behind that");
    }

    /// <summary>The child: this assembly, started again, prepares the new topology and never runs a
    /// test.</summary>
#pragma warning disable CA2255 // An executable's own business: nobody else loads this module.
    [ModuleInitializer]
#pragma warning restore CA2255
    internal static void RunAsChild()
    {
        if (Environment.GetEnvironmentVariable(ChildVariable) is not { Length: > 0 } folder)
            return;
        using (EmbeddedLog log = Open(folder))
        using (new StreamsApplication(
            Define(folder, StoreMigrationTests.Texts(StoreMigrationTests.CountsToTexts)), log,
            NullLogger.Instance))
        {
            log.Flush();
        }
        Environment.Exit(0);
    }

    // State of many keys, made as a run would have: the recorded shape and the changelog.
    private static void Fill(string folder)
    {
        using EmbeddedLog log = Open(folder);
        using (new StreamsApplication(
            Define(folder, ChangingApplication.Count("counts")), log, NullLogger.Instance))
        {
        }
        using ILogWriter writer = log.OpenWriter("test");
        Topic changelog = log.FindTopic("app-counts-changelog")!;
        using var value = new PooledBuffer();
        for (int i = 0; i < Keys; i++)
        {
            value.Clear();
            value.WriteInt64(1_000);
            Serdes.Int64.Serialize(i, value);
            writer.Append(changelog[0], new LogRecord
            {
                TimestampMs = 0,
                HasKey = true,
                Key = Encoding.UTF8.GetBytes($"key-{i}"),
                HasValue = true,
                Value = value.WrittenSpan,
            });
        }
        writer.Commit();
    }

    // What the new changelog holds, read without a store.
    private static void AssertMigrated(string folder)
    {
        using EmbeddedLogView log = EmbeddedLogView.Open(Path.Combine(folder, "log"));
        var found = new Dictionary<string, string>(StringComparer.Ordinal);
        using ILogReader reader = log.OpenReader();
        using LogBatch batch = reader.CreateBatch();
        TopicPartition changelog = log.FindTopic("app-counts-changelog")![0];
        for (long at = 0; reader.Read(changelog, at, batch); at = batch.NextOffset)
        {
            while (batch.TryRead(out LogRecord record))
                found.Add(Encoding.UTF8.GetString(record.Key), Encoding.UTF8.GetString(record.Value[8..]));
        }
        Assert.Equal(Keys, found.Count);
        for (int i = 0; i < Keys; i++)
            Assert.Equal($"{i} times", found[$"key-{i}"]);
        Assert.Null(log.FindTopic("app-counts-changelog-migrated"));
    }

    private static TimeSpan Measure(string folder)
    {
        var watch = Stopwatch.StartNew();
        using Process child = Start(folder);
        child.WaitForExit();
        Assert.Equal(0, child.ExitCode);
        AssertMigrated(folder);
        return watch.Elapsed;
    }

    private static Process Start(string folder) => Process.Start(new ProcessStartInfo(
        Path.ChangeExtension(
            typeof(MigrationKillTests).Assembly.Location, OperatingSystem.IsWindows() ? ".exe" : null)!)
    {
        Environment = { [ChildVariable] = folder },
    })!;

    private static bool CanStart(string folder, Action<StreamsBuilder> write)
    {
        using EmbeddedLogView log = EmbeddedLogView.Open(Path.Combine(folder, "log"));
        return TopologyChanges.Find(Define(folder, write), log).CanStart;
    }

    private static EmbeddedLog Open(string folder) =>
        EmbeddedLog.Open(new EmbeddedLogOptions { Directory = Path.Combine(folder, "log") });

    private static ApplicationDefinition Define(string folder, Action<StreamsBuilder> write)
    {
        var builder = new StreamsBuilder();
        write(builder);
        return new ApplicationDefinition
        {
            Id = "app",
            Topology = builder.Build(),
            Topics = [new TopicSpec { Name = "in" }],
            DataFolder = folder,
        };
    }
}
