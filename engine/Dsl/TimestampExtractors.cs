using Streams.Processing;

namespace Streams.Dsl;

/// <summary>Ways to judge a record's time, for <see cref="Consumed{TKey, TValue}.TimestampExtractor"/>. What
/// they give depends on the records alone, so the same input gives the same times.</summary>
public static class TimestampExtractors
{
    /// <summary>The log's time; for a record that has none (a negative one) the highest time of its partition
    /// so far. Before the first time the record is left out.</summary>
    /// <remarks>Kafka Streams' UsePartitionTimeOnInvalidTimestamp.</remarks>
    public static TimestampExtractor<TKey, TValue> PartitionTimeWhereInvalid<TKey, TValue>() =>
        static (in record, partitionTimeMs) =>
            record.TimestampMs >= 0 ? record.TimestampMs : partitionTimeMs;

    /// <summary>The log's time; a record that is further ahead of its partition's time than that is left out,
    /// so that one wrong clock does not make everybody else late.</summary>
    /// <remarks>The first record of a partition is always taken: nothing says yet that it is wrong.</remarks>
    /// <param name="ahead">At least a millisecond; more than the longest silence that is expected.</param>
    public static TimestampExtractor<TKey, TValue> NoFurtherAheadThan<TKey, TValue>(TimeSpan ahead)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(ahead, TimeSpan.FromMilliseconds(1));
        long aheadMs = (long)ahead.TotalMilliseconds;
        return (in record, partitionTimeMs) =>
            partitionTimeMs >= 0 && record.TimestampMs - partitionTimeMs > aheadMs ? -1 : record.TimestampMs;
    }
}
