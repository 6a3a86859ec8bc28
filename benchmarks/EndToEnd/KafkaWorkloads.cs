using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Streams.Connect;
using Streams.Log;
using Streams.Log.Kafka;
using Streams.Processing;

namespace Streams.Benchmarks.EndToEnd;

/// <summary>
/// The four workloads on the topics that the Kafka Streams peer has filled: <c>kafka BROKERS TOPIC
/// map|join|window|dedupe json|binary at_least_once|exactly_once_v2 [THREADS]</c>. Prints one JSON line with
/// the peer's fields; as there, time and CPU count from the first record to the last committed position.
/// </summary>
internal static class KafkaWorkloads
{
    internal static int Run(string[] args)
    {
        if (args.Length < 5)
        {
            Console.Error.WriteLine(
                "kafka BROKERS TOPIC map|join|window|dedupe json|binary at_least_once|exactly_once_v2 " +
                    "[THREADS]");
            return 2;
        }
        (string brokers, string topic) = (args[0], args[1]);
        int threads = args.Length > 5 ? int.Parse(args[5], CultureInfo.InvariantCulture) : 1;
        var run = new PeerRun(args[2], args[3], 0, 0, threads);
        string id = string.Create(
            CultureInfo.InvariantCulture, $"streams-{run.Workload}-{DateTime.UtcNow.Ticks}");
        string folder = Directory.CreateTempSubdirectory("streams-bench-").FullName;
        try
        {
            using KafkaLog log = KafkaLog.Open(id, new KafkaLogOptions
            {
                Brokers = brokers,
                Guarantee = args[4] == "at_least_once"
                    ? DeliveryGuarantee.AtLeastOnce : DeliveryGuarantee.ExactlyOnceV2,
            }, NullLogger.Instance);
            Console.WriteLine(Measure(log, folder, id, topic, args[4], run));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
        return 0;
    }

    private static string Measure(
        KafkaLog log, string folder, string id, string topicName, string guarantee, PeerRun run)
    {
        Topic input = log.FindTopic(topicName) ?? throw new ArgumentException($"No topic '{topicName}'.");
        TimeSpan interval = TimeSpan.FromMilliseconds(guarantee == "at_least_once" ? 1000 : 100);
        using var application = new StreamsApplication(
            new ApplicationDefinition
            {
                Id = id,
                Topology = PeerTopology.Build(run, topicName, $"{id}-out"),
                DataFolder = folder,
                Runtime = new RuntimeOptions { Threads = run.Threads, CommitInterval = interval },
                Topics = [new TopicSpec { Name = $"{id}-out", Partitions = input.Partitions }],
            },
            log, NullLogger.Instance);
        long records = Partitions(input).Sum(p => log.EndOffset(p, ReadLevel.Committed));
        application.Start();
        while (Positions(log, id, input) == 0 && application.Failure is null)
            Thread.Sleep(5);
        long first = Positions(log, id, input);
        TimeSpan cpuBefore = Process.GetCurrentProcess().TotalProcessorTime;
        long allocatedBefore = GC.GetTotalAllocatedBytes();
        long started = Stopwatch.GetTimestamp();
        while (Positions(log, id, input) < records && application.Failure is null)
            Thread.Sleep(5);
        double seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        double cpuUs = (Process.GetCurrentProcess().TotalProcessorTime - cpuBefore).TotalMicroseconds;
        double allocated = GC.GetTotalAllocatedBytes() - allocatedBefore;
        Exception? failure = application.Failure;
        application.Stop();
        if (failure is not null)
            throw new InvalidOperationException("The application stopped.", failure);
        long measured = records - first;
        return System.Text.Json.JsonSerializer.Serialize(new
        {
            engine = "streams",
            workload = run.Workload,
            format = run.Format,
            guarantee,
            threads = run.Threads,
            records,
            seconds = Math.Round(seconds, 2),
            per_second = Math.Round(measured / seconds),
            cpu_us_per_record = Math.Round(cpuUs / measured, 3),
            allocated_bytes_per_record = Math.Round(allocated / measured, 2),
        });
    }

    private static long Positions(KafkaLog log, string group, Topic topic) =>
        Partitions(topic).Sum(p => log.KnownCommittedOffset(group, p) ?? 0);

    private static IEnumerable<TopicPartition> Partitions(Topic topic) =>
        Enumerable.Range(0, topic.Partitions).Select(p => topic[p]);
}
