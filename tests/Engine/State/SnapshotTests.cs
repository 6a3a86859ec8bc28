using Streams.Log;
using Streams.Log.Embedded;
using Streams.Log.Embedded.Files;
using Streams.State;
using Streams.Testing;
using Streams.Tests.Support;
using Xunit;

namespace Streams.Tests.Engine.State;

public sealed class SnapshotTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly EmbeddedLog _log;
    private readonly TopicPartition _changelog;
    private readonly ILogWriter _writer;

    public SnapshotTests()
    {
        _log = EmbeddedLog.Open(
            new EmbeddedLogOptions { Directory = "m", FileSystem = new MemoryFileSystem() });
        _changelog = _log.EnsureTopic(
            new TopicSpec { Name = "changelog", Compacted = true, Retention = null })[0];
        _writer = _log.OpenWriter("task");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Pages_copied_at_different_commits_and_the_changelog_since_are_the_state(int seed)
    {
        var random = new Random(seed);
        using var store = new BytesStore(new StoreOptions { Name = "s" }, null, 0);
        using StoreSnapshots snapshots = Snapshots(store);
        for (int commit = 0; commit < 400; commit++)
        {
            for (int i = 0; i < 200; i++)
                Change(store, random);
            Commit(store, snapshots);
        }
        WaitForSnapshots(snapshots, store);
        Assert.NotEmpty(Files());
        AssertRestores(store);
    }

    [Fact]
    public void A_damaged_snapshot_is_passed_over_for_the_one_before()
    {
        var random = new Random(9);
        using var store = new BytesStore(new StoreOptions { Name = "s" }, null, 0);
        using StoreSnapshots snapshots = Snapshots(store);
        while (Files().Length < 2)
        {
            for (int i = 0; i < 2000; i++)
                Change(store, random);
            Commit(store, snapshots);
        }
        WaitForSnapshots(snapshots, store);
        string newest = Files()[^1];
        byte[] bytes = File.ReadAllBytes(newest);
        bytes[bytes.Length / 2] ^= 1;
        File.WriteAllBytes(newest, bytes);
        AssertRestores(store);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public void Snapshots_for_which_the_changelog_was_cut_survive_a_power_cut(int seed)
    {
        var random = new Random(seed);
        var files = new SimulatedFileSystem(seed);
        using var store = new BytesStore(new StoreOptions { Name = "s" }, null, 0);
        var options = new SnapshotOptions { ChangelogBytesMin = 1, ChangelogPercentMin = 0 };
        using (StoreSnapshots snapshots = Snapshots(store, files, options))
        {
            while (_log.StartOffset(_changelog) == 0)
            {
                Change(store, random);
                Commit(store, snapshots);
            }
        }
        files.Crash();
        AssertRestores(store, files);
    }

    [Fact]
    public void One_that_is_ahead_of_its_changelog_is_of_another_log_and_goes()
    {
        var files = new SimulatedFileSystem(1);
        files.SetContents("00000000000000000007.snapshot", [1, 2, 3]);
        _writer.Append(_changelog, new LogRecord { TimestampMs = 0, HasKey = true, Key = "k"u8 });
        _log.WaitDurable(_writer.Commit(), CancellationToken.None);
        using var store = new BytesStore(new StoreOptions { Name = "s" }, null, 0);
        using StoreSnapshots snapshots = Snapshots(store, files, new SnapshotOptions());
        Assert.Equal(0, snapshots.Load());
        Assert.Single(files.List());
        snapshots.Replayed(_log.EndOffset(_changelog, ReadLevel.Committed));
        Assert.Empty(files.List());
    }

    [Fact]
    public void What_a_crash_left_of_a_snapshot_under_way_is_removed_by_the_next()
    {
        var files = new SimulatedFileSystem(1);
        files.SetContents("00000000000000000007.snapshot.writing", [1, 2, 3]);
        using var store = new BytesStore(new StoreOptions { Name = "s" }, null, 0);
        var options = new SnapshotOptions { ChangelogBytesMin = 1, ChangelogPercentMin = 0 };
        using (StoreSnapshots snapshots = Snapshots(store, files, options))
        {
            store.Put("k"u8, "v"u8);
            Commit(store, snapshots);
        }
        Assert.EndsWith(".snapshot", Assert.Single(files.List()), StringComparison.Ordinal);
    }

    [Fact]
    public void State_that_nothing_on_disk_holds_any_more_is_reported_not_guessed()
    {
        _writer.Append(_changelog,
            new LogRecord { TimestampMs = 0, HasKey = true, Key = "k"u8, HasValue = true, Value = "v"u8 });
        _writer.Commit();
        _log.DeleteRecordsBefore(_changelog, 1);
        using var store = new BytesStore(new StoreOptions { Name = "s" }, null, 0);
        using StoreSnapshots snapshots = Snapshots(store);
        var e = Assert.Throws<StateLostException>(() => snapshots.Load());
        Assert.Contains("'s'", e.Message, StringComparison.Ordinal);
    }

    public void Dispose()
    {
        _writer.Dispose();
        _log.Dispose();
        _folder.Dispose();
    }

    private static void Change(BytesStore store, Random random)
    {
        byte[] key = BitConverter.GetBytes(random.Next(20_000));
        if (random.Next(4) == 0)
            store.Delete(key);
        else
            random.NextBytes(store.Put(key, random.Next(300), out _));
    }

    private StoreSnapshots Snapshots(
        BytesStore store, ILogFileSystem? files = null, SnapshotOptions? options = null) => new(
        store, _log, _changelog, files ?? new DirectoryFileSystem(Path.Combine(_folder.Path, "s")),
        options ?? new SnapshotOptions { ChangelogBytesMin = 1 << 20, SliceBytes = 1 << 20 },
        TaskScheduler.Default);

    private void Commit(BytesStore store, StoreSnapshots snapshots)
    {
        store.Flush(new LogChangelog(_writer, _changelog, snapshots));
        snapshots.Committed(Task.FromResult(_writer.Commit()));
    }

    private void WaitForSnapshots(StoreSnapshots snapshots, BytesStore store)
    {
        for (int i = 0; i < 2000 && Files().Length == 0; i++)
        {
            Commit(store, snapshots);
            Thread.Sleep(5);
        }
    }

    private string[] Files() => Directory.Exists(Path.Combine(_folder.Path, "s"))
        ? [.. Directory.GetFiles(Path.Combine(_folder.Path, "s"), "*.snapshot").Order(StringComparer.Ordinal)]
        : [];

    private void AssertRestores(BytesStore store, ILogFileSystem? files = null)
    {
        using var restored = new BytesStore(new StoreOptions { Name = "s" }, null, 0);
        using StoreSnapshots snapshots = Snapshots(restored, files);
        long offset = snapshots.Load();
        Assert.True(offset > 0, "The whole changelog would be replayed.");
        using ILogReader reader = _log.OpenReader(ReadLevel.Committed);
        using LogBatch batch = reader.CreateBatch();
        while (reader.Read(_changelog, offset, batch))
        {
            while (batch.TryRead(out LogRecord record))
                restored.Restore(record.Key, record.HasValue, record.Value);
            offset = batch.NextOffset;
        }
        Assert.Equal(StoreContents.Of(store), StoreContents.Of(restored));
    }

    private sealed class LogChangelog(ILogWriter writer, TopicPartition partition, StoreSnapshots snapshots)
        : IChangelog
    {
        public void Append(ReadOnlySpan<byte> key, bool hasValue, ReadOnlySpan<byte> value)
        {
            snapshots.CountChangelogBytes(key.Length + value.Length);
            writer.Append(partition, new LogRecord
            {
                TimestampMs = 0,
                HasKey = true,
                Key = key,
                HasValue = hasValue,
                Value = value,
            });
        }
    }
}
