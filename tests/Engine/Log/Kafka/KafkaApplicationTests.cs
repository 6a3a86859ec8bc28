using System.Globalization;
using System.Text;
using Confluent.Kafka.Admin;
using Microsoft.Extensions.Logging.Abstractions;
using Streams.Connect;
using Streams.Connect.Evolution;
using Streams.Dsl;
using Streams.Errors;
using Streams.Log;
using Streams.Log.Kafka;
using Streams.Processing;
using Streams.Records;
using Streams.State;
using Streams.Tests.Support;
using Xunit;
using Client = Confluent.Kafka;

namespace Streams.Tests.Engine.Log.Kafka;

/// <summary>Applications on a real broker: what becomes of records that it does not take, in which order
/// inputs are read, and what a reset leaves.</summary>
[Collection("Kafka")]
public sealed class KafkaApplicationTests(KafkaBroker broker) : IDisposable
{
    private const int SmallBytesMax = 2_000;

    private readonly TemporaryFolder _folder = new();
    private readonly string _application = $"a{Guid.NewGuid():N}"[..10];
    private readonly List<KafkaLog> _open = [];

    private string Input => $"{_application}.in";

    private string Other => $"{_application}.other";

    private string Output => $"{_application}.out";

    public void Dispose()
    {
        _open.ForEach(l => l.Dispose());
        _folder.Dispose();
    }

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
    public void A_reset_waits_for_nobody_to_run_and_snapshots_of_before_do_not_count()
    {
        KafkaLog log = Open();
        Write(log, Input,
            [.. Enumerable.Repeat("a", 300), .. Enumerable.Range(0, 5_000).Select(i => $"y{i}")]);
        using (StreamsApplication application = Start(log, Counts(), FailurePolicy.Fail, "one"))
        {
            WaitForDrain(application);
            var refused = Assert.Throws<LogUnavailableException>(() => Reset(Open(), toEnd: true));
            Assert.Contains($"'{_application}' runs: its group has 1 members", refused.Message,
                StringComparison.Ordinal);
            application.Stop();
        }
        Assert.Contains(
            Directory.GetFiles(_folder.Path, "*", SearchOption.AllDirectories),
            f => f.EndsWith(SnapshotRun.Extension, StringComparison.Ordinal));
        Reset(Open(), toEnd: true);
        // Another process goes on for a while, so that the new changelog is longer than the old snapshot.
        KafkaLog second = Open();
        Write(second, Input,
            [.. Enumerable.Repeat("b", 600), .. Enumerable.Range(0, 8_000).Select(i => $"x{i}")]);
        Assert.Null(Run(second, Counts(), FailurePolicy.Fail, "two"));
        KafkaLog third = Open();
        Write(third, Input, ["a", "b"]);
        Assert.Null(Run(third, Counts(), FailurePolicy.Fail, "one"));
        Assert.Equal(["1", "601"], Read(third, Output).TakeLast(2));
    }

    private static Produced<string, string> Text { get; } =
        new() { KeySerde = Serdes.String, ValueSerde = Serdes.String };

    private void Reset(KafkaLog log, bool toEnd) =>
        ApplicationReset.Plan(_application, new OpenLogContents(log), toEnd, []).Apply(log, null);

    [Fact]
    public void What_was_processed_of_a_repartition_topic_is_deleted()
    {
        KafkaLog log = Open();
        Write(log, Input, ["a", "b", "a"]);
        Assert.Null(Run(log, Counts(), FailurePolicy.Fail));
        TopicPartition way = log.Topics.Single(t => t.Name.StartsWith(_application, StringComparison.Ordinal)
            && t.Name.EndsWith("-repartition", StringComparison.Ordinal))[0];
        // Three records and the end of their transaction. On a slow machine they may be deleted by now.
        Assert.InRange(log.HighWatermark(way), 4, 10);
        log.Offsets.DeleteProcessed();
        Assert.InRange(log.StartOffset(way), 3, log.HighWatermark(way));
    }

    private static KStream<string, string> Stream(StreamsBuilder builder, string topic) =>
        builder.Stream(topic, new Consumed<string, string>(Serdes.String, Serdes.String));

    private Topology Copy()
    {
        var builder = new StreamsBuilder();
        Stream(builder, Input).To(Output, Text);
        return builder.Build();
    }

    private Topology Counts()
    {
        var builder = new StreamsBuilder();
        Stream(builder, Input)
            .SelectKey((_, value) => value)
            .GroupByKey(new Grouped<string, string>
            {
                KeySerde = Serdes.String,
                ValueSerde = Serdes.String,
            })
            .Count(new Materialized<string, long> { StoreName = "counts" }).ToStream()
            .MapValues((_, count) => count.ToString(CultureInfo.InvariantCulture)).To(Output, Text);
        return builder.Build();
    }

    private StreamsApplication Start(
        KafkaLog log, Topology topology, FailurePolicy policy, string folder = "data")
    {
        foreach (string topic in topology.SourceTopics)
            log.EnsureTopic(new TopicSpec { Name = topic, Retention = null });
        var application = new StreamsApplication(
            new ApplicationDefinition
            {
                Id = _application,
                Topology = topology,
                DataFolder = _folder.File(folder),
                Runtime = new RuntimeOptions
                {
                    ProcessingFailures = policy,
                    CommitInterval = TimeSpan.FromMilliseconds(20),
                    Snapshots = new SnapshotOptions { ChangelogBytesMin = 500, ChangelogPercentMin = 1 },
                },
            },
            log, NullLogger.Instance);
        application.Start();
        return application;
    }

    private Exception? Run(KafkaLog log, Topology topology, FailurePolicy policy, string folder = "data")
    {
        using StreamsApplication application = Start(log, topology, policy, folder);
        WaitForDrain(application);
        application.Stop();
        return application.Failure;
    }

    private static void WaitForDrain(StreamsApplication application)
    {
        for (int i = 0; !application.IsDrained() && application.Failure is null; i++)
        {
            Assert.True(i < 15_000, "It did not process everything within five minutes.");
            Thread.Sleep(20);
        }
    }

    private static void Write(
        KafkaLog log, string topic, string[] values, Func<int, long>? timeMs = null)
    {
        TopicPartition partition = log.EnsureTopic(new TopicSpec { Name = topic, Retention = null })[0];
        using ILogWriter writer = log.OpenWriter($"test-{topic}");
        for (int i = 0; i < values.Length; i++)
        {
            writer.Append(partition, "k", values[i], timeMs?.Invoke(i) ?? 1_000 + i);
            // Several transactions, so that their ends lie between the records.
            if (i % 1_000 == 999)
                writer.Commit();
        }
        writer.Commit();
    }

    private static List<string> Read(KafkaLog log, string topic) =>
        ReadAll(log, topic, value => Encoding.UTF8.GetString(value));

    private static List<DeadLetter> Letters(KafkaLog log, string topic)
    {
        Serde<DeadLetter> serde = RecordSerde.Protobuf<DeadLetter>();
        return ReadAll(log, DeadLetter.TopicOf(topic), value => serde.Deserialize(value));
    }

    private static List<T> ReadAll<T>(KafkaLog log, string topic, Func<ReadOnlySpan<byte>, T> decode)
    {
        TopicPartition partition = log.FindTopic(topic)![0];
        var all = new List<T>();
        using ILogReader reader = log.OpenReader(ReadLevel.Committed);
        using LogBatch batch = reader.CreateBatch();
        long end = log.HighWatermark(partition);
        for (long at = 0; reader.ReadOrWait(partition, at, batch, end); at = batch.NextOffset)
        {
            while (batch.TryRead(out LogRecord record))
                all.Add(decode(record.Value));
        }
        return all;
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
                BootstrapServers = broker.Cluster.Brokers,
                TransactionalId = $"{_application}-probe",
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
        new Client.AdminClientConfig { BootstrapServers = broker.Cluster.Brokers }).Build();

    private KafkaLog Open(KafkaLogOptions? options = null)
    {
        options ??= new KafkaLogOptions();
        var log = KafkaLog.Open(
            _application, options with { Brokers = broker.Cluster.Brokers }, NullLogger.Instance);
        _open.Add(log);
        return log;
    }
}
