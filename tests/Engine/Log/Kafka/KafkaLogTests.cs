using System.Diagnostics;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Streams.Log;
using Streams.Log.Kafka;
using Streams.Telemetry;
using Streams.Tests.Support;
using Xunit;

namespace Streams.Tests.Engine.Log.Kafka;

/// <summary>The log on a real broker: CSIC-011 to 017, 022, 023.</summary>
[Collection("Kafka")]
public sealed class KafkaLogTests(KafkaBroker broker) : IDisposable
{
    private readonly string _application = $"t{Guid.NewGuid():N}"[..12];
    private readonly List<KafkaLog> _open = [];

    private string TopicName => $"{_application}.in";

    public void Dispose() => _open.ForEach(l => l.Dispose());

    [Theory]
    [InlineData(DeliveryGuarantee.ExactlyOnceV2)]
    [InlineData(DeliveryGuarantee.AtLeastOnce)]
    public void Records_come_back_with_all_their_parts(DeliveryGuarantee guarantee)
    {
        KafkaLog log = Open(new KafkaLogOptions { Guarantee = guarantee });
        TopicPartition partition = log.EnsureTopic(new TopicSpec { Name = TopicName })[0];
        using ILogWriter writer = log.OpenWriter("w");
        writer.Append(partition, new LogRecord
        {
            TimestampMs = 1_700_000_000_123,
            HasKey = true,
            Key = "key"u8,
            HasValue = true,
            Value = "value"u8,
            Headers = "\u0001a\u0004bc\u0001b\u0000\u0001c\u0001"u8,
        });
        writer.Append(partition, new LogRecord { TimestampMs = 0, HasKey = true });
        writer.Append(partition, new LogRecord { TimestampMs = 5, HasKey = false, HasValue = true });
        writer.Commit();

        using ILogReader reader = log.OpenReader(ReadLevel.Committed);
        using LogBatch batch = reader.CreateBatch();
        ReadSome(log, reader, partition, 0, batch);
        Assert.True(batch.TryRead(out LogRecord first));
        Assert.Equal(0, first.Offset);
        Assert.Equal(1_700_000_000_123, first.TimestampMs);
        Assert.Equal("key", Encoding.UTF8.GetString(first.Key));
        Assert.Equal("value", Encoding.UTF8.GetString(first.Value));
        Assert.Equal("\u0001a\u0004bc\u0001b\u0000\u0001c\u0001", Encoding.UTF8.GetString(first.Headers));
        Assert.True(batch.TryRead(out LogRecord second));
        Assert.Equal(1, second.TimestampMs);
        Assert.True(second.HasKey && second.Key.IsEmpty && !second.HasValue && second.Headers.IsEmpty);
        Assert.True(batch.TryRead(out LogRecord third));
        Assert.Equal(5, third.TimestampMs);
        Assert.True(!third.HasKey && third.HasValue && third.Value.IsEmpty);
    }

    [Fact]
    public void A_record_as_large_as_its_topic_allows_comes_back_and_a_larger_one_is_refused()
    {
        KafkaLog log = Open();
        var spec = new TopicSpec { Name = TopicName };
        Topic topic = log.EnsureTopic(spec);
        byte[] value = new byte[spec.RecordBytesMax - 1];
        new Random(1).NextBytes(value);
        using ILogWriter writer = log.OpenWriter("w");
        writer.Append(
            topic[0], new LogRecord { TimestampMs = 1, HasKey = true, HasValue = true, Value = value });
        writer.Commit();
        using ILogReader reader = log.OpenReader(ReadLevel.Committed);
        using LogBatch batch = reader.CreateBatch();
        ReadSome(log, reader, topic[0], 0, batch);
        Assert.True(batch.TryRead(out LogRecord found));
        Assert.True(found.Value.SequenceEqual(value));

        byte[] larger = new byte[spec.RecordBytesMax + 1];
        var refused = Assert.Throws<RecordTooLargeException>(() => writer.Append(
            topic[0], new LogRecord { TimestampMs = 1, HasValue = true, Value = larger }));
        Assert.Contains(TopicName, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Nobody_sees_anything_before_the_commit_and_everybody_all_of_it_afterwards()
    {
        KafkaLog log = Open();
        Topic topic = log.EnsureTopic(new TopicSpec { Name = TopicName, Partitions = 2 });
        using ILogWriter writer = log.OpenWriter("w");
        writer.Append(topic[0], "a", "1");
        writer.Append(topic[1], "b", "2");
        writer.CommitOffset("g", topic[0], 7);
        writer.CommitCursor("s", "k", "c"u8);
        KafkaLog other = Open();
        Assert.Equal(0, other.HighWatermark(other.FindTopic(TopicName)![0]));
        Assert.Null(other.CommittedOffset("g", other.FindTopic(TopicName)![0]));
        Assert.Null(((ITopicLog)other).Cursor("s", "k"));

        writer.Commit();
        Assert.Equal(["a=1"], Read(other, 0));
        Assert.Equal(["b=2"], Read(other, 1));
        Assert.Equal(7, other.CommittedOffset("g", other.FindTopic(TopicName)![0]));
        Assert.Equal("c"u8, ((ITopicLog)other).Cursor("s", "k")!);
    }

    [Fact]
    public void A_newer_writer_of_the_same_id_shuts_the_older_one_out()
    {
        KafkaLog log = Open();
        Topic topic = log.EnsureTopic(new TopicSpec { Name = TopicName });
        using ILogWriter older = log.OpenWriter("w");
        older.Append(topic[0], "a", "old");
        KafkaLog other = Open();
        using ILogWriter newer = other.OpenWriter("w");
        Assert.Throws<LogInterruptedException>(() => older.Commit());
        newer.Commit(other.FindTopic(TopicName)![0], "a", "new");
        Assert.Equal(["a=new"], Read(log, 0));
    }

    [Fact]
    public void Writers_that_share_a_name_do_not_shut_one_another_out()
    {
        KafkaLog log = Open();
        Topic topic = log.EnsureTopic(new TopicSpec { Name = TopicName });
        using ILogWriter one = log.OpenWriter("w", exclusive: false);
        KafkaLog other = Open();
        using ILogWriter two = other.OpenWriter("w", exclusive: false);
        one.Commit(topic[0], "a", "1");
        two.Commit(other.FindTopic(TopicName)![0], "a", "2");
        one.Commit(topic[0], "a", "3");
        Assert.Equal(["a=1", "a=2", "a=3"], Read(log, 0));
    }

    [Fact]
    public void A_topic_that_differs_is_refused_with_what_it_is_and_what_it_should_be()
    {
        KafkaLog log = Open();
        log.EnsureTopic(new TopicSpec { Name = TopicName, Partitions = 2 });
        KafkaLog other = Open();
        Assert.Contains(
            "has 2 partitions and should have 3",
            Assert.Throws<TopicMismatchException>(() => other.EnsureTopic(
                new TopicSpec { Name = TopicName, Partitions = 3 })).Message, StringComparison.Ordinal);
        Assert.Contains(
            "has cleanup.policy=delete and should have compact",
            Assert.Throws<TopicMismatchException>(() => other.EnsureTopic(
                new TopicSpec { Name = TopicName, Partitions = 2, Compacted = true })).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Reading_goes_on_at_the_first_record_kept_and_refuses_a_topic_that_is_too_short()
    {
        KafkaLog log = Open();
        Topic topic = log.EnsureTopic(new TopicSpec { Name = TopicName });
        using ILogWriter writer = log.OpenWriter("w");
        for (int i = 0; i < 4; i++)
            writer.Append(topic[0], null, $"{i}");
        writer.Commit();
        log.DeleteRecordsBefore(topic[0], 2);
        Assert.Equal(["-=2", "-=3"], Read(log, 0));

        using ILogReader reader = log.OpenReader(ReadLevel.Committed);
        using LogBatch batch = reader.CreateBatch();
        var refused = Assert.Throws<LogUnavailableException>(
            () => ReadSome(log, reader, topic[0], 100, batch));
        Assert.Contains("ends before offset 100", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_changelog_is_kept_whole_by_the_process_that_made_it_too()
    {
        KafkaLog log = Open();
        Topic topic = log.EnsureTopic(new TopicSpec { Name = TopicName, Compacted = true, Retention = null });
        Assert.True(topic.Spec.Compacted);
        using ILogWriter writer = log.OpenWriter("w");
        writer.Append(topic[0], new LogRecord { TimestampMs = 1, HasValue = true, HasKey = true });
        writer.Append(topic[0], "a", "1");
        writer.Commit();
        log.DeleteRecordsBefore(topic[0], 1);
        Assert.Equal(0, log.StartOffset(topic[0]));
    }

    [Fact]
    public void What_only_the_application_reads_is_kept_until_it_is_processed_and_then_deleted()
    {
        KafkaLog log = Open();
        Topic topic = log.EnsureTopic(new TopicSpec { Name = TopicName, IsInternal = true });
        Assert.Contains(
            "retention.ms=-1", broker.Cluster.Tool(
                "configs", "--describe", "--entity-type", "topics", "--entity-name", TopicName).Output,
            StringComparison.Ordinal);
        using ILogWriter writer = log.OpenWriter("w");
        for (int i = 0; i < 4; i++)
            writer.Append(topic[0], null, $"{i}");
        writer.CommitOffset("g", topic[0], 3);
        writer.Commit();
        log.Offsets.DeleteProcessed();
        Assert.Equal(3, log.StartOffset(topic[0]));
        Assert.Equal(["-=3"], Read(log, 0));
    }

    [Theory]
    [InlineData("linger.mss=5", "linger.ms")]
    [InlineData("acks=0", "cannot be passed through")]
    [InlineData("linger.ms=abc", "linger.ms")]
    [InlineData("nonsense", "write NAME=VALUE")]
    public void A_property_that_cannot_be_is_refused_with_the_way_out(string property, string says)
    {
        var refused = Assert.Throws<KafkaOptionException>(
            () => Open(new KafkaLogOptions { Properties = [property] }));
        Assert.Contains(says, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_broker_that_does_not_answer_is_named()
    {
        var options =
            new KafkaLogOptions { Brokers = "127.0.0.1:9", RequestTimeout = TimeSpan.FromSeconds(1) };
        var failure = Assert.Throws<LogInterruptedException>(
            () => KafkaLog.Open(_application, options, NullLogger.Instance));
        Assert.Contains("127.0.0.1:9", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Lanes_are_shared_out_and_those_that_stay_are_not_interrupted()
    {
        using LaneBoard first = Open().ShareWork(4, 2);
        Wait(() => first.Current.Owned.Count() == 4);
        Assert.Equal([0, 1, 0, 1], Enumerable.Range(0, 4).Select(first.Current.SlotOf));
        var seen = new List<Lanes>();
        using (LaneHolder holder = first.Join("test"))
        {
            using LaneBoard second = Open().ShareWork(4, 2);
            Wait(() =>
            {
                if (holder.Current != seen.LastOrDefault())
                    seen.Add(holder.Current);
                holder.Acknowledge(holder.Current);
                return second.Current.Owned.Count() == 2 && first.Current.Owned.Count() == 2;
            });
            Assert.Empty(first.Current.Owned.Intersect(second.Current.Owned));
            // Nothing that this process keeps was ever taken from it on the way.
            Assert.All(seen, lanes => Assert.Superset(
                first.Current.Owned.ToHashSet(), lanes.Owned.ToHashSet()));
            Assert.DoesNotContain(seen, lanes => lanes.IsLost);
        }
        Wait(() => first.Current.Owned.Count() == 4);
    }

    [Fact]
    public void What_another_process_wrote_has_waited_since_it_was_not_there()
    {
        KafkaLog log = Open();
        Topic topic = log.EnsureTopic(new TopicSpec { Name = TopicName });
        var times = new CommitTimes(log);
        times.Watch(topic);
        log.WhenEndsAreAsked(times.NoteAll);
        long before = Stopwatch.GetTimestamp();
        KafkaLog other = Open();
        using ILogWriter writer = other.OpenWriter("w");
        writer.Commit(other.FindTopic(TopicName)![0], "a", "1");
        CommitTime time = default;
        Wait(() => times.TryFind(topic[0], 0, out time));
        // Ends are asked for once a second: it is said too early by that at most, and never too late.
        Assert.InRange(
            Stopwatch.GetElapsedTime(time.Committed).TotalSeconds, 0,
            Stopwatch.GetElapsedTime(before).TotalSeconds + 2);
        Assert.True(log.KnownEndOffset(topic[0]) > 0);
    }

    [Fact]
    public void Reading_and_sending_allocate_nothing_per_record()
    {
        const int Records = 20_000;
        KafkaLog log = Open();
        Topic topic = log.EnsureTopic(new TopicSpec { Name = TopicName });
        using ILogWriter writer = log.OpenWriter("w");
        byte[] value = new byte[120];
        void Send()
        {
            for (int i = 0; i < Records; i++)
                writer.Append(topic[0], new LogRecord
                {
                    TimestampMs = i,
                    HasKey = true,
                    Key = value.AsSpan(0, 32),
                    HasValue = true,
                    Value = value,
                });
            writer.Commit();
        }
        Send();
        long before = GC.GetAllocatedBytesForCurrentThread();
        Send();
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 20_000);

        using ILogReader reader = log.OpenReader(ReadLevel.Committed);
        using LogBatch batch = reader.CreateBatch();
        int read = 0;
        long end = log.HighWatermark(topic[0]);
        before = GC.GetAllocatedBytesForCurrentThread();
        for (long offset = 0; offset < end;)
        {
            if (!reader.Read(topic[0], offset, batch))
            {
                reader.WaitForMore();
                continue;
            }
            while (batch.TryRead(out LogRecord record))
                read += record.Value.Length == value.Length ? 1 : 0;
            offset = batch.NextOffset;
        }
        Assert.Equal(2 * Records, read);
        // Starting the partition and serving events allocate; records must not.
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 2 * Records);
    }

    private KafkaLog Open(KafkaLogOptions? options = null)
    {
        options ??= new KafkaLogOptions();
        var log = KafkaLog.Open(
            _application, options with { Brokers = broker.Cluster.Brokers }, NullLogger.Instance);
        _open.Add(log);
        return log;
    }

    private List<string> Read(KafkaLog log, int partition)
    {
        TopicPartition from = log.FindTopic(TopicName)![partition];
        using ILogReader reader = log.OpenReader(ReadLevel.Committed);
        using LogBatch batch = reader.CreateBatch();
        var all = new List<string>();
        long end = log.HighWatermark(from);
        for (long offset = 0; offset < end; offset = batch.NextOffset)
        {
            ReadSome(log, reader, from, offset, batch);
            while (batch.TryRead(out LogRecord record))
                all.Add($"{Text(record.HasKey, record.Key)}={Text(record.HasValue, record.Value)}");
        }
        return all;
    }

    private static void ReadSome(
        KafkaLog log, ILogReader reader, TopicPartition partition, long offset, LogBatch batch) =>
        Wait(() => reader.Read(partition, offset, batch) || log.HighWatermark(partition) == 0);

    private static void Wait(Func<bool> until)
    {
        for (int i = 0; !until(); i++)
        {
            Assert.True(i < 6_000, "It did not come to that within a minute.");
            Thread.Sleep(10);
        }
    }

    private static string Text(bool isThere, ReadOnlySpan<byte> bytes) =>
        isThere ? Encoding.UTF8.GetString(bytes) : "-";
}
