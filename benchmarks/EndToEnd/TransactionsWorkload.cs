using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Streams.Connect.Evolution;
using Streams.Connectors.Bitcoin;
using Streams.Connectors.Bitcoin.Simulation;
using Streams.Topologies.Configuration;
using Streams.Topologies.Hosting;

namespace Streams.Benchmarks.EndToEnd;

/// <summary>
/// The topology <c>transactions</c> from raw block bytes to committed enriched records and alerts:
/// <c>transactions [--sink none|jsonl|sqlite] [--records N] [--seed N] [--kafka BROKERS] [--from-topic]
/// [--allocations] [--keep]</c>. Brokers must be without the topology's topics. With <c>--from-topic</c> the
/// raw transactions are on their topic before the measurement begins.
/// </summary>
/// <remarks>
/// A simulated chain is written to <c>blk*.dat</c> files first, which is not measured; then the application
/// that <c>streams run --drain</c> would run is measured until everything is committed and fsync'd. One line
/// of JSON: transactions per second, CPU and allocated bytes per transaction, for the whole run and for its
/// second half, when code is compiled and tables have most of their size.
/// </remarks>
internal static class TransactionsWorkload
{
    private const string Topology = "transactions";
    private const int TransactionsPerBlock = 2_000;
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    internal static int Run(string[] args)
    {
        string sink = Arguments.Text(args, "--sink", "none");
        int records = Arguments.Number(args, "--records", 1_000_000);
        long seed = Arguments.Number(args, "--seed", 1);
        string folder = Directory.CreateTempSubdirectory("streams-bench-").FullName;
        try
        {
            WriteBlocks(Path.Combine(folder, "blocks"), records, seed);
            RunSettings settings = Settings(folder, sink, Arguments.Text(args, "--kafka", ""));
            if (args.Contains("--from-topic"))
                FillTopicAsync(settings).GetAwaiter().GetResult();
            Console.WriteLine(MeasureAsync(settings, sink, records, args.Contains("--allocations"))
                .GetAwaiter().GetResult());
        }
        finally
        {
            if (!args.Contains("--keep"))
                Directory.Delete(folder, recursive: true);
        }
        return 0;
    }

    private static void WriteBlocks(string folder, int records, long seed)
    {
        var options = new SimulationOptions { Seed = seed, TransactionsPerBlock = TransactionsPerBlock };
        using var simulator = new BlockSimulator(options);
        using var writer = new BlockFileWriter(folder, BitcoinNetwork.Regtest);
        writer.WriteChain(simulator, SimulationOptions.RunUpBlocks + records / TransactionsPerBlock);
    }

    // Runs all of it once, and sets the application back to the beginning of its topics, but not the source.
    private static async Task FillTopicAsync(RunSettings settings)
    {
        await using (ApplicationHost host = ApplicationHost.Open(settings, NullLogger.Instance))
        {
            await host.StartAsync(listen: null);
            await host.WaitAsync(drain: true, () => { }, CancellationToken.None);
            host.Application.Stop();
        }
        using OpenedLog log = OpenedLog.ToChange(LogPlace.Of(settings), usesFolder: true);
        ApplicationReset.Plan(settings.Application, log.Contents, toEnd: false, sources: [])
            .Apply(log.Log, settings.DataFolder);
    }

    private static async Task<string> MeasureAsync(
        RunSettings settings, string sink, int records, bool listAllocations)
    {
        using AllocationSample? allocations = listAllocations ? new AllocationSample() : null;
        await using ApplicationHost host = ApplicationHost.Open(settings, NullLogger.Instance);
        var process = new ProcessSample(host);
        await host.StartAsync(listen: null);
        ProcessSample? middle = null;
        await host.WaitAsync(drain: true, () =>
        {
            if (middle is not null || ProcessSample.Enriched(host) < records / 2)
                return;
            middle = new ProcessSample(host);
            allocations?.Reset();
        }, CancellationToken.None);
        host.Log.WaitDurable(host.Log.WaitForCommit(long.MaxValue, TimeSpan.Zero, default), default);
        var end = new ProcessSample(host);
        Dictionary<string, string> stores = StateCensus.Take();
        host.Application.Stop();
        if (host.Application.Failure is { } failure)
            throw new InvalidOperationException("The application stopped.", failure);
        return JsonSerializer.Serialize(new
        {
            benchmark = Topology,
            log = settings.Options.Kafka.Brokers.Length > 0 ? "kafka" : "embedded",
            sink,
            load_average = File.ReadAllText("/proc/loadavg").Split(' ')[0],
            whole = end.Since(process),
            second_half = end.Since(middle ?? process),
            allocations = allocations?.Largest(12),
            resident_bytes_max = ProcessSample.ResidentBytesMax(),
            counts = host.Summarise(TimeSpan.Zero).Topology,
            stores,
            topics = host.Log.SharesWork ? null : TopicCensus.Take(host.Log),
        }, Indented);
    }

    private static RunSettings Settings(string folder, string sink, string brokers) =>
        RunSettingsReader.Read(ConfigSection.Empty("benchmark"), new CommandLineSettings
        {
            Topology = Topology,
            Sources = [$"bitcoin-files:{Path.Combine(folder, "blocks", "*.dat")}?network=regtest"],
            Sinks = sink switch
            {
                "none" => [],
                "jsonl" => ["jsonl:" + Path.Combine(folder, "jsonl")],
                "sqlite" => ["sqlite:" + Path.Combine(folder, "streams.sqlite")],
                _ => throw new ArgumentException($"--sink {sink}: none, jsonl or sqlite."),
            },
            Data = Path.Combine(folder, "data"),
            Kafka = brokers.Length > 0 ? brokers : null,
            Drain = true,
        });
}

/// <summary>What a process has used until an instant.</summary>
internal sealed class ProcessSample
{
    private readonly long _at = Stopwatch.GetTimestamp();
    private readonly TimeSpan _cpu = Process.GetCurrentProcess().TotalProcessorTime;
    private readonly long _allocated = GC.GetTotalAllocatedBytes(precise: true);
    private readonly long _written = ReadProc("/proc/self/io", "write_bytes:");
    private readonly long _records;

    internal ProcessSample(ApplicationHost host) => _records = Enriched(host);

    /// <summary>Enriched records that are committed.</summary>
    internal static long Enriched(ApplicationHost host) => host.Summarise(TimeSpan.Zero).Topics
        .Where(t => t.Topic.EndsWith(".enriched", StringComparison.Ordinal)).Sum(t => t.Records);

    internal static long ResidentBytesMax() => ReadProc("/proc/self/status", "VmHWM:") * 1024;

    /// <summary>Figures per record between two samples.</summary>
    internal Dictionary<string, double> Since(ProcessSample before)
    {
        double records = Math.Max(1, _records - before._records);
        double seconds = Stopwatch.GetElapsedTime(before._at, _at).TotalSeconds;
        return new Dictionary<string, double>
        {
            ["records"] = records,
            ["seconds"] = Math.Round(seconds, 2),
            ["per_second"] = Math.Round(records / seconds),
            ["cpu_us_per_record"] = Math.Round((_cpu - before._cpu).TotalMicroseconds / records, 3),
            ["allocated_bytes_per_record"] = Math.Round((_allocated - before._allocated) / records, 2),
            ["written_bytes_per_record"] = Math.Round((_written - before._written) / records),
        };
    }

    private static long ReadProc(string file, string name)
    {
        if (!File.Exists(file))
            return 0;
        string line = File.ReadLines(file).First(l => l.StartsWith(name, StringComparison.Ordinal));
        return long.Parse(
            line[name.Length..].Replace("kB", "", StringComparison.Ordinal), CultureInfo.InvariantCulture);
    }
}

/// <summary>Arguments of the end-to-end benchmarks.</summary>
internal static class Arguments
{
    internal static string Text(string[] args, string name, string otherwise)
    {
        int at = Array.IndexOf(args, name);
        return at < 0 ? otherwise : args[at + 1];
    }

    internal static int Number(string[] args, string name, int otherwise)
    {
        string given = Text(args, name, "");
        return given.Length == 0 ? otherwise : int.Parse(given, CultureInfo.InvariantCulture);
    }
}
