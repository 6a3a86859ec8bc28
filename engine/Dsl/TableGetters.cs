using Streams.State;

namespace Streams.Dsl;

/// <summary>Reads the current values of a table in a running task.</summary>
internal abstract class TableGetter<TKey, TValue>
{
    /// <summary>Reads a value, refilling <paramref name="value"/> where its type allows that.</summary>
    internal abstract bool TryGet(in TKey key, ref TValue value, out long timestampMs);

    /// <summary>Reads the value that was valid at a time; the current one where no history is kept.</summary>
    internal virtual bool TryGetAsOf(in TKey key, long timeMs, ref TValue value, out long timestampMs) =>
        TryGet(key, ref value, out timestampMs);
}

/// <summary>Reads a table that has a store.</summary>
internal sealed class StoreGetter<TKey, TValue>(KeyValueStore<TKey, TValue> store) : TableGetter<TKey, TValue>
{
    internal override bool TryGet(in TKey key, ref TValue value, out long timestampMs) =>
        store.TryGet(key, ref value, out timestampMs);
}

/// <summary>Reads a versioned table.</summary>
internal sealed class VersionedGetter<TKey, TValue>(VersionedStore<TKey, TValue> store)
    : TableGetter<TKey, TValue>
{
    internal override bool TryGet(in TKey key, ref TValue value, out long timestampMs) =>
        store.TryGet(key, ref value, out timestampMs);

    internal override bool TryGetAsOf(in TKey key, long timeMs, ref TValue value, out long timestampMs) =>
        store.TryGetAsOf(key, timeMs, ref value, out timestampMs);
}

/// <summary>Reads the windows of a windowed table.</summary>
internal sealed class WindowGetter<TKey, TValue>(WindowStore<TKey, TValue> store)
    : TableGetter<Windowed<TKey>, TValue>
{
    internal override bool TryGet(in Windowed<TKey> key, ref TValue value, out long timestampMs) =>
        store.TryGet(key.Key, key.StartMs, ref value, out timestampMs);
}

/// <summary>Reads the sessions of a windowed table.</summary>
internal sealed class SessionGetter<TKey, TValue>(SessionStore<TKey, TValue> store)
    : TableGetter<Windowed<TKey>, TValue>
{
    internal override bool TryGet(in Windowed<TKey> key, ref TValue value, out long timestampMs)
    {
        timestampMs = key.EndMs;
        return store.TryGet(key.Key, new SessionSpan(key.StartMs, key.EndMs), ref value);
    }
}

/// <summary>Reads a table through a predicate.</summary>
internal sealed class FilterGetter<TKey, TValue>(
    TableGetter<TKey, TValue> source, Func<TKey, TValue, bool> predicate, bool keep)
    : TableGetter<TKey, TValue>
{
    internal override bool TryGet(in TKey key, ref TValue value, out long timestampMs) =>
        source.TryGet(key, ref value, out timestampMs) && predicate(key, value) == keep;

    internal override bool TryGetAsOf(in TKey key, long timeMs, ref TValue value, out long timestampMs) =>
        source.TryGetAsOf(key, timeMs, ref value, out timestampMs) && predicate(key, value) == keep;
}

/// <summary>Reads a table through a function.</summary>
internal sealed class MapGetter<TKey, TSource, TValue>(
    TableGetter<TKey, TSource> source, Func<TKey, TSource, TValue> mapper) : TableGetter<TKey, TValue>
{
    private TSource _found = default!;

    internal override bool TryGet(in TKey key, ref TValue value, out long timestampMs) =>
        source.TryGet(key, ref _found, out timestampMs) && Map(key, ref value);

    internal override bool TryGetAsOf(in TKey key, long timeMs, ref TValue value, out long timestampMs) =>
        source.TryGetAsOf(key, timeMs, ref _found, out timestampMs) && Map(key, ref value);

    private bool Map(in TKey key, ref TValue value)
    {
        value = mapper(key, _found);
        return value is not null;
    }
}

/// <summary>Reads the join of two tables.</summary>
internal sealed class JoinGetter<TKey, TLeft, TRight, TResult>(
    TableGetter<TKey, TLeft> left, TableGetter<TKey, TRight> right,
    OuterJoiner<TKey, TLeft, TRight, TResult> joiner, bool leftPreserved, bool rightPreserved)
    : TableGetter<TKey, TResult>
{
    private TLeft _left = default!;
    private TRight _right = default!;

    internal override bool TryGet(in TKey key, ref TResult value, out long timestampMs)
    {
        bool hasLeft = left.TryGet(key, ref _left, out long leftMs);
        bool hasRight = right.TryGet(key, ref _right, out long rightMs);
        timestampMs = hasLeft && hasRight ? Math.Max(leftMs, rightMs) : hasLeft ? leftMs : rightMs;
        if ((!hasLeft && (!hasRight || !rightPreserved)) || (!hasRight && !leftPreserved))
            return false;
        value = joiner(key, hasLeft ? _left : default!, hasLeft, hasRight ? _right : default!, hasRight);
        return value is not null;
    }
}
