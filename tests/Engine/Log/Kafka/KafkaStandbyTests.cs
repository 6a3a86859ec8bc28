using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Streams.Connect;
using Streams.Dsl;
using Streams.Log;
using Streams.Log.Kafka;
using Streams.Processing;
using Streams.Records;
using Streams.State.Disk;
using Streams.Tests.Engine.State.Disk;
using Streams.Tests.Support;
using Xunit;

namespace Streams.Tests.Engine.Log.Kafka;

/// <summary>Two processes' parts on a real broker, the second of which stands by for the first (CSIC-110, 119
/// to 123).</summary>
[Collection("Kafka")]
public sealed partial class KafkaStandbyTests(KafkaBroker broker) : IDisposable
{
    private const int Partitions = 4;
    private const int Keys = 5_000;
    private const int Rounds = 4;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly string _application = $"s{Guid.NewGuid():N}"[..12];
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_another_process_worked_on_goes_on_from_the_standby_with_little_to_replay(bool onDisk)
    {
        if (onDisk && !DiskTableTests.HasLibrary())
            Assert.Skip("needs librocksdb (Debian: librocksdb7.8)");
        using KafkaLog feed = KafkaLog.Open(_application, Options(0), NullLogger.Instance);
        Topic input = feed.EnsureTopic(
            new TopicSpec { Name = $"{_application}.in", Partitions = Partitions });
        Topic output = feed.EnsureTopic(
            new TopicSpec { Name = $"{_application}.out", Partitions = Partitions });
        using var first = new Process(this, "first", onDisk);
        for (int round = 0; round < Rounds; round++)
            Send(feed, input);
        WaitUntil(() => IsProcessed(feed, input), "the first process is done", first.Said);

        using var second = new Process(this, "second", onDisk);
        WaitUntil(
            () => second.Found(UpToDate()).Count >= Partitions / 2, "standbys are up to date", second.Said);
        Send(feed, input);
        WaitUntil(() => IsProcessed(feed, input), "both are done", second.Said);
        first.Dispose();
        Send(feed, input);
        WaitUntil(() => IsProcessed(feed, input), "the second process is done alone", second.Said);
        second.Dispose();

        List<Match> restored = second.Found(RestoredFromStandby());
        Assert.True(restored.Count == Partitions / 2, string.Join('\n', second.Said));
        foreach (Match match in restored)
        {
            Assert.True(Number(match, "entries") > Keys / Partitions / 2, match.Value);
            // A few commits' worth, where the changelog alone has a record per key and commit.
            Assert.True(Number(match, "replayed") <= Keys, match.Value);
        }
        Dictionary<string, string> counts = ReadLast(feed, output);
        Assert.Equal(Keys, counts.Count);
        Assert.All(counts, c => Assert.Equal($"{Rounds + 2}", c.Value));
    }

    private static int Number(Match match, string group) =>
        int.Parse(match.Groups[group].ValueSpan, CultureInfo.InvariantCulture);

    private static void WaitUntil(Func<bool> isSo, string what, IEnumerable<string> said)
    {
        long until = Environment.TickCount64 + (long)Patience.TotalMilliseconds;
        while (!isSo())
        {
            Assert.True(Environment.TickCount64 < until, $"Not so: {what}. {string.Join('\n', said)}");
            Thread.Sleep(50);
        }
    }

    private static void Send(KafkaLog log, Topic input)
    {
        using ILogWriter writer = log.OpenWriter("feed");
        for (int i = 0; i < Keys; i++)
        {
            byte[] key = Encoding.UTF8.GetBytes($"k{i}");
            writer.Append(input[i % Partitions], new LogRecord
            {
                TimestampMs = 1_700_000_000_000,
                HasKey = true,
                Key = key,
                HasValue = true,
                Value = "v"u8,
            });
        }
        writer.Commit();
    }

    private static Dictionary<string, string> ReadLast(KafkaLog log, Topic topic)
    {
        var last = new Dictionary<string, string>();
        using ILogReader reader = log.OpenReader(ReadLevel.Committed);
        using LogBatch batch = reader.CreateBatch();
        for (int p = 0; p < Partitions; p++)
        {
            long end = log.HighWatermark(topic[p]);
            for (long at = 0; at < end; at = batch.NextOffset)
            {
                while (!reader.Read(topic[p], at, batch))
                    reader.WaitForMore();
                while (batch.TryRead(out LogRecord record))
                    last[Encoding.UTF8.GetString(record.Key)] = Encoding.UTF8.GetString(record.Value);
            }
        }
        return last;
    }

    [GeneratedRegex("the standby of counts is up to date")]
    private static partial Regex UpToDate();

    [GeneratedRegex("restored counts from a standby: (?<entries>\\d+) entries, (?<replayed>\\d+) changelog")]
    private static partial Regex RestoredFromStandby();

    private KafkaLogOptions Options(int standbys) => new()
    {
        Brokers = broker.Cluster.Brokers,
        StandbyReplicas = standbys,
        ReplicationFactor = 1,
    };

    private bool IsProcessed(KafkaLog log, Topic input) => Enumerable.Range(0, Partitions).All(
        p => log.CommittedOffset(_application, input[p]) is { } done
            && done >= log.HighWatermark(input[p]) - 1);

    private Topology Build()
    {
        var builder = new StreamsBuilder();
        builder.Stream($"{_application}.in", new Consumed<string, string>(Serdes.String, Serdes.String))
            .GroupByKey().Count(new Materialized<string, long> { StoreName = "counts" })
            .ToStream().MapValues((_, count) => count.ToString(CultureInfo.InvariantCulture))
            .To($"{_application}.out", new Produced<string, string> { ValueSerde = Serdes.String });
        return builder.Build();
    }

    private sealed class Process : ILogger, IDisposable
    {
        private readonly ConcurrentQueue<string> _said = new();
        private readonly KafkaLog _log;
        private readonly StreamsApplication _application;
        private bool _isDisposed;

        internal Process(KafkaStandbyTests test, string name, bool onDisk)
        {
            _log = KafkaLog.Open(test._application, test.Options(1), this);
            _application = new StreamsApplication(
                new ApplicationDefinition
                {
                    Id = test._application,
                    Topology = test.Build(),
                    DataFolder = test._folder.File(name),
                    Runtime = new RuntimeOptions
                    {
                        Threads = 2,
                        Disk = new DiskOptions { Stores = onDisk ? ["counts"] : [] },
                    },
                },
                _log, this);
            _application.Start();
        }

        internal IEnumerable<string> Said => _said;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception,
            Func<TState, Exception?, string> formatter) => _said.Enqueue(formatter(state, exception));

        public void Dispose()
        {
            if (_isDisposed)
                return;
            _isDisposed = true;
            _application.Stop();
            _application.Dispose();
            _log.Dispose();
        }

        internal List<Match> Found(Regex pattern) =>
            [.. _said.Select(s => pattern.Match(s)).Where(m => m.Success)];
    }
}
