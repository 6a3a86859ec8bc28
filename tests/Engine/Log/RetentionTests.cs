using Streams.Log;
using Streams.Log.Embedded;
using Streams.Log.Embedded.Maintenance;
using Streams.Testing;
using Xunit;

namespace Streams.Tests.Engine.Log;

public sealed class RetentionTests : IDisposable
{
    private const int SegmentBytes = 8 * 1024;

    private readonly SimulatedFileSystem _files = new(1);
    private readonly SteppingTime _time = new();
    private readonly EmbeddedLog _log;

    public RetentionTests() => _log = Open();

    public void Dispose() => _log.Dispose();

    [Fact]
    public void Records_go_when_they_were_appended_long_enough_ago()
    {
        TopicPartition partition = Topic(TimeSpan.FromHours(1));
        Fill(partition, 100);
        _time.Now += TimeSpan.FromMinutes(61);
        Fill(partition, 100);
        MaintenanceReport report = _log.Maintain(_time.Now);
        Assert.Equal(1, report.PartitionsTrimmed);
        Assert.True(report.SegmentsDropped > 5);
        // By whole segments: the one that has both old and new records stays.
        Assert.InRange(_log.StartOffset(partition), 50, 100);
        Assert.Equal(200 - _log.StartOffset(partition), _log.ReadAll(partition).Count);
    }

    [Fact]
    public void History_that_is_filled_in_later_stays_for_as_long_as_anything_else()
    {
        TopicPartition partition = Topic(TimeSpan.FromHours(1));
        long yearsAgo = _time.Now.AddYears(-10).ToUnixTimeMilliseconds();
        Fill(partition, 100, yearsAgo);
        _time.Now += TimeSpan.FromMinutes(59);
        _log.Maintain(_time.Now);
        Assert.Equal(0, _log.StartOffset(partition));
    }

    [Fact]
    public void A_quiet_topic_is_emptied_too()
    {
        TopicPartition partition = Topic(TimeSpan.FromHours(3));
        Fill(partition, 3);
        _time.Now += TimeSpan.FromHours(2);
        // Its segment is ended for its age, or retention would never get at it.
        _log.Maintain(_time.Now);
        Assert.Equal(0, _log.StartOffset(partition));
        _time.Now += TimeSpan.FromHours(2);
        _log.Maintain(_time.Now);
        Assert.Equal(3, _log.StartOffset(partition));
        Assert.Equal(3, _log.EndOffset(partition, ReadLevel.Committed));
        Assert.Empty(_log.ReadAll(partition));
        int files = _files.List().Count;
        for (int i = 0; i < 20; i++)
        {
            _time.Now += TimeSpan.FromHours(2);
            _log.Maintain(_time.Now);
        }
        Assert.True(_files.List().Count <= files + 1, "A log in which nothing happens grows.");
    }

    [Fact]
    public void Small_segments_are_merged_and_their_records_still_go_in_time()
    {
        var files = new SimulatedFileSystem(1);
        EmbeddedLogOptions options = SmallLog.Options(files, 1024 * 1024);
        using EmbeddedLog log = EmbeddedLog.Open(options with { TimeProvider = _time });
        TopicPartition partition = log.EnsureTopic(new TopicSpec { Name = "t" })[0];
        using ILogWriter writer = log.OpenWriter("w");
        for (int hour = 0; hour < 24 * 30; hour++)
        {
            writer.Commit(partition, "k", "v");
            _time.Now += TimeSpan.FromHours(1);
            log.Maintain(_time.Now);
        }
        Assert.True(files.List().Count < 60, $"{files.List().Count} files");
        // Seven days, one segment's hour, and what merged segments span at most: an eighth of the seven days.
        long kept = log.EndOffset(partition, ReadLevel.Committed) - log.StartOffset(partition);
        Assert.InRange(kept, 24 * 7, 24 * 8 + 2);
        Assert.Equal(kept, log.ReadAll(partition).Count);
    }

    [Fact]
    public void A_partition_keeps_about_the_bytes_it_may()
    {
        TopicPartition partition = _log.EnsureTopic(new TopicSpec
        {
            Name = "t",
            Retention = null,
            RetentionBytes = 50_000,
        })[0];
        Fill(partition, 400);
        _log.Maintain(_time.Now);
        long kept = 400 - _log.StartOffset(partition);
        // Segments hold about 7 records of 1,000 bytes; one more than allowed stays at most.
        Assert.InRange(kept, 45, 60);
    }

    [Fact]
    public void What_a_group_has_not_processed_waits_for_it_but_not_for_ever()
    {
        TopicPartition partition = Topic(TimeSpan.FromHours(1));
        Fill(partition, 100);
        using (ILogWriter writer = _log.OpenWriter("w"))
        {
            writer.CommitOffset("slow", partition, 30);
            writer.CommitOffset("fast", partition, 100);
            writer.Commit();
        }
        _time.Now += TimeSpan.FromHours(2);
        Assert.Equal(0, _log.Maintain(_time.Now).UnprocessedRecordsExpired);
        Assert.InRange(_log.StartOffset(partition), 20, 30);

        _time.Now += TimeSpan.FromDays(14);
        Fill(partition, 1);
        long start = _log.StartOffset(partition);
        MaintenanceReport report = _log.Maintain(_time.Now);
        Assert.InRange(_log.StartOffset(partition), 90, 100);
        Assert.Equal(_log.StartOffset(partition) - Math.Max(30, start), report.UnprocessedRecordsExpired);
    }

    [Fact]
    public void A_compacted_topic_is_not_subject_to_it()
    {
        TopicPartition partition = _log.EnsureTopic(new TopicSpec
        {
            Name = "t",
            Compacted = true,
            Retention = TimeSpan.FromHours(1),
            RetentionBytes = 1,
        })[0];
        Fill(partition, 100);
        _time.Now += TimeSpan.FromDays(100);
        _log.Maintain(_time.Now);
        Assert.Equal(0, _log.StartOffset(partition));
        Assert.Equal(100, _log.ReadAll(partition).Count);
    }

    [Fact]
    public void Space_comes_back_when_records_or_topics_are_deleted_and_what_is_left_is_intact()
    {
        Topic kept = _log.EnsureTopic(new TopicSpec { Name = "kept", Retention = null });
        Topic deleted = _log.EnsureTopic(new TopicSpec { Name = "deleted", Retention = null });
        using (ILogWriter writer = _log.OpenWriter("w"))
        {
            for (int i = 0; i < 300; i++)
            {
                writer.Append(deleted[0], null, new string('x', 900));
                if (i % 3 == 0)
                    writer.Append(kept[0], $"k{i}", $"v{i}");
                writer.CommitOffset("g", kept[0], i);
                writer.Commit();
            }
        }
        List<string> before = _log.ReadAll(kept[0]);
        long bytesBefore = Bytes();
        Assert.True(_log.DeleteTopic("deleted"));
        Assert.False(_log.DeleteTopic("deleted"));
        MaintenanceReport report = _log.Maintain(_time.Now);
        Assert.True(report.SegmentsRewritten > 10, $"{report}");
        Assert.True(Bytes() < bytesBefore / 5, $"{Bytes()} of {bytesBefore} bytes are left.");
        Assert.Equal(before, _log.ReadAll(kept[0]));
        Assert.Equal(0, _log.Maintain(_time.Now).SegmentsRewritten);

        _log.Dispose();
        using EmbeddedLog again = Open();
        Assert.Equal(before, again.ReadAll(kept[0]));
        Assert.Equal(before[50..], again.ReadAll(kept[0], 50));
        Assert.Equal(299, again.CommittedOffset("g", kept[0]));
        Assert.Equal(0, again.EnsureTopic(new TopicSpec { Name = "deleted" }).Id - kept.Id - 2);
    }

    [Fact]
    public void A_reader_in_the_middle_of_a_segment_goes_on_over_its_rewriting()
    {
        Topic topic = _log.EnsureTopic(new TopicSpec { Name = "t", Partitions = 2, Retention = null });
        using ILogWriter writer = _log.OpenWriter("w");
        for (int i = 0; i < 200; i++)
        {
            writer.Append(topic[0], null, $"{i}");
            writer.Append(topic[1], null, new string('x', 500));
            writer.Commit();
        }
        using ILogReader reader = _log.OpenReader(ReadLevel.Committed);
        using LogBatch batch = reader.CreateBatch();
        Assert.True(reader.Read(topic[0], 0, batch));
        long next = batch.NextOffset;
        Assert.InRange(next, 1, 100);
        _log.DeleteRecordsBefore(topic[1], 200);
        Assert.True(_log.Maintain(_time.Now).SegmentsRewritten > 1);
        for (; reader.Read(topic[0], next, batch); next = batch.NextOffset)
        {
            Assert.True(batch.TryRead(out LogRecord record));
            Assert.Equal(next, record.Offset);
        }
        Assert.Equal(200, next);
    }

    private EmbeddedLog Open() => EmbeddedLog.Open(SmallLog.Options(_files, SegmentBytes) with
    {
        TimeProvider = _time,
        OpenFilesMax = 3,
    });

    private TopicPartition Topic(TimeSpan retention) =>
        _log.EnsureTopic(new TopicSpec { Name = "t", Retention = retention })[0];

    // Records of about a thousand bytes, one commit each.
    private void Fill(TopicPartition partition, int records, long timestampMs = 0)
    {
        using ILogWriter writer = _log.OpenWriter("w");
        for (int i = 0; i < records; i++)
        {
            writer.Append(partition, $"k{i}", new string('x', 1000), timestampMs);
            writer.Commit();
        }
    }

    private long Bytes() => _files.List().Where(name => name.EndsWith(".segment", StringComparison.Ordinal))
        .Sum(name => (long)_files.Contents(name).Length);
}
