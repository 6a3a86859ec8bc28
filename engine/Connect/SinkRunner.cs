using System.Diagnostics;
using Streams.Log;
using Streams.Telemetry;

namespace Streams.Connect;

/// <summary>Runs one sink: reads what is durable, writes it, commits target and positions.</summary>
internal sealed class SinkRunner(SinkBinding binding, ITopicLog log, LogRoom room, SinkOptions options) : IComponent
{
    private static readonly TimeSpan IdleWait = TimeSpan.FromMilliseconds(20);

    private readonly Dictionary<TopicPartition, long> _positions = [];
    private long _written;

    public string Name => binding.Name;

    /// <summary>Records committed to the target since this process started.</summary>
    internal long Written => Interlocked.Read(ref _written);

    public void Run(CancellationToken cancellation)
    {
        using ISink sink = binding.Create();
        List<Topic> topics = [.. binding.Topics.Select(Find)];
        sink.Open(new SinkContext(binding.Name, log, topics));
        using ILogWriter writer = log.OpenWriter($"sink-{binding.Name}");
        using ILogReader reader = log.OpenReader(ReadLevel.Durable);
        using LogBatch batch = reader.CreateBatch();
        Seek(sink, topics);
        CommitPositions(writer, cancellation);
        int waiting = 0;
        long due = long.MaxValue;
        while (!cancellation.IsCancellationRequested)
        {
            int read = ReadOnce(sink, topics, reader, batch);
            waiting += read;
            if (due == long.MaxValue && waiting > 0)
                due = Stopwatch.GetTimestamp() + (long)(options.CommitInterval.TotalSeconds * Stopwatch.Frequency);
            if (waiting > 0 && (read == 0 || waiting >= options.CommitRecordsMax || Stopwatch.GetTimestamp() >= due))
            {
                Commit(sink, writer, waiting, cancellation);
                waiting = 0;
                due = long.MaxValue;
            }
            if (read == 0)
                cancellation.WaitHandle.WaitOne(IdleWait);
        }
        if (waiting > 0)
            Commit(sink, writer, waiting, CancellationToken.None);
    }

    private Topic Find(string name) => log.FindTopic(name) ?? throw new ConfigurationException(
        $"The sink '{binding.Name}' wants the topic '{name}', which does not exist. " +
        $"Topics: {string.Join(", ", log.Topics.Select(t => t.Name))}.");

    private void Seek(ISink sink, List<Topic> topics)
    {
        _positions.Clear();
        foreach (Topic topic in topics)
        {
            for (int p = 0; p < topic.Partitions; p++)
            {
                TopicPartition partition = topic[p];
                _positions[partition] = sink.Position(topic, p)
                    ?? log.CommittedOffset(binding.Name, partition) ?? log.StartOffset(partition);
            }
        }
    }

    private int ReadOnce(ISink sink, List<Topic> topics, ILogReader reader, LogBatch batch)
    {
        int count = 0;
        foreach (Topic topic in topics)
        {
            for (int p = 0; p < topic.Partitions; p++)
            {
                TopicPartition partition = topic[p];
                if (!reader.Read(partition, _positions[partition], batch))
                    continue;
                count += sink.Write(topic, batch);
                _positions[partition] = batch.NextOffset;
            }
        }
        return count;
    }

    // Also at the start: the target may be ahead of the log, when the process ended between the two commits.
    private void CommitPositions(ILogWriter writer, CancellationToken cancellation)
    {
        foreach ((TopicPartition partition, long offset) in _positions)
        {
            if (log.CommittedOffset(binding.Name, partition) != offset)
                writer.CommitOffset(binding.Name, partition, offset);
        }
        writer.CommitWhenRoom(options.LogFullRetry, room, cancellation);
    }

    // The target first: a position that runs ahead of the target would lose records, one behind repeats a commit
    // that the target recognises.
    private void Commit(ISink sink, ILogWriter writer, int records, CancellationToken cancellation)
    {
        long started = Stopwatch.GetTimestamp();
        sink.Commit(_positions, new SinkCursors(writer, binding.Name));
        CommitPositions(writer, cancellation);
        Interlocked.Add(ref _written, records);
        EngineMeter.RecordCommit(binding.Name, Stopwatch.GetElapsedTime(started));
        EngineMeter.RecordWritten(binding.Name, records);
    }
}
