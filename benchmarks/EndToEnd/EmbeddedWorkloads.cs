using System.Diagnostics;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Streams.Connect;
using Streams.Log;
using Streams.Log.Embedded;
using Streams.Processing;
using Streams.Records;

namespace Streams.Benchmarks.EndToEnd;

/// <summary>
/// The four workloads of the Kafka Streams peer, topic to topic on the embedded log with fsync'd commits:
/// <c>embedded map|join|window|dedupe json|binary [--records N] [--keys N] [--threads N]</c>. Prints one JSON
/// line with the peer's fields and the bytes allocated per record. With <c>--rate N [--seconds N]</c> records
/// come at that rate instead, and the line says how long they took: half of the rate that the other form
/// shows is where percentiles mean something.
/// </summary>
internal static class EmbeddedWorkloads
{
    private const string Input = "tx";
    private const string Labels = Input + PeerTopology.LabelsSuffix;
    private const string Output = "out";

    internal static int Run(string[] args)
    {
        var run = new PeerRun(
            args[0], args.ElementAtOrDefault(1) is "json" ? "json" : "binary",
            Arguments.Number(args, "--records", 5_000_000), Arguments.Number(args, "--keys", 10_000),
            Math.Max(1, Arguments.Number(args, "--threads", 1)));
        string folder = Directory.CreateTempSubdirectory("streams-bench-").FullName;
        try
        {
            using EmbeddedLog log = EmbeddedLog.Open(new EmbeddedLogOptions { Directory = folder });
            int rate = Arguments.Number(args, "--rate", 0);
            Fill(log, run, rate > 0 ? 0 : run.Records);
            Console.WriteLine(rate > 0
                ? MeasureLatency(log, folder, run, rate, Arguments.Number(args, "--seconds", 20))
                : Measure(log, folder, run));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
        return 0;
    }

    private static string Measure(EmbeddedLog log, string folder, PeerRun run)
    {
        using var application = new StreamsApplication(Define(folder, run), log, NullLogger.Instance);
        TimeSpan cpuBefore = Process.GetCurrentProcess().TotalProcessorTime;
        long allocatedBefore = GC.GetTotalAllocatedBytes();
        long started = Stopwatch.GetTimestamp();
        application.Start();
        while (!application.IsDrained() && application.Failure is null)
            Thread.Sleep(5);
        log.WaitDurable(log.WaitForCommit(long.MaxValue, TimeSpan.Zero, default), default);
        double seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        double cpuUs = (Process.GetCurrentProcess().TotalProcessorTime - cpuBefore).TotalMicroseconds;
        double allocated = GC.GetTotalAllocatedBytes() - allocatedBefore;
        application.Stop();
        if (application.Failure is { } failure)
            throw new InvalidOperationException("The application stopped.", failure);
        return System.Text.Json.JsonSerializer.Serialize(new
        {
            engine = "streams",
            workload = run.Workload,
            format = run.Format,
            guarantee = "exactly_once",
            threads = run.Threads,
            records = run.Records,
            seconds = Math.Round(seconds, 2),
            per_second = Math.Round(run.Records / seconds),
            cpu_us_per_record = Math.Round(cpuUs / run.Records, 3),
            allocated_bytes_per_record = Math.Round(allocated / run.Records, 2),
        });
    }

    private static string MeasureLatency(EmbeddedLog log, string folder, PeerRun run, int rate, int seconds)
    {
        using var application = new StreamsApplication(Define(folder, run), log, NullLogger.Instance);
        application.Start();
        using var value = new Streams.Buffers.PooledBuffer();
        var random = new Random(8);
        var tx = new PeerTransaction();
        Topic topic = log.FindTopic(Input)!;
        IReadOnlyList<double> took = new LatencyRun(log, Input, Output, rate).Run(
            seconds, Math.Max(1, seconds / 4), (writer, i, timeMs) =>
            {
                tx.Generate(i, run.Keys, random);
                Encode(run.Serde, tx, value);
                Append(writer, topic, tx.Address.Span, timeMs, value.WrittenSpan);
            });
        application.Stop();
        if (application.Failure is { } failure)
            throw new InvalidOperationException("The application stopped.", failure);
        return System.Text.Json.JsonSerializer.Serialize(new
        {
            engine = "streams",
            workload = run.Workload,
            format = run.Format,
            guarantee = "exactly_once",
            threads = run.Threads,
            rate,
            records_out = took.Count,
            p50_ms = LatencyRun.Percentile(took, 50),
            p99_ms = LatencyRun.Percentile(took, 99),
            p999_ms = LatencyRun.Percentile(took, 99.9),
            max_ms = Math.Round(took[^1], 1),
        });
    }

    private static ApplicationDefinition Define(string folder, PeerRun run) => new()
    {
        Id = "bench",
        Topology = PeerTopology.Build(run, Input, Output),
        DataFolder = folder,
        Runtime = new RuntimeOptions { Threads = run.Threads },
        Topics = [new TopicSpec { Name = Output, Partitions = run.Threads }],
    };

    private static void Fill(EmbeddedLog log, PeerRun run, int records)
    {
        Topic topic = log.EnsureTopic(new TopicSpec { Name = Input, Partitions = run.Threads });
        Topic labels = log.EnsureTopic(new TopicSpec { Name = Labels, Partitions = run.Threads });
        using var value = new Streams.Buffers.PooledBuffer();
        using ILogWriter writer = log.OpenWriter("load");
        var random = new Random(7);
        var address = default(PeerAddress);
        for (int k = 0; k < run.Keys; k++)
        {
            PeerTransaction.AddressOf(k, address);
            value.Clear();
            value.Write(Encoding.ASCII.GetBytes($"label-{k % 100}"));
            Append(writer, labels, address, 1_600_000_000_000, value.WrittenSpan);
            if (writer.PendingBytes > 4 << 20)
                writer.Commit();
        }
        var tx = new PeerTransaction();
        for (int i = 0; i < records; i++)
        {
            tx.Generate(i, run.Keys, random);
            Encode(run.Serde, tx, value);
            Append(writer, topic, tx.Address.Span, tx.TimeMs, value.WrittenSpan);
            if (writer.PendingBytes > 4 << 20)
                writer.Commit();
        }
        log.WaitDurable(writer.Commit(), CancellationToken.None);
    }

    private static void Encode(
        Serde<PeerTransaction> serde, in PeerTransaction tx, Streams.Buffers.PooledBuffer value)
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
}
