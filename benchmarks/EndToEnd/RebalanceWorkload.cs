using System.Diagnostics;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Streams.Connect;
using Streams.Dsl;
using Streams.Log;
using Streams.Log.Kafka;
using Streams.Records;

namespace Streams.Benchmarks.EndToEnd;

/// <summary>
/// How long each partition stands still when a second worker joins: <c>rebalance --kafka BROKERS
/// [--partitions N] [--rows N]</c>. A first worker counts so many rows per partition; then a record per
/// partition comes every 10 ms, and while they come a second worker joins. Prints one JSON line: of each
/// partition the longest time between two committed outputs before the second worker started and while it
/// joined, and the same of the inputs, which are silent now and then themselves.
/// </summary>
internal static class RebalanceWorkload
{
    private static readonly TimeSpan FeedInterval = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan Phase = TimeSpan.FromSeconds(10);
    private static readonly string Application = $"rebalance{Environment.ProcessId}";
    private static readonly string Input = $"{Application}.in";
    private static readonly string Output = $"{Application}.out";

    internal static int Run(string[] args)
    {
        string brokers = Arguments.Text(args, "--kafka", "");
        if (brokers.Length == 0)
        {
            Console.Error.WriteLine("rebalance --kafka BROKERS [--partitions N] [--rows N]");
            return 2;
        }
        int partitions = Arguments.Number(args, "--partitions", 6);
        int rows = Arguments.Number(args, "--rows", 20_000);
        string folder = Directory.CreateTempSubdirectory("streams-bench-").FullName;
        try
        {
            Console.WriteLine(Measure(brokers, folder, partitions, rows));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
        return 0;
    }

    private static KafkaLog OpenLog(string brokers) => KafkaLog.Open(
        Application, new KafkaLogOptions { Brokers = brokers }, NullLogger.Instance);

    private static StreamsApplication Start(KafkaLog log, string folder)
    {
        var builder = new StreamsBuilder();
        builder.Stream(Input, new Consumed<byte[], byte[]>(Serdes.ByteArray, Serdes.ByteArray))
            .GroupByKey().Count(new Materialized<byte[], long> { StoreName = "counts" })
            .ToStream().To(Output, new Produced<byte[], long> { ValueSerde = Serdes.Int64 });
        var application = new StreamsApplication(
            new ApplicationDefinition { Id = Application, Topology = builder.Build(), DataFolder = folder },
            log, NullLogger.Instance);
        application.Start();
        return application;
    }

    private static string Measure(string brokers, string folder, int partitions, int rows)
    {
        using KafkaLog log = OpenLog(brokers);
        Topic input = log.EnsureTopic(
            new TopicSpec { Name = Input, Partitions = partitions, Retention = null });
        log.EnsureTopic(new TopicSpec { Name = Output, Partitions = partitions, Retention = null });
        using ILogWriter writer = log.OpenWriter("feed");
        byte[][][] keys = [.. Enumerable.Range(0, partitions).Select(p => KeysOf(p, partitions, rows))];
        for (int row = 0; row < rows * partitions; row++)
        {
            Append(writer, input[row % partitions], keys[row % partitions][row / partitions]);
            if (writer.PendingBytes > 4 << 20)
                writer.Commit();
        }
        writer.Commit();
        using StreamsApplication first = Start(log, Path.Combine(folder, "first"));
        Wait(first, () => first.Progress.LagOf(Input) == 0);
        using var over = new CancellationTokenSource();
        var watch = new SilenceWatch(OpenLog(brokers), Output, partitions);
        var feedWatch = new SilenceWatch(OpenLog(brokers), Input, partitions);
        Task watching = Beside(() => watch.Run(over.Token));
        Task watchingFeed = Beside(() => feedWatch.Run(over.Token));
        Task feeding = Beside(() => Feed(writer, input, keys, over.Token));
        Thread.Sleep(TimeSpan.FromSeconds(3));
        watch.TakeLongest();
        feedWatch.TakeLongest();
        Thread.Sleep(Phase);
        double[] before = watch.TakeLongest();
        double[] feedBefore = feedWatch.TakeLongest();
        using KafkaLog otherLog = OpenLog(brokers);
        long started = Stopwatch.GetTimestamp();
        using StreamsApplication second = Start(otherLog, Path.Combine(folder, "second"));
        Wait(second, () => otherLog.Lanes.Owned.Any() && second.NotReadyReasons().Count == 0);
        double joined = Stopwatch.GetElapsedTime(started).TotalSeconds;
        Thread.Sleep(Phase);
        double[] during = watch.TakeLongest();
        double[] feedDuring = feedWatch.TakeLongest();
        int[] moved = [.. otherLog.Lanes.Owned];
        over.Cancel();
        Task.WaitAll(watching, watchingFeed, feeding);
        second.Stop();
        first.Stop();
        return JsonSerializer.Serialize(new
        {
            workload = "rebalance",
            partitions,
            rows_per_partition = rows,
            joined_seconds = Math.Round(joined, 2),
            moved,
            pause_before_ms = before,
            pause_ms = during,
            feed_pause_before_ms = feedBefore,
            feed_pause_ms = feedDuring,
            load_average = File.ReadAllText("/proc/loadavg").Split(' ')[0],
        });
    }

    private static Task Beside(Action work) => Task.Factory.StartNew(
        work, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    // Keys that the output has in the same partition, so that none is silent for want of keys.
    private static byte[][] KeysOf(int partition, int partitions, int count) =>
    [
        .. Enumerable.Range(0, int.MaxValue).Select(BitConverter.GetBytes)
            .Where(key => Murmur2.Partition(key, partitions) == partition).Take(count),
    ];

    private static void Feed(ILogWriter writer, Topic input, byte[][][] keys, CancellationToken over)
    {
        for (int row = 0; !over.IsCancellationRequested; row++)
        {
            for (int p = 0; p < input.Partitions; p++)
                Append(writer, input[p], keys[p][row % keys[p].Length]);
            writer.Commit();
            Thread.Sleep(FeedInterval);
        }
    }

    private static void Append(ILogWriter writer, TopicPartition partition, byte[] key) =>
        writer.Append(partition, new LogRecord
        {
            TimestampMs = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(),
            HasKey = true,
            Key = key,
            HasValue = true,
            Value = key,
        });

    private static void Wait(StreamsApplication application, Func<bool> isSo)
    {
        while (!isSo())
        {
            if (application.Failure is { } failure)
                throw new InvalidOperationException("The application stopped.", failure);
            Thread.Sleep(5);
        }
    }

    /// <summary>Reads a topic as a consumer does, and notes how long each partition was silent.</summary>
    private sealed class SilenceWatch(KafkaLog log, string topicName, int partitions)
    {
        private readonly Lock _gate = new();
        private readonly long[] _last = new long[partitions];
        private readonly double[] _longestMs = new double[partitions];

        /// <summary>The longest silence of each partition since the last call, the one under way
        /// included.</summary>
        internal double[] TakeLongest()
        {
            lock (_gate)
            {
                for (int p = 0; p < partitions; p++)
                    Note(p, isHeard: false);
                double[] longest = [.. _longestMs.Select(ms => Math.Round(ms))];
                Array.Clear(_longestMs);
                return longest;
            }
        }

        internal void Run(CancellationToken over)
        {
            using KafkaLog closed = log;
            Topic topic = log.FindTopic(topicName)!;
            using ILogReader reader = log.OpenReader(ReadLevel.Committed);
            using LogBatch batch = reader.CreateBatch();
            long[] offsets = [.. Enumerable.Range(0, partitions).Select(
                p => log.EndOffset(topic[p], ReadLevel.Committed))];
            Array.Fill(_last, Stopwatch.GetTimestamp());
            while (!over.IsCancellationRequested)
            {
                for (int p = 0; p < partitions; p++)
                {
                    if (!reader.Read(topic[p], offsets[p], batch))
                        continue;
                    offsets[p] = batch.NextOffset;
                    if (!batch.TryRead(out _))
                        continue;
                    lock (_gate)
                        Note(p, isHeard: true);
                }
                Thread.Sleep(1);
            }
        }

        private void Note(int partition, bool isHeard)
        {
            long now = Stopwatch.GetTimestamp();
            _longestMs[partition] = Math.Max(
                _longestMs[partition], Stopwatch.GetElapsedTime(_last[partition], now).TotalMilliseconds);
            if (isHeard)
                _last[partition] = now;
        }
    }
}
