using System.Diagnostics;

namespace Streams.Log;

/// <summary>Reads that have to find what is there.</summary>
public static class LogReading
{
    private static readonly TimeSpan WaitMax = TimeSpan.FromMinutes(1);

    /// <summary>Reads on, and waits where the log does not know yet what lies there: one that fetches ahead
    /// has it a moment later.</summary>
    /// <param name="reader">The reader.</param>
    /// <param name="partition">Where from.</param>
    /// <param name="offset">The first offset wanted.</param>
    /// <param name="batch">Filled when the result is true; it may be empty where only the ends of
    /// transactions were passed.</param>
    /// <param name="until">An offset that must be reached, such as the high watermark: what is undecided up
    /// to it is waited for.</param>
    /// <returns>False where the partition ends.</returns>
    /// <exception cref="LogInterruptedException">The log did not answer for a minute.</exception>
    public static bool ReadOrWait(
        this ILogReader reader, TopicPartition partition, long offset, LogBatch batch, long until = 0)
    {
        long started = 0;
        while (!reader.Read(partition, offset, batch))
        {
            if (offset >= until && reader.Lag(partition, offset) is 0)
                return false;
            started = started == 0 ? Stopwatch.GetTimestamp() : started;
            if (Stopwatch.GetElapsedTime(started) > WaitMax)
                throw new LogInterruptedException(
                    $"The log did not say within {WaitMax.TotalSeconds:N0} s what lies at offset {offset:N0} "
                    + $"of partition {partition.Partition}.");
            reader.WaitForMore();
        }
        return true;
    }
}
