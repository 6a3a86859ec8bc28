using Microsoft.Extensions.Logging.Abstractions;
using Streams.Log;
using Streams.Log.Embedded;
using Streams.Processing;
using Streams.State;
using Streams.State.Disk;

namespace Streams.Connect;

/// <summary>Reads the stores of an application that does not run, from its directory, and changes nothing
/// there: as they were at the last commit.</summary>
/// <remarks>Each question restores the store that it is about, which takes as long as at a start.</remarks>
/// <param name="definition">The application.</param>
/// <param name="view">Its log.</param>
public sealed class StoppedState(ApplicationDefinition definition, EmbeddedLogView view) : IStateReader
{
    // What stands behind the database's position is kept in memory, for nothing may be written.
    private const long TailBytesMax = 4L << 30;

    /// <inheritdoc/>
    public IReadOnlyList<string> Stores => definition.Topology.Stores;

    /// <inheritdoc/>
    public Task<IReadOnlyList<StateEntry>> ReadAsync(
        string store, StateQuery query, CancellationToken cancellation = default)
    {
        StoreSpec spec = Find(store);
        using var log = new ViewedLog(view);
        string name = $"{definition.Id}-{store}-changelog";
        Topic changelog = view.FindTopic(name) ?? throw new StateQueryException(
            spec.Options.Logged
                ? $"The application has not run here yet: there is no topic '{name}'."
                : $"The store '{store}' has no changelog, so nothing is left of it.");
        int limit = Math.Clamp(query.EntriesMax, 0, StateQuery.AnswerEntriesMax);
        var found = new List<List<StateEntry>>();
        for (int partition = 0; partition < changelog.Partitions; partition++)
            found.Add(Read(spec, log, changelog[partition], query with { EntriesMax = limit }, cancellation));
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
        StoreSpec spec, ViewedLog log, TopicPartition changelog, StateQuery query,
        CancellationToken cancellation)
    {
        var environment = new TaskEnvironment(
            definition.Id, log, new LogRoom(), definition.DataFolder, definition.Runtime,
            TimeProvider.System);
        var task = new TaskId(0, changelog.Partition);
        using StateStore store = spec.Create(null, 0);
        using IStateKeeper keeper = definition.Runtime.IsOnDisk(spec)
            ? new ReadOnlyDiskKeeper(
                store, log, changelog, environment.DiskPlace(task, spec.Name),
                definition.Runtime.Disk with { EntryCacheBytes = TailBytesMax })
            : new StoreSnapshots(
                store, log, changelog, environment.SnapshotFiles(task, spec.Name),
                definition.Runtime.Snapshots, TaskScheduler.Default);
        using ILogReader reader = view.OpenReader();
        var progress = new RestoreProgress(task.ToString(), spec.Name);
        new StoreRestore(log, NullLogger.Instance, progress, store, keeper, changelog)
            .Finish(reader, cancellation);
        return [.. store.Query(query).Take(query.EntriesMax)];
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
