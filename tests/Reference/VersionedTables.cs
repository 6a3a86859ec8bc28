namespace Streams.Tests.Reference;

/// <summary>A table that knows which value was valid when.</summary>
internal sealed class VersionedTable(long historyMs)
{
    private readonly Dictionary<string, SortedDictionary<long, string?>> _versions = [];
    private long _highestMs = long.MinValue;

    internal Action<Change> Next { get; set; } = _ => { };

    internal (string Value, long TimestampMs)? FindLatest(string key) =>
        _versions.TryGetValue(key, out var versions) && versions.Last() is { Value: { } value } last
            ? (value, last.Key) : null;

    /// <summary>The value that was valid at a time.</summary>
    internal string? FindAsOf(string key, long timeMs)
    {
        if (!_versions.TryGetValue(key, out var versions))
            return null;
        if (timeMs < _highestMs - historyMs)
            return versions.Last().Key <= timeMs ? versions.Last().Value : null;
        return versions.LastOrDefault(v => v.Key <= timeMs).Value;
    }

    internal void Process(Row row)
    {
        if (row.Key is null)
            return;
        _highestMs = Math.Max(_highestMs, row.TimestampMs);
        if (row.TimestampMs < _highestMs - historyMs)
            return;
        string? old = FindAsOf(row.Key, row.TimestampMs);
        if (!_versions.TryGetValue(row.Key, out var versions))
            _versions[row.Key] = versions = [];
        versions[row.TimestampMs] = row.Value;
        Next(new Change(row.Key, row.Value, old, row.TimestampMs, row.Headers)
        {
            IsLatest = versions.Last().Key == row.TimestampMs,
        });
    }
}

/// <summary>A stream joined with a table's rows; held back for a while where a grace is given.</summary>
/// <param name="isLeft">Whether records without a row come out.</param>
/// <param name="find">The row of a key at a time.</param>
/// <param name="pair">Joins two values.</param>
/// <param name="graceMs">How long records are held back; null for not at all.</param>
internal sealed class StreamTableJoin(
    bool isLeft, Func<string, long, string?> find, Func<string, string?, string> pair, long? graceMs = null)
{
    private readonly List<Row> _held = [];
    private long _highestMs = long.MinValue;

    internal Action<Row> Next { get; set; } = _ => { };

    internal IReadOnlyList<Row> Held => _held;

    internal void Process(Row row)
    {
        if (row.Value is null || (row.Key is null && !isLeft))
            return;
        if (graceMs is not { } grace || row.Key is null
            || (_highestMs != long.MinValue && row.TimestampMs < _highestMs - grace))
        {
            Join(row);
            return;
        }
        _highestMs = Math.Max(_highestMs, row.TimestampMs);
        _held.Add(row);
        // By time and key; what arrived first stays first among equals.
        foreach (Row due in _held.Where(r => r.TimestampMs <= _highestMs - grace)
            .OrderBy(r => r.TimestampMs).ThenBy(r => r.Key, StringComparer.Ordinal).ToList())
        {
            _held.Remove(due);
            Join(due);
        }
    }

    private void Join(Row row)
    {
        string? found = row.Key is null ? null : find(row.Key, row.TimestampMs);
        if (found is not null || isLeft)
            Next(row with { Value = pair(row.Value!, found) });
    }
}
