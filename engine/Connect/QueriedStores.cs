using Streams.State;

namespace Streams.Connect;

/// <summary>A key-value store that is read through the tasks that have it.</summary>
internal sealed class QueriedKeyValueStore<TKey, TValue>(StateQueries queries, string name)
    : IReadOnlyKeyValueStore<TKey, TValue>
{
    public long Count => queries.Run<KeyValueStore<TKey, TValue>, long>(name, s => s.Count).Sum();

    public bool TryGet(in TKey key, out TValue value)
    {
        TKey wanted = key;
        (bool found, value) = queries.Run<KeyValueStore<TKey, TValue>, (bool, TValue)>(
            name, s => (s.TryGet(wanted, out TValue read), read)).FirstOrDefault(a => a.Item1);
        return found;
    }

    public IEnumerable<KeyValuePair<TKey, TValue>> All() => Read(KeyRange.All);

    public IEnumerable<KeyValuePair<TKey, TValue>> Range(
        in TKey from, in TKey to, bool descending = false)
    {
        (TKey first, TKey last) = (from, to);
        return Read(s => s.Between(first, last), descending);
    }

    public IEnumerable<KeyValuePair<TKey, TValue>> Prefix(
        ReadOnlySpan<byte> prefix, bool descending = false) => Read(KeyRange.Prefix(prefix), descending);

    public IEnumerable<KeyValuePair<TKey, TValue>> Read(KeyRange range, bool descending = false) =>
        Read(_ => range, descending);

    private IEnumerable<KeyValuePair<TKey, TValue>> Read(
        Func<KeyValueStore<TKey, TValue>, KeyRange> range, bool descending)
    {
        List<(byte[] Key, KeyValuePair<TKey, TValue> Entry)>[] found =
            queries.Run<KeyValueStore<TKey, TValue>, List<(byte[], KeyValuePair<TKey, TValue>)>>(
                name, s => QueriedEntries.Bounded(
                    name, s.ReadKeyed(range(s), descending, StateQuery.AnswerEntriesMax + 1)));
        return StateQueries.Merge(found, e => e.Key, descending).Select(e => e.Entry);
    }
}

/// <summary>A window store that is read through the tasks that have it.</summary>
internal sealed class QueriedWindowStore<TKey, TValue>(StateQueries queries, string name)
    : IReadOnlyWindowStore<TKey, TValue>
{
    public bool TryGet(in TKey key, long windowStartMs, out TValue value)
    {
        TKey wanted = key;
        (bool found, value) = queries.Run<WindowStore<TKey, TValue>, (bool, TValue)>(
            name, s => (s.TryGet(wanted, windowStartMs, out TValue read), read))
            .FirstOrDefault(a => a.Item1);
        return found;
    }

    public IEnumerable<(long WindowStartMs, TValue Value, long TimestampMs)> Fetch(
        TKey key, long fromMs, long toMs) =>
        queries.Run<WindowStore<TKey, TValue>, List<(long, TValue, long)>>(
            name, s => QueriedEntries.Bounded(name, s.Fetch(key, fromMs, toMs))).SelectMany(w => w);

    public IReadOnlyList<WindowEntry<TKey, TValue>> FetchAll(
        long fromMs, long toMs, KeyRange range = default, bool descending = false)
    {
        List<(byte[] Key, WindowEntry<TKey, TValue> Entry)>[] found =
            queries.Run<WindowStore<TKey, TValue>, List<(byte[], WindowEntry<TKey, TValue>)>>(
                name, s => QueriedEntries.Bounded(name, s.ReadKeyed(fromMs, toMs, range, descending)));
        return [.. StateQueries.Merge(found, e => e.Key, descending).Select(e => e.Entry)];
    }
}

/// <summary>A session store that is read through the tasks that have it.</summary>
internal sealed class QueriedSessionStore<TKey, TAggregate>(StateQueries queries, string name)
    : IReadOnlySessionStore<TKey, TAggregate>
{
    public IReadOnlyList<(SessionSpan Session, TAggregate Value)> Fetch(
        TKey key, long earliestEndMs, long latestStartMs) =>
        [.. queries.Run<SessionStore<TKey, TAggregate>, List<(SessionSpan, TAggregate)>>(
            name, s => QueriedEntries.Bounded(name, s.Fetch(key, earliestEndMs, latestStartMs)))
            .SelectMany(s => s)];
}

/// <summary>A versioned store that is read through the tasks that have it.</summary>
internal sealed class QueriedVersionedStore<TKey, TValue>(StateQueries queries, string name)
    : IReadOnlyVersionedStore<TKey, TValue>
{
    public bool TryGet(in TKey key, ref TValue value, out long fromMs) =>
        TryGet(key, (VersionedStore<TKey, TValue> s, in TKey k, ref TValue v, out long from) =>
            s.TryGet(k, ref v, out from), ref value, out fromMs);

    public bool TryGetAsOf(in TKey key, long timeMs, ref TValue value, out long fromMs) =>
        TryGet(key, (VersionedStore<TKey, TValue> s, in TKey k, ref TValue v, out long from) =>
            s.TryGetAsOf(k, timeMs, ref v, out from), ref value, out fromMs);

    private delegate bool Get(
        VersionedStore<TKey, TValue> store, in TKey key, ref TValue value, out long fromMs);

    private bool TryGet(in TKey key, Get get, ref TValue value, out long fromMs)
    {
        TKey wanted = key;
        (bool found, TValue read, fromMs) =
            queries.Run<VersionedStore<TKey, TValue>, (bool, TValue, long)>(name, s =>
            {
                TValue own = default!;
                return (get(s, wanted, ref own, out long from), own, from);
            }).FirstOrDefault(a => a.Item1);
        if (found)
            value = read;
        return found;
    }
}

/// <summary>What comes from a task at once is bounded.</summary>
internal static class QueriedEntries
{
    internal static List<T> Bounded<T>(string store, IEnumerable<T> entries)
    {
        List<T> some = [.. entries.Take(StateQuery.AnswerEntriesMax + 1)];
        return some.Count <= StateQuery.AnswerEntriesMax
            ? some
            : throw new StateQueryException(
                $"A task has more than {StateQuery.AnswerEntriesMax:N0} entries of the store '{store}' in "
                + "that range: read it in parts.");
    }
}
