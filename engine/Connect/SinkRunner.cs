using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Streams.Log;
using Streams.Telemetry;

namespace Streams.Connect;

/// <summary>What the sinks of an application share.</summary>
/// <param name="Log">Where they read.</param>
/// <param name="Room">Told when a commit waits for room.</param>
/// <param name="Options">How they are run.</param>
/// <param name="Times">Knows when records were committed.</param>
/// <param name="Logger">Told what operators should know.</param>
internal sealed record SinkEnvironment(
    ITopicLog Log, LogRoom Room, SinkOptions Options, CommitTimes Times, ILogger Logger);

/// <summary>Runs one sink: reads what is durable, writes it, commits target and positions.</summary>
internal sealed class SinkRunner(SinkBinding binding, SinkEnvironment environment) : IComponent
{
    private static readonly TimeSpan IdleWait = TimeSpan.FromMilliseconds(20);

    private readonly ITopicLog _log = environment.Log;
    private readonly SinkOptions _options = environment.Options;
    private readonly Dictionary<TopicPartition, long> _positions = [];
    private readonly Dictionary<TopicPartition, long> _committed = [];
    private volatile bool _isReady;
    private long _written;

    public string Name => binding.Name;

    public bool IsReady => _isReady;

    /// <summary>Records committed to the target since this process started.</summary>
    internal long Written => Interlocked.Read(ref _written);

    public void Run(CancellationToken cancellation)
    {
        try
        {
            RunOnce(cancellation);
        }
        finally
        {
            _isReady = false;
        }
    }

    private void RunOnce(CancellationToken cancellation)
    {
        using ISink sink = binding.Create();
        List<Topic> topics = [.. binding.Topics.Select(Find)];
        sink.Open(new SinkContext(binding.Name, _log, topics));
        using ILogWriter writer = _log.OpenWriter($"sink-{binding.Name}");
        using ILogReader reader = _log.OpenReader(ReadLevel.Durable);
        using LogBatch batch = reader.CreateBatch();
        using var rejections = new SinkRejections(binding.Name, _log, _options, environment.Logger);
        Seek(sink, topics);
        CommitPositions(writer, cancellation);
        _isReady = true;
        int waiting = 0;
        long due = long.MaxValue;
        while (!cancellation.IsCancellationRequested)
        {
            int read = ReadOnce(sink, topics, reader, batch, rejections);
            waiting += read;
            if (due == long.MaxValue && waiting > 0)
                due = Stopwatch.GetTimestamp() + (long)(
                    _options.CommitInterval.TotalSeconds * Stopwatch.Frequency);
            if (waiting > 0
                && (read == 0 || waiting >= _options.CommitRecordsMax || Stopwatch.GetTimestamp() >= due))
            {
                Commit(sink, writer, rejections, waiting, cancellation);
                waiting = 0;
                due = long.MaxValue;
            }
            if (read == 0)
                cancellation.WaitHandle.WaitOne(IdleWait);
        }
        if (waiting > 0)
            Commit(sink, writer, rejections, waiting, cancellation);
    }

    private Topic Find(string name) => _log.FindTopic(name) ?? throw new ConfigurationException(
        $"The sink '{binding.Name}' wants the topic '{name}', which does not exist. " +
        $"Topics: {string.Join(", ", _log.Topics.Select(t => t.Name))}.");

    private void Seek(ISink sink, List<Topic> topics)
    {
        _positions.Clear();
        foreach (Topic topic in topics)
        {
            for (int p = 0; p < topic.Partitions; p++)
            {
                TopicPartition partition = topic[p];
                _positions[partition] = sink.Position(topic, p)
                    ?? _log.CommittedOffset(binding.Name, partition) ?? _log.StartOffset(partition);
                _committed[partition] = _positions[partition];
            }
        }
    }

    // Refused records count too: the position behind them is to be committed.
    private int ReadOnce(
        ISink sink, List<Topic> topics, ILogReader reader, LogBatch batch, SinkRejections rejections)
    {
        int count = 0;
        long rejected = rejections.Count;
        foreach (Topic topic in topics)
        {
            for (int p = 0; p < topic.Partitions; p++)
            {
                TopicPartition partition = topic[p];
                if (!reader.Read(partition, _positions[partition], batch))
                    continue;
                count += sink.Write(topic, batch, rejections);
                _positions[partition] = batch.NextOffset;
            }
        }
        return count + (int)(rejections.Count - rejected);
    }

    // Also at the start: the target may be ahead of the log, when the process ended between the two commits.
    private void CommitPositions(ILogWriter writer, CancellationToken cancellation)
    {
        foreach ((TopicPartition partition, long offset) in _positions)
        {
            if (_log.CommittedOffset(binding.Name, partition) != offset)
                writer.CommitOffset(binding.Name, partition, offset);
        }
        writer.CommitWhenRoom(_options.LogFullRetry, environment.Room, cancellation);
    }

    // The target first: a position that runs ahead of the target would lose records, one behind repeats a
    // commit that the target recognises.
    private void Commit(
        ISink sink, ILogWriter writer, SinkRejections rejections, int records, CancellationToken cancellation)
    {
        long started = Stopwatch.GetTimestamp();
        rejections.Commit(environment.Room, cancellation);
        long flushing = Stopwatch.GetTimestamp();
        sink.Commit(_positions, new SinkCursors(writer, binding.Name));
        EngineMeter.RecordSinkFlush(binding.Name, Stopwatch.GetElapsedTime(flushing));
        CommitPositions(writer, cancellation);
        Interlocked.Add(ref _written, records);
        EngineMeter.RecordCommit(binding.Name, Stopwatch.GetElapsedTime(started));
        EngineMeter.RecordWritten(binding.Name, records);
        RecordLatency();
    }

    private void RecordLatency()
    {
        CommitTime oldest = new(long.MaxValue, long.MaxValue);
        foreach ((TopicPartition partition, long position) in _positions)
        {
            long first = _committed[partition];
            if (first == position)
                continue;
            if (environment.Times.TryFind(partition, first, out CommitTime time))
                oldest = new CommitTime(
                    Math.Min(oldest.Committed, time.Committed), Math.Min(oldest.Origin, time.Origin));
            _committed[partition] = position;
        }
        if (oldest.Committed == long.MaxValue)
            return;
        EngineMeter.RecordStageLatency("sink", Stopwatch.GetElapsedTime(oldest.Committed));
        EngineMeter.RecordStageLatency("total", Stopwatch.GetElapsedTime(oldest.Origin));
    }
}
