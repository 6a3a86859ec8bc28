using Microsoft.Extensions.Logging.Abstractions;
using Streams.Log;
using Streams.Log.Kafka;
using Streams.Tests.Support;
using Xunit;

namespace Streams.Tests.Engine.Log.Kafka;

/// <summary>What a log that is open goes through when a broker of three is lost (CSIC-017).</summary>
[Collection("Kafka chaos")]
public sealed class KafkaFailoverTests
{
    [Fact]
    public void Where_partitions_end_is_known_whichever_broker_is_lost()
    {
        using KafkaCluster cluster = KafkaCluster.Start(nodes: 3);
        using KafkaLog log = KafkaLog.Open(
            "failover", new KafkaLogOptions { Brokers = cluster.Brokers }, NullLogger.Instance);
        Topic topic = log.EnsureTopic(
            new TopicSpec { Name = "led-by-all", Partitions = 6, Retention = null });
        TopicPartition[] partitions = [.. Enumerable.Range(0, topic.Partitions).Select(p => topic[p])];
        using ILogWriter writer = log.OpenWriter("w");
        for (int lost = 1; lost <= 3; lost++)
        {
            foreach (TopicPartition partition in partitions)
                writer.Append(partition, new LogRecord { TimestampMs = lost, HasValue = true });
            writer.Commit();
            AssertKnown(log, partitions, lost);
            cluster.Kill(lost);
            AssertKnown(log, partitions, lost);
            cluster.StartAgain();
        }
    }

    // A record and the end of its transaction each; the last of those may still be on its way. A transaction
    // that was held up is sent again.
    private static void AssertKnown(KafkaLog log, TopicPartition[] partitions, int commits) =>
        Assert.All(partitions, p =>
        {
            Assert.InRange(log.HighWatermark(p), (2 * commits) - 1, 4 * commits);
            Assert.InRange(log.EndOffset(p, ReadLevel.Committed), (2 * commits) - 2, 4 * commits);
        });
}
