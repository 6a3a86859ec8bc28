namespace Streams.Tests.Reference;

/// <summary>A session of a key.</summary>
/// <param name="Key">The key.</param>
/// <param name="StartMs">Its first record's time.</param>
/// <param name="EndMs">Its last record's time.</param>
/// <param name="Value">Its aggregate.</param>
internal sealed record Session(string Key, long StartMs, long EndMs, string Value);

/// <summary>Aggregates by key and session.</summary>
/// <param name="gapMs">The longest inactivity within a session.</param>
/// <param name="graceMs">How long late records count.</param>
/// <param name="retentionMs">When a session is forgotten, counted from the highest end stored.</param>
/// <param name="emitsFinal">Whether a session comes out once, when it closes.</param>
/// <param name="merge">Combines what there is, null at first, with the aggregate of a session.</param>
/// <param name="folds">Adds a record of each stream.</param>
internal sealed class SessionAggregate(
    long gapMs, long graceMs, long retentionMs, bool emitsFinal, Func<string?, string, string?> merge,
    params Fold[] folds)
{
    private readonly List<Session> _sessions = [];
    private readonly HashSet<(string Key, long StartMs, long EndMs)> _pending = [];
    private readonly long[] _streamTimesMs = [.. folds.Select(_ => long.MinValue)];
    private long _highestEndMs = long.MinValue;

    internal Action<Change> Next { get; set; } = _ => { };

    /// <summary>A record that came too late.</summary>
    internal Action<Row> Late { get; set; } = _ => { };

    /// <summary>The sessions that are not forgotten, by key, end and start.</summary>
    internal IEnumerable<Session> Sessions => _sessions.Where(s => !IsForgotten(s.EndMs))
        .OrderBy(s => s.Key, StringComparer.Ordinal).ThenBy(s => s.EndMs).ThenBy(s => s.StartMs);

    internal void Process(int stream, Row row)
    {
        if (row.Key is null)
            return;
        long t = row.TimestampMs;
        _streamTimesMs[stream] = Math.Max(_streamTimesMs[stream], t);
        long closedMs = _streamTimesMs[stream] - graceMs - gapMs;
        EmitClosed(row, closedMs);
        List<Session> absorbed = [.. Sessions.Where(
            s => s.Key == row.Key && s.EndMs >= t - gapMs && s.StartMs <= t + gapMs)];
        long startMs = absorbed.Select(s => s.StartMs).Append(t).Min();
        long endMs = absorbed.Select(s => s.EndMs).Append(t).Max();
        if (endMs < closedMs)
        {
            Late(row);
            return;
        }
        string? aggregate = null;
        foreach (Session session in absorbed)
            aggregate = merge(aggregate, session.Value);
        if (startMs != t || endMs != t)
            absorbed.ForEach(s => Replace(row, s));
        string? result = folds[stream](row.Value, aggregate);
        _sessions.RemoveAll(s => s.Key == row.Key && s.StartMs == startMs && s.EndMs == endMs);
        if (result is not null)
        {
            _sessions.Add(new Session(row.Key, startMs, endMs, result));
            _highestEndMs = Math.Max(_highestEndMs, endMs);
        }
        _pending.Add((row.Key, startMs, endMs));
        Forward(row, startMs, endMs, result);
    }

    /// <summary>Whether a session is so old that nothing is kept of it.</summary>
    internal bool IsForgotten(long endMs) =>
        _highestEndMs != long.MinValue && endMs <= _highestEndMs - retentionMs;

    private void Replace(Row row, Session session)
    {
        _sessions.Remove(session);
        _pending.Remove((session.Key, session.StartMs, session.EndMs));
        Forward(row, session.StartMs, session.EndMs, null);
    }

    private void Forward(Row row, long startMs, long endMs, string? value)
    {
        if (!emitsFinal)
            Next(new Change(row.Key!, value, null, endMs, row.Headers) { StartMs = startMs, EndMs = endMs });
    }

    private void EmitClosed(Row row, long closedMs)
    {
        if (!emitsFinal)
            return;
        foreach (var place in _pending.Where(p => p.EndMs < closedMs).OrderBy(p => p.EndMs)
            .ThenBy(p => p.Key, StringComparer.Ordinal).ThenBy(p => p.StartMs).ToList())
        {
            _pending.Remove(place);
            if (_sessions.Find(s => (s.Key, s.StartMs, s.EndMs) == place) is { } final)
                Next(new Change(final.Key, final.Value, null, final.EndMs, row.Headers)
                {
                    StartMs = final.StartMs,
                    EndMs = final.EndMs,
                });
        }
    }
}
