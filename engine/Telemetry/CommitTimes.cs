using System.Diagnostics;
using Streams.Log;

namespace Streams.Telemetry;

/// <summary>When a record was committed, and when what it came of was read from outside.</summary>
/// <param name="Committed">A timestamp of <see cref="Stopwatch"/>.</param>
/// <param name="Origin">A timestamp of <see cref="Stopwatch"/>.</param>
internal readonly record struct CommitTime(long Committed, long Origin);

/// <summary>
/// Remembers when the records of some partitions were committed, so that lag and latency have seconds and not
/// only records. One entry per commit and partition, none per record; allocates nothing. Thread-safe.
/// </summary>
internal sealed class CommitTimes(ITopicLog log)
{
    private readonly Dictionary<TopicPartition, PartitionTimes> _partitions = [];
    private long _asked = Stopwatch.GetTimestamp();

    /// <summary>Remembers commits to a topic from now on. Before anything is noted.</summary>
    internal void Watch(Topic topic)
    {
        for (int p = 0; p < topic.Partitions; p++)
            _partitions.TryAdd(topic[p], new PartitionTimes(log.KnownEndOffset(topic[p])));
    }

    /// <summary>Notes, after a commit, that a partition goes up to where it goes now.</summary>
    /// <param name="partition">The partition; one that is not watched is passed over.</param>
    /// <param name="origin">When the oldest input of the commit was read from outside.</param>
    internal void Note(TopicPartition partition, long origin)
    {
        if (!_partitions.TryGetValue(partition, out PartitionTimes? times))
            return;
        times.HasOwnNotes = true;
        times.Note(log.KnownEndOffset(partition), Stopwatch.GetTimestamp(), origin);
    }

    /// <summary>Notes how far partitions go whose writers do not say so, such as other processes: what was not
    /// there when ends were asked for the time before came after that.</summary>
    /// <param name="began">When asking for the ends began.</param>
    internal void NoteAll(long began)
    {
        foreach ((TopicPartition partition, PartitionTimes times) in _partitions)
        {
            if (log.SharesWork || !times.HasOwnNotes)
                times.Note(log.KnownEndOffset(partition), _asked, _asked);
        }
        _asked = began;
    }

    /// <summary>Whether nobody has noted yet that a partition goes as far as this.</summary>
    internal bool IsAhead(TopicPartition partition, long offset) =>
        _partitions.TryGetValue(partition, out PartitionTimes? times) && times.IsAhead(offset);

    /// <summary>Says when the record at an offset was committed.</summary>
    /// <returns>False where that was before this process started, or is too long ago.</returns>
    internal bool TryFind(TopicPartition partition, long offset, out CommitTime time)
    {
        time = default;
        return _partitions.TryGetValue(partition, out PartitionTimes? times)
            && times.TryFind(offset, out time);
    }

    /// <summary>The commits of one partition, oldest first.</summary>
    private sealed class PartitionTimes(long start)
    {
        // When it is full every second commit is forgotten: what is far behind is known less exactly.
        private const int EntriesMax = 1024;

        private readonly long[] _ends = new long[EntriesMax];
        private readonly CommitTime[] _times = new CommitTime[EntriesMax];
        private readonly long _start = start;
        private volatile bool _hasOwnNotes;
        private int _count;

        /// <summary>Whether those who write say when.</summary>
        internal bool HasOwnNotes
        {
            get => _hasOwnNotes;
            set => _hasOwnNotes = value;
        }

        internal void Note(long end, long committed, long origin)
        {
            lock (_ends)
            {
                if (end <= (_count > 0 ? _ends[_count - 1] : _start))
                    return;
                if (_count == EntriesMax)
                    Thin();
                _ends[_count] = end;
                _times[_count++] = new CommitTime(committed, origin);
            }
        }

        internal bool IsAhead(long offset)
        {
            lock (_ends)
                return offset >= (_count > 0 ? _ends[_count - 1] : _start);
        }

        internal bool TryFind(long offset, out CommitTime time)
        {
            lock (_ends)
            {
                int at = Array.BinarySearch(_ends, 0, _count, offset + 1);
                at = at < 0 ? ~at : at;
                bool isKnown = offset >= _start && at < _count;
                time = isKnown ? _times[at] : default;
                return isKnown;
            }
        }

        // Of two commits the earlier time and the later end stay: a lag is rather said too long than too
        // short.
        private void Thin()
        {
            _count = EntriesMax / 2;
            for (int i = 0; i < _count; i++)
            {
                _ends[i] = _ends[(2 * i) + 1];
                _times[i] = _times[2 * i];
            }
        }
    }
}
