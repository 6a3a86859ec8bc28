using System.Diagnostics;
using Streams.Log;

namespace Streams.Benchmarks.EndToEnd;

/// <summary>
/// Feeds a topic at a steady rate and says how long records take from the commit that brought them to the
/// durable commit that holds what became of them. A record's time says when it was due, so a feed that falls
/// behind does not hide what others had to wait for.
/// </summary>
internal sealed class LatencyRun(ITopicLog log, string input, string output, int rate)
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(2);

    private const long BaseMs = 1_700_000_000_000;

    private readonly List<double> _milliseconds = [];
    private readonly long _origin = Stopwatch.GetTimestamp();
    private volatile bool _isFed;

    /// <summary>Feeds for some seconds and measures what comes out.</summary>
    /// <param name="seconds">How long.</param>
    /// <param name="warmUpSeconds">How long at the beginning does not count.</param>
    /// <param name="append">Adds the record of a number and a time, Unix milliseconds, to a writer.</param>
    /// <returns>Milliseconds, ascending.</returns>
    internal IReadOnlyList<double> Run(int seconds, int warmUpSeconds, Action<ILogWriter, int, long> append)
    {
        var feed = new Thread(() => Feed(seconds, append)) { Name = "feed" };
        feed.Start();
        Watch(BaseMs + warmUpSeconds * 1_000L);
        feed.Join();
        _milliseconds.Sort();
        return _milliseconds;
    }

    /// <summary>The value that so many percent are at or below.</summary>
    internal static double Percentile(IReadOnlyList<double> sorted, double percent) =>
        Math.Round(
            sorted[Math.Clamp((int)Math.Ceiling(sorted.Count * percent / 100) - 1, 0, sorted.Count - 1)], 1);

    private double NowMs => BaseMs + Stopwatch.GetElapsedTime(_origin).TotalMilliseconds;

    private void Feed(int seconds, Action<ILogWriter, int, long> append)
    {
        using ILogWriter writer = log.OpenWriter("feed");
        long total = (long)rate * seconds;
        for (int sent = 0; sent < total;)
        {
            long due = Math.Min(total, (long)((NowMs - BaseMs) * rate / 1_000));
            for (; sent < due; sent++)
                append(writer, sent, BaseMs + sent * 1_000L / rate);
            writer.Commit();
            Thread.Sleep(Tick);
        }
        _isFed = true;
    }

    private void Watch(long fromMs)
    {
        using ILogReader reader = log.OpenReader(ReadLevel.Durable);
        using LogBatch batch = reader.CreateBatch();
        Topic topic = log.FindTopic(output)!;
        long[] positions = new long[topic.Partitions];
        for (double lastSeen = NowMs; !_isFed || NowMs - lastSeen < 1_000;)
        {
            bool found = false;
            for (int p = 0; p < positions.Length; p++)
            {
                if (!reader.Read(topic[p], positions[p], batch))
                    continue;
                found = true;
                double now = lastSeen = NowMs;
                while (batch.TryRead(out LogRecord record))
                {
                    if (record.TimestampMs >= fromMs)
                        _milliseconds.Add(now - record.TimestampMs);
                }
                positions[p] = batch.NextOffset;
            }
            if (!found)
                Thread.Sleep(1);
        }
        if (_milliseconds.Count == 0)
            throw new InvalidOperationException($"Nothing of {input} came out at {output}.");
    }
}
