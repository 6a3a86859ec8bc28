using Streams.Log;

namespace Streams.Benchmarks.EndToEnd;

/// <summary>Says which topics the bytes of a log are in.</summary>
internal static class TopicCensus
{
    /// <summary>Records and the bytes of their keys and values in each topic, as far as they are still
    /// kept.</summary>
    internal static Dictionary<string, string> Take(ITopicLog log)
    {
        using ILogReader reader = log.OpenReader(ReadLevel.Committed);
        using LogBatch batch = reader.CreateBatch();
        var census = new Dictionary<string, string>();
        foreach (Topic topic in log.Topics)
        {
            long records = 0;
            long bytes = 0;
            for (int partition = 0; partition < topic.Partitions; partition++)
            {
                long offset = log.StartOffset(topic[partition]);
                while (reader.Read(topic[partition], offset, batch))
                {
                    while (batch.TryRead(out LogRecord record))
                    {
                        records++;
                        bytes += record.Key.Length + record.Value.Length;
                    }
                    offset = batch.NextOffset;
                }
            }
            census[topic.Name] = $"{records:N0} records of {bytes / Math.Max(1, records)} B, {bytes:N0} B";
        }
        return census;
    }
}
