using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Streams.Connect;
using Streams.Connect.Backfills;
using Streams.Dsl;
using Streams.Log;
using Streams.Log.Embedded;
using Streams.Processing;
using Streams.Records;
using Streams.Tests.Support;
using Xunit;

namespace Streams.Tests.Engine.Connect.Backfills;

/// <summary>An application on an embedded log in a folder that runs, is set back, and runs again.</summary>
internal sealed class ReprocessedApplication : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    /// <summary>Sources beside the topics that the test fills.</summary>
    internal IReadOnlyList<SourceBinding> Sources { get; set; } = [];

    /// <summary>Stores and topics that may be incomplete.</summary>
    internal string[] Accepted { get; set; } = [];

    /// <summary>How many partitions the topics have that it reads.</summary>
    internal Dictionary<string, int> Partitions { get; } = new() { ["in"] = 2 };

    internal ApplicationDefinition Define(Action<StreamsBuilder> write)
    {
        var builder = new StreamsBuilder();
        write(builder);
        return new ApplicationDefinition
        {
            Id = "app",
            Topology = builder.Build(),
            Topics = [.. Partitions.Select(
                p => new TopicSpec { Name = p.Key, Partitions = p.Value, Retention = null })],
            Sources = Sources,
            DataFolder = _folder.File("data"),
            AcceptedLosses = Accepted,
            Runtime = new RuntimeOptions
            {
                CommitInterval = TimeSpan.FromMilliseconds(1),
                DecodingFailures = FailurePolicy.DeadLetter,
                CallsStopWait = TimeSpan.FromMilliseconds(50),
            },
        };
    }

    internal EmbeddedLog Open() =>
        EmbeddedLog.Open(new EmbeddedLogOptions { Directory = _folder.File("data/log") });

    /// <summary>Runs until everything is processed.</summary>
    /// <param name="write">The topology.</param>
    /// <param name="records">Records to add to a topic first: <c>key=value@seconds</c>.</param>
    /// <param name="topic">The topic.</param>
    internal void Run(Action<StreamsBuilder> write, IEnumerable<string>? records = null, string topic = "in")
    {
        using EmbeddedLog log = Open();
        using var application = new StreamsApplication(Define(write), log, NullLogger.Instance);
        Append(log, topic, records ?? []);
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
    }

    /// <summary>Runs until the positions are behind every record, and stops, whatever waits for a
    /// call.</summary>
    internal void RunPast(Action<StreamsBuilder> write)
    {
        using EmbeddedLog log = Open();
        using var application = new StreamsApplication(Define(write), log, NullLogger.Instance);
        application.Start();
        Topic topic = log.FindTopic("in")!;
        Assert.True(SpinWait.SpinUntil(
            () => Enumerable.Range(0, topic.Partitions).All(
                p => log.CommittedOffset("app", topic[p]) == log.EndOffset(topic[p], ReadLevel.Committed)),
            TimeSpan.FromMinutes(1)));
        application.Stop();
        Assert.Null(application.Failure);
    }

    /// <summary>Begins a backfill.</summary>
    internal BackfillPlan Begin(Action<StreamsBuilder> write, string from, string? to = null)
    {
        using EmbeddedLog log = Open();
        return Backfill.Begin(Define(write), log, Request(from, to), NullLogger.Instance);
    }

    /// <summary>What a backfill would come to.</summary>
    internal BackfillPlan Plan(Action<StreamsBuilder> write, string from, string? to = null)
    {
        using EmbeddedLogView log = EmbeddedLogView.Open(_folder.File("data/log"));
        return Backfill.Plan(Define(write), log, Request(from, to));
    }

    internal BackfillStatus? Status()
    {
        using EmbeddedLogView log = EmbeddedLogView.Open(_folder.File("data/log"));
        return Backfill.Status("app", log);
    }

    /// <summary>The records of a topic from a count on, partition after partition:
    /// <c>key=value</c>.</summary>
    internal string[] Read(string topicName)
    {
        using EmbeddedLogView log = EmbeddedLogView.Open(_folder.File("data/log"));
        var found = new List<string>();
        Topic topic = log.FindTopic(topicName)!;
        using ILogReader reader = log.OpenReader();
        using LogBatch batch = reader.CreateBatch();
        for (int p = 0; p < topic.Partitions; p++)
        {
            for (long at = 0; reader.Read(topic[p], at, batch); at = batch.NextOffset)
            {
                while (batch.TryRead(out LogRecord record))
                {
                    // A mark must never leave the application.
                    Assert.True(
                        record.Headers.IsEmpty || topicName == "in"
                            || topicName.StartsWith("app-", StringComparison.Ordinal),
                        "A record of an output has headers.");
                    found.Add(
                        $"{Encoding.UTF8.GetString(record.Key)}={Encoding.UTF8.GetString(record.Value)}");
                }
            }
        }
        return [.. found];
    }

    /// <summary>Deletes the records of a topic before an offset, in all partitions.</summary>
    internal void DeleteBefore(string topicName, long offset)
    {
        using EmbeddedLog log = Open();
        Topic topic = log.FindTopic(topicName)!;
        for (int p = 0; p < topic.Partitions; p++)
            log.DeleteRecordsBefore(topic[p], offset);
    }

    internal static KStream<string, string> In(StreamsBuilder builder, string topic = "in") =>
        builder.Stream(topic, new Consumed<string, string>(Serdes.String, Serdes.String));

    internal static Produced<string, string> Texts(string name, bool once = false) => new()
    {
        Name = name,
        KeySerde = Serdes.String,
        ValueSerde = Serdes.String,
        DeliverOnce = once,
    };

    public void Dispose() => _folder.Dispose();

    private static BackfillRequest Request(string from, string? to) => new(
        [.. from.Split(' ').Select(BackfillPoint.Parse)], to is null ? [] : [BackfillPoint.Parse(to)]);

    private static void Append(EmbeddedLog log, string topicName, IEnumerable<string> records)
    {
        using ILogWriter writer = log.OpenWriter("test");
        Topic topic = log.FindTopic(topicName)!;
        foreach (string text in records)
        {
            string[] parts = text.Split('=', '@');
            byte[] key = Encoding.UTF8.GetBytes(parts[0]);
            writer.Append(topic[Murmur2.Partition(key, topic.Partitions)], new LogRecord
            {
                TimestampMs = 1_000 * long.Parse(parts[2], null),
                HasKey = true,
                Key = key,
                HasValue = true,
                Value = Encoding.UTF8.GetBytes(parts[1]),
            });
        }
        writer.Commit();
    }
}
