using System.Text;
using Streams.Log;
using Streams.Processing;

namespace Streams.Connect.Evolution;

/// <summary>An event time that a task keeps over a restart, as it is carried from one topic to a wider
/// one.</summary>
/// <param name="Partition">The task's partition.</param>
/// <param name="Key">What it is the time of.</param>
/// <param name="Value">The time as the changelog has it.</param>
internal sealed record KeptTime(int Partition, string Key, byte[] Value);

/// <summary>The changelog of stream times, which all tasks of a partition share: it outlives the stores whose
/// times are in it, and must be as wide as the widest part.</summary>
internal sealed class StreamTimes(string application, ITopicLog log)
{
    private string TopicName => $"{application}-{Topology.StreamTimeStore}-changelog";

    /// <summary>How many partitions it has; null where there is none yet.</summary>
    internal int? Partitions => log.FindTopic(TopicName)?.Partitions;

    /// <summary>The times, without those of stores that go.</summary>
    internal IReadOnlyList<KeptTime> Read(IReadOnlyList<Removal> removals)
    {
        var kept = new SortedDictionary<(int, string), KeptTime>();
        foreach (KeptTime time in Records())
        {
            if (time.Value.Length == 0 || IsOf(removals, time.Key))
                kept.Remove((time.Partition, time.Key));
            else
                kept[(time.Partition, time.Key)] = time;
        }
        return [.. kept.Values];
    }

    /// <summary>Adds to a commit that the times of stores which go are no more, so that a later store of such
    /// a name begins without them.</summary>
    internal void Forget(ILogWriter writer, IReadOnlyList<Removal> removals)
    {
        if (log.FindTopic(TopicName) is not { } topic)
            return;
        foreach ((int partition, string key) in Records().Where(t => IsOf(removals, t.Key))
            .Select(t => (t.Partition, t.Key)).Distinct())
            Append(writer, topic[partition], key, null);
    }

    /// <summary>Makes the topic anew, and adds to a commit what is kept.</summary>
    internal void Widen(ILogWriter writer, IReadOnlyList<KeptTime> times, int partitions)
    {
        log.DeleteTopic(TopicName);
        Topic topic = log.EnsureTopic(TopicSetup.ChangelogOf(TopicName, partitions, compacted: true));
        foreach (KeptTime time in times)
            Append(writer, topic[time.Partition], time.Key, time.Value);
    }

    private List<KeptTime> Records()
    {
        var found = new List<KeptTime>();
        Topic? topic = log.FindTopic(TopicName);
        using ILogReader reader = log.OpenReader(ReadLevel.Committed);
        using LogBatch batch = reader.CreateBatch();
        for (int p = 0; p < (topic?.Partitions ?? 0); p++)
        {
            long offset = log.StartOffset(topic![p]);
            long end = log.HighWatermark(topic[p]);
            while (offset < end)
            {
                if (!reader.Read(topic[p], offset, batch))
                {
                    reader.WaitForMore();
                    continue;
                }
                offset = batch.NextOffset;
                while (batch.TryRead(out LogRecord record))
                {
                    byte[] value = record.HasValue ? record.Value.ToArray() : [];
                    found.Add(new KeptTime(p, Encoding.UTF8.GetString(record.Key), value));
                }
            }
        }
        return found;
    }

    private static void Append(ILogWriter writer, TopicPartition partition, string key, byte[]? value) =>
        writer.Append(partition, new LogRecord
        {
            TimestampMs = 0,
            HasKey = true,
            Key = Encoding.UTF8.GetBytes(key),
            HasValue = value is not null,
            Value = value ?? [],
        });

    private static bool IsOf(IReadOnlyList<Removal> removals, string key) => removals.Any(
        r => r.Store is { } store && (key == $"observed/{store}" || key == $"operator/{store}"
            || key.StartsWith($"clock/{store}/", StringComparison.Ordinal)));
}
