using System.Diagnostics;
using Streams.Log;
using Streams.Log.Embedded;
using Streams.Testing;
using Streams.Tests.Support;
using Xunit;

namespace Streams.Tests.Engine.Log;

public sealed class OpeningTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_second_open_is_refused_with_the_holder_s_name()
    {
        using EmbeddedLog log = Open("log");
        LogUnavailableException refused = Assert.Throws<LogUnavailableException>(() => Open("log"));
        Assert.Contains($"process {Environment.ProcessId} on {Environment.MachineName}, since 2",
            refused.Message, StringComparison.Ordinal);
        Assert.Contains(_folder.File("log"), refused.Message, StringComparison.Ordinal);
        log.Dispose();
        Open("log").Dispose();
    }

    [Fact]
    public void A_directory_that_cannot_be_used_is_named_with_the_reason()
    {
        File.WriteAllText(_folder.File("file"), "not a directory");
        LogUnavailableException refused = Assert.Throws<LogUnavailableException>(() => Open("file"));
        Assert.Contains(_folder.File("file"), refused.Message, StringComparison.Ordinal);
        Assert.Throws<LogUnavailableException>(() => Open(Path.Combine("file", "below")));
        if (!OperatingSystem.IsLinux())
            return;
        refused = Assert.Throws<LogUnavailableException>(
            () => EmbeddedLog.Open(new EmbeddedLogOptions { Directory = "/proc/streams" }));
        Assert.Contains("/proc/streams", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_directory_is_created()
    {
        Open(Path.Combine("a", "b", "c")).Dispose();
        Assert.True(Directory.Exists(_folder.File("a/b/c")));
    }

    [Theory]
    [InlineData(0, 64 * 1024 * 1024, "SegmentBytes is 1 KiB to 1 GiB, not 0")]
    [InlineData(4096, 1000, "RecordBytesMax (16,777,216) has to leave 1 KiB of CommitBytesMax (1,000)")]
    public void Options_that_do_not_go_together_are_refused(
        int segmentBytes, int commitBytesMax, string reason)
    {
        var options = new EmbeddedLogOptions
        {
            Directory = _folder.Path,
            SegmentBytes = segmentBytes,
            CommitBytesMax = commitBytesMax,
        };
        ArgumentException refused = Assert.Throws<ArgumentException>(() => EmbeddedLog.Open(options));
        Assert.Contains(reason, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_recovery_says_what_it_found()
    {
        var files = new SimulatedFileSystem(1);
        EmbeddedLog log = SmallLog.Open(files);
        Assert.Equal(Report(closedInOrder: true, lastCommit: 0), log.Recovery);
        TopicPartition partition = log.EnsureTopic(new TopicSpec { Name = "t" })[0];
        log.OpenWriter("w").Commit(partition, "a", "1");
        log.Dispose();
        log = SmallLog.Open(files);
        Assert.Equal(Report(closedInOrder: true, lastCommit: 2), log.Recovery);
        log.OpenWriter("w").Commit(partition, "b", "2");
        files.Kill();
        using EmbeddedLog killed = SmallLog.Open(files);
        Assert.Equal(Report(closedInOrder: false, lastCommit: 3), killed.Recovery);

        static RecoveryReport Report(bool closedInOrder, long lastCommit) =>
            new() { ClosedInOrder = closedInOrder, LastCommit = lastCommit, Segments = 1 };
    }

    [Fact]
    public void A_closed_log_says_so()
    {
        EmbeddedLog log = SmallLog.Open(new SimulatedFileSystem(1));
        TopicPartition partition = log.EnsureTopic(new TopicSpec { Name = "t" })[0];
        ILogWriter writer = log.OpenWriter("w");
        ILogReader reader = log.OpenReader(ReadLevel.Committed);
        writer.Append(partition, "a", "1");
        log.Dispose();
        log.Dispose();
        Assert.Throws<ObjectDisposedException>(() => writer.Commit());
        Assert.Throws<ObjectDisposedException>(() => reader.Read(partition, 0, reader.CreateBatch()));
        Assert.Throws<ObjectDisposedException>(() => log.OpenWriter("w"));
    }

    [Fact]
    public void Indexes_are_made_anew_where_they_are_missing_or_wrong()
    {
        var files = new SimulatedFileSystem(1);
        var expected = new List<string>();
        using (EmbeddedLog log = SmallLog.Open(files, 2048))
        {
            TopicPartition partition = log.EnsureTopic(new TopicSpec { Name = "t" })[0];
            using ILogWriter writer = log.OpenWriter("w");
            for (int i = 0; i < 100; i++)
                writer.Commit(partition, "k", $"v{i}");
            expected = log.ReadAll(partition);
        }
        string[] indexes = [.. files.List().Where(name => name.EndsWith(".index", StringComparison.Ordinal))];
        Assert.True(indexes.Length > 5);
        foreach (string index in indexes)
        {
            byte[] before = files.Contents(index);
            for (int position = 0; position < before.Length; position++)
            {
                files.FlipBit(index, position, position % 8);
                using EmbeddedLog log = SmallLog.Open(files, 2048);
                Assert.Equal(expected, log.ReadAll(log.FindTopic("t")![0]));
                Assert.Equal(before, files.Contents(index));
            }
            files.Delete(index);
        }
        using EmbeddedLog again = SmallLog.Open(files, 2048);
        Assert.Equal(expected, again.ReadAll(again.FindTopic("t")![0]));
        Assert.All(indexes, index => Assert.True(files.Exists(index)));
    }

    [Fact]
    public void A_changed_retention_or_schema_is_taken_over()
    {
        using EmbeddedLog log = SmallLog.Open(new SimulatedFileSystem(1));
        Topic topic = log.EnsureTopic(new TopicSpec { Name = "t", Schema = "one" });
        Topic changed = log.EnsureTopic(new TopicSpec { Name = "t", Retention = TimeSpan.FromHours(1) });
        Assert.Equal(topic.Id, changed.Id);
        Assert.Equal(TimeSpan.FromHours(1), log.FindTopic("t")!.Spec.Retention);
        // Who does not name a schema leaves it as it is.
        Assert.Equal("one", changed.Spec.Schema);
    }

    [Fact]
    public void Another_process_is_kept_out_while_the_log_is_open()
    {
        using EmbeddedLog log = Open("log");
        if (!File.Exists("/usr/bin/flock"))
            Assert.Skip("needs flock(1)");
        Assert.Equal(1, Flock());
        log.Dispose();
        Assert.Equal(0, Flock());

        int Flock()
        {
            using Process process = Process.Start("flock", ["-n", _folder.File("log/lock"), "true"]);
            process.WaitForExit();
            return process.ExitCode;
        }
    }

    private EmbeddedLog Open(string name) =>
        EmbeddedLog.Open(new EmbeddedLogOptions { Directory = _folder.File(name), DiskFreeBytesMin = 0 });
}
