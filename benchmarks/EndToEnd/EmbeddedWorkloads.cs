using System.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;
using Streams.Connect;
using Streams.Dsl;
using Streams.Log;
using Streams.Log.Embedded;
using Streams.Processing;
using Streams.Records;

namespace Streams.Benchmarks.EndToEnd;

/// <summary>
/// The four workloads of the Kafka Streams peer, topic to topic on the embedded log with fsync'd commits:
/// <c>embedded map|join|window|dedupe json|binary [--records N] [--keys N] [--threads N]</c>. Prints one JSON
/// line with the peer's fields and the bytes allocated per record.
/// </summary>
internal static class EmbeddedWorkloads
{
    private const string Input = "tx";
    private const string Labels = "tx-labels";
    private const string Output = "out";

    internal static int Run(string[] args)
    {
        string workload = args[0];
        int records = Arguments.Number(args, "--records", 5_000_000);
        int keys = Arguments.Number(args, "--keys", 10_000);
        int threads = Arguments.Number(args, "--threads", 1);
        string folder = Directory.CreateTempSubdirectory("streams-bench-").FullName;
        try
        {
            using EmbeddedLog log = EmbeddedLog.Open(new EmbeddedLogOptions { Directory = folder });
            Fill(log, records, keys, Math.Max(threads, 1));
            Console.WriteLine(Measure(log, folder, workload, records, threads));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
        return 0;
    }

    private static string Measure(EmbeddedLog log, string folder, string workload, int records, int threads)
    {
        var definition = new ApplicationDefinition
        {
            Id = "bench",
            Topology = Build(workload),
            DataFolder = folder,
            Runtime = new RuntimeOptions
            {
                Threads = threads
            },
            Topics = [new TopicSpec { Name = Output,
                Partitions = log.FindTopic(Input)!.Partitions,
            }],
        };
        using var application = new StreamsApplication(definition, log, NullLogger.Instance);
        TimeSpan cpuBefore = Process.GetCurrentProcess().TotalProcessorTime;
        long allocatedBefore = GC.GetTotalAllocatedBytes();
        long started = Stopwatch.GetTimestamp();
        application.Start();
        while (!application.IsDrained() && application.Failure is null)
            Thread.Sleep(5);
        log.WaitDurable(log.WaitForCommit(long.MaxValue, TimeSpan.Zero, default), default);
        double seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        double cpu = (Process.GetCurrentProcess().TotalProcessorTime - cpuBefore).TotalMicroseconds / records;
        double allocated = (double)(GC.GetTotalAllocatedBytes() - allocatedBefore) / records;
        application.Stop();
        if (application.Failure is { } failure)
            throw new InvalidOperationException("The application stopped.", failure);
        return System.Text.Json.JsonSerializer.Serialize(new
        {
            engine = "streams",
            workload,
            format = "binary",
            guarantee = "exactly_once",
            threads,
            records,
            seconds = Math.Round(seconds, 2),
            per_second = Math.Round(records / seconds),
            cpu_us_per_record = Math.Round(cpu, 3),
            allocated_bytes_per_record = Math.Round(allocated, 2),
        });
    }

    private static Topology Build(string workload)
    {
        var builder = new StreamsBuilder();
        var consumed = new Consumed<PeerAddress, PeerTransaction>(
            new PeerAddressSerde(), new PeerBinarySerde());
        KStream<PeerAddress, PeerTransaction> input = builder.Stream(Input, consumed);
        switch (workload)
        {
            case "map":
                input.Filter((_, tx) => tx.Value >= 100_000_000).MapValues((_, tx) => Enrich(tx)).To(Output);
                break;
            case "join":
                KTable<PeerAddress, PeerTransaction> labels = builder.Table(Labels, consumed);
                input.LeftJoin(labels, (_, tx, label, has) => Label(tx, label, has))
                    .To(Output,
                        new Produced<PeerAddress, PeerTransaction> { ValueSerde = new PeerBinarySerde() });
                break;
            case "window":
                input.GroupByKey().WindowedBy(TimeWindows.OfSizeWithNoGrace(TimeSpan.FromSeconds(10)))
                    .Aggregate(() => default, Add, new Materialized<PeerAddress, PeerSum>
                    {
                        ValueSerde = new PeerSumSerde(),
                        Retention = TimeSpan.FromSeconds(60),
                    })
                    .ToStream().To(Output);
                break;
            case "dedupe":
                input.SelectKey((_, tx) => tx.TxId).Deduplicate(TimeSpan.FromMinutes(5), new Bytes32Serde())
                    .SelectKey((_, tx) => tx.Address)
                    .To(Output, new Produced<PeerAddress, PeerTransaction>
                    {
                        KeySerde = new PeerAddressSerde(),
                        ValueSerde = new PeerBinarySerde(),
                    });
                break;
            default:
                throw new ArgumentException($"'{workload}' is no workload: map, join, window or dedupe.");
        }
        return builder.Build();
    }

    private static PeerTransaction Enrich(PeerTransaction tx)
    {
        tx.FeeRate = (double)tx.Fee / tx.Size;
        tx.Large = tx.Value > 500_000_000;
        return tx;
    }

    private static PeerTransaction Label(PeerTransaction tx, in PeerTransaction label, bool has)
    {
        tx.FeeRate = (double)tx.Fee / tx.Size;
        tx.LabelBytes = has ? label.LabelBytes : (byte)0;
        tx.Label = label.Label;
        return tx;
    }

    private static PeerSum Add(PeerAddress key, PeerTransaction tx, PeerSum sum) =>
        new() { Count = sum.Count + 1, Sum = sum.Sum + tx.Value };

    private static void Fill(EmbeddedLog log, int records, int keys, int partitions)
    {
        Topic topic = log.EnsureTopic(new TopicSpec { Name = Input, Partitions = partitions });
        Topic labels = log.EnsureTopic(new TopicSpec { Name = Labels, Partitions = partitions });
        var serde = new PeerBinarySerde();
        using var value = new Streams.Buffers.PooledBuffer();
        using ILogWriter writer = log.OpenWriter("load");
        var random = new Random(7);
        var address = default(PeerAddress);
        for (int k = 0; k < keys; k++)
        {
            PeerTransaction.AddressOf(k, address);
            var label = new PeerTransaction { Address = address, LabelBytes = 8 };
            Encode(serde, label, value);
            Append(writer, labels, address, 1_600_000_000_000, value.WrittenSpan);
        }
        for (int i = 0; i < records; i++)
        {
            PeerTransaction tx = PeerTransaction.Generate(i, keys, random);
            Encode(serde, tx, value);
            Append(writer, topic, tx.Address, tx.TimeMs, value.WrittenSpan);
            if (writer.PendingBytes > 4 << 20)
                writer.Commit();
        }
        log.WaitDurable(writer.Commit(), CancellationToken.None);
    }

    private static void Encode(
        PeerBinarySerde serde, in PeerTransaction tx, Streams.Buffers.PooledBuffer value)
    {
        value.Clear();
        serde.Serialize(tx, value);
    }

    private static void Append(
        ILogWriter writer, Topic topic, ReadOnlySpan<byte> key, long timeMs, ReadOnlySpan<byte> value) =>
        writer.Append(topic[Murmur2.Partition(key, topic.Partitions)], new LogRecord
        {
            TimestampMs = timeMs,
            HasKey = true,
            Key = key,
            HasValue = true,
            Value = value,
        });

    private sealed class Bytes32Serde : Serde<Bytes32>
    {
        public override string Name => "bytes32";

        public override void Serialize(in Bytes32 value, Streams.Buffers.PooledBuffer destination) =>
            destination.Write(value.Span);

        public override void Deserialize(ReadOnlySpan<byte> source, ref Bytes32 value) =>
            value = new Bytes32(source);
    }
}
