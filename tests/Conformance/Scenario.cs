using System.IO.Compression;
using System.Text;
using System.Text.Json;
using Streams.Log;
using Streams.Records;

namespace Streams.Tests.Conformance;

/// <summary>A golden scenario: what was put in, step by step, and what Kafka Streams' own test driver gave
/// out.</summary>
public sealed record Scenario(
    string Id, string Operator, JsonElement Parameters, IReadOnlyList<Step> Steps,
    IReadOnlyList<IReadOnlyList<Emitted>> Expected)
{
    /// <summary>Reads all scenarios of the *.jsonl and *.jsonl.gz files of a folder, by operator.</summary>
    public static SortedDictionary<string, List<Scenario>> ReadFolder(string folder)
    {
        var scenarios = new SortedDictionary<string, List<Scenario>>(StringComparer.Ordinal);
        foreach (string path in Directory.GetFiles(folder, "*.jsonl*").Order(StringComparer.Ordinal))
        {
            foreach (string line in ReadLines(path))
            {
                Scenario scenario = Parse(line);
                if (!scenarios.TryGetValue(scenario.Operator, out List<Scenario>? list))
                    scenarios[scenario.Operator] = list = [];
                list.Add(scenario);
            }
        }
        return scenarios;
    }

    /// <summary>A parameter that is a number.</summary>
    public long Number(string name) => Parameters.GetProperty(name).GetInt64();

    /// <summary>A parameter that is text.</summary>
    public string Text(string name) => Parameters.GetProperty(name).GetString()!;

    /// <summary>Whether there is such a parameter.</summary>
    public bool Has(string name) => Parameters.TryGetProperty(name, out _);

    /// <summary>A parameter that is a duration in milliseconds.</summary>
    public TimeSpan Duration(string name) => TimeSpan.FromMilliseconds(Number(name));

    private static IEnumerable<string> ReadLines(string path)
    {
        using Stream file = File.OpenRead(path);
        using Stream content = path.EndsWith(".gz", StringComparison.Ordinal)
            ? new GZipStream(file, CompressionMode.Decompress)
            : file;
        using var reader = new StreamReader(content);
        while (reader.ReadLine() is { } line)
        {
            if (line.Length > 0)
                yield return line;
        }
    }

    /// <summary>Reads one line of such a file.</summary>
    internal static Scenario Parse(string line)
    {
        JsonElement json = JsonDocument.Parse(line).RootElement;
        return new Scenario(
            json.GetProperty("id").GetString()!,
            json.GetProperty("operator").GetString()!,
            json.GetProperty("params"),
            [.. json.GetProperty("steps").EnumerateArray().Select(Step.Parse)],
            [.. json.GetProperty("expected").EnumerateArray().Select(
                IReadOnlyList<Emitted> (step) => [.. step.EnumerateArray().Select(Emitted.Parse)])]);
    }
}

/// <summary>A record to put in, or an advance of the wall clock.</summary>
public sealed record Step(Emitted? Record, long AdvanceMs)
{
    internal static Step Parse(JsonElement json) =>
        json.TryGetProperty("advance_wall_ms", out JsonElement advance)
        ? new Step(null, advance.GetInt64())
        : new Step(Emitted.Parse(json), 0);
}

/// <summary>A record with key and value as text.</summary>
public sealed record Emitted(string Topic, string? Key, string? Value, long TimestampMs, string Headers)
{
    /// <inheritdoc/>
    public override string ToString() =>
        $"{Topic}: {Key ?? "null"} = {Value ?? "null"} @{TimestampMs}{(Headers.Length > 0 ? $" " +
            $"[{Headers}]" : "")}";

    /// <summary>A record as it was read with serdes.</summary>
    internal static Emitted Of(string topic, in Record<string, string> record) => new(
        topic, record.HasKey ? record.Key : null, record.HasValue ? record.Value : null, record.TimestampMs,
        Text(record.Headers));

    /// <summary>A record as it is in a log.</summary>
    internal static Emitted Of(string topic, in LogRecord record) => new(
        topic, record.HasKey ? Encoding.UTF8.GetString(record.Key) : null,
        record.HasValue ? Encoding.UTF8.GetString(record.Value) : null, record.TimestampMs,
        Text(record.Headers.IsEmpty ? default : new Headers(record.Headers.ToArray())));

    /// <summary>The headers as records carry them.</summary>
    internal Headers EncodedHeaders()
    {
        Headers headers = default;
        foreach (string header in Headers.Split(',', StringSplitOptions.RemoveEmptyEntries))
            headers = headers.With(header[..header.IndexOf('=')], header[(header.IndexOf('=') + 1)..]);
        return headers;
    }

    private static string Text(Headers headers)
    {
        var texts = new List<string>();
        foreach (Headers.Header header in headers)
            texts.Add($"{Encoding.UTF8.GetString(header.Name)}={Encoding.UTF8.GetString(header.Value)}");
        return string.Join(",", texts);
    }

    internal static Emitted Parse(JsonElement json) => new(
        json.GetProperty("topic").GetString()!,
        json.GetProperty("key").GetString(),
        json.GetProperty("value").GetString(),
        json.GetProperty("ts").GetInt64(),
        json.TryGetProperty("headers", out JsonElement headers)
            ? string.Join(",", headers.EnumerateArray().Select(h => $"{h[0].GetString()}={h[1].GetString()}"))
            : "");
}
