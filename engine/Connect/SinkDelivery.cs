using System.Diagnostics;
using Streams.Log;
using Streams.Telemetry;

namespace Streams.Connect;

/// <summary>One sink at work, from its opening to its first failure: reads what is durable, writes it,
/// commits target and positions. For one thread.</summary>
internal sealed class SinkDelivery : IDisposable
{
    private readonly SinkBinding _binding;
    private readonly SinkEnvironment _environment;
    private readonly ITopicLog _log;
    private readonly ISink _sink;
    private readonly List<Topic> _topics = [];
    private readonly ILogWriter _writer;
    private readonly ILogReader _reader;
    private readonly LogBatch _batch;
    private readonly SinkRejections _rejections;
    private readonly Dictionary<TopicPartition, long> _positions = [];
    private readonly Dictionary<TopicPartition, long> _committed = [];
    private readonly Dictionary<TopicPartition, long> _logged = [];
    private readonly Lanes _lanes;

    /// <summary>Opens the sink and goes to where its target stands.</summary>
    internal SinkDelivery(
        SinkBinding binding, SinkEnvironment environment, Lanes lanes, CancellationToken cancellation)
    {
        _binding = binding;
        _lanes = lanes;
        _environment = environment;
        _log = environment.Log;
        _sink = binding.Create();
        bool isOpen = false;
        try
        {
            _topics.AddRange(binding.Topics.Select(Find));
            _writer = _log.OpenWriter($"sink-{binding.Name}", exclusive: false);
            _reader = _log.OpenReader(ReadLevel.Durable);
            _batch = _reader.CreateBatch();
            _rejections = new SinkRejections(binding.Name, _log, environment.Options, environment.Logger);
            _sink.Open(new SinkContext(binding.Name, _log, _topics, environment.Logger));
            Seek();
            CommitPositions(cancellation);
            isOpen = true;
        }
        finally
        {
            if (!isOpen)
                Dispose();
        }
    }

    /// <summary>Records that were written and not committed.</summary>
    internal int Waiting { get; private set; }

    /// <summary>Whether positions went on since the last commit, be it only past what is not for
    /// readers.</summary>
    internal bool HasMoved()
    {
        foreach ((TopicPartition partition, long position) in _positions)
        {
            if (position != _logged.GetValueOrDefault(partition))
                return true;
        }
        return false;
    }

    /// <summary>Writes a batch of each partition to the target.</summary>
    /// <returns>How many records it were. Refused records count too: the position behind them is to be
    /// committed.</returns>
    internal int Read()
    {
        try
        {
            return ReadOnce();
        }
        catch (WriteAgainException)
        {
            foreach ((TopicPartition partition, long offset) in _committed)
                _positions[partition] = offset;
            Waiting = 0;
            return ReadOnce();
        }
    }

    /// <summary>Whether more waits than goes into one commit: then commits are made by size, not by time,
    /// because each costs a target much the same, and nobody waits for the newest records yet.</summary>
    internal bool IsFarBehind()
    {
        long behind = 0;
        foreach ((TopicPartition partition, long position) in _positions)
            behind += _log.KnownEndOffset(partition) - position;
        return behind > _environment.Options.CommitRecordsMax;
    }

    /// <summary>Commits what was written.</summary>
    /// <returns>How many records it were.</returns>
    /// <remarks>The target first: a position that runs ahead of the target would lose records, one behind
    /// repeats a commit that the target recognises.</remarks>
    internal int Commit(CancellationToken cancellation)
    {
        long started = Stopwatch.GetTimestamp();
        _sink.Flush(_rejections);
        TimeSpan flushed = Stopwatch.GetElapsedTime(started);
        _rejections.Commit(_environment.Room, cancellation);
        long committing = Stopwatch.GetTimestamp();
        _sink.Commit(_positions, new SinkCursors(_writer, _binding.Name));
        EngineMeter.RecordSinkFlush(_binding.Name, flushed + Stopwatch.GetElapsedTime(committing));
        CommitPositions(cancellation);
        int records = Waiting;
        Waiting = 0;
        EngineMeter.RecordCommit(_binding.Name, Stopwatch.GetElapsedTime(started));
        EngineMeter.RecordWritten(_binding.Name, records);
        RecordLatency();
        return records;
    }

    /// <summary>How many bytes the target holds; null where it does not say.</summary>
    internal long? StoredBytes() => _sink.StoredBytes();

    /// <inheritdoc/>
    public void Dispose()
    {
        _rejections?.Dispose();
        _batch?.Dispose();
        _reader?.Dispose();
        _writer?.Dispose();
        _sink.Dispose();
    }

    private int ReadOnce()
    {
        int count = 0;
        long rejected = _rejections.Count;
        foreach (Topic topic in _topics)
        {
            for (int p = 0; p < topic.Partitions; p++)
            {
                TopicPartition partition = topic[p];
                if (!_lanes.Owns(p) || !_reader.Read(partition, _positions[partition], _batch))
                    continue;
                count += _sink.Write(topic, _batch, _rejections);
                _positions[partition] = _batch.NextOffset;
            }
        }
        count += (int)(_rejections.Count - rejected);
        Waiting += count;
        return count;
    }

    private Topic Find(string name) => _log.FindTopic(name) ?? throw new ConfigurationException(
        $"The sink '{_binding.Name}' wants the topic '{name}', which does not exist. " +
        $"Topics: {string.Join(", ", _log.Topics.Select(t => t.Name))}.");

    private void Seek()
    {
        _positions.Clear();
        foreach (Topic topic in _topics)
        {
            for (int p = 0; p < topic.Partitions; p++)
            {
                if (!_lanes.Owns(p))
                    continue;
                TopicPartition partition = topic[p];
                long? logged = _log.CommittedOffset(_binding.Name, partition);
                if (logged is { } offset)
                    _logged[partition] = offset;
                _positions[partition] = TargetPosition(topic, p) ?? logged ?? _log.StartOffset(partition);
                _committed[partition] = _positions[partition];
            }
        }
    }

    // A target only has what was durable: where it has more, this is an older copy of the log, and what
    // comes now would be taken for what it has.
    private long? TargetPosition(Topic topic, int partition)
    {
        long? position = _sink.Position(topic, partition);
        TopicPartition id = topic[partition];
        if (_environment.StartEnds is { } ends && ends.TryGetValue(id, out long end) && position > end)
            throw new ConfigurationException(
                $"The target of the sink '{_binding.Name}' has {topic.Name} {partition} up to offset "
                + $"{position}, and the log ended at {end} when this process started: this log is older than "
                + "what was written there, such as a backup. Go on with the newer one, or empty the target, "
                + "its offsets too, and let all of it be written again.");
        return position;
    }

    // Also at the start: the target may be ahead of the log, when the process ended between the two commits.
    private void CommitPositions(CancellationToken cancellation)
    {
        foreach ((TopicPartition partition, long offset) in _positions)
        {
            if (!_logged.TryGetValue(partition, out long logged) || logged != offset)
                _writer.CommitOffset(_binding.Name, partition, offset);
        }
        _writer.CommitWhenRoom(_environment.Options.LogFullRetry, _environment.Room, cancellation);
        foreach ((TopicPartition partition, long offset) in _positions)
            _logged[partition] = offset;
    }

    private void RecordLatency()
    {
        CommitTime oldest = new(long.MaxValue, long.MaxValue);
        foreach ((TopicPartition partition, long position) in _positions)
        {
            long first = _committed[partition];
            if (first == position)
                continue;
            if (_environment.Times.TryFind(partition, first, out CommitTime time))
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
