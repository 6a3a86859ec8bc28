namespace Streams.Tests.Reference;

/// <summary>The folds that aggregations are made of.</summary>
internal static class Folds
{
    /// <summary>Counts records, in decimal.</summary>
    internal static string? Count(string? value, string? aggregate) =>
        $"{(aggregate is null ? 0 : long.Parse(aggregate, null)) + 1}";

    /// <summary>Combines values from the first one on.</summary>
    internal static Fold Reduce(Func<string?, string?, string?> reducer) =>
        (value, aggregate) => aggregate is null ? value : reducer(aggregate, value);

    /// <summary>Adds values to an initial one.</summary>
    internal static Fold Aggregate(string initial, Func<string, string?, string?> adder) =>
        (value, aggregate) => adder(aggregate ?? initial, value);
}

/// <summary>An aggregate by key; several streams may share it, each with its own fold.</summary>
internal sealed class StreamAggregate(params Fold[] folds)
{
    internal SortedDictionary<string, (string Value, long TimestampMs)> State { get; } =
        new(StringComparer.Ordinal);

    internal Action<Change> Next { get; set; } = _ => { };

    /// <summary>Takes a record of a stream.</summary>
    internal void Process(int stream, Row row)
    {
        if (row.Key is null || row.Value is null)
            return;
        bool existed = State.TryGetValue(row.Key, out var old);
        long timestampMs = existed ? Math.Max(old.TimestampMs, row.TimestampMs) : row.TimestampMs;
        string? result = folds[stream](row.Value, existed ? old.Value : null);
        if (result is null)
            State.Remove(row.Key);
        else
            State[row.Key] = (result, timestampMs);
        Next(new Change(row.Key, result, existed ? old.Value : null, timestampMs, row.Headers));
    }
}
