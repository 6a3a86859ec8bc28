using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Streams.Log;
using Streams.Tests.Support;
using Streams.Topologies.Configuration;
using Streams.Topologies.Hosting;

namespace Streams.Tests.Integration;

/// <summary>
/// Runs a topology over one input on the embedded log and on Kafka, and compares what it writes: for each
/// topic and key the same records with the same bytes in the same order. For a person: <c>dotnet run
/// --project tests -c Release -- same-bytes TOPOLOGY KIND:LOCATION [BROKERS]</c>, which starts a broker of
/// its own where none is named; the topics must not be there yet, and what the brokers compact meanwhile is
/// reported as missing.
/// </summary>
internal sealed class SameBytes : IAsyncDisposable
{
    /// <summary>How a broker keeps all that was written, in compacted topics too.</summary>
    internal const string KeepsAll = "log.cleaner.enable=false";

    private const string Application = "same-bytes";

    private readonly ApplicationHost _embedded;
    private readonly ApplicationHost _kafka;

    private SameBytes(ApplicationHost embedded, ApplicationHost kafka)
    {
        _embedded = embedded;
        _kafka = kafka;
    }

    /// <summary>Runs the command.</summary>
    /// <returns>0 where all are the same, 1 where some differ, 2 where the arguments are wrong.</returns>
    internal static int Run(string[] args, TextWriter output)
    {
        if (args.Length is not (2 or 3))
        {
            output.WriteLine("Usage: same-bytes TOPOLOGY KIND:LOCATION [BROKERS]");
            return 2;
        }
        using var folder = new TemporaryFolder();
        using KafkaCluster? cluster = args.Length == 2 ? KafkaCluster.Start(extra: KeepsAll) : null;
        SameBytesResult result = CompareAsync(
            args[0], args[1], folder.Path, cluster?.Brokers ?? args[2]).GetAwaiter().GetResult();
        output.WriteLine(JsonSerializer.Serialize(result));
        return result.Differences == 0 ? 0 : 1;
    }

    /// <summary>Runs both and compares.</summary>
    /// <param name="topology">The topology's name.</param>
    /// <param name="source">Its source, as KIND:LOCATION.</param>
    /// <param name="folder">An empty folder.</param>
    /// <param name="brokers">Brokers without the topology's topics.</param>
    internal static async Task<SameBytesResult> CompareAsync(
        string topology, string source, string folder, string brokers)
    {
        long started = Stopwatch.GetTimestamp();
        ApplicationHost embedded = await DrainAsync(topology, source, Path.Combine(folder, "embedded"), null);
        TimeSpan first = Stopwatch.GetElapsedTime(started);
        started = Stopwatch.GetTimestamp();
        ApplicationHost kafka = await DrainAsync(topology, source, Path.Combine(folder, "kafka"), brokers);
        TimeSpan second = Stopwatch.GetElapsedTime(started);
        await using var both = new SameBytes(embedded, kafka);
        return both.Compare() with
        {
            EmbeddedSeconds = Math.Round(first.TotalSeconds, 1),
            KafkaSeconds = Math.Round(second.TotalSeconds, 1),
        };
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _embedded.DisposeAsync();
        await _kafka.DisposeAsync();
    }

    private static async Task<ApplicationHost> DrainAsync(
        string topology, string source, string folder, string? brokers)
    {
        RunSettings settings = RunSettingsReader.Read(
            ConfigSection.Empty("same-bytes"), new CommandLineSettings
            {
                Topology = topology,
                Sources = [source],
                Data = folder,
                Kafka = brokers,
                Drain = true,
            }) with
        { Application = Application };
        ApplicationHost host = ApplicationHost.Open(settings, NullLogger.Instance);
        await host.StartAsync(listen: null);
        await host.WaitAsync(drain: true, null, CancellationToken.None);
        host.Application.Stop();
        return host.Application.Failure is { } failure
            ? throw new InvalidOperationException($"The run failed: {failure.Message}", failure)
            : host;
    }

    private SameBytesResult Compare()
    {
        string[] topics = [.. _embedded.Log.Topics.Concat(_kafka.Log.Topics).Select(t => t.Name).Distinct()
            .Where(t => !t.StartsWith($"{Application}-", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal)];
        var counts = new SortedDictionary<string, long>(StringComparer.Ordinal);
        (int keys, int differences, string? firstDifference) = (0, 0, null);
        foreach (string topic in topics)
        {
            Dictionary<UInt128, Chain> expected = Chains(_embedded.Log, topic);
            Dictionary<UInt128, Chain> actual = Chains(_kafka.Log, topic);
            counts[topic] = expected.Values.Sum(c => c.Records);
            keys += expected.Count;
            foreach (UInt128 key in expected.Keys.Union(actual.Keys))
            {
                if (expected.GetValueOrDefault(key) == actual.GetValueOrDefault(key))
                    continue;
                differences++;
                firstDifference ??= Describe(topic, key);
            }
        }
        return new SameBytesResult
        {
            Records = counts.Values.Sum(),
            Keys = keys,
            Differences = differences,
            FirstDifference = firstDifference,
            Topics = counts,
        };
    }

    // One hash over all records of each key, so that millions of keys fit into memory.
    private static Dictionary<UInt128, Chain> Chains(ITopicLog log, string topic)
    {
        var chains = new Dictionary<UInt128, Chain>();
        Read(log, topic, (key, record) =>
        {
            ref Chain chain = ref CollectionsMarshal.GetValueRefOrAddDefault(chains, key, out _);
            chain = new Chain(Hash([.. BitConverter.GetBytes(chain.Hash), .. record]), chain.Records + 1);
        });
        return chains;
    }

    private string Describe(string topic, UInt128 key)
    {
        List<byte[]> expected = [], actual = [];
        foreach ((ITopicLog log, List<byte[]> records) in ((ITopicLog, List<byte[]>)[])
            [(_embedded.Log, expected), (_kafka.Log, actual)])
        {
            Read(log, topic, (of, record) =>
            {
                if (of == key)
                    records.Add(record);
            });
        }
        int at = 0;
        while (at < expected.Count && at < actual.Count && expected[at].AsSpan().SequenceEqual(actual[at]))
            at++;
        return $"{topic}: {expected.Count} records of a key on the embedded log, {actual.Count} on Kafka; "
            + $"record {at}: {Text(expected, at)} and {Text(actual, at)}";
    }

    private static string Text(List<byte[]> records, int at) =>
        at < records.Count ? Convert.ToHexString(records[at]) : "none";

    private static void Read(ITopicLog log, string name, Action<UInt128, byte[]> each)
    {
        if (log.FindTopic(name) is not { } topic)
            return;
        using ILogReader reader = log.OpenReader(ReadLevel.Committed);
        using LogBatch batch = reader.CreateBatch();
        for (int p = 0; p < topic.Partitions; p++)
        {
            long end = log.EndOffset(topic[p], ReadLevel.Committed);
            for (long offset = log.StartOffset(topic[p]); offset < end;)
            {
                if (!reader.Read(topic[p], offset, batch))
                {
                    reader.WaitForMore();
                    continue;
                }
                while (batch.TryRead(out LogRecord record))
                    each(Hash([(byte)(record.HasKey ? 1 : 0), .. record.Key]), Encode(p, record));
                offset = batch.NextOffset;
            }
            reader.Close(topic[p]);
        }
    }

    // Everything but the offset, which on Kafka has gaps. Kafka knows no time before 1 ms after 1970.
    private static byte[] Encode(int partition, in LogRecord record) =>
    [
        .. BitConverter.GetBytes(partition), .. BitConverter.GetBytes(Math.Max(record.TimestampMs, 1)),
        .. BitConverter.GetBytes(record.HasKey ? record.Key.Length : -1), .. record.Key,
        .. BitConverter.GetBytes(record.HasValue ? record.Value.Length : -1), .. record.Value,
        .. record.Headers,
    ];

    private static UInt128 Hash(ReadOnlySpan<byte> bytes) =>
        MemoryMarshal.Read<UInt128>(SHA256.HashData(bytes));

    private readonly record struct Chain(UInt128 Hash, long Records);
}

/// <summary>What a comparison of both logs came to.</summary>
internal sealed record SameBytesResult
{
    public required long Records { get; init; }

    public required int Keys { get; init; }

    public required int Differences { get; init; }

    public required string? FirstDifference { get; init; }

    public required IReadOnlyDictionary<string, long> Topics { get; init; }

    public double EmbeddedSeconds { get; init; }

    public double KafkaSeconds { get; init; }
}
