using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Streams.Connect;
using Streams.Dsl;
using Streams.Log;
using Streams.Log.Kafka;
using Streams.Records;
using Streams.Sinks.Jsonl;
using Streams.Tests.Integration;
using Streams.Tests.Support;
using Xunit;

namespace Streams.Tests.Engine.Log.Kafka;

/// <summary>What must not keep a process from letting go of its lanes: it would end with exit code 3
/// (CSIC-017, 119).</summary>
[Collection("Kafka chaos")]
public sealed class KafkaRevocationTests : IDisposable
{
    private const int Records = 2_000;

    private static readonly Serde<GroupCount> Numbers = RecordSerde.Json<GroupCount>();

    private readonly TemporaryFolder _folder = new();
    private readonly KafkaCluster _cluster = KafkaCluster.Start();

    private KafkaLogOptions Options => new()
    {
        Brokers = _cluster.Brokers,
        SessionTimeout = TimeSpan.FromSeconds(6),
        RequestTimeout = TimeSpan.FromSeconds(2),
        RevocationTimeout = TimeSpan.FromSeconds(12),
    };

    public void Dispose()
    {
        _cluster.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void A_source_that_waits_for_its_consumers_lets_go_while_it_waits()
    {
        using KafkaLog log = Open();
        Topic input = Create(log, "in");
        Create(log, "out");
        using StreamsApplication first = Start(log, "first", [Source], []);
        Wait(() => log.EndOffset(input[0], ReadLevel.Committed) > Records / 4, first);
        // One of the lanes that it waits for goes to this one.
        using KafkaLog otherLog = Open();
        using StreamsApplication second = Start(otherLog, "second", [Source], []);
        Wait(() => Values(log, "out").Count >= Records, first, second);
        Assert.Equal(Enumerable.Range(0, Records), Values(log, "out").Order());
    }

    [Fact]
    public void Brokers_that_are_away_for_longer_than_that_are_waited_for()
    {
        using KafkaLog log = Open();
        Topic input = Create(log, "in");
        Create(log, "out");
        using (ILogWriter writer = log.OpenWriter("feed"))
        {
            for (int i = 0; i < Records; i++)
                writer.Append(input[i % 2], new LogRecord
                {
                    TimestampMs = 1_000 + i,
                    HasValue = true,
                    Value = Encoding.UTF8.GetBytes(i.ToString(CultureInfo.InvariantCulture)),
                });
            writer.Commit();
        }
        using StreamsApplication application = Start(log, "first", [], [Lines]);
        Wait(() => Values(log, "out").Count > Records / 10, application);
        _cluster.Kill(1);
        Thread.Sleep(Options.SessionTimeout + Options.RevocationTimeout + TimeSpan.FromSeconds(5));
        Assert.Null(application.Failure);
        _cluster.StartAgain();
        Wait(() => application.IsDrained(), application);
        application.Stop();
        Assert.Equal(Enumerable.Range(0, Records), Values(log, "out").Order());
        // What of it the sink had written was not written again.
        Assert.Equal(Records, Directory.GetFiles(_folder.File("lines")).Sum(f => File.ReadLines(f).Count()));
    }

    [Fact]
    public void A_stop_while_the_brokers_are_away_ends_too()
    {
        using KafkaLog log = Open();
        Create(log, "in");
        Create(log, "out");
        using StreamsApplication application = Start(log, "first", [Source], [Lines]);
        Wait(() => Values(log, "out").Count > Records / 10, application);
        _cluster.Kill(1);
        long started = Environment.TickCount64;
        application.Stop();
        // What was read since the last commit is read again at the next start.
        Assert.InRange(
            Environment.TickCount64 - started, 0,
            2 * (Options.SessionTimeout + Options.RevocationTimeout).TotalMilliseconds);
    }

    private SourceBinding Source { get; } = new SourceBinding<string, string>(
        "feed", "in", Serdes.String, Serdes.String, () => new NumberSource());

    private SinkBinding Lines => new("lines", ["out"], () => new JsonlSink(
        new JsonlOptions { Folder = _folder.File("lines") }, [TopicFormat.Of("out", Numbers)]));

    private KafkaLog Open() => KafkaLog.Open("lanes", Options, NullLogger.Instance);

    private static Topic Create(KafkaLog log, string name) => log.EnsureTopic(
        new TopicSpec { Name = name, Partitions = 2, Retention = null });

    private StreamsApplication Start(
        KafkaLog log, string name, SourceBinding[] sources, SinkBinding[] sinks)
    {
        var builder = new StreamsBuilder();
        builder.Stream("in", new Consumed<string, string>(Serdes.String, Serdes.String))
            .MapValues((_, value) =>
            {
                Thread.Sleep(10);
                return new GroupCount { Count = long.Parse(value, CultureInfo.InvariantCulture) };
            })
            .To("out", new Produced<string, GroupCount> { ValueSerde = Numbers });
        var application = new StreamsApplication(
            new ApplicationDefinition
            {
                Id = "lanes",
                Topology = builder.Build(),
                DataFolder = _folder.File(name),
                Sources = sources,
                Sinks = sinks,
                SourceOptions = new SourceOptions { LagRecordsMax = 10 },
            },
            log, NullLogger.Instance);
        application.Start();
        return application;
    }

    private static void Wait(Func<bool> isSo, params StreamsApplication[] applications)
    {
        long until = Environment.TickCount64 + 120_000;
        while (!isSo())
        {
            Assert.All(applications, a => Assert.Null(a.Failure));
            Assert.True(Environment.TickCount64 < until, "It takes too long.");
            Thread.Sleep(200);
        }
    }

    private static List<int> Values(KafkaLog log, string name)
    {
        var value = new GroupCount();
        var values = new List<int>();
        Topic topic = log.FindTopic(name)!;
        using ILogReader reader = log.OpenReader(ReadLevel.Committed);
        using LogBatch batch = reader.CreateBatch();
        for (int p = 0; p < topic.Partitions; p++)
        {
            long end = log.EndOffset(topic[p], ReadLevel.Committed);
            for (long at = 0; at < end && reader.ReadOrWait(topic[p], at, batch, end); at = batch.NextOffset)
            {
                while (batch.TryRead(out LogRecord record))
                {
                    Numbers.Deserialize(record.Value, ref value);
                    values.Add((int)value.Count);
                }
            }
        }
        return values;
    }

    /// <summary>Emits numbers, half of them at a time.</summary>
    private sealed class NumberSource : ISource<string, string>
    {
        private readonly byte[] _cursor = new byte[4];
        private int _next;

        public void Open(SourceContext context)
        {
            if (context.Cursor("next") is { } cursor)
                _next = BinaryPrimitives.ReadInt32LittleEndian(cursor);
        }

        public ValueTask<SourceStatus> ReadAsync(
            SourceOutput<string, string> output, CancellationToken cancellation)
        {
            for (int end = Math.Min(_next + (Records / 2), Records); _next < end; _next++)
                output.Emit(new Record<string, string>(
                    $"k{_next % 10}", _next.ToString(CultureInfo.InvariantCulture), 1_000L + _next));
            BinaryPrimitives.WriteInt32LittleEndian(_cursor, _next);
            output.SetCursor("next", _cursor);
            return ValueTask.FromResult(_next < Records ? SourceStatus.More : SourceStatus.Idle);
        }

        public void Dispose()
        {
        }
    }
}
