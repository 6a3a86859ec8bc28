using Streams.Log;
using Streams.Log.Embedded;
using Streams.Log.Embedded.Maintenance;
using Streams.Testing;
using Xunit;

namespace Streams.Tests.Engine.Log;

public sealed class CompactionTests : IDisposable
{
    private readonly SimulatedFileSystem _files = new(1);
    private readonly SteppingTime _time = new();
    private EmbeddedLog _log;

    public CompactionTests() => _log = Open(16 * 1024 * 1024);

    public void Dispose() => _log.Dispose();

    [Theory]
    [InlineData(16 * 1024 * 1024)]
    [InlineData(24 * 40)]
    public void The_last_record_of_each_key_stays_at_its_offset(int mapBytes)
    {
        Reopen(mapBytes);
        TopicPartition partition = Table();
        using (ILogWriter writer = _log.OpenWriter("w"))
        {
            for (int i = 0; i < 2000; i++)
                writer.Commit(partition, $"k{i % 100}", $"v{i}");
        }
        // A small map takes several rounds, a window of segments each.
        long compacted = 0;
        for (int round = 0; round < 300; round++)
            compacted += _log.Maintain(_time.Now).RecordsCompacted;
        List<string> left = _log.ReadAll(partition);
        Assert.Equal(2000 - compacted, left.Count);
        Assert.InRange(left.Count, 100, 400);
        Assert.Equal(Enumerable.Range(1900, 100).Select(i => $"{i}:k{i % 100}=v{i}"), left[^100..]);
        Assert.Equal(2000, _log.EndOffset(partition, ReadLevel.Committed));
        // Reading from any offset, gap or not, finds the next record that is left.
        for (int from = 0; from < 2000; from += 13)
        {
            IEnumerable<string> rest = left.Where(r => int.Parse(r.Split(':')[0], null) >= from);
            Assert.Equal(rest, _log.ReadAll(partition, from));
        }
        Reopen(mapBytes);
        Assert.Equal(left, _log.ReadAll(partition));
    }

    [Fact]
    public void A_tombstone_stays_for_its_time_and_then_goes_with_what_it_hides()
    {
        TopicPartition partition = Table();
        using ILogWriter writer = _log.OpenWriter("w");
        writer.Commit(partition, "gone", "value");
        Pad(writer, partition);
        writer.Commit(partition, "gone", null);
        Pad(writer, partition);
        _log.Maintain(_time.Now);
        Assert.Equal(["gone=-"], Records(partition, "gone"));

        _time.Now += TimeSpan.FromDays(2);
        Pad(writer, partition);
        _log.Maintain(_time.Now);
        Assert.Empty(Records(partition, "gone"));
        Reopen(16 * 1024 * 1024);
        Assert.Empty(Records(partition, "gone"));
    }

    [Fact]
    public void A_tombstone_stays_while_an_older_record_of_its_key_does()
    {
        TopicPartition partition = Table();
        TopicPartition other = _log.EnsureTopic(new TopicSpec { Name = "other", Retention = null })[0];
        using ILogWriter writer = _log.OpenWriter("w");
        // The first segment is full of records that are needed, so that it is not worth rewriting.
        writer.Commit(partition, "gone", "value");
        for (int i = 0; i < 7; i++)
            writer.Commit(other, null, new string('x', 500));
        Pad(writer, partition);
        writer.Commit(partition, "gone", null);
        Pad(writer, partition);
        _time.Now += TimeSpan.FromDays(2);
        Pad(writer, partition);
        Assert.True(_log.Maintain(_time.Now).SegmentsRewritten > 0);
        Assert.Equal(["gone=value", "gone=-"], Records(partition, "gone"));

        _log.DeleteRecordsBefore(other, 7);
        Pad(writer, partition);
        Pad(writer, partition);
        Pad(writer, partition);
        _log.Maintain(_time.Now);
        // Now the value is gone; the tombstone waits for its own segment to be worth rewriting.
        Assert.Equal(["gone=-"], Records(partition, "gone"));
    }

    [Fact]
    public void The_end_of_a_partition_can_be_reached_even_where_it_is_a_tombstone()
    {
        TopicPartition partition = Table();
        TopicPartition other = _log.EnsureTopic(new TopicSpec { Name = "other", Compacted = true })[0];
        using ILogWriter writer = _log.OpenWriter("w");
        writer.Commit(partition, "a", "value");
        writer.Commit(partition, "a", null);
        Pad(writer, other);
        _time.Now += TimeSpan.FromDays(2);
        Pad(writer, other);
        Assert.True(_log.Maintain(_time.Now).RecordsCompacted > 0);
        Assert.Equal(["1:a=-"], _log.ReadAll(partition));
    }

    [Fact]
    public void Records_without_a_key_stay()
    {
        TopicPartition partition = Table();
        using ILogWriter writer = _log.OpenWriter("w");
        for (int i = 0; i < 5; i++)
            writer.Commit(partition, null, $"{i}");
        Pad(writer, partition);
        Pad(writer, partition);
        Assert.True(_log.Maintain(_time.Now).RecordsCompacted > 0);
        Assert.Equal(5, _log.ReadAll(partition).Count(r => r.Contains(":-=", StringComparison.Ordinal)));
    }

    [Fact]
    public void Partitions_and_topics_do_not_share_keys()
    {
        Topic a = _log.EnsureTopic(new TopicSpec { Name = "a", Partitions = 2, Compacted = true });
        Topic b = _log.EnsureTopic(new TopicSpec { Name = "b", Compacted = true });
        using ILogWriter writer = _log.OpenWriter("w");
        writer.Commit(a[0], "key", "a0");
        writer.Commit(a[1], "key", "a1");
        writer.Commit(b[0], "key", "b0");
        TopicPartition padding = Table();
        Pad(writer, padding);
        Pad(writer, padding);
        Assert.True(_log.Maintain(_time.Now).RecordsCompacted > 0);
        Assert.Equal(["0:key=a0"], _log.ReadAll(a[0]));
        Assert.Equal(["0:key=a1"], _log.ReadAll(a[1]));
        Assert.Equal(["0:key=b0"], _log.ReadAll(b[0]));
    }

    [Fact]
    public void Without_enough_that_is_new_nothing_is_done()
    {
        TopicPartition partition = Table();
        using ILogWriter writer = _log.OpenWriter("w");
        for (int i = 0; i < 1000; i++)
            writer.Commit(partition, $"k{i}", "v");
        _log.Maintain(_time.Now);
        Pad(writer, partition);
        Assert.Equal(0, _log.Maintain(_time.Now).RecordsCompacted);
    }

    [Fact]
    public void A_full_disk_stops_it_and_leaves_the_log_as_it_was()
    {
        TopicPartition partition = Table();
        using ILogWriter writer = _log.OpenWriter("w");
        for (int i = 0; i < 1000; i++)
            writer.Commit(partition, $"k{i % 10}", $"v{i}");
        List<string> before = _log.ReadAll(partition);
        int files = _files.List().Count;
        _files.CapacityBytes = _files.List().Sum(name => _files.Contents(name).Length) + 100;
        MaintenanceReport report = _log.Maintain(_time.Now);
        Assert.NotNull(report.Stopped);
        Assert.Equal(before, _log.ReadAll(partition));
        Assert.InRange(_files.List().Count, 1, files);
        _files.CapacityBytes = long.MaxValue;
        Assert.True(_log.Maintain(_time.Now).RecordsCompacted > 900);
    }

    private EmbeddedLog Open(int mapBytes) => EmbeddedLog.Open(SmallLog.Options(_files, 4096) with
    {
        TimeProvider = _time,
        CompactionMapBytesMax = mapBytes,
        OpenFilesMax = 3,
    });

    private void Reopen(int mapBytes)
    {
        _log.Dispose();
        _log = Open(mapBytes);
    }

    private TopicPartition Table() => _log.EnsureTopic(new TopicSpec { Name = "table", Compacted = true })[0];

    // Some segments full of records that are dead but for the last.
    private static void Pad(ILogWriter writer, TopicPartition partition)
    {
        for (int i = 0; i < 200; i++)
            writer.Commit(partition, "padding", $"{i}");
    }

    private List<string> Records(TopicPartition partition, string key) => _log.ReadAll(partition)
        .Select(r => r[(r.IndexOf(':', StringComparison.Ordinal) + 1)..])
        .Where(r => r.StartsWith(key + "=", StringComparison.Ordinal)).ToList();
}
