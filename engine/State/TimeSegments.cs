namespace Streams.State;

/// <summary>
/// Tables for consecutive stretches of event time, so that what is past its retention goes a whole table at a
/// time.
/// </summary>
internal sealed class TimeSegments
{
    private readonly SortedList<long, TrackedTable> _tables = [];
    private readonly SpareMemory _spare = new();
    private readonly StateBudget _budget;
    private readonly IUndoLog? _undo;
    private readonly int _undoStore;
    private TrackedTable? _last;
    private long _lastSegment = long.MinValue;

    /// <param name="options">The store's options.</param>
    /// <param name="retentionMs">How far behind the observed time an entry can be and still be found.</param>
    /// <param name="undo">The undo log, or null.</param>
    /// <param name="undoStore">The store's number there.</param>
    /// <param name="budget">What memory is taken from; null for the store's own.</param>
    internal TimeSegments(
        StoreOptions options, long retentionMs, IUndoLog? undo, int undoStore, StateBudget? budget = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(retentionMs);
        _budget = budget ?? new StateBudget(options);
        _undo = undo;
        _undoStore = undoStore;
        RetentionMs = retentionMs;
        // As Kafka Streams: about two live segments, none shorter than a minute.
        SegmentMs = Math.Max(retentionMs / 2, 60_000);
    }

    /// <summary>How far behind the observed time an entry can be and still be found.</summary>
    internal long RetentionMs { get; }

    /// <summary>Length of a segment.</summary>
    internal long SegmentMs { get; }

    /// <summary>The highest time seen; long.MinValue before the first.</summary>
    internal long ObservedMs { get; private set; } = long.MinValue;

    /// <summary>Number of segments.</summary>
    internal int TableCount => _tables.Count;

    /// <summary>The segments' numbers, oldest first; not for the record path.</summary>
    internal IReadOnlyList<long> Numbers => [.. _tables.Keys];

    /// <summary>Bytes reserved by all tables.</summary>
    internal long BytesReserved
    {
        get
        {
            long sum = 0;
            for (int i = 0; i < TableCount; i++)
                sum += Table(i).BytesReserved;
            return sum;
        }
    }

    /// <summary>Number of entries of all tables.</summary>
    internal long Count
    {
        get
        {
            long sum = 0;
            for (int i = 0; i < TableCount; i++)
                sum += Table(i).Count;
            return sum;
        }
    }

    /// <summary>A table by its place, oldest first.</summary>
    internal TrackedTable Table(int place) => _tables.GetValueAtIndex(place);

    /// <summary>A table's segment by its place, oldest first.</summary>
    internal long Number(int place) => _tables.GetKeyAtIndex(place);

    /// <summary>The segment of a time.</summary>
    internal long SegmentOf(long timeMs) => Math.DivRem(timeMs, SegmentMs) is var (q, r) && r < 0 ? q - 1 : q;

    /// <summary>Whether an entry of that time is past its retention.</summary>
    internal bool IsExpired(long timeMs) => ObservedMs != long.MinValue && timeMs <= ObservedMs - RetentionMs;

    /// <summary>Notes that a time was seen, and drops what is past its retention.</summary>
    internal void Observe(long timeMs)
    {
        if (timeMs <= ObservedMs)
            return;
        ObservedMs = timeMs;
        // One segment of slack: a rollback to a savepoint sets the observed time back a little.
        long oldestKept = SegmentOf(timeMs - RetentionMs) - 1;
        while (_tables.Count > 0 && _tables.GetKeyAtIndex(0) < oldestKept)
            Drop(_tables.GetKeyAtIndex(0));
    }

    /// <summary>Sets the observed time back, as part of a rollback.</summary>
    internal void ResetObserved(long timeMs) => ObservedMs = timeMs;

    /// <summary>The table of a segment, or null.</summary>
    internal TrackedTable? Find(long segment)
    {
        if (segment == _lastSegment)
            return _last;
        if (!_tables.TryGetValue(segment, out TrackedTable? table))
            return null;
        _lastSegment = segment;
        return _last = table;
    }

    /// <summary>The table of a segment, made where it is absent.</summary>
    internal TrackedTable GetOrAdd(long segment)
    {
        TrackedTable? table = Find(segment);
        if (table is not null)
            return table;
        table = new TrackedTable(_budget, _undo, _undoStore, segment, _spare);
        _tables.Add(segment, table);
        _lastSegment = segment;
        return _last = table;
    }

    /// <summary>The tables and their segments, for a snapshot.</summary>
    internal IReadOnlyList<SnapshotPart> SnapshotParts()
    {
        var parts = new List<SnapshotPart>(_tables.Count);
        foreach ((long segment, TrackedTable table) in _tables)
            parts.Add(new SnapshotPart(segment, table));
        return parts;
    }

    /// <summary>Forgets everything.</summary>
    internal void Clear()
    {
        foreach (TrackedTable table in _tables.Values)
            table.Clear();
        _tables.Clear();
        _last = null;
        _lastSegment = long.MinValue;
        ObservedMs = long.MinValue;
    }

    private void Drop(long segment)
    {
        _tables.Remove(segment, out TrackedTable? table);
        _spare.TakeOver(table!);
        if (segment == _lastSegment)
        {
            _last = null;
            _lastSegment = long.MinValue;
        }
    }
}
