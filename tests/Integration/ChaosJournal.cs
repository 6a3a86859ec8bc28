using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Streams.Tests.Support;
using Xunit;

namespace Streams.Tests.Integration;

/// <summary>Numbers that grow with each key, sent by Kafka's own producer until it is told to stop.</summary>
internal sealed class ChaosFeed : IDisposable
{
    internal const int Keys = 50;

    private const int NumbersPerSecond = 400;
    private const int NumbersAtOnce = 20;

    private readonly List<long>[] _sent = [.. Enumerable.Range(0, Keys).Select(_ => new List<long>())];
    private readonly Process _producer;
    private readonly int _seed;

    internal ChaosFeed(KafkaCluster cluster, int seed, ChaosJournal journal)
    {
        _seed = seed;
        _producer = cluster.StartTool(
            "console-producer", "--topic", KafkaWorker.Input, "--property", "parse.key=true",
            "--producer-property", "enable.idempotence=true", "--producer-property",
            "delivery.timeout.ms=240000", "--producer-property", "max.block.ms=240000",
            "--message-send-max-retries", "1000000");
        // It stands still when nobody takes what it says.
        _producer.OutputDataReceived += (_, line) => journal.Write($"producer: {line.Data}");
        _producer.BeginOutputReadLine();
    }

    /// <summary>The numbers of each key, in order; complete once the sending has ended.</summary>
    internal IReadOnlyList<IReadOnlyList<long>> Sent => _sent;

    internal int Total => _sent.Sum(s => s.Count);

    internal Task SendAsync(CancellationToken over) => Task.Run(() => Send(over), CancellationToken.None);

    public void Dispose()
    {
        if (!_producer.HasExited)
            _producer.Kill(entireProcessTree: true);
        _producer.Dispose();
    }

    private void Send(CancellationToken over)
    {
        var random = new Random(_seed);
        for (long number = 0; !over.IsCancellationRequested; number++)
        {
            int key = random.Next(Keys);
            _producer.StandardInput.Write($"k{key}\t{number}\n");
            _sent[key].Add(number);
            if (number % NumbersAtOnce == 0)
            {
                _producer.StandardInput.Flush();
                Thread.Sleep(NumbersAtOnce * 1_000 / NumbersPerSecond);
            }
        }
        _producer.StandardInput.Close();
        Assert.True(_producer.WaitForExit(TimeSpan.FromMinutes(5)), "Kafka's producer does not end.");
    }
}

/// <summary>Compares what was sent with what Kafka's own consumer and SQL find.</summary>
internal static class ChaosCheck
{
    /// <summary>Lets the database number the rows as they come, so that their order can be seen.</summary>
    internal static async Task NumberRowsAsync(PostgresServer server, string database)
    {
        string[] tables = [KafkaWorkerTables.AllSums, KafkaWorkerTables.AllCounts];
        for (int i = 0; server.Number(database, $"""
            SELECT count(*) FROM pg_tables WHERE tablename IN ('{string.Join("', '", tables)}')
            """) < tables.Length; i++)
        {
            Assert.True(i < 120, "No worker makes its tables.");
            await Task.Delay(500);
        }
        foreach (string table in tables)
            server.Execute(database, $"ALTER TABLE {table} ADD COLUMN arrived bigserial");
    }

    /// <summary>Waits until the tables have as many rows as there are numbers.</summary>
    internal static async Task WaitForRowsAsync(PostgresServer server, string database, int total)
    {
        for (int i = 0; Rows(server, database) < 2L * total; i++)
        {
            Assert.True(
                i < 120,
                $"The tables have {Rows(server, database):N0} rows of {2L * total:N0} and get no more.");
            await Task.Delay(500);
        }
    }

    /// <summary>Checks the topics.</summary>
    internal static void Topics(KafkaCluster cluster, IReadOnlyList<IReadOnlyList<long>> sent, string which)
    {
        Dictionary<string, List<string>> sums = Read(cluster, KafkaWorker.Sums, SumText);
        Dictionary<string, List<string>> counts = Read(cluster, KafkaWorker.Counts, CountText);
        Compare(sums, counts, sent, $"Kafka, {which}");
    }

    /// <summary>Checks the tables: those that are added to row by row, the one of last rows as a
    /// whole.</summary>
    internal static void Tables(
        PostgresServer server, string database, IReadOnlyList<IReadOnlyList<long>> sent, string which)
    {
        Dictionary<string, List<string>> sums = Read(
            server.Query(database, $"""
                SELECT name, count || ':' || sum || ':' || last FROM {KafkaWorkerTables.AllSums}
                ORDER BY arrived
                """));
        Dictionary<string, List<string>> counts = Read(
            server.Query(
                database, $"SELECT name, count FROM {KafkaWorkerTables.AllCounts} ORDER BY arrived"));
        Compare(sums, counts, sent, $"PostgreSQL, {which}");
        Assert.Equal(
            Enumerable.Range(0, ChaosFeed.Keys).Where(k => sent[k].Count > 0)
                .Select(k => $"k{k}|{Sums(sent[k])[^1]}").Order(StringComparer.Ordinal),
            server.Query(
                database, $"""
                SELECT name, count || ':' || sum || ':' || last FROM {KafkaWorkerTables.LastSums}
                """).Order(StringComparer.Ordinal));
    }

    private static long Rows(PostgresServer server, string database) => server.Number(database, $"""
        SELECT (SELECT count(*) FROM {KafkaWorkerTables.AllSums})
          + (SELECT count(*) FROM {KafkaWorkerTables.AllCounts})
        """);

    private static void Compare(
        Dictionary<string, List<string>> sums, Dictionary<string, List<string>> counts,
        IReadOnlyList<IReadOnlyList<long>> sent, string which)
    {
        for (int key = 0; key < ChaosFeed.Keys; key++)
            AssertSame(Sums(sent[key]), sums.GetValueOrDefault($"k{key}") ?? [], $"k{key}, {which}");
        for (int group = 0; group < KafkaWorker.Groups; group++)
        {
            int total = Enumerable.Range(0, ChaosFeed.Keys).Where(k => k % KafkaWorker.Groups == group)
                .Sum(k => sent[k].Count);
            string[] expected = [.. Enumerable.Range(1, total).Select(n => $"{n}")];
            AssertSame(expected, counts.GetValueOrDefault($"g{group}") ?? [], $"g{group}, {which}");
        }
    }

    private static string[] Sums(IReadOnlyList<long> numbers)
    {
        long sum = 0;
        return [.. numbers.Select((number, i) => string.Create(
            CultureInfo.InvariantCulture, $"{i + 1}:{sum += number}:{number}"))];
    }

    private static void AssertSame(string[] expected, List<string> actual, string where)
    {
        if (expected.SequenceEqual(actual))
            return;
        int at = Enumerable.Range(0, Math.Max(expected.Length, actual.Count)).First(
            i => expected.ElementAtOrDefault(i) != actual.ElementAtOrDefault(i));
        Assert.Fail(
            $"{where}: {expected.Length} expected, {actual.Count} found; at {at}: "
            + $"'{expected.ElementAtOrDefault(at)}' expected, "
            + $"found '{string.Join(' ', actual.Skip(Math.Max(0, at - 2)).Take(6))}'");
    }

    // Partition:3<tab>k7<tab>{"name":"k7",...}
    private static Dictionary<string, List<string>> Read(
        KafkaCluster cluster, string topic, Func<JsonElement, string> text)
    {
        var records = new Dictionary<string, List<string>>(StringComparer.Ordinal);
        foreach (string line in cluster.Consume(topic))
        {
            string[] parts = line.Split('\t');
            using JsonDocument value = JsonDocument.Parse(parts[2]);
            Add(records, parts[1], text(value.RootElement));
        }
        return records;
    }

    private static Dictionary<string, List<string>> Read(List<string> rows)
    {
        var records = new Dictionary<string, List<string>>(StringComparer.Ordinal);
        foreach (string row in rows)
            Add(records, row[..row.IndexOf('|')], row[(row.IndexOf('|') + 1)..]);
        return records;
    }

    private static void Add(Dictionary<string, List<string>> records, string key, string value)
    {
        if (!records.TryGetValue(key, out List<string>? values))
            records.Add(key, values = []);
        values.Add(value);
    }

    private static string SumText(JsonElement value) =>
        $"{Number(value, "count")}:{Number(value, "sum")}:{Number(value, "last")}";

    private static string CountText(JsonElement value) => Number(value, "count");

    private static string Number(JsonElement value, string name) =>
        value.TryGetProperty(name, out JsonElement number) ? number.ToString() : "0";
}

/// <summary>What happened, by time; also in the file that STREAMS_TEST_JOURNAL names. Thread-safe.</summary>
internal sealed class ChaosJournal
{
    private static readonly string? File = Environment.GetEnvironmentVariable("STREAMS_TEST_JOURNAL");

    private readonly List<string> _lines = [];
    private readonly SortedDictionary<string, int> _done = new(StringComparer.Ordinal);

    internal string Summary => string.Join(", ", _done.Select(d => $"{d.Value} {d.Key}"));

    internal bool Has(string what) => _done.ContainsKey(what);

    internal void Note(string what, string whom)
    {
        _done[what] = _done.GetValueOrDefault(what) + 1;
        Write($"==== {what}: {whom}");
    }

    internal void Write(string line)
    {
        lock (_lines)
        {
            _lines.Add($"{DateTime.UtcNow:HH:mm:ss.fff} {line}");
            if (File is not null)
                System.IO.File.AppendAllText(File, _lines[^1] + "\n");
        }
    }

    internal string Tail(int lines)
    {
        lock (_lines)
            return string.Join('\n', _lines.TakeLast(lines));
    }
}
