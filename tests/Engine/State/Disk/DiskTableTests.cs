using Streams.Log;
using Streams.Log.Embedded;
using Streams.State;
using Streams.State.Disk;
using Streams.Testing;
using Streams.Tests.Support;
using Xunit;

namespace Streams.Tests.Engine.State.Disk;

public sealed class DiskTableTests : IDisposable
{
    private static readonly DiskOptions Small = new()
    {
        EntryCacheBytes = 8 << 20,
        BlockCacheBytes = 1 << 20,
        WriteBufferBytes = 1 << 18,
    };

    private readonly TemporaryFolder _folder = new();
    private Lazy<RocksCache> _cache = new(() => new RocksCache(1 << 20));
    private readonly EmbeddedLog _log;
    private readonly TopicPartition _changelog;
    private readonly ILogWriter _writer;
    private readonly SortedDictionary<byte[], byte[]> _model = new(
        Comparer<byte[]>.Create((a, b) => a.AsSpan().SequenceCompareTo(b)));

    public DiskTableTests()
    {
        Assert.SkipUnless(HasLibrary(), "librocksdb7.8 is not installed.");
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
    public void It_reads_what_was_put_whether_in_memory_under_way_or_on_disk(int seed)
    {
        var random = new Random(seed);
        DiskKeeper? keeper = null;
        DiskTable table = Open(ref keeper);
        long cached = 0;
        for (int commit = 0; commit < 24; commit++)
        {
            for (int i = 0; i < 2_000; i++)
                Change(table, random);
            for (int i = 0; i < 500; i++)
                AssertReads(table, Key(random));
            AssertRanges(table, random);
            Commit(table, keeper!);
            AssertRanges(table, random);
            Assert.Equal(_model.Count, table.Count);
            cached = Math.Max(cached, table.BytesReserved);
            if (commit % 6 == 5)
                Reopen(ref table, ref keeper, whole: commit % 12 == 5);
        }
        Assert.Equal(Entries(_model), Entries(table.Read(KeyRange.All)));
        Assert.InRange(cached, 1, 3 * Small.EntryCacheBytes);
        Close(table, keeper!);
    }

    [Fact]
    public void A_range_shows_one_moment_whatever_changes_while_it_is_read()
    {
        DiskKeeper? keeper = null;
        DiskTable table = Open(ref keeper);
        var random = new Random(4);
        for (int i = 0; i < 3_000; i++)
            Change(table, random);
        Commit(table, keeper!);
        for (int i = 0; i < 500; i++)
            Change(table, random);
        List<string> expected = Entries(_model);
        var seen = new List<KeyValuePair<byte[], byte[]>>();
        foreach (KeyValuePair<byte[], byte[]> entry in table.Read(KeyRange.All))
        {
            seen.Add(entry);
            Change(table, random);
            if (seen.Count % 100 == 0)
                Commit(table, keeper!);
        }
        Assert.Equal(expected, Entries(seen));
        Close(table, keeper!);
    }

    [Fact]
    public void The_changelog_is_that_of_a_store_in_memory()
    {
        DiskKeeper? keeper = null;
        DiskTable table = Open(ref keeper);
        using var memory = new BytesStore(new StoreOptions { Name = "m" }, null, 0);
        var random = new Random(5);
        for (int commit = 0; commit < 20; commit++)
        {
            for (int i = 0; i < 300; i++)
            {
                byte[] key = [(byte)random.Next(40)];
                byte[] value = new byte[random.Next(40)];
                bool delete = random.Next(3) == 0;
                if (delete)
                    Assert.Equal(memory.Delete(key), table.Delete(key));
                else
                    memory.Put(key, value);
                if (!delete)
                    value.CopyTo(table.Put(key, value.Length, out _));
            }
            var onDisk = new RecordedChanges();
            var inMemory = new RecordedChanges();
            table.Flush(onDisk);
            memory.Flush(inMemory);
            Assert.Equal(inMemory.Lines.Order(), onDisk.Lines.Order());
            keeper!.Committed(Task.FromResult(_writer.Commit()));
        }
        Close(table, keeper!);
    }

    // Damage everywhere is found when the database is opened, damage in a block of data when that is read.
    [Theory]
    [InlineData(997, true)]
    [InlineData(int.MaxValue / 2, false)]
    public void A_damaged_database_is_built_again_from_the_changelog(int everyBytes, bool atOnce)
    {
        DiskKeeper? keeper = null;
        DiskTable table = Open(ref keeper);
        var random = new Random(6);
        for (int i = 0; i < 20_000; i++)
            Change(table, random);
        Commit(table, keeper!);
        Close(table, keeper!);
        foreach (string file in Directory.GetFiles(
            _folder.Path, "*.sst", SearchOption.AllDirectories))
        {
            byte[] bytes = File.ReadAllBytes(file);
            for (int at = 50; at < bytes.Length; at += everyBytes)
                bytes[at] ^= 0x10;
            File.WriteAllBytes(file, bytes);
        }
        keeper = null;
        // As in a new process: nothing of the files is in memory.
        _cache = new Lazy<RocksCache>(() => new RocksCache(1 << 20));
        DiskKeeper? again = null;
        table = Open(ref again);
        if (atOnce)
        {
            Assert.Equal(_model.Count, table.Count);
        }
        else if (Record.Exception(() => Assert.Equal(Entries(_model), Entries(table.Read(KeyRange.All))))
            is { } failure)
        {
            // The database may have looked at that block when it was opened, too, and then been built again.
            Assert.True(Assert.IsType<RocksException>(failure).IsDamage, failure.Message);
        }
        Close(table, again!);
        table = Open(ref keeper);
        Assert.Equal(_model.Count, table.Count);
        Assert.Equal(Entries(_model), Entries(table.Read(KeyRange.All)));
        Close(table, keeper!);
    }

    [Fact]
    public void A_database_of_another_log_is_not_taken_for_this_one()
    {
        DiskKeeper? keeper = null;
        DiskTable table = Open(ref keeper);
        Change(table, new Random(7));
        Commit(table, keeper!);
        Close(table, keeper!);
        using EmbeddedLog other = EmbeddedLog.Open(
            new EmbeddedLogOptions { Directory = "n", FileSystem = new MemoryFileSystem() });
        TopicPartition empty = other.EnsureTopic(new TopicSpec { Name = "changelog", Compacted = true })[0];
        var fresh = new DiskTable("s", Small);
        using (fresh)
        using (DiskKeeper kept = Keeper(fresh, other, empty))
        {
            Assert.Equal(0, kept.Load(new RestoreProgress("0_0", "s")));
            kept.Replayed(0);
            Assert.Empty(fresh.Read(KeyRange.All));
        }
    }

    [Fact]
    public void A_commit_that_does_not_fit_into_the_cache_names_the_options()
    {
        DiskKeeper? keeper = null;
        DiskTable table = Open(ref keeper);
        var e = Assert.Throws<StateLimitException>(() =>
        {
            for (int i = 0; i < 1_000_000; i++)
                table.Put(BitConverter.GetBytes(i), 1_000, out _).Clear();
        });
        Assert.Contains("'s'", e.Message, StringComparison.Ordinal);
        Assert.Contains("runtime.disk.entry_cache_bytes", e.Message, StringComparison.Ordinal);
        Close(table, keeper!);
    }

    [Fact]
    public void Reading_and_changing_allocates_nothing_once_warm()
    {
        DiskKeeper? keeper = null;
        DiskTable table = Open(ref keeper);
        for (int i = 0; i < 50_000; i++)
            table.Put(BitConverter.GetBytes(i), 100, out _).Clear();
        Commit(table, keeper!);
        Span<byte> key = stackalloc byte[4];
        for (int round = 0; round < 2; round++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < 2_000; i++)
            {
                BitConverter.TryWriteBytes(key, i * 7);
                table.TryGet(key, out _);
                table.Put(key, 100, out _)[0]++;
            }
            if (round == 1)
                Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
        }
        Close(table, keeper!);
    }

    public void Dispose()
    {
        _writer?.Dispose();
        _log?.Dispose();
        if (_cache.IsValueCreated)
            _cache.Value.Dispose();
        _folder.Dispose();
    }

    internal static bool HasLibrary() => RocksLibrary.IsThere;

    private static byte[] Key(Random random)
    {
        byte[] key = BitConverter.GetBytes(random.Next(20_000));
        return random.Next(8) == 0 ? [.. key, 0] : key;
    }

    private void Change(DiskTable table, Random random)
    {
        byte[] key = Key(random);
        if (random.Next(4) == 0)
        {
            Assert.Equal(_model.Remove(key), table.Delete(key));
            return;
        }
        byte[] value = new byte[random.Next(120)];
        random.NextBytes(value);
        Span<byte> stored = table.Put(key, value.Length, out bool existed);
        value.CopyTo(stored);
        Assert.Equal(_model.ContainsKey(key), existed);
        _model[key] = value;
    }

    private void AssertReads(DiskTable table, byte[] key)
    {
        bool found = table.TryGet(key, out ReadOnlySpan<byte> value);
        Assert.Equal(_model.TryGetValue(key, out byte[]? expected), found);
        if (found)
            Assert.Equal(expected, value.ToArray());
    }

    private void AssertRanges(DiskTable table, Random random)
    {
        (byte[] a, byte[] b) = (Key(random), Key(random));
        foreach (KeyRange range in (KeyRange[])[KeyRange.Between(a, b), KeyRange.Prefix(a.AsSpan(0, 1)),
            KeyRange.Between(null, a), KeyRange.Between(b, null)])
        {
            IEnumerable<KeyValuePair<byte[], byte[]>> expected = _model.Where(e => range.Contains(e.Key));
            Assert.Equal(Entries(expected).Take(300), Entries(table.Read(range).Take(300)));
            Assert.Equal(
                Entries(expected.Reverse()).Take(300),
                Entries(table.Read(range, descending: true).Take(300)));
        }
    }

    private static List<string> Entries(IEnumerable<KeyValuePair<byte[], byte[]>> entries) =>
        [.. entries.Select(e => $"{Convert.ToHexString(e.Key)}={Convert.ToHexString(e.Value)}")];

    private DiskKeeper Keeper(DiskTable table, ITopicLog log, TopicPartition changelog) => new(
        table, log, changelog, new DiskPlace(_folder.Path, _cache), TaskScheduler.Default,
        TimeProvider.System);

    private DiskTable Open(ref DiskKeeper? keeper)
    {
        var table = new DiskTable("s", Small);
        keeper = Keeper(table, _log, _changelog);
        long offset = keeper.Load(new RestoreProgress("0_0", "s"));
        using ILogReader reader = _log.OpenReader(ReadLevel.Committed);
        using LogBatch batch = reader.CreateBatch();
        while (reader.Read(_changelog, offset, batch))
        {
            while (batch.TryRead(out LogRecord record))
                table.Restore(record.Key, record.HasValue, record.Value);
            offset = batch.NextOffset;
        }
        table.Flush(NoChangelog.Instance);
        keeper.Replayed(_log.EndOffset(_changelog, ReadLevel.Committed));
        return table;
    }

    // What a process leaves that is killed: batches under way may have come to the database or not.
    private void Reopen(ref DiskTable table, ref DiskKeeper? keeper, bool whole)
    {
        if (!whole)
            Commit(table, keeper!, tell: false);
        Close(table, keeper!);
        table = Open(ref keeper);
        Assert.Equal(_model.Count, table.Count);
        Assert.Equal(Entries(_model), Entries(table.Read(KeyRange.All)));
    }

    private static void Close(DiskTable table, DiskKeeper keeper)
    {
        keeper.Dispose();
        table.Dispose();
    }

    private void Commit(DiskTable table, DiskKeeper keeper, bool tell = true)
    {
        table.Flush(new LogChangelog(_writer, _changelog));
        long commit = _writer.Commit();
        if (tell)
            keeper.Committed(Task.FromResult(commit));
    }

    private sealed class LogChangelog(ILogWriter writer, TopicPartition partition) : IChangelog
    {
        public void Append(ReadOnlySpan<byte> key, bool hasValue, ReadOnlySpan<byte> value) =>
            writer.Append(partition, new LogRecord
            {
                TimestampMs = 0,
                HasKey = true,
                Key = key,
                HasValue = hasValue,
                Value = value,
            });
    }

    private sealed class RecordedChanges : IChangelog
    {
        public List<string> Lines { get; } = [];

        public void Append(ReadOnlySpan<byte> key, bool hasValue, ReadOnlySpan<byte> value) =>
            Lines.Add($"{Convert.ToHexString(key)} {hasValue} {Convert.ToHexString(value)}");
    }
}
