namespace Streams.Tests.Reference;

/// <summary>What lies between two records that are joined.</summary>
/// <param name="BeforeMs">How much earlier than the left record the right one can be.</param>
/// <param name="AfterMs">How much later.</param>
/// <param name="GraceMs">How long records are kept beyond that.</param>
internal sealed record Within(long BeforeMs, long AfterMs, long GraceMs)
{
    internal long RetentionMs => BeforeMs + AfterMs + GraceMs;
}

/// <summary>The records of one side of a join.</summary>
internal sealed class JoinBuffer(long retentionMs)
{
    private readonly List<Row> _rows = [];

    internal long HighestMs { get; private set; } = long.MinValue;

    /// <summary>What is retained, by time and arrival.</summary>
    internal IEnumerable<Row> Retained => _rows.Where(r => IsRetained(r.TimestampMs))
        .OrderBy(r => r.TimestampMs);

    internal void Observe(Row row) => HighestMs = Math.Max(HighestMs, row.TimestampMs);

    internal bool IsRetained(long timeMs) => timeMs > HighestMs - retentionMs;

    internal void Add(Row row)
    {
        if (IsRetained(row.TimestampMs))
            _rows.Add(row);
    }

    internal List<Row> Find(string key, long fromMs, long toMs) => [.. Retained.Where(
        r => r.Key == key && r.TimestampMs >= fromMs && r.TimestampMs <= toMs)];
}

/// <summary>A join of two streams.</summary>
/// <remarks>Which records without a match come out when is what Kafka Streams does, to the letter; or at once
/// where that is asked for.</remarks>
internal sealed class StreamJoin(
    JoinKind kind, Within within, Func<string?, string?, string> pair, bool isPrompt = false)
{
    private readonly JoinBuffer[] _sides = [new(within.RetentionMs), new(within.RetentionMs)];
    private readonly List<(int Side, Row Row)> _waiting = [];
    private long _streamTimeMs = long.MinValue;
    private long _minTimeMs = long.MaxValue;

    internal Action<Row> Next { get; set; } = _ => { };

    /// <summary>How many different times, sides and keys those that wait have.</summary>
    internal int PlacesWaiting => _waiting.Select(Place).Distinct().Count();

    /// <param name="side">0 for the left stream, 1 for the right one.</param>
    /// <param name="row">The record.</param>
    internal void Process(int side, Row row)
    {
        _streamTimeMs = Math.Max(_streamTimeMs, row.TimestampMs);
        if (isPrompt)
            EmitWaiting(row);
        if (row.Key is null)
        {
            if (row.Value is not null && IsPreserved(side))
                Next(row with { Value = Pair(side, row.Value, null) });
            return;
        }
        _sides[side].Observe(row);
        if (row.Value is null)
            return;
        if (!isPrompt && row.TimestampMs == _streamTimeMs && _minTimeMs != long.MaxValue
            && _minTimeMs + AfterOf(side) + within.GraceMs < _streamTimeMs)
            EmitWaiting(row);
        Match(side, row);
        _sides[side].Add(row);
    }

    private void Match(int side, Row row)
    {
        (long before, long after) = side == 0
            ? (within.BeforeMs, within.AfterMs) : (within.AfterMs, within.BeforeMs);
        List<Row> others = _sides[1 - side].Find(
            row.Key!, row.TimestampMs - before, row.TimestampMs + after);
        foreach (Row other in others)
        {
            _waiting.RemoveAll(w => w.Side == 1 - side && w.Row.Key == other.Key
                && w.Row.TimestampMs == other.TimestampMs);
            Next(row with
            {
                Value = Pair(side, row.Value, other.Value),
                TimestampMs = Math.Max(row.TimestampMs, other.TimestampMs),
            });
        }
        if (others.Count > 0 || !IsPreserved(side))
            return;
        if (row.TimestampMs + after < _streamTimeMs)
        {
            Next(row with { Value = Pair(side, row.Value, null) });
            return;
        }
        _waiting.Add((side, row));
        _minTimeMs = Math.Min(_minTimeMs, row.TimestampMs);
    }

    private void EmitWaiting(Row row)
    {
        _minTimeMs = long.MaxValue;
        bool[] isOpen = new bool[2];
        foreach (var place in _waiting.GroupBy(Place).OrderBy(g => g.Key.TimestampMs)
            .ThenByDescending(g => g.Key.Side).ThenBy(g => g.Key.Key, StringComparer.Ordinal).ToList())
        {
            _minTimeMs = place.Key.TimestampMs;
            if (isOpen[0] && isOpen[1])
                return;
            if (_minTimeMs + AfterOf(place.Key.Side) + within.GraceMs >= _streamTimeMs)
            {
                isOpen[place.Key.Side] = true;
                continue;
            }
            _waiting.RemoveAll(w => Place(w) == place.Key);
            foreach ((int side, Row waiting) in place)
                Next(waiting with { Value = Pair(side, waiting.Value, null), Headers = row.Headers });
        }
    }

    private static (long TimestampMs, int Side, string Key) Place((int Side, Row Row) waiting) =>
        (waiting.Row.TimestampMs, waiting.Side, waiting.Row.Key!);

    private bool IsPreserved(int side) => kind == JoinKind.Outer || (kind == JoinKind.Left && side == 0);

    private long AfterOf(int side) => side == 0 ? within.AfterMs : within.BeforeMs;

    private string Pair(int side, string? self, string? other) =>
        side == 0 ? pair(self, other) : pair(other, self);
}

/// <summary>The inner join of a stream with itself.</summary>
/// <param name="within">How far apart records can be.</param>
/// <param name="isOptimised">Whether records are kept once, which puts results in another order.</param>
/// <param name="pair">Joins two values.</param>
internal sealed class SelfJoin(Within within, bool isOptimised, Func<string?, string?, string> pair)
{
    private readonly JoinBuffer _left = new(within.RetentionMs);
    private readonly JoinBuffer _right = new(within.RetentionMs);
    private long _streamTimeMs = long.MinValue;

    internal Action<Row> Next { get; set; } = _ => { };

    internal void Process(Row row)
    {
        _streamTimeMs = Math.Max(_streamTimeMs, row.TimestampMs);
        if (row.Key is null)
            return;
        JoinAsLeft(row, isOptimised ? _left : _right);
        if (!isOptimised)
            Store(_left, row);
        JoinAsRight(row);
        Store(isOptimised ? _left : _right, row);
    }

    private static void Store(JoinBuffer side, Row row)
    {
        side.Observe(row);
        if (row.Value is not null)
            side.Add(row);
    }

    private void JoinAsLeft(Row row, JoinBuffer others)
    {
        if (row.Value is null)
            return;
        foreach (Row other in others.Find(
            row.Key!, row.TimestampMs - within.BeforeMs, row.TimestampMs + within.AfterMs))
            Emit(row, other, pair(row.Value, other.Value));
    }

    private void JoinAsRight(Row row)
    {
        if (row.Value is null)
            return;
        bool joinsItself = isOptimised && row.TimestampMs > _streamTimeMs - within.RetentionMs + 1;
        foreach (Row other in _left.Find(
            row.Key!, row.TimestampMs - within.AfterMs, row.TimestampMs + within.BeforeMs))
        {
            if (joinsItself && other.TimestampMs > row.TimestampMs)
            {
                joinsItself = false;
                Emit(row, row, pair(row.Value, row.Value));
            }
            Emit(row, other, pair(other.Value, row.Value));
        }
        if (joinsItself)
            Emit(row, row, pair(row.Value, row.Value));
    }

    private void Emit(Row row, Row other, string value) => Next(
        row with { Value = value, TimestampMs = Math.Max(row.TimestampMs, other.TimestampMs) });
}
