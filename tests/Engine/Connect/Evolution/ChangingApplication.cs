using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Streams.Connect;
using Streams.Connect.Evolution;
using Streams.Dsl;
using Streams.Log;
using Streams.Log.Embedded;
using Streams.Processing;
using Streams.Records;
using Streams.State;
using Streams.Tests.Support;

namespace Streams.Tests.Engine.Connect.Evolution;

/// <summary>An application on an embedded log in a folder, started again and again with other
/// topologies.</summary>
internal sealed class ChangingApplication : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    /// <summary>Its id.</summary>
    internal string Id { get; set; } = "app";

    /// <summary>How many partitions the topics have that it reads.</summary>
    internal Dictionary<string, int> Partitions { get; } = new() { ["in"] = 1, ["other"] = 1 };

    /// <summary>A small changelog is enough for a snapshot.</summary>
    internal bool SnapshotsOften { get; set; }

    internal string Data => _folder.File("data");

    /// <summary>Appends records to a topic, runs the topology until all is processed, and stops.</summary>
    /// <returns>What the topic 'out' holds by then: "key=value".</returns>
    internal string[] Run(
        Action<StreamsBuilder> write, string keys = "", string topic = "in", params string[] accepted)
    {
        using EmbeddedLog log = Open();
        using var application = new StreamsApplication(
            Define(write, accepted), log, NullLogger.Instance);
        Append(log, topic, keys);
        application.Start();
        for (int i = 0; !application.IsDrained(); i++)
        {
            if (application.Failure is { } failure)
                throw new InvalidOperationException("The application failed.", failure);
            if (i == 30_000)
                throw new TimeoutException("The application does not come to its end.");
            Thread.Sleep(2);
        }
        application.Stop();
        return log.FindTopic("out") is null ? [] : Read(log, "out");
    }

    /// <summary>What starting a topology would come to.</summary>
    internal TopologyChanges Plan(Action<StreamsBuilder> write, params string[] accepted)
    {
        using EmbeddedLogView log = EmbeddedLogView.Open(Path.Combine(Data, "log"));
        return TopologyChanges.Find(Define(write, accepted), log);
    }

    /// <summary>The log, while nothing runs.</summary>
    internal EmbeddedLog Open() =>
        EmbeddedLog.Open(new EmbeddedLogOptions { Directory = Path.Combine(Data, "log") });

    internal ApplicationDefinition Define(Action<StreamsBuilder> write, params string[] accepted)
    {
        var builder = new StreamsBuilder();
        write(builder);
        return new ApplicationDefinition
        {
            Id = Id,
            Topology = builder.Build(),
            Topics = [.. Partitions.Select(p => new TopicSpec { Name = p.Key, Partitions = p.Value })],
            DataFolder = Data,
            AcceptedLosses = accepted,
            Runtime = new RuntimeOptions
            {
                CommitInterval = TimeSpan.FromMilliseconds(1),
                Snapshots = SnapshotsOften
                    ? new SnapshotOptions { ChangelogBytesMin = 1, ChangelogPercentMin = 0 }
                    : new SnapshotOptions(),
            },
        };
    }

    /// <summary>A stream of texts.</summary>
    internal static KStream<string, string> In(StreamsBuilder builder, string topic = "in") =>
        builder.Stream(topic, new Consumed<string, string>(Serdes.String, Serdes.String));

    /// <summary>Counts by key, into the topic 'out'.</summary>
    internal static Action<StreamsBuilder> Count(string? store) => builder => Count(In(builder), store);

    /// <summary>Counts by key, into the topic 'out'.</summary>
    internal static void Count(KStream<string, string> stream, string? store) => stream.GroupByKey()
        .Count(new Materialized<string, long> { StoreName = store })
        .ToStream("updates").To("out", new Produced<string, long>
        {
            Name = "write",
            KeySerde = Serdes.String,
            ValueSerde = Serdes.Int64,
        });

    public void Dispose() => _folder.Dispose();

    private static void Append(EmbeddedLog log, string topicName, string keys)
    {
        if (keys.Length == 0)
            return;
        using ILogWriter writer = log.OpenWriter("test");
        Topic topic = log.FindTopic(topicName)!;
        foreach (string word in keys.Split(' '))
        {
            byte[] key = Encoding.UTF8.GetBytes(word);
            writer.Append(topic[Murmur2.Partition(key, topic.Partitions)], new LogRecord
            {
                TimestampMs = 1_000,
                HasKey = true,
                Key = key,
                HasValue = true,
                Value = key,
            });
        }
        writer.Commit();
    }

    private static string[] Read(EmbeddedLog log, string topicName)
    {
        var found = new List<string>();
        Topic topic = log.FindTopic(topicName)!;
        using ILogReader reader = log.OpenReader(ReadLevel.Committed);
        using LogBatch batch = reader.CreateBatch();
        for (int p = 0; p < topic.Partitions; p++)
        {
            for (long at = 0; reader.Read(topic[p], at, batch); at = batch.NextOffset)
            {
                while (batch.TryRead(out LogRecord record))
                    found.Add($"{Encoding.UTF8.GetString(record.Key)}="
                        + $"{Serdes.Int64.Deserialize(record.Value)}");
            }
        }
        return [.. found];
    }
}
