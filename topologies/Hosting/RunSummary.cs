using System.Globalization;
using System.Text.Json;
using Streams.Connect;

namespace Streams.Topologies.Hosting;

/// <summary>What a process has taken in and put out; the counts of it add up.</summary>
internal sealed record RunSummary
{
    internal required TimeSpan Elapsed { get; init; }

    internal required IReadOnlyList<(string Source, SourceCounts Counts)> Sources { get; init; }

    internal required IReadOnlyList<(string Sink, long Records)> Sinks { get; init; }

    /// <summary>Records that were added to each topic.</summary>
    internal required IReadOnlyList<(string Topic, long Records)> Topics { get; init; }

    /// <summary>Counts of the topology's own.</summary>
    internal required IReadOnlyDictionary<string, long> Topology { get; init; }

    /// <summary>Records that became dead letters.</summary>
    internal long DeadLetters => Topics.Where(t => t.Topic.EndsWith(".dead-letter", StringComparison.Ordinal)).Sum(t => t.Records);

    /// <summary>Writes it for people.</summary>
    internal void Write(TextWriter to)
    {
        to.WriteLine(string.Create(CultureInfo.InvariantCulture, $"done in {Elapsed.TotalSeconds:F1} s"));
        foreach ((string source, SourceCounts counts) in Sources)
        {
            Line(to, $"source {source}", "bytes", counts.Bytes);
            foreach ((string what, long count) in counts.Own)
                Line(to, "", what.Replace('_', ' '), count);
            Line(to, "", "records", counts.Records);
            Line(to, "", "dead letters", counts.DeadLetters);
            Line(to, "", "left out", counts.Skipped);
        }
        foreach ((string what, long count) in Topology)
            Line(to, "topology", what, count);
        foreach ((string topic, long records) in Topics)
            Line(to, $"topic {topic}", "records", records);
        foreach ((string sink, long records) in Sinks)
            Line(to, $"sink {sink}", "records", records);
    }

    /// <summary>Writes it for scripts: one line of JSON.</summary>
    internal void WriteJson(TextWriter to) => to.WriteLine(JsonSerializer.Serialize(new
    {
        elapsed_seconds = Elapsed.TotalSeconds,
        sources = Sources.ToDictionary(s => s.Source, s => new Dictionary<string, long>(s.Counts.Own)
        {
            ["bytes"] = s.Counts.Bytes,
            ["records"] = s.Counts.Records,
            ["dead_letters"] = s.Counts.DeadLetters,
            ["left_out"] = s.Counts.Skipped,
        }),
        topology = Topology,
        topics = Topics.ToDictionary(t => t.Topic, t => t.Records),
        sinks = Sinks.ToDictionary(s => s.Sink, s => s.Records),
    }));

    private static void Line(TextWriter to, string group, string what, long count) =>
        to.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {group,-32} {what,-24} {count,16:N0}"));
}
