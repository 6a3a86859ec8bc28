using Streams.Log;

using Streams.Tests.Reference;

namespace Streams.Tests.Simulation;

/// <summary>A writer that keeps the journal of its commits.</summary>
internal sealed class JournalWriter(JournalLog log, ILogWriter inner, string writerId) : ILogWriter
{
    private readonly bool _isSource = writerId.StartsWith("source-", StringComparison.Ordinal);
    private readonly bool _isTask = char.IsAsciiDigit(writerId[^1])
        && writerId.StartsWith(SimulatedRun.ApplicationId + "-", StringComparison.Ordinal);
    private List<(Place Place, Row Row)> _emitted = [];
    private PostponedRecord? _lastChange;
    private int _spread;

    public int PendingBytes => inner.PendingBytes;

    public void Append(TopicPartition partition, in LogRecord record)
    {
        string topic = log.NameOf(partition.Topic);
        if (_isSource)
            _emitted.Add((new Place(topic, partition.Partition), LoggedRow.Of(record)));
        if (_isTask)
            AppendOfTask(topic, partition, record);
        else
            inner.Append(partition, record);
    }

    public void CommitOffset(string group, TopicPartition partition, long nextOffset)
    {
        if (_isTask && log.Bug == PlantedBug.CommitPositionsBeforeOutputs)
        {
            using ILogWriter early = log.OpenWriter("early");
            early.CommitOffset(group, partition, nextOffset);
            early.Commit();
        }
        if (_isTask && log.Bug == PlantedBug.CommitPositionsAfterOutputs)
            _late += writer => writer.CommitOffset(group, partition, nextOffset);
        else
            inner.CommitOffset(group, partition, nextOffset);
    }

    public void CommitCursor(string source, string key, ReadOnlySpan<byte> cursor)
    {
        if (_isSource && log.Bug == PlantedBug.CommitCursorBeforeRecords)
        {
            using ILogWriter early = log.OpenWriter("early");
            early.CommitCursor(source, key, cursor);
            early.Commit();
        }
        if (!_isSource || log.Bug != PlantedBug.ForgetCursor)
            inner.CommitCursor(source, key, cursor);
    }

    public ICommit Prepare()
    {
        if (log.Bug != PlantedBug.DropLastChangelogEntry)
            AppendPostponed();
        _lastChange = null;
        Action<ILogWriter> late = _late;
        _late = _ => { };
        return new JournalCommit(
            log, inner.Prepare(), [], _isTask ? log.TakeOpen(writerId) : [], () => MakeLate(late),
            steps => log.OpenOf(writerId).InsertRange(0, steps));
    }

    public long Commit()
    {
        var commit = new JournalCommit(log, inner, _emitted, [], () => { }, _ => { });
        long number = commit.Commit();
        _emitted = [];
        return number;
    }

    public void Abort()
    {
        _emitted = [];
        inner.Abort();
    }

    public void Dispose() => inner.Dispose();

    private Action<ILogWriter> _late = _ => { };

    private void MakeLate(Action<ILogWriter> late)
    {
        if (log.Bug != PlantedBug.CommitPositionsAfterOutputs)
            return;
        using ILogWriter writer = log.OpenWriter("late");
        late(writer);
        writer.Commit();
    }

    private void AppendOfTask(string topic, TopicPartition partition, in LogRecord record)
    {
        if (log.IsForgotten(topic, record))
            return;
        if (!topic.EndsWith("-changelog", StringComparison.Ordinal))
        {
            if (log.Bug == PlantedBug.IgnoreKeyInPartitioning)
            {
                int partitions = log.FindTopic(topic)!.Partitions;
                partition = partition with { Partition = _spread++ % partitions };
            }
            if (log.Bug == PlantedBug.ForgetHeaders)
                inner.Append(partition, record with { Headers = default });
            else
                inner.Append(partition, record);
            return;
        }
        bool isTime = topic.Contains("stream-time", StringComparison.Ordinal);
        if (log.Bug == PlantedBug.ForgetTombstone && !record.HasValue)
            return;
        if (log.Bug == PlantedBug.ForgetStreamTime && isTime)
            return;
        if (log.Bug == PlantedBug.DropLastChangelogEntry && !isTime)
        {
            AppendPostponed();
            _lastChange = new PostponedRecord(partition, record);
            return;
        }
        inner.Append(partition, record);
    }

    private void AppendPostponed()
    {
        if (_lastChange is { } change)
            change.AppendTo(inner);
    }

    private sealed class PostponedRecord(TopicPartition partition, in LogRecord record)
    {
        private readonly byte[] _key = record.Key.ToArray();
        private readonly byte[]? _value = record.HasValue ? record.Value.ToArray() : null;
        private readonly long _timestampMs = record.TimestampMs;

        // Changelogs have no headers.
        internal void AppendTo(ILogWriter writer) => writer.Append(partition, new LogRecord
        {
            TimestampMs = _timestampMs,
            HasKey = true,
            Key = _key,
            HasValue = _value is not null,
            Value = _value,
        });
    }
}

/// <summary>A commit, noted in the journal before it is made: a crash may let it survive or not.</summary>
internal sealed class JournalCommit(
    JournalLog log, ICommit inner, IReadOnlyList<(Place Place, Row Row)> emitted,
    IReadOnlyList<TaskStep> steps, Action committed, Action<IReadOnlyList<TaskStep>> postponed)
    : ICommit
{
    public long Commit()
    {
        log.Machine.Count();
        var entry = new JournalEntry(log.LastCommit + 1, emitted, steps);
        bool isNoted = emitted.Count + steps.Count > 0;
        if (isNoted)
            log.Journal.Add(entry);
        try
        {
            long number = inner.Commit();
            if (isNoted && number == entry.Commit - 1 && !steps.Any(s => s.Kind == TaskStepKind.Processed))
            {
                // There was nothing to commit: what the tasks did goes on in their memory only.
                log.Journal.Remove(entry);
                postponed(steps);
                return number;
            }
            if (isNoted && number != entry.Commit)
                throw new SimulationFailureException($"A commit got number {number}, not {entry.Commit}.");
            log.Machine.Count();
            committed();
            return number;
        }
        catch (LogFullException e)
        {
            log.Machine.NoteRefusal();
            if (log.LastCommit >= entry.Commit)
                throw new SimulationFailureException($"Commit {entry.Commit} was made and refused.", e);
            if (log.Bug == PlantedBug.GiveUpOnFullDisk)
                return log.LastCommit;
            log.Journal.Remove(entry);
            throw;
        }
    }
}
