using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Xunit;

namespace Streams.Tests.Conformance;

/// <summary>
/// The golden scenarios in hours instead of milliseconds. Their rules compare sums of times, so the results
/// are the same in longer units; stores, though, keep such times in many segments.
/// </summary>
public sealed partial class TimeScaleTests
{
    private const long Scale = 100_003;

    // Sliding windows and the self-join count single milliseconds; extracted times stand in values.
    private static readonly string[] NotScalable =
        ["count-sliding", "aggregate-sliding", "emit-final-sliding", "cogroup-sliding",
            "stream-stream-self-join",
            "timestamp-extractor"];

    public static IEnumerable<TheoryDataRow<string>> Operators =>
        ConformanceTopologies.Operators.Except(NotScalable).Order(StringComparer.Ordinal).Select(
            o => new TheoryDataRow<string>(o));

    [Theory]
    [MemberData(nameof(Operators))]
    public void A_longer_unit_of_time_changes_nothing_else(string operatorName)
    {
        // A punctuation's schedule begins anew with the process.
        int restartEvery = operatorName.StartsWith("punctuate", StringComparison.Ordinal) ? 0 : 7;
        foreach (string path in Directory.GetFiles(ConformanceFolder.Path, operatorName + ".jsonl"))
        {
            foreach (string line in File.ReadLines(path))
            {
                Scenario scaled = Scenario.Parse(Scaled(line));
                Assert.Null(ScenarioRunner.FirstDifference(scaled, restartEvery));
            }
        }
    }

    // Every record of a key before the difference is one window, so the scenario starts long after 1970.
    [Theory]
    [InlineData("count-sliding")]
    [InlineData("aggregate-sliding")]
    [InlineData("emit-final-sliding")]
    [InlineData("cogroup-sliding")]
    public void Sliding_windows_are_the_same_wherever_the_borders_of_segments_are(string operatorName)
    {
        foreach (string path in Directory.GetFiles(ConformanceFolder.Path, operatorName + ".jsonl"))
        {
            foreach (string line in File.ReadLines(path))
            {
                List<string> reference = Shifted(line, 86_400_000);
                for (long shift = 86_400_000 + 59_100; shift < 86_400_000 + 60_000; shift += 100)
                    Assert.Equal(reference, Shifted(line, shift));
            }
        }
    }

    private static List<string> Shifted(string line, long shiftMs)
    {
        JsonNode json = JsonNode.Parse(line)!;
        foreach (JsonNode? step in json["steps"]!.AsArray())
            step!["ts"] = step["ts"]!.GetValue<long>() + shiftMs;
        var seen = new List<string>();
        ScenarioRunner.Run(Scenario.Parse(json.ToJsonString()), 0, null, (_, records) => seen.AddRange(
            records.Select(r => (r with
            {
                TimestampMs = r.TimestampMs - shiftMs,
                Key = WindowedKey().Replace(r.Key!, m =>
                    $"@{Time(m.Groups[1]) - shiftMs}/{Time(m.Groups[2]) - shiftMs}"),
            }).ToString())));
        return seen;
    }

    private static string Scaled(string line)
    {
        JsonObject json = JsonNode.Parse(line)!.AsObject();
        foreach ((string name, JsonNode? value) in json["params"]!.AsObject().ToList())
        {
            if (name.EndsWith("_ms", StringComparison.Ordinal))
                json["params"]![name] = value!.GetValue<long>() * Scale;
        }
        foreach (JsonNode? step in json["steps"]!.AsArray())
            ScaleTimes(step!);
        foreach (JsonNode? record in json["expected"]!.AsArray().SelectMany(e => e!.AsArray()))
            ScaleTimes(record!);
        return json.ToJsonString();
    }

    private static void ScaleTimes(JsonNode node)
    {
        foreach (string name in new[] { "ts", "advance_wall_ms" })
        {
            if (node[name] is { } time)
                node[name] = time.GetValue<long>() * Scale;
        }
        if (node["key"] is { } key)
            node["key"] = WindowedKey().Replace(
                key.GetValue<string>(), m => $"@{Time(m.Groups[1]) * Scale}/{Time(m.Groups[2]) * Scale}");
    }

    private static long Time(Group group) => long.Parse(group.Value, CultureInfo.InvariantCulture);

    [GeneratedRegex("@([0-9]+)/([0-9]+)$")]
    private static partial Regex WindowedKey();
}
