using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using Streams.Log;
using Streams.Log.Embedded;
using Streams.Log.Embedded.Repair;
using Streams.Tests.Support;
using Xunit;

namespace Streams.Tests.Engine.Log;

/// <summary>
/// Kills a real process while it commits, again and again on one directory. STREAMS_LOG_KILLS sets how often;
/// 20 by default.
/// </summary>
public sealed class KillTests
{
    private const string ChildVariable = "STREAMS_LOG_KILL_CHILD";
    private const int Partitions = 4;

    [Fact]
    public void Killed_at_any_instant_a_process_leaves_whole_commits_and_all_that_it_reported()
    {
        string? asked = Environment.GetEnvironmentVariable("STREAMS_LOG_KILLS");
        int kills = int.TryParse(asked, out int count) ? count : 20;
        using var folder = new TemporaryFolder();
        var random = new Random(1);
        long last = -1;
        int cut = 0;
        for (int kill = 0; kill < kills; kill++)
        {
            long reported = RunUntilKilled(folder.Path, TimeSpan.FromMilliseconds(random.Next(5, 400)));
            VerificationReport whole = EmbeddedLogVerifier.Verify(folder.Path);
            Assert.True(whole.IsWhole, string.Join('\n', whole.Damage));
            using EmbeddedLog log = Open(folder.Path, manual: true);
            cut += log.Recovery.Cut is null ? 0 : 1;
            Assert.False(log.Recovery.ClosedInOrder);
            long found = Check(log);
            Assert.True(found >= Math.Max(reported, last), $"{found} of {reported} reported, {last} before");
            last = found;
        }
        Assert.True(last > kills, "The child has hardly committed anything.");
        TestContext.Current.TestOutputHelper?.WriteLine($"{last} commits, {kills} kills, {cut} torn tails");
    }

    /// <summary>
    /// The child: this assembly, started again, commits until it is killed and never runs a test.
    /// </summary>
#pragma warning disable CA2255 // An executable's own business: nobody else loads this module.
    [ModuleInitializer]
#pragma warning restore CA2255
    internal static void RunAsChild()
    {
        if (Environment.GetEnvironmentVariable(ChildVariable) is not { Length: > 0 } directory)
            return;
        using EmbeddedLog log = Open(directory, manual: false);
        Topic events = log.EnsureTopic(
            new TopicSpec { Name = "events", Partitions = Partitions, Retention = null });
        Topic table = log.EnsureTopic(new TopicSpec { Name = "table", Compacted = true });
        using ILogWriter writer = log.OpenWriter("child");
        using Stream output = Console.OpenStandardOutput();
        for (long n = log.CommittedOffset("group", events[0]) ?? 0; ; n++)
        {
            for (int partition = 0; partition < Partitions; partition++)
                writer.Append(events[partition], $"{n}", $"{n}".PadRight((int)(n % 300)), n);
            writer.Append(table[0], $"k{n % 10}", $"{n}", n);
            writer.CommitOffset("group", events[0], n + 1);
            writer.CommitCursor("source", "position", Encoding.UTF8.GetBytes($"{n}"));
            writer.Commit();
            output.Write(Encoding.ASCII.GetBytes($"{n}\n"));
        }
    }

    // The last number that the child said it had committed.
    private static long RunUntilKilled(string directory, TimeSpan time)
    {
        string program = Path.ChangeExtension(
            typeof(KillTests).Assembly.Location, OperatingSystem.IsWindows() ? ".exe" : null)!;
        using var child = Process.Start(new ProcessStartInfo(program)
        {
            RedirectStandardOutput = true,
            Environment = { [ChildVariable] = directory },
        })!;
        string? line = child.StandardOutput.ReadLine();
        Assert.NotNull(line);
        // Meanwhile nobody else gets in. That a killed process holds nobody up, the next round shows.
        LogUnavailableException refused =
            Assert.Throws<LogUnavailableException>(() => Open(directory, manual: true));
        Assert.Contains($"in use by process {child.Id} on", refused.Message, StringComparison.Ordinal);
        using var timer = new Timer(_ => child.Kill(), null, time, Timeout.InfiniteTimeSpan);
        string last = line;
        while ((line = child.StandardOutput.ReadLine()) is not null)
        {
            // The last line may be cut off; it is a prefix of a number and thus no larger.
            last = line.Length >= last.Length ? line : last;
        }
        child.WaitForExit();
        return long.Parse(last, CultureInfo.InvariantCulture);
    }

    // All partitions, the offset and the cursor tell of the same commits, from the first to the last without
    // a gap.
    private static long Check(EmbeddedLog log)
    {
        Topic events = log.FindTopic("events")!;
        long count = log.EndOffset(events[0], ReadLevel.Committed);
        Assert.Equal(count, log.CommittedOffset("group", events[0]));
        Assert.Equal($"{count - 1}", Encoding.UTF8.GetString(log.Cursor("source", "position")!));
        for (int partition = 0; partition < Partitions; partition++)
        {
            Assert.Equal(count, log.EndOffset(events[partition], ReadLevel.Durable));
            CheckRecords(log, events[partition], count);
        }
        TopicPartition table = log.FindTopic("table")![0];
        List<string> rows = log.ReadAll(table);
        for (long n = Math.Max(0, count - 10); n < count; n++)
            Assert.Equal($"{n}:k{n % 10}={n}", rows[(int)(rows.Count - count + n)]);
        return count - 1;
    }

    private static void CheckRecords(EmbeddedLog log, TopicPartition partition, long count)
    {
        using ILogReader reader = log.OpenReader(ReadLevel.Durable);
        using LogBatch batch = reader.CreateBatch();
        long next = 0;
        while (reader.Read(partition, next, batch))
        {
            while (batch.TryRead(out LogRecord record))
            {
                Assert.Equal((next, next), (record.Offset, record.TimestampMs));
                Assert.Equal($"{next}".PadRight((int)(next % 300)), Encoding.UTF8.GetString(record.Value));
                next++;
            }
        }
        Assert.Equal(count, next);
    }

    // Small segments and busy maintenance, so that kills meet all of it.
    private static EmbeddedLog Open(string directory, bool manual) => EmbeddedLog.Open(new EmbeddedLogOptions
    {
        Directory = directory,
        DiskFreeBytesMin = 0,
        Manual = manual,
        SegmentBytes = 200_000,
        FlushIntervalMs = 2,
        MaintainInterval = TimeSpan.FromMilliseconds(20),
        CleanDeadPercentMin = 5,
        CompactionDirtyPercentMin = 10,
    });
}
