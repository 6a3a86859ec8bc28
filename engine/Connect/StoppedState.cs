using Streams.Log;
using Streams.Log.Embedded;
using Streams.Processing;
using Streams.State;

namespace Streams.Connect;

/// <summary>Reads the stores of an application that does not run in its directory, and changes nothing
/// there: as they were at the last commit.</summary>
/// <remarks>Each question restores the store that it is about, which takes as long as at a start.</remarks>
/// <param name="definition">The application.</param>
/// <param name="log">Its log.</param>
public sealed class StoppedState(ApplicationDefinition definition, ITopicLog log) : IStateReader
{
    /// <param name="definition">The application.</param>
    /// <param name="view">Its log, which is only read.</param>
    public StoppedState(ApplicationDefinition definition, EmbeddedLogView view)
        : this(definition, new ViewedLog(view))
    {
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> Stores => definition.Topology.Stores;

    /// <inheritdoc/>
    public Task<IReadOnlyList<StateEntry>> ReadAsync(
        string store, StateQuery query, CancellationToken cancellation = default)
    {
        StoreSpec spec = Find(store);
        string name = $"{definition.Id}-{store}-changelog";
        Topic changelog = log.FindTopic(name) ?? throw new StateQueryException(
            spec.Options.Logged
                ? $"The application has not run here yet: there is no topic '{name}'."
                : $"The store '{store}' has no changelog, so nothing is left of it.");
        int limit = Math.Clamp(query.EntriesMax, 0, StateQuery.AnswerEntriesMax);
        var found = new List<List<StateEntry>>();
        for (int partition = 0; partition < changelog.Partitions; partition++)
            found.Add(Read(spec, changelog[partition], query with { EntriesMax = limit }, cancellation));
        return Task.FromResult<IReadOnlyList<StateEntry>>(
            [.. StateQueries.Merge(found, e => e.KeyBytes, query.Descending).Take(limit)]);
    }

    /// <inheritdoc/>
    public Task<byte[]> KeyAsync(string store, string text, CancellationToken cancellation = default)
    {
        using StateStore empty = Find(store).Create(null, 0);
        return Task.FromResult(empty.QueryKey(text));
    }

    private List<StateEntry> Read(
        StoreSpec spec, TopicPartition changelog, StateQuery query, CancellationToken cancellation)
    {
        using var stopped = new StoppedStore(
            definition, log, spec.Create(null, 0), changelog, definition.Runtime.IsOnDisk(spec),
                cancellation);
        return [.. stopped.Store.Query(query).Take(query.EntriesMax)];
    }

    private StoreSpec Find(string store) =>
        definition.Topology.Parts.SelectMany(p => p.Stores).FirstOrDefault(s => s.Name == store)
        ?? throw new StateQueryException(
            $"There is no store '{store}'. Stores: {string.Join(", ", Stores)}.");
}

/// <summary>A log as it was when it was opened, for what only reads.</summary>
internal sealed class ViewedLog(EmbeddedLogView view) : ITopicLog
{
    public string Id => view.Id;

    public long DurableCommit => view.LastCommit;

    public IReadOnlyList<Topic> Topics => view.Topics;

    public Topic? FindTopic(string name) => view.FindTopic(name);

    public ILogReader OpenReader(ReadLevel level) => view.OpenReader();

    public long StartOffset(TopicPartition partition) => view.StartOffset(partition);

    public long EndOffset(TopicPartition partition, ReadLevel level) => view.EndOffset(partition);

    public long? CommittedOffset(string group, TopicPartition partition) =>
        view.CommittedOffset(group, partition);

    public byte[]? Cursor(string source, string key) => view.Cursor(source, key);

    public IReadOnlyList<KeyValuePair<string, byte[]>> Cursors(string source) => view.Cursors(source);

    public void WaitDurable(long commit, CancellationToken cancellation)
    {
    }

    public long WaitForCommit(long commit, TimeSpan timeout, CancellationToken cancellation) =>
        view.LastCommit;

    public Topic EnsureTopic(TopicSpec spec) => throw ReadOnly();

    public bool DeleteTopic(string name) => throw ReadOnly();

    public ILogWriter OpenWriter(string writerId, bool exclusive = true) => throw ReadOnly();

    public bool SharesWork => false;

    public LaneBoard ShareWork(int lanes, int slots) => throw ReadOnly();

    public void DeleteRecordsBefore(TopicPartition partition, long offset) => throw ReadOnly();

    public void Dispose()
    {
        // The view is its opener's.
    }

    private static NotSupportedException ReadOnly() => new("This log is only read.");
}
