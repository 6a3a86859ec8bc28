using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using Streams.Connect;
using Streams.Dsl;
using Streams.Log.Kafka;
using Streams.Processing;
using Streams.Records;
using Streams.Sinks.Postgres;
using Streams.State.Disk;
using Streams.Tests.Engine.State.Disk;
using Streams.Tests.Support;

namespace Streams.Tests.Integration;

/// <summary>
/// A process that works on Kafka until SIGTERM, for tests that disturb it: <c>kafka-worker BROKERS
/// APPLICATION FOLDER THREADS DATABASE [INSTANCE]</c>. Per key it counts and sums what comes, and per group
/// of keys, after a repartition, it counts again, in a store on disk where RocksDB is installed; each update
/// is a record and a row, so a checker sees every one that is missing, doubled or out of order.
/// </summary>
internal static class KafkaWorker
{
    internal const string Input = "numbers";
    internal const string Sums = "sums";
    internal const string Counts = "counts";
    internal const int Groups = 7;

    internal static int Run(string[] args)
    {
        (string brokers, string application, string folder, string database) =
            (args[0], args[1], args[2], args[4]);
        string? instance = args.ElementAtOrDefault(5);
        using ILoggerFactory factory = LoggerFactory.Create(builder => builder.AddSimpleConsole(o =>
        {
            o.SingleLine = true;
            o.TimestampFormat = "HH:mm:ss.fff ";
        }));
        ILogger logger = factory.CreateLogger("worker");
        using var stop = new ManualResetEventSlim();
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(
            PosixSignal.SIGTERM, signal =>
        {
            signal.Cancel = true;
            stop.Set();
        });
        using KafkaLog log = KafkaLog.Open(application, Options(brokers, instance), logger);
        using var workers = new StreamsApplication(
            Define(application, folder, int.Parse(args[3], CultureInfo.InvariantCulture), database), log,
            logger);
        workers.Start();
        Console.WriteLine("started");
        while (!stop.Wait(20) && !workers.Stopping.IsCancellationRequested)
        {
        }
        workers.Stop();
        if (workers.Failure is { } failure)
        {
            Console.WriteLine($"failed: {failure}");
            return 3;
        }
        return 0;
    }

    /// <summary>How workers and their test reach the brokers.</summary>
    internal static KafkaLogOptions Options(string brokers, string? instance = null) => new()
    {
        Brokers = brokers,
        Instance = instance,
        StandbyReplicas = 1,
        SessionTimeout = TimeSpan.FromSeconds(6),
        TransactionTimeout = TimeSpan.FromSeconds(6),
        RequestTimeout = TimeSpan.FromSeconds(15),
    };

    private static ApplicationDefinition Define(
        string application, string folder, int threads, string database)
    {
        return new ApplicationDefinition
        {
            Id = application,
            Topology = Build(),
            DataFolder = folder,
            Sinks = [new SinkBinding("tables", [Sums, Counts], () => Tables(database))],
            SinkOptions = new SinkOptions { CommitInterval = TimeSpan.FromMilliseconds(20) },
            Runtime = new RuntimeOptions
            {
                Threads = threads,
                CommitInterval = TimeSpan.FromMilliseconds(20),
                Snapshots = new State.SnapshotOptions { ChangelogBytesMin = 2_000, ChangelogPercentMin = 1 },
                Disk = new DiskOptions
                {
                    Stores = DiskTableTests.HasLibrary() ? ["counts"] : [],
                    BlockCacheBytes = 1 << 20,
                    WriteBufferBytes = 1 << 20,
                },
            },
            Restarts = new RestartOptions { RestartsMax = 100, DelayMax = TimeSpan.FromSeconds(1) },
        };
    }

    private static PostgresSink Tables(string database) => new(
        new PostgresOptions
        {
            Server = database,
            PasswordVariable = PostgresServer.PasswordVariable,
            ConnectTimeout = TimeSpan.FromSeconds(3),
        },
        KafkaWorkerTables.Formats, KafkaWorkerTables.Mappings, []);

    private static Topology Build()
    {
        var builder = new StreamsBuilder();
        KStream<string, string> numbers = builder.Stream(
            Input, new Consumed<string, string>(Serdes.String, Serdes.String));
        numbers.GroupByKey()
            .Aggregate(() => "0:0:-1", Add, new Materialized<string, string>
            {
                StoreName = "sums",
                ValueSerde = Serdes.String,
            })
            .ToStream().MapValues(SumOf)
            .To(Sums, new Produced<string, RunningSum> { ValueSerde = RecordSerde.Json<RunningSum>() });
        numbers.GroupBy(
            (key, _) => $"g{int.Parse(key.AsSpan(1), CultureInfo.InvariantCulture) % Groups}",
            new Grouped<string, string> { KeySerde = Serdes.String, ValueSerde = Serdes.String })
            .Count(new Materialized<string, long> { StoreName = "counts" })
            .ToStream().MapValues((group, count) => new GroupCount { Name = new Text(group), Count = count })
            .To(Counts, new Produced<string, GroupCount> { ValueSerde = RecordSerde.Json<GroupCount>() });
        return builder.Build();
    }

    private static RunningSum SumOf(string key, string value)
    {
        long[] parts = [.. value.Split(':').Select(p => long.Parse(p, CultureInfo.InvariantCulture))];
        return new RunningSum { Name = new Text(key), Count = parts[0], Sum = parts[1], Last = parts[2] };
    }

    // count:sum:last
    private static string Add(string key, string value, string sum)
    {
        string[] parts = sum.Split(':');
        long number = long.Parse(value, CultureInfo.InvariantCulture);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{long.Parse(parts[0], CultureInfo.InvariantCulture) + 1}"
            + $":{long.Parse(parts[1], CultureInfo.InvariantCulture) + number}:{number}");
    }
}
