using System.Buffers.Binary;
using System.Text;
using Streams.Connect.Backfills;
using Streams.Connect.Evolution;
using Streams.Log;
using Streams.Processing;

namespace Streams.Connect;

/// <summary>How far a group is behind in one partition.</summary>
/// <param name="Group">The application, or a sink.</param>
/// <param name="Topic">The topic.</param>
/// <param name="Partition">The partition.</param>
/// <param name="Position">The next offset to be processed.</param>
/// <param name="End">One past the last offset.</param>
public sealed record PartitionLag(string Group, string Topic, int Partition, long Position, long End)
{
    /// <summary>Records that wait.</summary>
    public long Records => Math.Max(0, End - Position);

    /// <summary>Event time that the records which wait span, to the latest one of the partition: how much of
    /// the feed is still to be processed, whenever it came.</summary>
    public double Seconds { get; init; }

    /// <summary>Event time of the oldest record that waits, Unix milliseconds; null where none
    /// does.</summary>
    public long? OldestMs { get; init; }

    /// <summary>How far event time has come in the partition, Unix milliseconds; null where that is not
    /// known.</summary>
    public long? WatermarkMs { get; init; }

    /// <summary>Whether its watermark is the lowest of the group's partitions: it holds the others up where
    /// they wait for one another.</summary>
    public bool HoldsWatermark { get; init; }
}

/// <summary>How far applications and sinks are behind, from what a log holds: as true of a process that runs
/// as of one that is stopped.</summary>
public static class LagReport
{
    /// <summary>The applications that a log knows.</summary>
    public static IReadOnlyList<string> Applications(ILogContents log) =>
        [.. log.Cursors(ShapeComparison.CursorSource).Select(c => c.Key)];

    /// <summary>The lag of an application, by topic and partition.</summary>
    /// <exception cref="ConfigurationException">The log knows no such application.</exception>
    public static IReadOnlyList<PartitionLag> Of(string application, ILogContents log)
    {
        byte[] recorded = log.Cursors(ShapeComparison.CursorSource)
            .FirstOrDefault(c => c.Key == application).Value ?? throw new ConfigurationException(
                $"There is no application '{application}' here. Applications: "
                + $"{string.Join(", ", Applications(log).DefaultIfEmpty("none"))}.");
        TopologyShape shape = TopologyShape.Read(recorded);
        using var scan = new TopicScan(log);
        Dictionary<(string, int), long> kept = KeptTimes(application, log);
        var lags = new List<PartitionLag>();
        foreach (string name in shape.Sources.Concat(shape.Repartitions).Select(t => t.Name))
        {
            if (log.FindTopic(name) is not { } topic)
                continue;
            string shortName = name.StartsWith(application + "-", StringComparison.Ordinal)
                ? name[(application.Length + 1)..]
                : name;
            for (int p = 0; p < topic.Partitions; p++)
            {
                PartitionLag lag = Measure(application, topic, p, log, scan);
                lags.Add(lag with
                {
                    WatermarkMs = kept.TryGetValue((name, p), out long watermark)
                        || kept.TryGetValue((shortName, p), out watermark) ? watermark
                        : scan.TimeBefore(topic[p], log.StartOffset(topic[p]), lag.Position),
                });
            }
        }
        long? lowest = lags.Min(l => l.WatermarkMs);
        return [.. lags.Select(l => l with { HoldsWatermark = l.WatermarkMs is { } own && own == lowest })];
    }

    /// <summary>The lag of another group, such as a sink, in the topics that it has committed a position
    /// of.</summary>
    public static IReadOnlyList<PartitionLag> OfGroup(string group, ILogContents log)
    {
        using var scan = new TopicScan(log);
        return [.. log.Topics.SelectMany(t => Enumerable.Range(0, t.Partitions)
            .Where(p => log.CommittedOffset(group, t[p]) is not null)
            .Select(p => Measure(group, t, p, log, scan)))];
    }

    private static PartitionLag Measure(
        string group, Topic topic, int partition, ILogContents log, TopicScan scan)
    {
        TopicPartition id = topic[partition];
        long end = log.EndOffset(id);
        long position = Math.Max(log.StartOffset(id), log.CommittedOffset(group, id) ?? 0);
        long? oldest = position < end ? scan.TimeAt(id, position) : null;
        long? latest = oldest is null ? null : scan.TimeBefore(id, position, end);
        return new PartitionLag(group, topic.Name, partition, position, end)
        {
            OldestMs = oldest,
            Seconds = oldest is null || latest is null ? 0 : Math.Max(0,
                latest.Value - oldest.Value) / 1_000.0,
        };
    }

    // The times that tasks keep of their inputs.
    private static Dictionary<(string Topic, int Partition), long> KeptTimes(
        string application, ILogContents log)
    {
        var found = new Dictionary<(string, int), long>();
        Topic? topic = log.FindTopic($"{application}-{Topology.StreamTimeStore}-changelog");
        using ILogReader reader = log.OpenReader();
        using LogBatch batch = reader.CreateBatch();
        for (int p = 0; p < (topic?.Partitions ?? 0); p++)
        {
            long at = log.StartOffset(topic![p]);
            for (; reader.ReadOrWait(topic[p], at, batch); at = batch.NextOffset)
            {
                while (batch.TryRead(out LogRecord record))
                {
                    string key = Encoding.UTF8.GetString(record.Key);
                    if (!key.StartsWith("input/", StringComparison.Ordinal))
                        continue;
                    if (record.Value.Length == sizeof(long))
                        found[(key["input/".Length..], p)] = BinaryPrimitives.ReadInt64LittleEndian(
                            record.Value);
                    else
                        found.Remove((key["input/".Length..], p));
                }
            }
        }
        return found;
    }
}
