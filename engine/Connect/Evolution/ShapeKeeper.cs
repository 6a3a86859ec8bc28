using Microsoft.Extensions.Logging;
using Streams.Log;
using Streams.Processing;
using Streams.Telemetry;

namespace Streams.Connect.Evolution;

/// <summary>
/// Before an application starts: compares its topology with the recorded one, refuses what would lose state,
/// deletes what was accepted to go, and records the topology as it is now.
/// </summary>
/// <remarks>
/// The record and the list of what is to be deleted are one commit, durable before anything is deleted: after
/// a crash in between, the next start deletes the rest. docs/decisions/0015-topology-changes.md.
/// </remarks>
internal sealed class ShapeKeeper(ApplicationDefinition definition, ITopicLog log, ILogger logger)
{
    private readonly StreamTimes _times = new(definition.Id, log);
    private readonly StoreMigrator _migrator = new(definition, log, logger);

    /// <summary>Brings the log to where the application's topics can be made.</summary>
    /// <exception cref="TopologyChangedException">Something would be lost that was not accepted; nothing was
    /// changed.</exception>
    internal void Settle()
    {
        MoveSnapshots();
        using ILogWriter writer = log.OpenWriter($"{definition.Id}-topology");
        if (Recorded() is { } unfinished && unfinished.IsUnfinished)
            Finish(writer, unfinished);
        Comparison found = ShapeComparison.Compare(definition, new OpenLogContents(log));
        if (!found.Changes.CanStart)
            throw new TopologyChangedException(found.Changes);
        foreach (string needless in found.Changes.NeedlesslyAccepted)
            logger.LossAcceptedNeedlessly(needless);
        foreach (TopologyChange change in found.Changes.Changes)
            logger.TopologyChanged(change.Kind, change.Subject, change.What);
        _migrator.Clean(found.Now.Stores.Select(s => s.Name));
        foreach (string store in found.Migrations)
            _migrator.Stage(store);
        TopologyShape now = found.Now with
        {
            Removals = found.Removals,
            Migrated = found.Migrations.Count > 0 ? found.Migrations : null,
        };
        int partitions = now.Stores.FirstOrDefault(s => s.Name == Topology.StreamTimeStore)?.Partitions ?? 0;
        if (_times.Partitions is { } kept && kept < partitions)
            now = now with { Times = _times.Read(found.Removals) };
        else if (found.Removals.Count > 0)
            _times.Forget(writer, found.Removals);
        if (!now.IsUnfinished)
        {
            Record(writer, now);
            return;
        }
        log.WaitDurable(Record(writer, now), CancellationToken.None);
        Finish(writer, now);
    }

    private TopologyShape? Recorded() =>
        log.Cursor(ShapeComparison.CursorSource, definition.Id) is { } bytes
            ? TopologyShape.Read(bytes)
            : null;

    private long Record(ILogWriter writer, TopologyShape shape)
    {
        byte[] bytes = shape.Write();
        if (log.Cursor(ShapeComparison.CursorSource, definition.Id) is { } recorded
            && recorded.AsSpan().SequenceEqual(bytes))
            return 0;
        writer.CommitCursor(ShapeComparison.CursorSource, definition.Id, bytes);
        return writer.Commit();
    }

    // Every step can be done again.
    private void Finish(ILogWriter writer, TopologyShape shape)
    {
        if (shape.Removals.Any(r => r.Store is not null) || shape.Migrated is not null)
        {
            StateEpoch.Begin(writer, definition.Id, log);
            log.WaitDurable(writer.Commit(), CancellationToken.None);
        }
        foreach (Removal removal in shape.Removals)
        {
            if (removal.Store is { } store)
                DeleteSnapshots(store);
            log.DeleteTopic(removal.Topic);
            logger.TopicDeleted(removal.Topic);
        }
        if (shape.Times is { } times)
            _times.Widen(
                writer, times, shape.Stores.First(s => s.Name == Topology.StreamTimeStore).Partitions);
        foreach (string store in shape.Migrated ?? [])
        {
            DeleteSnapshots(store);
            _migrator.Take(store);
            logger.StoreMigrated(store);
        }
        log.WaitDurable(
            Record(writer, shape with { Removals = [], Times = null, Migrated = null }),
            CancellationToken.None);
        _migrator.Clean(shape.Migrated ?? []);
    }

    // Where several processes share the log, the epoch says that they do not count.
    private void DeleteSnapshots(string store)
    {
        string root = TaskEnvironment.StateRoot(definition.DataFolder, definition.Id);
        if (log.SharesWork || !Directory.Exists(root))
            return;
        foreach (string partition in Directory.GetDirectories(root))
        {
            string folder = Path.Combine(partition, store);
            if (Directory.Exists(folder))
                Directory.Delete(folder, recursive: true);
        }
    }

    // Snapshots once lay by the number of the part, such as 1_0, which an inserted operator can change.
    private void MoveSnapshots()
    {
        string root = TaskEnvironment.StateRoot(definition.DataFolder, definition.Id);
        if (!Directory.Exists(root))
            return;
        foreach (string task in Directory.GetDirectories(root).Where(d => Path.GetFileName(d).Contains('_')))
        {
            string partition = Path.Combine(root, Path.GetFileName(task).Split('_')[1]);
            Directory.CreateDirectory(partition);
            foreach (string store in Directory.GetDirectories(task))
                Directory.Move(store, Path.Combine(partition, Path.GetFileName(store)));
            Directory.Delete(task);
        }
    }
}
