namespace Streams.Tests.Reference;

/// <summary>What windows of a fixed length have in common: the aggregates, and those to emit once.</summary>
/// <param name="retentionMs">When a window is forgotten, counted from the highest start that was
/// stored.</param>
/// <param name="emitsFinal">Whether a window comes out once, when it closes.</param>
internal abstract class WindowAggregate(long retentionMs, bool emitsFinal)
{
    private readonly HashSet<(string Key, long StartMs)> _pending = [];
    private long _highestStartMs = long.MinValue;

    internal SortedDictionary<(string Key, long StartMs), (string Value, long TimestampMs)> State { get; } =
        new(Comparer<(string Key, long StartMs)>.Create((x, y) =>
        {
            int byKey = string.CompareOrdinal(x.Key, y.Key);
            return byKey != 0 ? byKey : x.StartMs.CompareTo(y.StartMs);
        }));

    /// <summary>When a window is forgotten, counted from the highest start.</summary>
    internal long RetentionMs => retentionMs;

    internal Action<Change> Next { get; set; } = _ => { };

    /// <summary>A record that came too late for every window.</summary>
    internal Action<Row> Late { get; set; } = _ => { };

    private protected abstract long LengthMs { get; }

    /// <summary>Whether a window is so old that nothing is kept of it.</summary>
    internal bool IsForgotten(long startMs) =>
        _highestStartMs != long.MinValue && startMs <= _highestStartMs - retentionMs;

    private protected (string Value, long TimestampMs)? Find(string? key, long startMs) =>
        !IsForgotten(startMs) && State.TryGetValue((key!, startMs), out var found) ? found : null;

    /// <summary>Folds a record into an aggregate and keeps the result as that of a window.</summary>
    private protected void Update(
        Row row, Fold fold, long startMs, (string Value, long TimestampMs)? basis) => Put(
        row, startMs, fold(row.Value, basis?.Value),
        Math.Max(row.TimestampMs, basis?.TimestampMs ?? row.TimestampMs));

    private protected void Put(Row row, long startMs, string? result, long timestampMs)
    {
        string? old = Find(row.Key, startMs)?.Value;
        _highestStartMs = Math.Max(_highestStartMs, startMs);
        if (result is null)
            State.Remove((row.Key!, startMs));
        else
            State[(row.Key!, startMs)] = (result, timestampMs);
        if (emitsFinal)
            _pending.Add((row.Key!, startMs));
        else
            Next(new Change(row.Key!, result, old, timestampMs, row.Headers)
            {
                StartMs = startMs,
                EndMs = startMs + LengthMs,
            });
    }

    /// <summary>Emits the windows that are closed, each once.</summary>
    private protected void EmitClosed(Row row, Func<long, bool> isClosed)
    {
        foreach ((string key, long startMs) in _pending.Where(p => isClosed(p.StartMs))
            .OrderBy(p => p.StartMs).ThenBy(p => p.Key, StringComparer.Ordinal).ToList())
        {
            _pending.Remove((key, startMs));
            if (Find(key, startMs) is not { } final)
                continue;
            Next(new Change(key, final.Value, null, final.TimestampMs, row.Headers)
            {
                StartMs = startMs,
                EndMs = startMs + LengthMs,
            });
        }
    }
}

/// <summary>Aggregates by key and tumbling or hopping window.</summary>
internal sealed class TimeWindowAggregate(
    long sizeMs, long advanceMs, long graceMs, long retentionMs, bool emitsFinal, params Fold[] folds)
    : WindowAggregate(retentionMs, emitsFinal)
{
    private readonly long[] _streamTimesMs = [.. folds.Select(_ => long.MinValue)];

    private protected override long LengthMs => sizeMs;

    /// <summary>Whether a window takes nothing any more from a stream.</summary>
    internal bool IsClosed(int stream, long startMs) =>
        _streamTimesMs[stream] != long.MinValue && startMs + sizeMs <= _streamTimesMs[stream] - graceMs;

    internal void Process(int stream, Row row)
    {
        if (row.Key is null)
            return;
        _streamTimesMs[stream] = Math.Max(_streamTimesMs[stream], row.TimestampMs);
        // A window that is closed cannot take the record that closes it, which may be far ahead.
        EmitClosed(row, start => IsClosed(stream, start));
        bool isTaken = false;
        long first = row.TimestampMs / advanceMs * advanceMs;
        while (first - advanceMs >= 0 && first - advanceMs + sizeMs > row.TimestampMs)
            first -= advanceMs;
        for (long start = first; start <= row.TimestampMs; start += advanceMs)
        {
            // An advance that does not divide the size leaves none out: windows overlap.
            if (IsClosed(stream, start))
                continue;
            isTaken = true;
            Update(row, folds[stream], start, Find(row.Key, start));
        }
        if (!isTaken)
            Late(row);
    }
}

/// <summary>Aggregates by key and sliding window.</summary>
/// <remarks>A window ends at each record, and one begins just after it.</remarks>
internal sealed class SlidingWindowAggregate(
    long differenceMs, long graceMs, long retentionMs, bool emitsFinal, params Fold[] folds)
    : WindowAggregate(retentionMs, emitsFinal)
{
    private readonly long[] _streamTimesMs = [.. folds.Select(_ => long.MinValue)];
    private long _closedMs;

    private protected override long LengthMs => differenceMs;

    internal void Process(int stream, Row row)
    {
        if (row.Key is null || row.Value is null)
            return;
        _streamTimesMs[stream] = Math.Max(_streamTimesMs[stream], row.TimestampMs);
        _closedMs = _streamTimesMs[stream] - graceMs;
        if (row.TimestampMs + differenceMs < _closedMs)
        {
            Late(row);
            return;
        }
        if (row.TimestampMs < differenceMs)
        {
            ProcessEarly(row, folds[stream]);
            return;
        }
        EmitClosed(row, start => start + differenceMs < _closedMs);
        ProcessAny(row, folds[stream]);
    }

    private void ProcessAny(Row row, Fold fold)
    {
        long t = row.TimestampMs;
        (string Value, long TimestampMs)? earlier = null;
        (string Value, long TimestampMs)? right = null;
        long? previousMs = null;
        List<long> starts = StartsBetween(row.Key!, Math.Max(0, t - (2 * differenceMs)), t);
        foreach (long start in starts.OrderDescending())
        {
            var window = Find(row.Key, start)!.Value;
            if (start + differenceMs < t)
            {
                earlier = window;
                previousMs = window.TimestampMs;
                break;
            }
            right ??= window;
            UpdateOpen(row, fold, start, window);
            if (start + differenceMs > t)
                continue;
            if (window.TimestampMs >= t)
                return;
            previousMs = window.TimestampMs;
        }
        if (previousMs + 1 is { } next && next + differenceMs >= t && !starts.Contains(next))
            UpdateOpen(row, fold, next, null);
        // The same window may have been made just now, and comes out twice then: so does Kafka Streams'.
        if (!starts.Contains(t - differenceMs))
            UpdateOpen(row, fold, t - differenceMs, previousMs >= t - differenceMs ? earlier : null);
        MakeRight(row, right);
    }

    // No window begins before 0, so one window stands for all that would.
    private void ProcessEarly(Row row, Fold fold)
    {
        long t = row.TimestampMs;
        var combined = Find(row.Key, 0);
        var right = combined;
        foreach (long start in StartsBetween(row.Key!, 1, t))
        {
            right = Find(row.Key, start);
            UpdateOpen(row, fold, start, right);
        }
        MakeRight(row, right);
        if (combined?.TimestampMs < t && Find(row.Key, combined.Value.TimestampMs + 1) is null)
            UpdateOpen(row, fold, combined.Value.TimestampMs + 1, null);
        UpdateOpen(row, fold, 0, combined);
    }

    private void MakeRight(Row row, (string Value, long TimestampMs)? window)
    {
        if (window?.TimestampMs > row.TimestampMs && Find(row.Key, row.TimestampMs + 1) is null)
            Put(row, row.TimestampMs + 1, window.Value.Value, window.Value.TimestampMs);
    }

    private void UpdateOpen(Row row, Fold fold, long startMs, (string Value, long TimestampMs)? basis)
    {
        if (startMs + differenceMs >= _closedMs)
            Update(row, fold, startMs, basis);
    }

    private List<long> StartsBetween(string key, long fromMs, long toMs) =>
        [.. State.Keys.Where(k => k.Key == key && k.StartMs >= fromMs && k.StartMs <= toMs
            && !IsForgotten(k.StartMs))
            .Select(k => k.StartMs)];
}
