using System.Text;
using Confluent.Kafka.Admin;
using Streams.Connect;
using Streams.Dsl;
using Streams.Errors;
using Streams.Log;
using Streams.Log.Kafka;
using Streams.Processing;
using Streams.Records;
using Streams.Tests.Support;
using Xunit;
using Client = Confluent.Kafka;

namespace Streams.Tests.Engine.Log.Kafka;

/// <summary>Applications on a real broker: what becomes of records that it does not take, in which order
/// inputs are read, and what is deleted behind them.</summary>
[Collection("Kafka")]
public sealed class KafkaApplicationTests(KafkaBroker broker) : KafkaApplicationFixture(broker)
{
    private const int SmallBytesMax = 2_000;

    [Theory]
    [InlineData(FailurePolicy.DeadLetter)]
    [InlineData(FailurePolicy.Continue)]
    [InlineData(FailurePolicy.Fail)]
    public async Task A_result_over_the_topics_limit_meets_the_operators_policy(FailurePolicy policy)
    {
        await CreateAsync(Output, SmallBytesMax);
        string large = new('x', 5_000);
        KafkaLog log = Open();
        Write(log, Input, ["one", large, "three"]);
        Exception? failure = Run(log, Copy(), policy);
        if (policy == FailurePolicy.Fail)
        {
            Assert.IsType<RecordFailedException>(failure);
            Assert.Contains($"the topic {Output}, 1,872", failure.Message, StringComparison.Ordinal);
            Assert.Contains("Raise the topic's max.message.bytes", failure.Message, StringComparison.Ordinal);
            return;
        }
        Assert.Null(failure);
        Assert.Equal(["one", "three"], Read(log, Output));
        if (policy == FailurePolicy.Continue)
            return;
        // The letter holds all of the record, which is read again from the broker for it.
        DeadLetter letter = Assert.Single(Letters(log, Input));
        Assert.Equal(large, Encoding.UTF8.GetString(letter.Value!.Value.Span));
        Assert.Equal("RecordTooLargeException", letter.Reason.ToString());
    }

    [Fact]
    public async Task Many_records_that_a_topic_takes_one_by_one_are_not_too_large_together()
    {
        await CreateAsync(Output, SmallBytesMax);
        string[] values = [.. Enumerable.Range(0, 300).Select(i => $"{i}:{new string('y', 1_500)}")];
        KafkaLog log = Open();
        Write(log, Input, values);
        Assert.Null(Run(log, Copy(), FailurePolicy.Fail));
        Assert.Equal(values, Read(log, Output));
    }

    [Fact]
    public void Records_of_megabytes_pass()
    {
        string large = new('z', 5_000_000);
        KafkaLog log = Open();
        Write(log, Input, [large]);
        Assert.Null(Run(log, Copy(), FailurePolicy.Fail));
        Assert.Equal([large], Read(log, Output));
    }

    [Fact]
    public async Task A_limit_that_is_lowered_while_the_application_runs_is_met_by_the_policy_too()
    {
        await CreateAsync(Output, 100_000);
        KafkaLog log = Open();
        Write(log, Input, ["one"]);
        using StreamsApplication application = Start(log, Copy(), FailurePolicy.DeadLetter);
        WaitForDrain(application);
        using (Client.IAdminClient admin = Admin())
            await admin.AlterConfigsAsync(new Dictionary<ConfigResource, List<ConfigEntry>>
            {
                [new ConfigResource { Type = ResourceType.Topic, Name = Output }] =
                    [new ConfigEntry { Name = "max.message.bytes", Value = $"{SmallBytesMax}" }],
            });
        await WaitUntilRefusedAsync(Output, 5_000);
        Write(log, Input, [new string('x', 5_000), "three"]);
        WaitForDrain(application);
        Assert.Null(application.Failure);
        application.Stop();
        Assert.Equal(["one", "three"], Read(log, Output));
        Assert.Single(Letters(log, Input));
    }

    [Fact]
    public async Task What_stays_too_large_when_compressed_stops_with_the_topic_and_the_size()
    {
        await CreateAsync(Output, SmallBytesMax);
        var random = new Random(7);
        string noise = string.Concat(
            Enumerable.Range(0, 5_000).Select(_ => (char)('!' + random.Next(90))));
        KafkaLog log = Open(new KafkaLogOptions { Properties = ["compression.type=gzip"] });
        // Compressed, this one is small enough.
        Write(log, Input, [new string('x', 5_000)]);
        Assert.Null(Run(log, Copy(), FailurePolicy.DeadLetter));
        Write(log, Input, [noise]);
        Exception? failure = Run(log, Copy(), FailurePolicy.DeadLetter);
        Assert.IsType<RecordTooLargeException>(failure);
        Assert.Contains("max.message.bytes", failure.Message, StringComparison.Ordinal);
        Assert.Contains($"5,001 bytes to {Output} 0", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_record_that_an_operator_throws_at_is_kept_whole()
    {
        KafkaLog log = Open();
        Write(log, Input, ["1", "bad", "3"]);
        var builder = new StreamsBuilder();
        Stream(builder, Input).MapValues(
            (_, value) => value == "bad" ? throw new FormatException("no number") : value).To(Output, Text);
        Assert.Null(Run(log, builder.Build(), FailurePolicy.DeadLetter));
        Assert.Equal(["1", "3"], Read(log, Output));
        Assert.Equal("bad"u8, Assert.Single(Letters(log, Input)).Value!.Value.Span);
    }

    [Fact]
    public void Records_of_two_inputs_are_read_in_the_order_of_their_times()
    {
        const int Records = 20_000;
        KafkaLog log = Open();
        Write(log, Input, [.. Enumerable.Range(0, Records).Select(i => $"{2 * i}")], i => 1_000 + (2 * i));
        Write(log, Other, [.. Enumerable.Range(0, Records).Select(i => $"{(2 * i) + 1}")],
            i => 1_001 + (2 * i));
        var builder = new StreamsBuilder();
        Stream(builder, Input).Merge(Stream(builder, Other)).To(Output, Text);
        Assert.Null(Run(log, builder.Build(), FailurePolicy.Fail));
        Assert.Equal(Enumerable.Range(0, 2 * Records).Select(i => $"{i}"), Read(log, Output));
    }

    [Fact]
    public void A_reader_knows_that_a_partition_has_ended_only_when_the_broker_has_said_so()
    {
        KafkaLog log = Open();
        Write(log, Input, ["1", "2"]);
        TopicPartition partition = log.FindTopic(Input)![0];
        using ILogReader reader = log.OpenReader(ReadLevel.Committed);
        using LogBatch batch = reader.CreateBatch();
        Assert.Null(reader.Lag(partition, 0));
        long next = 0;
        while (reader.ReadOrWait(partition, next, batch))
            next = batch.NextOffset;
        Assert.Equal(0, reader.Lag(partition, next));
        // The end of the transaction has an offset too.
        Assert.Equal(3, next);
        Assert.Null(reader.Lag(partition, next - 1));
    }

    [Fact]
    public void Where_topics_are_not_to_be_created_the_start_says_what_is_missing()
    {
        KafkaLog log = Open(new KafkaLogOptions { CreateTopics = false });
        var refused = Assert.Throws<TopicMismatchException>(() => log.EnsureTopic(
            new TopicSpec { Name = Input, Partitions = 3, Compacted = true }));
        Assert.Contains("kafka.create_topics is false", refused.Message, StringComparison.Ordinal);
        Assert.Contains("3 partitions", refused.Message, StringComparison.Ordinal);
        Assert.Contains("cleanup.policy=compact", refused.Message, StringComparison.Ordinal);
        Assert.Null(log.FindTopic(Input));
    }

    [Fact]
    public void What_was_processed_of_a_repartition_topic_is_deleted()
    {
        KafkaLog log = Open();
        Write(log, Input, ["a", "b", "a"]);
        Assert.Null(Run(log, Counts(), FailurePolicy.Fail));
        TopicPartition way = log.Topics.Single(t => t.Name.StartsWith(Application, StringComparison.Ordinal)
            && t.Name.EndsWith("-repartition", StringComparison.Ordinal))[0];
        // Three records and the end of their transaction. On a slow machine they may be deleted by now.
        Assert.InRange(log.HighWatermark(way), 4, 10);
        log.Offsets.DeleteProcessed();
        Assert.InRange(log.StartOffset(way), 3, log.HighWatermark(way));
    }

    private Topology Copy()
    {
        var builder = new StreamsBuilder();
        Stream(builder, Input).To(Output, Text);
        return builder.Build();
    }

    private static List<DeadLetter> Letters(KafkaLog log, string topic)
    {
        Serde<DeadLetter> serde = RecordSerde.Protobuf<DeadLetter>();
        return ReadAll(log, DeadLetter.TopicOf(topic), value => serde.Deserialize(value));
    }

    private async Task CreateAsync(string topic, int recordBytesMax)
    {
        using Client.IAdminClient admin = Admin();
        await admin.CreateTopicsAsync([new TopicSpecification
        {
            Name = topic,
            NumPartitions = 1,
            ReplicationFactor = 1,
            Configs = new() { ["max.message.bytes"] = $"{recordBytesMax}", ["retention.ms"] = "-1" },
        }]);
    }

    // Brokers hear of a topic's new limit a moment after it was accepted.
    private async Task WaitUntilRefusedAsync(string topic, int bytes)
    {
        using Client.IProducer<Client.Null, byte[]> producer =
            new Client.ProducerBuilder<Client.Null, byte[]>(new Client.ProducerConfig
            {
                BootstrapServers = Broker.Cluster.Brokers,
                TransactionalId = $"{Application}-probe",
            }).Build();
        producer.InitTransactions(TimeSpan.FromSeconds(30));
        bool isRefused = false;
        for (int attempt = 0; !isRefused; attempt++)
        {
            Assert.True(attempt < 300, "The broker goes on taking what is too large.");
            await Task.Delay(100, TestContext.Current.CancellationToken);
            producer.BeginTransaction();
            try
            {
                await producer.ProduceAsync(
                    topic, new Client.Message<Client.Null, byte[]> { Value = new byte[bytes] },
                    TestContext.Current.CancellationToken);
            }
            catch (Client.ProduceException<Client.Null, byte[]> e)
            {
                isRefused = e.Error.Code == Client.ErrorCode.MsgSizeTooLarge;
            }
            producer.AbortTransaction(TimeSpan.FromSeconds(30));
        }
    }

    private Client.IAdminClient Admin() => new Client.AdminClientBuilder(
        new Client.AdminClientConfig { BootstrapServers = Broker.Cluster.Brokers }).Build();

}
