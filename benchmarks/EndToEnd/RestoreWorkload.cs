using System.Buffers.Binary;
using System.Diagnostics;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Streams.Connect;
using Streams.Dsl;
using Streams.Log;
using Streams.Log.Embedded;
using Streams.Log.Kafka;
using Streams.Processing;
using Streams.Records;
using Streams.State.Disk;

namespace Streams.Benchmarks.EndToEnd;

/// <summary>
/// How long an application takes to have its state again: <c>restore [--megabytes N] [--percent N] [--threads
/// N] [--disk] [--kafka BROKERS]</c>. Fills a table of 32-byte keys and 100-byte values until it has so many
/// megabytes, changes rows until there is a snapshot, or a database on disk, changes that percentage of them
/// again, stops, and starts once more; on Kafka as another process that has nothing but the changelog. Prints
/// one JSON line.
/// </summary>
internal static class RestoreWorkload
{
    private const int KeyBytes = 32;
    private const int ValueBytes = 100;

    // Those of a run on Kafka, which others may use too.
    private static readonly string Application = $"restore{Environment.ProcessId}";
    private static readonly string Input = $"{Application}.rows";

    internal static int Run(string[] args)
    {
        int megabytes = Arguments.Number(args, "--megabytes", 1_024);
        int percent = Arguments.Number(args, "--percent", 20);
        int threads = Math.Max(1, Arguments.Number(args, "--threads", 1));
        bool onDisk = args.Contains("--disk");
        string brokers = Arguments.Text(args, "--kafka", "");
        string folder = Directory.CreateTempSubdirectory("streams-bench-").FullName;
        try
        {
            string first = Path.Combine(folder, "first");
            long rows = Fill(first, brokers, (long)megabytes << 20, percent, threads, onDisk);
            string second = brokers.Length == 0 ? first : Path.Combine(folder, "second");
            Console.WriteLine(Restore(second, brokers, rows, threads, onDisk));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
        return 0;
    }

    private static ITopicLog OpenLog(string folder, string brokers) => brokers.Length == 0
        ? EmbeddedLog.Open(new EmbeddedLogOptions { Directory = Path.Combine(folder, "log") })
        : KafkaLog.Open(Application, new KafkaLogOptions { Brokers = brokers }, NullLogger.Instance);

    private static StreamsApplication Open(
        ITopicLog log, string folder, int threads, bool onDisk, ILogger? logger = null)
    {
        var builder = new StreamsBuilder();
        builder.Table(
            Input, new Consumed<byte[], byte[]>(Serdes.ByteArray, Serdes.ByteArray),
            new Materialized<byte[], byte[]> { StoreName = "table", OnDisk = onDisk });
        var definition = new ApplicationDefinition
        {
            Id = Application,
            Topology = builder.Build(),
            DataFolder = folder,
            Runtime = new RuntimeOptions { Threads = threads, Disk = new DiskOptions() },
        };
        return new StreamsApplication(definition, log, logger ?? NullLogger.Instance);
    }

    // What the store has reserved is known while it runs, so it is filled a part at a time.
    private static long Fill(
        string folder, string brokers, long bytes, int percent, int threads, bool onDisk)
    {
        using ITopicLog log = OpenLog(folder, brokers);
        Topic topic = log.EnsureTopic(new TopicSpec
        {
            Name = Input,
            Partitions = threads,
            Retention = brokers.Length == 0 ? TimeSpan.FromDays(7) : null,
            RetentionBytes = brokers.Length == 0 ? 64 << 20 : null,
        });
        using StreamsApplication application = Open(log, folder, threads, onDisk);
        application.Start();
        using ILogWriter writer = log.OpenWriter("feed");
        const int BytesPerRow = 16 + KeyBytes + 8 + ValueBytes + 12;
        long rows = bytes / BytesPerRow;
        for (long i = 0; i < rows; i++)
            Append(writer, topic, i, application);
        long changed = 0;
        while (!onDisk && !log.SharesWork
            && Directory.GetFiles(folder, "*.snapshot", SearchOption.AllDirectories).Length == 0)
        {
            for (int i = 0; i < 20_000; i++)
                Append(writer, topic, changed++ * 104_729 % rows, application);
        }
        for (long end = changed + rows * percent / 100; changed < end;)
            Append(writer, topic, changed++ * 104_729 % rows, application);
        writer.Commit();
        Drain(application);
        application.Stop();
        return rows;
    }

    private static void Append(ILogWriter writer, Topic topic, long row, StreamsApplication application)
    {
        Span<byte> key = stackalloc byte[KeyBytes];
        Span<byte> value = stackalloc byte[ValueBytes];
        for (int at = 0; at < KeyBytes; at += 8)
            BinaryPrimitives.WriteInt64LittleEndian(key[at..], (row + at) * 0x1E3779B97F4A7C15);
        value.Fill((byte)row);
        writer.Append(topic[Murmur2.Partition(key, topic.Partitions)], new LogRecord
        {
            TimestampMs = 1_700_000_000_000 + row,
            HasKey = true,
            Key = key,
            HasValue = true,
            Value = value,
        });
        if (writer.PendingBytes < 4 << 20)
            return;
        writer.Commit();
        // Rows wait in a topic that keeps few of them.
        while (application.Progress.LagOf(Input) > 200_000 && application.Failure is null)
            Thread.Sleep(1);
    }

    private static void Drain(StreamsApplication application)
    {
        while (!application.IsDrained() && application.Failure is null)
            Thread.Sleep(5);
        if (application.Failure is { } failure)
            throw new InvalidOperationException("The application stopped.", failure);
    }

    private static string Restore(string folder, string brokers, long rows, int threads, bool onDisk)
    {
        using ILoggerFactory loggers = LoggerFactory.Create(
            b => b.AddSimpleConsole(o => o.SingleLine = true));
        Directory.CreateDirectory(folder);
        long opened = Stopwatch.GetTimestamp();
        using ITopicLog log = OpenLog(folder, brokers);
        double openSeconds = Stopwatch.GetElapsedTime(opened).TotalSeconds;
        using StreamsApplication application =
            Open(log, folder, threads, onDisk, loggers.CreateLogger("restore"));
        TimeSpan cpu = Process.GetCurrentProcess().TotalProcessorTime;
        long started = Stopwatch.GetTimestamp();
        application.Start();
        int seen = 0;
        while (application.NotReadyReasons() is { Count: > 0 } reasons && application.Failure is null)
        {
            if (++seen % 100 == 0)
                Console.Error.WriteLine($"not ready: {string.Join("; ", reasons)}");
            Thread.Sleep(5);
        }
        double seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        double cpuSeconds = (Process.GetCurrentProcess().TotalProcessorTime - cpu).TotalSeconds;
        long found = application.Queries.KeyValueStore<byte[], byte[]>("table").Count;
        if (found != rows)
            throw new InvalidOperationException($"{found} rows were restored of {rows}.");
        Topic changelog = log.FindTopic($"{Application}-table-changelog")!;
        long replayed = log.SharesWork ? Enumerable.Range(0, changelog.Partitions)
            .Sum(p => log.EndOffset(changelog[p], ReadLevel.Committed)) : 0;
        application.Stop();
        long Length(string pattern) => Directory.GetFiles(folder, pattern, SearchOption.AllDirectories)
            .Sum(f => new FileInfo(f).Length) >> 20;
        return JsonSerializer.Serialize(new
        {
            workload = "restore",
            log = brokers.Length == 0 ? "embedded" : "kafka",
            store = onDisk ? "disk" : "memory",
            threads,
            rows,
            changelog_records_on_kafka = replayed,
            snapshot_megabytes = Length("*.snapshot"),
            database_megabytes = Length("*.sst"),
            log_open_seconds = Math.Round(openSeconds, 2),
            restore_seconds = Math.Round(seconds, 2),
            cpu_seconds = Math.Round(cpuSeconds, 2),
            load_average = File.ReadAllText("/proc/loadavg").Split(' ')[0],
        });
    }
}
