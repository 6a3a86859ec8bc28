using System.Globalization;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Streams.Connect;
using Streams.Dsl;
using Streams.Log;
using Streams.Log.Kafka;
using Streams.Processing;
using Streams.Records;
using Streams.State;
using Streams.Tests.Support;
using Xunit;

namespace Streams.Tests.Engine.Log.Kafka;

/// <summary>Runs small applications on a real broker, each test one of a name of its own.</summary>
public abstract class KafkaApplicationFixture(KafkaBroker broker) : IDisposable
{
    private readonly List<KafkaLog> _open = [];

    private protected KafkaBroker Broker => broker;

    private protected TemporaryFolder Folder { get; } = new();

    private protected string Application { get; } = $"a{Guid.NewGuid():N}"[..10];

    private protected string Input => $"{Application}.in";

    private protected string Other => $"{Application}.other";

    private protected string Output => $"{Application}.out";

    public void Dispose()
    {
        _open.ForEach(l => l.Dispose());
        Folder.Dispose();
        GC.SuppressFinalize(this);
    }

    private protected static Produced<string, string> Text { get; } =
        new() { KeySerde = Serdes.String, ValueSerde = Serdes.String };

    private protected static KStream<string, string> Stream(StreamsBuilder builder, string topic) =>
        builder.Stream(topic, new Consumed<string, string>(Serdes.String, Serdes.String));

    private protected Topology Counts()
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

    private protected StreamsApplication Start(
        ITopicLog log, Topology topology, FailurePolicy policy, string folder = "data")
    {
        foreach (string topic in topology.SourceTopics)
            log.EnsureTopic(new TopicSpec { Name = topic, Retention = null });
        var application = new StreamsApplication(
            new ApplicationDefinition
            {
                Id = Application,
                Topology = topology,
                DataFolder = Folder.File(folder),
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

    private protected Exception? Run(
        ITopicLog log, Topology topology, FailurePolicy policy, string folder = "data")
    {
        using StreamsApplication application = Start(log, topology, policy, folder);
        WaitForDrain(application);
        application.Stop();
        return application.Failure;
    }

    private protected static void WaitForDrain(StreamsApplication application)
    {
        for (int i = 0; !application.IsDrained() && application.Failure is null; i++)
        {
            Assert.True(i < 15_000, "It did not process everything within five minutes.");
            Thread.Sleep(20);
        }
    }

    private protected static void Write(
        ITopicLog log, string topic, string[] values, Func<int, long>? timeMs = null)
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

    private protected static List<string> Read(ITopicLog log, string topic) =>
        ReadAll(log, topic, value => Encoding.UTF8.GetString(value));

    private protected static List<T> ReadAll<T>(
        ITopicLog log, string topic, Func<ReadOnlySpan<byte>, T> decode)
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

    private protected KafkaLog Open(KafkaLogOptions? options = null)
    {
        options ??= new KafkaLogOptions();
        var log = KafkaLog.Open(
            Application, options with { Brokers = Broker.Cluster.Brokers }, NullLogger.Instance);
        _open.Add(log);
        return log;
    }
}
