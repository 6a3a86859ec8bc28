using System.Globalization;
using Streams.Connect;
using Streams.Connect.Backfills;
using Streams.Log;

namespace Streams.Topologies.Commands;

/// <summary>Which records of a partition are wanted.</summary>
/// <param name="From">The first offset, negative from the end, or a time.</param>
/// <param name="To">The offset or the time to end before; null for the end.</param>
/// <param name="Count">How many at most, over all partitions.</param>
/// <param name="Key">The key; null for any.</param>
internal sealed record TapRange(string From, string? To, long Count, string? Key)
{
    /// <summary>The offsets in a partition.</summary>
    /// <exception cref="ConfigurationException">One of them is no offset and no time.</exception>
    internal (long From, long To) In(ILogContents log, TopicPartition partition)
    {
        long start = log.StartOffset(partition);
        long end = log.EndOffset(partition);
        return (Find(From, "--from"), To is null ? end : Find(To, "--to"));

        long Find(string text, string option)
        {
            if (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture,
                out long offset))
                return Math.Clamp(offset < 0 ? end + offset : offset, start, end);
            if (!DateTimeOffset.TryParse(
                text, CultureInfo.InvariantCulture,
                DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out DateTimeOffset time))
                throw new ConfigurationException(
                    $"{option} {text}: give an offset such as 1200 or -10, or a time such as "
                    + "2026-11-20T06:00Z.");
            using var scan = new TopicScan(log);
            return scan.FirstAtOrAfter(partition, time.ToUnixTimeMilliseconds(), start, end);
        }
    }
}
