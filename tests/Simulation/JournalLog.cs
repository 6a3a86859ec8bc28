using Streams.Log;
using Streams.Log.Embedded;

namespace Streams.Tests.Simulation;

/// <summary>
/// The embedded log with a journal of what is committed to it. The mistakes of a log and of those who write
/// to it are planted here.
/// </summary>
internal sealed class JournalLog(
    EmbeddedLog log, Journal journal, SimulatedMachine machine, PlantedBug bug) : ITopicLog
{
    private const int SnapshotLateByRecords = 5;
    private const int RestoreLessByRecords = 2;

    private readonly Dictionary<int, string> _names = [];
    private readonly Dictionary<string, List<TaskStep>> _open = [];

    public string Id => log.Id;

    public IReadOnlyList<Topic> Topics => log.Topics;

    public long DurableCommit => log.DurableCommit;

    internal PlantedBug Bug => bug;

    internal Journal Journal => journal;

    internal SimulatedMachine Machine => machine;

    /// <summary>The number of the last commit.</summary>
    internal long LastCommit => log.WaitForCommit(long.MaxValue, TimeSpan.Zero, CancellationToken.None);

    public Topic EnsureTopic(TopicSpec spec) => log.EnsureTopic(spec);

    public bool DeleteTopic(string name) => log.DeleteTopic(name);

    public Topic? FindTopic(string name) => log.FindTopic(name);

    public bool SharesWork => log.SharesWork;

    public LaneBoard ShareWork(int lanes, int slots) => log.ShareWork(lanes, slots);

    public ILogWriter OpenWriter(string writerId, bool exclusive = true) =>
        new JournalWriter(this, log.OpenWriter(writerId, exclusive), writerId);

    public ILogReader OpenReader(ReadLevel level)
    {
        if (bug == PlantedBug.DeliverBeforeDurable)
            level = ReadLevel.Committed;
        ILogReader reader = log.OpenReader(level);
        return bug == PlantedBug.ReuseBufferTooEarly ? new SharedBufferReader(reader) : reader;
    }

    public long StartOffset(TopicPartition partition) => log.StartOffset(partition);

    public long EndOffset(TopicPartition partition, ReadLevel level)
    {
        long end = log.EndOffset(partition, level);
        if (!NameOf(partition.Topic).EndsWith("-changelog", StringComparison.Ordinal))
            return end;
        return bug switch
        {
            PlantedBug.SnapshotStartsTooLate => end + SnapshotLateByRecords,
            _ => end,
        };
    }

    public long HighWatermark(TopicPartition partition)
    {
        long end = log.EndOffset(partition, ReadLevel.Committed);
        bool isCut = bug == PlantedBug.RestoreWithoutEnd
            && NameOf(partition.Topic).EndsWith("-changelog", StringComparison.Ordinal);
        return isCut ? Math.Max(log.StartOffset(partition), end - RestoreLessByRecords) : end;
    }

    public long? CommittedOffset(string group, TopicPartition partition) =>
        log.CommittedOffset(group, partition);

    public byte[]? Cursor(string source, string key) => log.Cursor(source, key);

    public IReadOnlyList<KeyValuePair<string, byte[]>> Cursors(string source) => log.Cursors(source);

    public void WaitDurable(long commit, CancellationToken cancellation)
    {
        if (bug != PlantedBug.SnapshotBeforeDurable)
            log.WaitDurable(commit, cancellation);
    }

    public long WaitForCommit(long commit, TimeSpan timeout, CancellationToken cancellation) =>
        log.WaitForCommit(commit, timeout, cancellation);

    public void DeleteRecordsBefore(TopicPartition partition, long offset) =>
        log.DeleteRecordsBefore(partition, offset);

    public void Dispose() => log.Dispose();

    /// <summary>The name of a topic.</summary>
    internal string NameOf(int topic)
    {
        if (!_names.TryGetValue(topic, out string? name))
            _names[topic] = name = log.Topics.First(t => t.Id == topic).Name;
        return name;
    }

    /// <summary>Whether a planted mistake forgets a record of a task.</summary>
    internal bool IsForgotten(string topic, in LogRecord record)
    {
        bool IsOf(string end) => topic.EndsWith(end, StringComparison.Ordinal);
        return bug switch
        {
            PlantedBug.ForgetSessionTombstone =>
                !record.HasValue && topic.StartsWith("out", StringComparison.Ordinal)
                && record.Key.IndexOf("@"u8) >= 0,
            PlantedBug.ForgetUnsubscribe =>
                IsOf("-subscription-repartition") && record.Value[0] is 0 or 1,
            PlantedBug.ForgetUnmatchedEmitted => IsOf("-unmatched-changelog") && !record.HasValue,
            PlantedBug.ForgetHeldBack => IsOf("-held-changelog"),
            PlantedBug.ForgetDeadLetter => LoggedRow.IsDeadLetter(topic),
            _ => false,
        };
    }

    /// <summary>What the tasks of a writer did since its last commit was prepared.</summary>
    internal List<TaskStep> OpenOf(string writerId)
    {
        if (!_open.TryGetValue(writerId, out List<TaskStep>? steps))
            _open[writerId] = steps = [];
        return steps;
    }

    /// <summary>Takes what was done since the last time, for the commit under preparation.</summary>
    internal List<TaskStep> TakeOpen(string writerId)
    {
        List<TaskStep> taken = OpenOf(writerId);
        _open.Remove(writerId);
        return taken;
    }
}

/// <summary>A reader whose batches lie in one buffer, each over the one before.</summary>
internal sealed class SharedBufferReader(ILogReader reader) : ILogReader
{
    private readonly byte[] _shared = new byte[1 << 16];

    public LogBatch CreateBatch() => new SharedBufferBatch(reader.CreateBatch(), _shared);

    public bool Read(TopicPartition partition, long offset, LogBatch batch)
    {
        var shared = (SharedBufferBatch)batch;
        return reader.Read(partition, offset, shared.Inner) && shared.Refill();
    }

    public void Dispose() => reader.Dispose();
}

/// <summary>Records of a batch, copied into a buffer that is not the batch's own.</summary>
internal sealed class SharedBufferBatch(LogBatch inner, byte[] shared) : LogBatch
{
    private readonly List<(long Offset, long TimeMs, bool HasKey, int KeyAt, int KeyBytes, bool HasValue,
        int ValueAt, int ValueBytes, byte[] Headers)> _records = [];
    private int _next;

    internal LogBatch Inner => inner;

    public override bool TryRead(out LogRecord record)
    {
        record = default;
        if (_next == _records.Count)
            return false;
        var r = _records[_next++];
        record = new LogRecord
        {
            Offset = r.Offset,
            TimestampMs = r.TimeMs,
            HasKey = r.HasKey,
            Key = shared.AsSpan(r.KeyAt, r.KeyBytes),
            HasValue = r.HasValue,
            Value = shared.AsSpan(r.ValueAt, r.ValueBytes),
            Headers = r.Headers,
        };
        return true;
    }

    internal bool Refill()
    {
        _records.Clear();
        _next = 0;
        int at = 0;
        while (inner.TryRead(out LogRecord record))
        {
            record.Key.CopyTo(shared.AsSpan(at));
            record.Value.CopyTo(shared.AsSpan(at + record.Key.Length));
            _records.Add((
                record.Offset, record.TimestampMs, record.HasKey, at, record.Key.Length, record.HasValue,
                at + record.Key.Length, record.Value.Length, record.Headers.ToArray()));
            at += record.Key.Length + record.Value.Length;
        }
        Partition = inner.Partition;
        NextOffset = inner.NextOffset;
        return true;
    }

    protected override void Dispose(bool disposing) => inner.Dispose();
}
