namespace Streams.Tests.Reference;

/// <summary>A table of the value that arrived last.</summary>
internal sealed class Table
{
    internal SortedDictionary<string, (string Value, long TimestampMs)> State { get; } =
        new(StringComparer.Ordinal);

    internal Action<Change> Next { get; set; } = _ => { };

    internal (string Value, long TimestampMs)? Find(string key) =>
        State.TryGetValue(key, out var found) ? found : null;

    internal void Process(Row row)
    {
        if (row.Key is null)
            return;
        string? old = Find(row.Key)?.Value;
        if (row.Value is null)
            State.Remove(row.Key);
        else
            State[row.Key] = (row.Value, row.TimestampMs);
        Next(new Change(row.Key, row.Value, old, row.TimestampMs, row.Headers));
    }
}

/// <summary>Lets rows through for which a predicate holds.</summary>
/// <param name="keeps">The predicate.</param>
/// <param name="knowsOld">Whether what follows knows the old rows, and so needs no tombstone where there was
/// none.</param>
internal sealed class TableFilter(Func<string, bool> keeps, bool knowsOld)
{
    internal Action<Change> Next { get; set; } = _ => { };

    internal void Process(Change change)
    {
        string? now = change.New is not null && keeps(change.New) ? change.New : null;
        string? old = change.Old is not null && keeps(change.Old) ? change.Old : null;
        if (knowsOld && now is null && old is null)
            return;
        Next(change with { New = now, Old = old });
    }
}

/// <summary>What a table's row is in its group: the group's key and the value that is added to it.</summary>
internal delegate (string? Key, string? Value) Selector(string key, string value);

/// <summary>Gives rows another key: what a group loses, then what a group gains.</summary>
internal sealed class Regroup(Selector selector)
{
    internal Action<Change> Next { get; set; } = _ => { };

    internal void Process(Change change)
    {
        if (!change.IsLatest)
            return;
        (string? Key, string? Value) gained = change.New is null ? default : selector(change.Key, change.New);
        (string? Key, string? Value) lost = change.Old is null ? default : selector(change.Key, change.Old);
        bool gains = gained.Key is not null && gained.Value is not null;
        bool loses = lost.Key is not null && lost.Value is not null;
        if (gains && loses && gained.Key == lost.Key)
        {
            Next(change with { Key = gained.Key!, New = gained.Value, Old = lost.Value });
            return;
        }
        if (loses)
            Next(change with { Key = lost.Key!, New = null, Old = lost.Value });
        if (gains)
            Next(change with { Key = gained.Key!, New = gained.Value, Old = null });
    }
}

/// <summary>An aggregate of a group of rows.</summary>
/// <param name="initial">What an aggregate begins with; null to begin with the first value.</param>
/// <param name="add">Adds a value.</param>
/// <param name="subtract">Takes a value out.</param>
internal sealed class TableAggregate(
    string? initial, Func<string, string, string?> add, Func<string, string, string?> subtract)
{
    internal SortedDictionary<string, (string Value, long TimestampMs)> State { get; } =
        new(StringComparer.Ordinal);

    internal Action<Change> Next { get; set; } = _ => { };

    internal void Process(Change change)
    {
        bool existed = State.TryGetValue(change.Key, out var old);
        long timestampMs = existed ? Math.Max(old.TimestampMs, change.TimestampMs) : change.TimestampMs;
        string? result = existed ? old.Value : null;
        if (change.Old is not null && result is not null)
            result = subtract(result, change.Old);
        if (change.New is not null)
        {
            result = result is not null ? add(result, change.New)
                : initial is null ? change.New : add(initial, change.New);
        }
        if (result is null)
            State.Remove(change.Key);
        else
            State[change.Key] = (result, timestampMs);
        Next(change with { New = result, Old = existed ? old.Value : null, TimestampMs = timestampMs });
    }
}

/// <summary>Which rows of a join come out without a partner.</summary>
internal enum JoinKind
{
    Inner,
    Left,
    Outer,
}

/// <summary>A join of two tables by key.</summary>
/// <param name="kind">Which rows come out alone.</param>
/// <param name="left">The current row of the left table.</param>
/// <param name="right">The current row of the right table.</param>
/// <param name="pair">Joins two values, of which one may be null.</param>
internal sealed class TableJoin(
    JoinKind kind, Func<string, (string Value, long TimestampMs)?> left,
    Func<string, (string Value, long TimestampMs)?> right, Func<string?, string?, string> pair)
{
    internal Action<Change> Next { get; set; } = _ => { };

    internal void ProcessLeft(Change change)
    {
        if (!change.IsLatest)
            return;
        var other = right(change.Key);
        if (other is null && (kind == JoinKind.Inner || (change.New is null && change.Old is null)))
            return;
        Forward(change, other, Join(change.New, other?.Value));
    }

    internal void ProcessRight(Change change)
    {
        if (!change.IsLatest)
            return;
        var other = left(change.Key);
        if (other is null && (kind != JoinKind.Outer || (change.New is null && change.Old is null)))
            return;
        Forward(change, other, Join(other?.Value, change.New));
    }

    private string? Join(string? l, string? r)
    {
        bool joins = kind switch
        {
            JoinKind.Inner => l is not null && r is not null,
            JoinKind.Left => l is not null,
            _ => l is not null || r is not null,
        };
        return joins ? pair(l, r) : null;
    }

    private void Forward(Change change, (string Value, long TimestampMs)? other, string? result) =>
        Next(change with
        {
            New = result,
            Old = null,
            TimestampMs = Math.Max(change.TimestampMs, other?.TimestampMs ?? change.TimestampMs),
        });
}
