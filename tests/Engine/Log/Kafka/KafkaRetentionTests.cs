using Microsoft.Extensions.Logging.Abstractions;
using Streams.Log;
using Streams.Log.Kafka;
using Streams.Tests.Support;
using Xunit;

namespace Streams.Tests.Engine.Log.Kafka;

/// <summary>What brokers delete by themselves: they know no age of a record but its own time.</summary>
public sealed class KafkaRetentionTests
{
    [Fact]
    public async Task History_is_kept_unless_brokers_are_to_go_by_its_own_time()
    {
        using KafkaCluster kafka = KafkaCluster.Start(
            extra: "log.retention.check.interval.ms=500\nlog.initial.task.delay.ms=500");
        using KafkaLog log = Open(kafka, false);
        using KafkaLog other = Open(kafka, true);
        TopicPartition kept = Write(log, "kept"), dropped = Write(other, "dropped");
        for (int i = 0; other.StartOffset(dropped) == 0; i++)
        {
            Assert.True(i < 600, "The broker has not looked for what is old.");
            await Task.Delay(100, TestContext.Current.CancellationToken);
        }
        Assert.Equal(0, log.StartOffset(kept));
    }

    private static KafkaLog Open(KafkaCluster kafka, bool byEventTime) => KafkaLog.Open(
        "retention", new KafkaLogOptions { Brokers = kafka.Brokers, RetentionByEventTime = byEventTime },
        NullLogger.Instance);

    // A record of 2009, a moment ago.
    private static TopicPartition Write(KafkaLog log, string name)
    {
        TopicPartition partition = log.EnsureTopic(new TopicSpec { Name = name })[0];
        using ILogWriter writer = log.OpenWriter(name);
        writer.Append(partition, new LogRecord { TimestampMs = 1_231_006_505_000, HasValue = true });
        writer.Commit();
        return partition;
    }
}
