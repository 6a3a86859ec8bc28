namespace Streams.Tests.Reference;

/// <summary>Gathers values by key and gives them out, by key, whenever a time has passed.</summary>
/// <param name="intervalMs">From one time to the next.</param>
/// <param name="join">Adds a value to those gathered, null at first.</param>
internal sealed class Collector(long intervalMs, Func<string?, string?, string> join)
{
    private long _nextMs;

    internal SortedDictionary<string, string> State { get; } = new(StringComparer.Ordinal);

    internal Action<Row> Next { get; set; } = _ => { };

    /// <summary>The schedule begins: by wall clock one interval from now, by stream time at once.</summary>
    internal void Schedule(long nowMs, bool isWallClock) => _nextMs = isWallClock ? nowMs + intervalMs : 0;

    internal void Process(Row row)
    {
        if (row.Key is not null)
            State[row.Key] = join(State.GetValueOrDefault(row.Key), row.Value);
    }

    /// <summary>The clock shows a time: once, however many times were missed.</summary>
    internal void Observe(long nowMs)
    {
        if (nowMs < _nextMs)
            return;
        while (_nextMs <= nowMs)
            _nextMs += intervalMs;
        foreach ((string key, string value) in State.ToList())
        {
            Next(new Row(key, value, nowMs));
            State.Remove(key);
        }
    }
}
