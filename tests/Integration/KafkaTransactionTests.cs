using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Streams.Log;
using Streams.Log.Kafka;
using Streams.Tests.Engine.Log;
using Streams.Tests.Support;
using Xunit;
using Client = Confluent.Kafka;

namespace Streams.Tests.Integration;

/// <summary>Transactions whose coordinator goes away, or that stay open for too long: each record is there
/// once, by Kafka's own consumer.</summary>
[Collection("Kafka chaos")]
public sealed class KafkaTransactionTests
{
    private const int Records = 300;

    [Fact]
    public void A_coordinator_that_is_lost_costs_nothing()
    {
        using KafkaCluster cluster = KafkaCluster.Start(nodes: 3);
        using KafkaLog log = Open(cluster.Brokers, TimeSpan.FromSeconds(30));
        Topic topic = log.EnsureTopic(new TopicSpec { Name = "numbers", Retention = null });
        using ILogWriter writer = log.OpenWriter("w");
        using Client.IAdminClient admin = new Client.AdminClientBuilder(
            new Client.AdminClientConfig { BootstrapServers = cluster.Brokers }).Build();
        int coordinator = CoordinatorOf("moved-w", admin);
        for (int i = 0; i < Records; i++)
        {
            // The node that has this writer's transactions, in the middle of them.
            if (i == Records / 3)
                cluster.Kill(coordinator);
            writer.Append(topic[0], "k", $"{i}");
            writer.CommitOffset("g", topic[0], i + 1);
            writer.Commit();
        }
        Assert.NotEqual(coordinator, CoordinatorOf("moved-w", admin));
        Assert.Equal(Numbers(0, Records), Values(cluster));
        Assert.Equal(Records, log.CommittedOffset("g", topic[0]));
    }

    [Fact]
    public async Task A_transaction_that_is_open_for_too_long_is_given_up_and_made_again()
    {
        const int Slow = 2_000;
        using KafkaCluster cluster = KafkaCluster.Start();
        // Written so slowly that it cannot end in time: the broker makes the client wait.
        Quota(cluster, "--add-config", "producer_byte_rate=20000");
        using KafkaLog log = Open(cluster.Brokers, TimeSpan.FromSeconds(2), "batch.size=20000");
        Topic topic = log.EnsureTopic(new TopicSpec { Name = "numbers", Retention = null });
        ILogWriter writer = log.OpenWriter("w");
        Task commit = Task.Run(
            () => WriteAll(writer, topic[0], Slow), TestContext.Current.CancellationToken);
        // The coordinator has ended it: readers get past its records, and see none of them.
        long started = Stopwatch.GetTimestamp();
        while (log.EndOffset(topic[0], ReadLevel.Committed) == 0)
        {
            Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromMinutes(1), "It stays open.");
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }
        Quota(cluster, "--delete-config", "producer_byte_rate");
        try
        {
            await commit;
        }
        catch (LogInterruptedException)
        {
            // What a stream thread does: begin again at the last commit.
            writer.Dispose();
            writer = log.OpenWriter("w");
            WriteAll(writer, topic[0], Slow);
        }
        writer.Dispose();
        Assert.Equal(Numbers(0, Slow), Values(cluster).Select(v => v.TrimStart('.')));
    }

    private static void WriteAll(ILogWriter writer, TopicPartition partition, int records)
    {
        for (int i = 0; i < records; i++)
            writer.Append(
                partition, "k", i.ToString(CultureInfo.InvariantCulture).PadLeft(1_000, '.'));
        writer.Commit();
    }

    private static void Quota(KafkaCluster cluster, params string[] change)
    {
        (int code, string output) = cluster.Tool(
            "configs", ["--alter", "--entity-type", "clients", "--entity-default", .. change]);
        Assert.True(code == 0, output);
    }

    private static KafkaLog Open(
        string brokers, TimeSpan transactionTimeout, params string[] properties) => KafkaLog.Open(
        "moved",
        new KafkaLogOptions
        {
            Brokers = brokers,
            TransactionTimeout = transactionTimeout,
            Properties = properties,
        },
        NullLogger.Instance);

    // Which partition of the coordinators' topic has a transactional id: Java's hash of the text.
    private static int CoordinatorOf(string transactionalId, Client.IAdminClient admin)
    {
        Client.TopicMetadata topic =
            admin.GetMetadata("__transaction_state", TimeSpan.FromSeconds(30)).Topics[0];
        int hash = 0;
        foreach (char c in transactionalId)
            hash = unchecked((31 * hash) + c);
        return topic.Partitions.Single(
            p => p.PartitionId == (hash & int.MaxValue) % topic.Partitions.Count).Leader;
    }

    private static IEnumerable<string> Numbers(int from, int to) =>
        Enumerable.Range(from, to - from).Select(i => i.ToString(CultureInfo.InvariantCulture));

    private static IEnumerable<string> Values(KafkaCluster cluster) =>
        cluster.Consume("numbers").Select(l => l.Split('\t')[^1]);
}
