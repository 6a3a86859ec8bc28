using System.Globalization;
using System.Text.Json;
using Streams.Tests.Support;
using Xunit;

namespace Streams.Tests.Integration;

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
