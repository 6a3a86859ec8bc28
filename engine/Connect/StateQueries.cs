using Streams.Processing;
using Streams.State;

namespace Streams.Connect;

/// <summary>
/// Reads the stores of an application while it runs, from any thread. Each read is done by the tasks
/// themselves, between two of their records, so it sees a consistent store and no record waits for a lock; a
/// read over several tasks sees each of them so, one after the other.
/// </summary>
/// <remarks>What is read may be part of a commit that is still to come. Answers are copies.</remarks>
public sealed class StateQueries : IStateReader
{
    private readonly TaskEnvironment _environment;
    private readonly Topology _topology;
    private readonly IReadOnlyList<TaskId> _tasks;

    internal StateQueries(TaskEnvironment environment, Topology topology, IReadOnlyList<TaskId> tasks)
    {
        _environment = environment;
        _topology = topology;
        _tasks = tasks;
    }

    /// <summary>How long a task may take to answer. Default 5 s.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <inheritdoc/>
    public IReadOnlyList<string> Stores =>
        [.. _topology.Stores.Concat(_topology.Globals.Select(g => g.StoreName))
            .Order(StringComparer.Ordinal)];

    /// <inheritdoc/>
    public async Task<IReadOnlyList<StateEntry>> ReadAsync(
        string store, StateQuery query, CancellationToken cancellation = default)
    {
        int limit = Math.Clamp(query.EntriesMax, 0, StateQuery.AnswerEntriesMax);
        List<StateEntry>[] found = await RunAsync<StateStore, List<StateEntry>>(
            store, s => [.. s.Query(query with { EntriesMax = limit }).Take(limit)], cancellation);
        return [.. Merge(found, e => e.KeyBytes, query.Descending).Take(limit)];
    }

    /// <inheritdoc/>
    public async Task<byte[]> KeyAsync(string store, string text, CancellationToken cancellation = default) =>
        (await RunAsync<StateStore, byte[]>(store, s => s.QueryKey(text), cancellation)).FirstOrDefault()
            ?? throw new StateQueryException($"No task of this process has the store '{store}' now.");

    /// <summary>A key-value store, to read by its types.</summary>
    public IReadOnlyKeyValueStore<TKey, TValue> KeyValueStore<TKey, TValue>(string name) =>
        new QueriedKeyValueStore<TKey, TValue>(this, Require(name));

    /// <summary>A window store, to read by its types.</summary>
    public IReadOnlyWindowStore<TKey, TValue> WindowStore<TKey, TValue>(string name) =>
        new QueriedWindowStore<TKey, TValue>(this, Require(name));

    /// <summary>A session store, to read by its types.</summary>
    public IReadOnlySessionStore<TKey, TAggregate> SessionStore<TKey, TAggregate>(string name) =>
        new QueriedSessionStore<TKey, TAggregate>(this, Require(name));

    /// <summary>A versioned store, to read by its types.</summary>
    public IReadOnlyVersionedStore<TKey, TValue> VersionedStore<TKey, TValue>(string name) =>
        new QueriedVersionedStore<TKey, TValue>(this, Require(name));

    /// <summary>Reads of the store of each task, and waits.</summary>
    internal TResult[] Run<TStore, TResult>(string store, Func<TStore, TResult> read)
        where TStore : StateStore =>
        RunAsync(store, read, CancellationToken.None).GetAwaiter().GetResult();

    /// <summary>Joins what tasks found, each in the order of keys, in that order.</summary>
    internal static IEnumerable<T> Merge<T>(
        IReadOnlyCollection<IReadOnlyList<T>> parts, Func<T, byte[]> key, bool descending)
    {
        Comparer<byte[]> order = Comparer<byte[]>.Create((a, b) => a.AsSpan().SequenceCompareTo(b));
        if (parts.Count == 1)
            return parts.First();
        // Stable, so that a key's windows stay in their order.
        IEnumerable<T> all = parts.SelectMany(p => p);
        return descending ? all.OrderByDescending(key, order) : all.OrderBy(key, order);
    }

    private async Task<TResult[]> RunAsync<TStore, TResult>(
        string store, Func<TStore, TResult> read, CancellationToken cancellation)
        where TStore : StateStore => await Task.WhenAll(TasksOf(Require(store)).Select(
            task => _environment.Desk.ReadAsync(task, store, read, Timeout, cancellation)));

    private string Require(string store) => Stores.Contains(store)
        ? store
        : throw new StateQueryException(
            $"There is no store '{store}'. Stores: {string.Join(", ", Stores)}.");

    // Each thread has a global table whole, so one task is asked.
    private IEnumerable<TaskId> TasksOf(string store) => _topology.Globals.Any(g => g.StoreName == store)
        ? Here(_tasks).Take(1)
        : Here(_tasks.Where(t => _topology.Parts[t.SubTopology].Stores.Any(s => s.Name == store)));

    // Where processes share the work, each answers for what it has.
    private IEnumerable<TaskId> Here(IEnumerable<TaskId> tasks) => _environment.Log.SharesWork
        ? tasks.Where(_environment.Desk.Has)
        : tasks;
}
