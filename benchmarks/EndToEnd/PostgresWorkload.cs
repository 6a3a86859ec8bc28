using System.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Streams.Buffers;
using Streams.Connect;
using Streams.Dsl;
using Streams.Log;
using Streams.Log.Embedded;
using Streams.Records;
using Streams.Sinks.Postgres;
using Streams.Sinks.Timescale;

namespace Streams.Benchmarks.EndToEnd;

/// <summary>
/// Topic to table, exactly once: <c>postgres //USER@HOST:PORT/DATABASE [--records N] [--sink
/// postgres|timescale] [--rows new|staged|again|added] [--order time|random]</c>. The password comes from
/// PGPASSWORD. Prints one JSON line.
/// </summary>
/// <remarks>
/// A log is filled with records of 130 bytes, which is not measured; then a sink brings them into the table
/// <c>metrics_bench</c>, made anew, until all is committed. <c>new</c>: keys that are not there, straight;
/// <c>staged</c>: the same over staging tables and ON CONFLICT; <c>again</c>: all keys are there already with
/// the same values, so that nothing is written; <c>added</c>: no key. The only index is the primary key
/// (time, machine), or with <c>--order random</c> one on a random identifier of 16 bytes.
/// </remarks>
internal static class PostgresWorkload
{
    private const string TopicName = "metrics";
    private const int Machines = 1_000;
    private const long StartNs = 1_700_000_000_000_000_000;

    internal static int Run(string[] args)
    {
        int records = Arguments.Number(args, "--records", 1_000_000);
        string kind = Arguments.Text(args, "--sink", "postgres");
        string rows = Arguments.Text(args, "--rows", "new");
        bool random = Arguments.Text(args, "--order", "time") == "random";
        PostgresOptions options = kind == "timescale"
            ? new TimescaleOptions { Server = args[0] }
            : new PostgresOptions { Server = args[0], DivideBy = TimeDivision.Month };
        string folder = Directory.CreateTempSubdirectory("streams-bench-").FullName;
        try
        {
            Execute(args[0], "DROP TABLE IF EXISTS metrics_bench CASCADE");
            Execute(args[0], "DROP TABLE IF EXISTS streams_offsets, streams_tables CASCADE");
            using EmbeddedLog log = EmbeddedLog.Open(new EmbeddedLogOptions { Directory = folder });
            Fill(log, records);
            TableMapping mapping = Mapping(rows == "added", random);
            if (rows == "again")
            {
                Deliver(log, folder, options, mapping, "first", staged: false);
                Execute(args[0], "UPDATE streams_offsets SET sink = 'before'");
            }
            Console.WriteLine(Measure(log, folder, options, mapping, records, (kind, rows, random)));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
        return 0;
    }

    private static string Measure(
        EmbeddedLog log, string folder, PostgresOptions options, TableMapping mapping, int records,
        (string Kind, string Rows, bool Random) run)
    {
        TimeSpan cpu = Process.GetCurrentProcess().TotalProcessorTime;
        long allocated = GC.GetTotalAllocatedBytes();
        long started = Stopwatch.GetTimestamp();
        Deliver(log, folder, options, mapping, "measured", run.Rows is "staged" or "again");
        double seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        double cpuUs = (Process.GetCurrentProcess().TotalProcessorTime - cpu).TotalMicroseconds;
        return System.Text.Json.JsonSerializer.Serialize(new
        {
            benchmark = "postgres",
            sink = run.Kind,
            rows = run.Rows,
            key = run.Rows == "added" ? "none" : run.Random ? "random uuid" : "time, machine_id",
            guarantee = "exactly_once",
            records,
            seconds = Math.Round(seconds, 2),
            per_second = Math.Round(records / seconds),
            cpu_us_per_record = Math.Round(cpuUs / records, 3),
            allocated_bytes_per_record =
                Math.Round((GC.GetTotalAllocatedBytes() - allocated) / (double)records, 2),
            load = File.Exists("/proc/loadavg") ? File.ReadAllText("/proc/loadavg").Split(' ')[0] : "",
        });
    }

    private static void Deliver(
        EmbeddedLog log, string folder, PostgresOptions options, TableMapping mapping, string name,
        bool staged)
    {
        var builder = new StreamsBuilder();
        IReadOnlyList<TopicFormat> formats =
            [TopicFormat.Of(TopicName, RecordSerde.Protobuf<BenchMetric>())];
        builder.Stream("unused", new Consumed<string, string>(Serdes.String, Serdes.String)).To("unused-too");
        builder.Topic(new TopicSpec { Name = "unused-too" });
        var definition = new ApplicationDefinition
        {
            Id = "bench",
            Topology = builder.Build(),
            DataFolder = folder,
            Topics = [new TopicSpec { Name = "unused" }],
            Sinks =
            [
                new SinkBinding(name, [TopicName], () =>
                    new PostgresSink(options, formats, [mapping], []) { AlwaysStages = staged }),
            ],
        };
        using var application = new StreamsApplication(definition, log, NullLogger.Instance);
        application.Start();
        while (!application.IsDrained() && application.Failure is null)
            Thread.Sleep(5);
        application.Stop();
        if (application.Failure is { } failure)
            throw new InvalidOperationException("The application stopped.", failure);
    }

    private static TableMapping Mapping(bool isAdded, bool random) => new()
    {
        Topic = TopicName,
        Table = "metrics_bench",
        Key = isAdded ? [] : random ? ["sample_id"] : ["time", "machine_id"],
        Time = isAdded || !random ? "time" : null,
        Columns =
        [
            new ColumnMapping("machine_id", "machine", ColumnForm.Uuid),
            .. random ? [new ColumnMapping("sample_id", "sample", ColumnForm.Uuid)]
                : Array.Empty<ColumnMapping>(),
        ],
        Omit = ["sample"],
    };

    private static void Fill(EmbeddedLog log, int records)
    {
        Topic topic = log.EnsureTopic(new TopicSpec { Name = TopicName });
        Serde<BenchMetric> serde = RecordSerde.Protobuf<BenchMetric>();
        using var value = new PooledBuffer();
        using ILogWriter writer = log.OpenWriter("load");
        var random = new Random(7);
        Text[] machines = [.. Enumerable.Range(0, Machines).Select(i => new Text($"miner-{i:0000}"))];
        var pool = new Text("stratum+tcp://pool.example:3333");
        byte[] sample = new byte[Bytes32.Size];
        for (int i = 0; i < records; i++)
        {
            random.NextBytes(sample);
            var metric = new BenchMetric
            {
                Machine = machines[i % Machines],
                Time = StartNs + i / Machines * 10_000_000_000L,
                HashRate = 90 + random.NextDouble() * 20,
                PowerConsumption = 3000 + random.NextDouble() * 400,
                Temperature = 60 + random.NextDouble() * 20,
                PoolUrl = pool,
                Sample = new Bytes32(sample),
            };
            value.Clear();
            serde.Serialize(metric, value);
            writer.Append(topic[0], new LogRecord
            {
                TimestampMs = metric.Time / 1_000_000,
                HasKey = true,
                Key = metric.Machine.Span,
                HasValue = true,
                Value = value.WrittenSpan,
            });
            if (writer.PendingBytes > 1 << 20)
                writer.Commit();
        }
        log.WaitDurable(writer.Commit(), CancellationToken.None);
    }

    private static void Execute(string server, string sql)
    {
        var address = new Uri($"postgres://{server.TrimStart('/')}");
        var text = new NpgsqlConnectionStringBuilder
        {
            Host = address.Host,
            Port = address.Port,
            Username = address.UserInfo,
            Database = address.AbsolutePath.Trim('/'),
            Password = Environment.GetEnvironmentVariable("PGPASSWORD"),
            Pooling = false,
        };
        using var connection = new NpgsqlConnection(text.ToString());
        connection.Open();
        using NpgsqlCommand command = connection.CreateCommand();
#pragma warning disable CA2100 // The benchmark's own statements.
        command.CommandText = sql;
#pragma warning restore CA2100
        command.ExecuteNonQuery();
    }
}

/// <summary>A sample of a machine, as CSIC-070 stores it.</summary>
public sealed class BenchMetric : IDescribed<BenchMetric>
{
    internal Text Machine;
    internal long Time;
    internal double HashRate;
    internal double PowerConsumption;
    internal double Temperature;
    internal Text PoolUrl;
    internal Bytes32 Sample;
    internal RecordMemory Memory;

    /// <inheritdoc/>
    public static RecordType RecordType { get; } = new("bench_metric", 1, "A sample of a machine.");

    /// <inheritdoc/>
    public void Describe<TVisitor>(ref TVisitor v)
        where TVisitor : struct, IFieldVisitor, allows ref struct
    {
        v.Memory(ref Memory);
        v.Field(1, "machine"u8, ref Machine, Unit.None, "The machine.");
        v.Field(2, "time"u8, ref Time, Unit.Nanoseconds, "When.");
        v.Field(3, "hash_rate"u8, ref HashRate, "TH/s", "Hash rate.");
        v.Field(4, "power_consumption"u8, ref PowerConsumption, Unit.Watts, "Power.");
        v.Field(5, "temperature"u8, ref Temperature, Unit.Celsius, "Hottest chip.");
        v.Field(6, "pool_url"u8, ref PoolUrl, Unit.None, "The pool.");
        v.Field(7, "sample"u8, ref Sample, Unit.None, "A random identifier.");
    }
}
