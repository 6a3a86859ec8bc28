using System.Buffers.Binary;
using System.Diagnostics;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Streams.Connect;
using Streams.Dsl;
using Streams.Log;
using Streams.Log.Embedded;
using Streams.Processing;
using Streams.Records;
using Streams.State.Disk;

namespace Streams.Benchmarks.EndToEnd;

/// <summary>
/// How long an application takes to have its state again: <c>restore [--megabytes N] [--percent N] [--threads
/// N] [--disk]</c>. Fills a table of 32-byte keys and 100-byte values until it has so many megabytes, changes
/// rows until there is a snapshot, or a database on disk, changes that percentage of them again, stops, and
/// starts once more. Prints one JSON line.
/// </summary>
internal static class RestoreWorkload
{
    private const string Input = "rows";
    private const int KeyBytes = 32;
    private const int ValueBytes = 100;

    internal static int Run(string[] args)
    {
        int megabytes = Arguments.Number(args, "--megabytes", 1_024);
        int percent = Arguments.Number(args, "--percent", 20);
        int threads = Math.Max(1, Arguments.Number(args, "--threads", 1));
        bool onDisk = args.Contains("--disk");
        string folder = Directory.CreateTempSubdirectory("streams-bench-").FullName;
        try
        {
            long rows = Fill(folder, (long)megabytes << 20, percent, threads, onDisk);
            Console.WriteLine(Restore(folder, rows, threads, onDisk));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
        return 0;
    }

    private static EmbeddedLog OpenLog(string folder) =>
        EmbeddedLog.Open(new EmbeddedLogOptions { Directory = Path.Combine(folder, "log") });

    private static StreamsApplication Open(
        EmbeddedLog log, string folder, int threads, bool onDisk, ILogger? logger = null)
    {
        var builder = new StreamsBuilder();
        builder.Table(
            Input, new Consumed<byte[], byte[]>(Serdes.ByteArray, Serdes.ByteArray),
            new Materialized<byte[], byte[]> { StoreName = "table", OnDisk = onDisk });
        var definition = new ApplicationDefinition
        {
            Id = "restore",
            Topology = builder.Build(),
            DataFolder = folder,
            Runtime = new RuntimeOptions { Threads = threads, Disk = new DiskOptions() },
        };
        return new StreamsApplication(definition, log, logger ?? NullLogger.Instance);
    }

    // What the store has reserved is known while it runs, so it is filled a part at a time.
    private static long Fill(string folder, long bytes, int percent, int threads, bool onDisk)
    {
        using EmbeddedLog log = OpenLog(folder);
        Topic topic = log.EnsureTopic(new TopicSpec
        {
            Name = Input,
            Partitions = threads,
            RetentionBytes = 64 << 20,
        });
        using StreamsApplication application = Open(log, folder, threads, onDisk);
        application.Start();
        using ILogWriter writer = log.OpenWriter("feed");
        const int BytesPerRow = 16 + KeyBytes + 8 + ValueBytes + 12;
        long rows = bytes / BytesPerRow;
        for (long i = 0; i < rows; i++)
            Append(writer, topic, i, application);
        long changed = 0;
        for (; !onDisk && Directory.GetFiles(folder, "*.snapshot", SearchOption.AllDirectories).Length == 0;)
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

    private static string Restore(string folder, long rows, int threads, bool onDisk)
    {
        using ILoggerFactory loggers = LoggerFactory.Create(
            b => b.AddSimpleConsole(o => o.SingleLine = true));
        long opened = Stopwatch.GetTimestamp();
        using EmbeddedLog log = OpenLog(folder);
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
        application.Stop();
        long Length(string pattern) => Directory.GetFiles(folder, pattern, SearchOption.AllDirectories)
            .Sum(f => new FileInfo(f).Length) >> 20;
        return JsonSerializer.Serialize(new
        {
            workload = "restore",
            store = onDisk ? "disk" : "memory",
            threads,
            rows,
            snapshot_megabytes = Length("*.snapshot"),
            database_megabytes = Length("*.sst"),
            log_open_seconds = Math.Round(openSeconds, 2),
            restore_seconds = Math.Round(seconds, 2),
            cpu_seconds = Math.Round(cpuSeconds, 2),
            load_average = File.ReadAllText("/proc/loadavg").Split(' ')[0],
        });
    }
}
