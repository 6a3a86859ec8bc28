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
            Assert.All(partitions, p => Assert.Equal(2 * lost, log.HighWatermark(p)));
            cluster.Kill(lost);
            Assert.All(partitions, p => Assert.Equal(2 * lost, log.HighWatermark(p)));
            Assert.All(partitions, p => Assert.Equal(2 * lost, log.EndOffset(p, ReadLevel.Committed)));
            cluster.StartAgain();
        }
    }
}
