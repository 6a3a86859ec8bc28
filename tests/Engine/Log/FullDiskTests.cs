using System.Diagnostics;
using Streams.Log;
using Streams.Log.Embedded;
using Streams.Log.Embedded.Files;
using Streams.Log.Embedded.Repair;
using Streams.Testing;
using Streams.Tests.Support;
using Xunit;

namespace Streams.Tests.Engine.Log;

public sealed class FullDiskTests
{
    [Theory]
    [InlineData(64 * 1024)]
    [InlineData(2048)]
    public void A_commit_that_finds_no_room_changes_nothing_and_succeeds_when_there_is_room(int segmentBytes)
    {
        // A disk that is full after each number of bytes in turn: in a frame, in a segment's head, in an
        // index.
        for (int room = 0; room < 3000; room += 7)
        {
            var files = new SimulatedFileSystem(1);
            EmbeddedLog log = SmallLog.Open(files, segmentBytes);
            TopicPartition partition = log.EnsureTopic(new TopicSpec { Name = "t" })[0];
            ILogWriter writer = log.OpenWriter("w");
            ILogWriter other = log.OpenWriter("other");
            files.CapacityBytes = files.UsedBytes() + room;
            var expected = new List<string>();
            bool wasFull = false;
            for (int i = 0; i < 30; i++)
            {
                writer.Append(partition, "k", $"v{i}");
                writer.Append(partition, "k", new string('x', 100));
                int pending = writer.PendingBytes;
                try
                {
                    writer.Commit();
                }
                catch (LogFullException)
                {
                    wasFull = true;
                    Assert.Equal(pending, writer.PendingBytes);
                    Assert.Equal(expected, log.ReadAll(partition));
                    Assert.Throws<LogFullException>(() => writer.Commit());
                    files.CapacityBytes = long.MaxValue;
                    other.Commit(partition, "other", "1");
                    expected.Add($"{expected.Count}:other=1");
                    writer.Commit();
                }
                expected.Add($"{expected.Count}:k=v{i}");
                expected.Add($"{expected.Count}:k={new string('x', 100)}");
            }
            Assert.True(wasFull || room > 2000);
            Assert.Equal(expected, log.ReadAll(partition));
            log.Flush();
            files.Kill();
            using EmbeddedLog again = SmallLog.Open(files, segmentBytes);
            Assert.Equal(expected, again.ReadAll(partition));
            Assert.True(EmbeddedLogVerifier.Verify(files).IsWhole);
        }
    }

    [Fact]
    public void Damage_is_told_from_a_torn_tail_also_where_the_disk_was_full_all_along()
    {
        var files = new SimulatedFileSystem(1);
        EmbeddedLog log = SmallLog.Open(files, 64 * 1024);
        ILogWriter writer = log.OpenWriter("w");
        TopicPartition partition = log.EnsureTopic(new TopicSpec { Name = "t" })[0];
        for (int i = 0; i < 3; i++)
        {
            long before = files.UsedBytes();
            writer.Append(partition, "k", $"v{i}");
            writer.Commit();
            files.CapacityBytes = files.UsedBytes();
            log.Flush();
            Assert.True(files.UsedBytes() > before);
            files.CapacityBytes = long.MaxValue;
        }
        string segment = files.List().Single(n => n.EndsWith(".segment", StringComparison.Ordinal));
        files.FlipBit(segment, files.Contents(segment).Length - 1, 3);
        files.Kill();
        Assert.Throws<LogDamagedException>(() => SmallLog.Open(files, 64 * 1024));
    }

    [Fact]
    public void Commits_are_refused_while_there_is_still_room_to_recover()
    {
        var files = new SimulatedFileSystem(1);
        files.CapacityBytes = 150_000;
        using EmbeddedLog log = EmbeddedLog.Open(SmallLog.Options(files) with { DiskFreeBytesMin = 100_000 });
        TopicPartition partition = log.EnsureTopic(new TopicSpec { Name = "t" })[0];
        using ILogWriter writer = log.OpenWriter("w");
        LogFullException? full = null;
        for (int i = 0; i < 100 && full is null; i++)
        {
            writer.Append(partition, null, new string('x', 1000));
            full = Record.Exception(() => writer.Commit()) as LogFullException;
        }
        Assert.Contains("DiskFreeBytesMin is 100,000", full!.Message, StringComparison.Ordinal);
        Assert.InRange(files.FreeBytes(), 90_000, 102_000);
        files.CapacityBytes *= 2;
        writer.Commit();
    }

    [Fact]
    public void A_full_disk_is_met_and_survived_on_a_real_file_system()
    {
        using var folder = new TemporaryFolder();
        string mount = folder.File("tmpfs");
        Directory.CreateDirectory(mount);
        if (!OperatingSystem.IsLinux() || Run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", mount) != 0)
            Assert.Skip("needs the right to mount a tmpfs");
        try
        {
            using EmbeddedLog log = Open();
            TopicPartition partition = log.EnsureTopic(new TopicSpec { Name = "t" })[0];
            using ILogWriter writer = log.OpenWriter("w");
            string ballast = Path.Combine(mount, "ballast");
            File.WriteAllBytes(ballast, new byte[500_000]);
            int committed = 0;
            LogFullException? full = null;
            while (full is null)
            {
                writer.Append(partition, "k", $"{committed}".PadRight(5000));
                full = Record.Exception(() => writer.Commit()) as LogFullException;
                committed++;
                Assert.True(committed < 1000);
            }
            Assert.InRange(new DirectoryFileSystem(mount).FreeBytes(), 0, 10_000);
            Assert.Equal(committed - 1, log.EndOffset(partition, ReadLevel.Committed));
            Assert.True(log.ReadAll(partition).Count == committed - 1);
            File.Delete(ballast);
            log.WaitDurable(writer.Commit(), TestContext.Current.CancellationToken);
            Assert.Equal(committed, log.ReadAll(partition, 0, ReadLevel.Durable).Count);
            log.Dispose();
            using EmbeddedLog again = Open();
            Assert.Equal(committed, again.ReadAll(partition).Count);
        }
        finally
        {
            Run("umount", mount);
        }

        EmbeddedLog Open() => EmbeddedLog.Open(new EmbeddedLogOptions
        {
            Directory = Path.Combine(mount, "log"),
            DiskFreeBytesMin = 0,
        });
    }

    private static int Run(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardError = true };
        using Process process = Process.Start(start)!;
        process.WaitForExit();
        return process.ExitCode;
    }
}
