using Streams.Log;
using Streams.Log.Embedded;
using Streams.Log.Embedded.Files;
using Streams.Log.Embedded.Repair;
using Streams.Testing;
using Streams.Tests.Support;
using Xunit;

namespace Streams.Tests.Engine.Log;

/// <summary>A log that is read while its owner goes on.</summary>
public sealed class ViewTests
{
    private const int SegmentBytes = 4096;
    private static readonly string Padding = new('x', 40);

    [Fact]
    public void A_view_sees_what_was_committed_when_it_was_opened_and_nothing_later()
    {
        var log = new SmallLog(1);
        using EmbeddedLog owner = log.Open();
        TopicPartition partition = owner.EnsureTopic(new TopicSpec { Name = "t" })[0];
        using ILogWriter writer = owner.OpenWriter("w");
        writer.CommitOffset("group", partition, 1);
        writer.Commit(partition, "a", "1");
        using EmbeddedLogView view = EmbeddedLogView.Open(log.Files);
        writer.CommitOffset("group", partition, 2);
        writer.Commit(partition, "b", "2");
        owner.EnsureTopic(new TopicSpec { Name = "later" });
        Assert.Equal(owner.Id, view.Id);
        Assert.Equal(["t"], view.Topics.Select(t => t.Name));
        Assert.Equal(1, view.EndOffset(partition));
        Assert.Equal(1, view.CommittedOffset("group", partition));
        Assert.Equal(["0:a=1"], Read(view, partition));
        using EmbeddedLogView next = EmbeddedLogView.Open(log.Files);
        Assert.Equal(["0:a=1", "1:b=2"], Read(next, partition));
        Assert.NotNull(next.FindTopic("later"));
        Assert.Equal(owner.ReadAll(partition), Read(next, partition));
    }

    [Fact]
    public void What_the_owner_compacts_or_deletes_afterwards_stays_in_the_view()
    {
        var log = new SmallLog(2);
        using EmbeddedLog owner = EmbeddedLog.Open(
            SmallLog.Options(log.Files, SegmentBytes) with { CleanDeadPercentMin = 10 });
        TopicPartition table = owner.EnsureTopic(
            new TopicSpec { Name = "table", Compacted = true, Retention = null })[0];
        TopicPartition stream = owner.EnsureTopic(new TopicSpec { Name = "stream", Retention = null })[0];
        using ILogWriter writer = owner.OpenWriter("w");
        Fill(writer, table, stream, 300);
        using EmbeddedLogView view = EmbeddedLogView.Open(log.Files);
        List<string> tableBefore = owner.ReadAll(table), streamBefore = owner.ReadAll(stream);
        owner.DeleteRecordsBefore(stream, 250);
        Fill(writer, table, stream, 300);
        for (int round = 0; round < 20; round++)
            owner.Maintain(DateTimeOffset.UtcNow);
        Assert.True(owner.ReadAll(table).Count < tableBefore.Count, "Nothing was compacted.");
        Assert.Equal(tableBefore, Read(view, table));
        Assert.Equal(streamBefore, Read(view, stream));
        using EmbeddedLogView after = EmbeddedLogView.Open(log.Files);
        Assert.Equal(owner.ReadAll(table), Read(after, table));
        Assert.Equal(owner.ReadAll(stream), Read(after, stream));
        Assert.Equal(250, after.StartOffset(stream));
    }

    [Fact]
    public void A_torn_tail_is_not_seen_and_not_cut()
    {
        var files = new MemoryFileSystem();
        TopicPartition partition;
        long length;
        using (EmbeddedLog owner = EmbeddedLog.Open(Options(files)))
        {
            partition = owner.EnsureTopic(new TopicSpec { Name = "t" })[0];
            using ILogWriter writer = owner.OpenWriter("w");
            writer.Commit(partition, "a", "1");
        }
        using (ILogFile file = files.Open("0000000000000001.segment", LogFileMode.Write))
        {
            file.WriteAt("half a commit"u8, file.Length);
            length = file.Length;
        }
        using EmbeddedLogView view = EmbeddedLogView.Open(files);
        Assert.Equal(["0:a=1"], Read(view, partition));
        using ILogFile after = files.Open("0000000000000001.segment", LogFileMode.Read);
        Assert.Equal(length, after.Length);
    }

    [Fact]
    public void Damage_is_reported_with_its_place()
    {
        var files = new MemoryFileSystem();
        using (EmbeddedLog owner = EmbeddedLog.Open(Options(files)))
        {
            TopicPartition partition = owner.EnsureTopic(new TopicSpec { Name = "t" })[0];
            using ILogWriter writer = owner.OpenWriter("w");
            for (int i = 0; i < 10; i++)
            {
                writer.Commit(partition, "a", Padding);
                owner.Flush();
            }
        }
        using (ILogFile file = files.Open("0000000000000001.segment", LogFileMode.Write))
            file.WriteAt([0xFF], file.Length / 2);
        LogDamagedException damage = Assert.Throws<LogDamagedException>(() => EmbeddedLogView.Open(files));
        Assert.EndsWith("0000000000000001.segment", damage.File, StringComparison.Ordinal);
    }

    [Fact]
    public void A_directory_without_a_log_is_named()
    {
        using var folder = new TemporaryFolder();
        var e = Assert.Throws<LogUnavailableException>(() => EmbeddedLogView.Open(folder.Path));
        Assert.Contains(folder.Path, e.Message, StringComparison.Ordinal);
        e = Assert.Throws<LogUnavailableException>(() => EmbeddedLogView.Open(folder.File("none")));
        Assert.Contains(folder.File("none"), e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Opened_between_any_two_operations_of_the_owner_s_a_view_sees_what_the_owner_sees()
    {
        var inner = new MemoryFileSystem();
        int opened = 0;
        EmbeddedLog? owner = null;
        TopicPartition table = default;
        var files = new InterruptedFileSystem(inner, () =>
        {
            if (owner is null)
                return;
            // The owner is in the middle of something: what it has committed is what both can read.
            using EmbeddedLogView view = EmbeddedLogView.Open(inner);
            List<string> seen = Read(view, table);
            Assert.Equal(seen.Count, seen.Distinct().Count());
            Assert.Equal(view.EndOffset(table) - 1, long.Parse(seen[^1].Split(':')[0], null));
            Assert.True(EmbeddedLogVerifier.Verify(inner).IsWhole);
            opened++;
        });
        using EmbeddedLog log = EmbeddedLog.Open(Options(files));
        table = log.EnsureTopic(new TopicSpec { Name = "table", Compacted = true, Retention = null })[0];
        TopicPartition stream = log.EnsureTopic(new TopicSpec { Name = "stream", Retention = null })[0];
        using ILogWriter writer = log.OpenWriter("w");
        Fill(writer, table, stream, 20);
        owner = log;
        for (int round = 0; round < 6; round++)
        {
            Fill(writer, table, stream, 20);
            log.DeleteRecordsBefore(stream, log.EndOffset(stream, ReadLevel.Committed) - 5);
            log.Flush();
            log.Maintain(DateTimeOffset.UtcNow);
        }
        owner = null;
        Assert.True(opened > 200, $"{opened} views were opened.");
    }

    [Fact]
    public void Views_of_a_log_at_work_are_whole_and_hold_whole_commits()
    {
        using var folder = new TemporaryFolder();
        using EmbeddedLog owner = EmbeddedLog.Open(new EmbeddedLogOptions
        {
            Directory = folder.Path,
            SegmentBytes = 64 * 1024,
            DiskFreeBytesMin = 0,
            MaintainInterval = TimeSpan.FromMilliseconds(5),
        });
        TopicPartition left = owner.EnsureTopic(
            new TopicSpec { Name = "left", Compacted = true, Retention = null })[0];
        TopicPartition right = owner.EnsureTopic(new TopicSpec { Name = "right", Retention = null })[0];
        using var stop = new CancellationTokenSource();
        var work = new Thread(() =>
        {
            using ILogWriter writer = owner.OpenWriter("w");
            for (int i = 0; !stop.IsCancellationRequested; i++)
            {
                writer.Append(left, $"k{i % 50}", $"{i}{Padding}");
                writer.Append(right, null, $"{i}{Padding}");
                writer.Commit();
                if (i % 1000 == 999)
                    owner.DeleteRecordsBefore(right, i - 500);
            }
        });
        work.Start();
        try
        {
            for (int i = 0; i < 40; i++)
            {
                using EmbeddedLogView view = EmbeddedLogView.Open(folder.Path);
                Assert.Equal(view.EndOffset(left), view.EndOffset(right));
                List<string> stream = Read(view, right);
                Assert.Equal(view.EndOffset(right) - view.StartOffset(right), stream.Count);
                Assert.All(stream, r => Assert.StartsWith(r[..r.IndexOf(':', StringComparison.Ordinal)],
                    r[(r.IndexOf('=', StringComparison.Ordinal) + 1)..], StringComparison.Ordinal));
                VerificationReport report = EmbeddedLogVerifier.Verify(folder.Path);
                Assert.True(
                    report.IsWhole, $"{string.Join("; ", report.Damage)} {string.Join("; ", report.Lost)}");
            }
        }
        finally
        {
            stop.Cancel();
            work.Join();
        }
    }

    private static EmbeddedLogOptions Options(ILogFileSystem files) => new()
    {
        Directory = "memory",
        FileSystem = files,
        Manual = true,
        DiskFreeBytesMin = 0,
        SegmentBytes = SegmentBytes,
    };

    private static void Fill(ILogWriter writer, TopicPartition table, TopicPartition stream, int commits)
    {
        for (int i = 0; i < commits; i++)
        {
            writer.Append(table, $"k{i % 10}", $"{i}{Padding}");
            writer.Append(stream, null, $"{i}{Padding}");
            writer.Commit();
        }
    }

    private static List<string> Read(EmbeddedLogView view, TopicPartition partition)
    {
        using ILogReader reader = view.OpenReader();
        return reader.ReadAll(partition);
    }

    /// <summary>Calls somebody after each change to the files, while the owner is still about it.</summary>
    private sealed class InterruptedFileSystem(ILogFileSystem inner, Action changed) : ILogFileSystem
    {
        public string Location => inner.Location;

        public void Prepare() => inner.Prepare();

        public ILogFile Open(string name, LogFileMode mode) =>
            new InterruptedFile(inner.Open(name, mode), changed);

        public bool Exists(string name) => inner.Exists(name);

        public IReadOnlyList<string> List() => inner.List();

        public void Rename(string name, string newName)
        {
            inner.Rename(name, newName);
            changed();
        }

        public void Delete(string name)
        {
            inner.Delete(name);
            changed();
        }

        public void SyncDirectory() => inner.SyncDirectory();

        public IDisposable? TryLock(string name) => inner.TryLock(name);

        public void DropFromCache(string name) => inner.DropFromCache(name);

        public long FreeBytes() => inner.FreeBytes();
    }

    private sealed class InterruptedFile(ILogFile inner, Action changed) : ILogFile
    {
        public long Length => inner.Length;

        public int ReadAt(Span<byte> destination, long position) => inner.ReadAt(destination, position);

        // In two parts, as a reader may find a write that is under way.
        public void WriteAt(ReadOnlySpan<byte> source, long position)
        {
            int half = source.Length > 100 ? source.Length / 2 : 0;
            if (half > 0)
            {
                inner.WriteAt(source[..half], position);
                changed();
            }
            inner.WriteAt(source[half..], position + half);
            changed();
        }

        public void Truncate(long length)
        {
            inner.Truncate(length);
            changed();
        }

        public void Sync() => inner.Sync();

        public void Dispose() => inner.Dispose();
    }
}
