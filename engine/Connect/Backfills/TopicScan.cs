using Streams.Log;

namespace Streams.Connect.Backfills;

/// <summary>Finds places in a topic by the times of its records.</summary>
public sealed class TopicScan(ILogContents log) : IDisposable
{
    private readonly ILogReader _reader = log.OpenReader();

    /// <summary>The first offset, from one on and before another, whose record has that time or a later one:
    /// everything before it is earlier.</summary>
    /// <returns><paramref name="end"/> where there is none.</returns>
    public long FirstAtOrAfter(TopicPartition partition, long timeMs, long start, long end)
    {
        if (log.OffsetAtOrAfter(partition, timeMs) is { } known && known >= start)
            return Math.Min(known, end);
        using LogBatch batch = _reader.CreateBatch();
        for (long at = start; at < end && _reader.ReadOrWait(partition, at, batch); at = batch.NextOffset)
        {
            while (batch.TryRead(out LogRecord record) && record.Offset < end)
            {
                if (record.TimestampMs >= timeMs)
                    return record.Offset;
            }
        }
        return end;
    }

    /// <summary>The time of the first record from an offset on.</summary>
    /// <returns>Null where there is none.</returns>
    public long? TimeAt(TopicPartition partition, long offset)
    {
        using LogBatch batch = _reader.CreateBatch();
        long end = log.EndOffset(partition);
        for (long at = offset; at < end && _reader.ReadOrWait(partition, at, batch); at = batch.NextOffset)
        {
            if (batch.TryRead(out LogRecord record))
                return record.TimestampMs;
        }
        return null;
    }

    /// <summary>The time of the last record before an offset.</summary>
    /// <param name="partition">Where.</param>
    /// <param name="start">Where the search ends.</param>
    /// <param name="end">The offset; on Kafka, there may be no record just before it.</param>
    /// <returns>Null where there is none from <paramref name="start"/> on.</returns>
    public long? TimeBefore(TopicPartition partition, long start, long end)
    {
        using LogBatch batch = _reader.CreateBatch();
        for (long back = 1; start < end; back *= 8)
        {
            long from = Math.Max(start, end - back);
            long? latest = null;
            for (long at = from; at < end && _reader.ReadOrWait(partition, at, batch); at = batch.NextOffset)
            {
                while (batch.TryRead(out LogRecord record) && record.Offset < end)
                    latest = record.TimestampMs;
            }
            if (latest is not null || from == start)
                return latest;
        }
        return null;
    }

    /// <summary>The latest time of a topic's records.</summary>
    /// <returns>Null where it holds none.</returns>
    public long? LatestTime(Topic topic)
    {
        long? latest = null;
        using LogBatch batch = _reader.CreateBatch();
        for (int p = 0; p < topic.Partitions; p++)
        {
            long at = log.StartOffset(topic[p]);
            for (; _reader.ReadOrWait(topic[p], at, batch); at = batch.NextOffset)
            {
                while (batch.TryRead(out LogRecord record))
                    latest = Math.Max(latest ?? long.MinValue, record.TimestampMs);
            }
        }
        return latest;
    }

    /// <inheritdoc/>
    public void Dispose() => _reader.Dispose();
}
