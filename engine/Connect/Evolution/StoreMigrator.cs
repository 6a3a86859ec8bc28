using Microsoft.Extensions.Logging;
using Streams.Buffers;
using Streams.Dsl;
using Streams.Log;
using Streams.Processing;
using Streams.State;
using Streams.Telemetry;

namespace Streams.Connect.Evolution;

/// <summary>
/// Migrates stores: first into topics beside, with the old state untouched; then, once the new shape is
/// recorded, from there into new changelogs. Each half can be done again from its beginning after a crash.
/// </summary>
/// <remarks>docs/decisions/0020-store-migration.md.</remarks>
internal sealed class StoreMigrator(ApplicationDefinition definition, ITopicLog log, ILogger logger)
{
    private const string Suffix = "-migrated";
    private const int CommitBytes = 4 << 20;
    private const int ProgressEntries = 1_000_000;

    /// <summary>Writes the migrated entries of a store beside its changelog.</summary>
    /// <exception cref="ConfigurationException">The migration failed; nothing was changed.</exception>
    internal void Stage(string store)
    {
        StoreMigration migration = definition.Topology.Migrations.First(m => m.Store == store);
        StoreSpec spec = definition.Topology.Parts.SelectMany(p => p.Stores).First(s => s.Name == store);
        Topic changelog = log.FindTopic(Changelog(store))!;
        log.DeleteTopic(Changelog(store) + Suffix);
        Topic staged = log.EnsureTopic(
            TopicSetup.ChangelogOf(Changelog(store) + Suffix, changelog.Partitions, compacted: false));
        using ILogWriter writer = log.OpenWriter($"{definition.Id}-migration");
        using var entries = new MigratedEntries(migration, writer, logger);
        for (int p = 0; p < changelog.Partitions; p++)
        {
            using StateStore state = Restore(spec, changelog[p], p);
            entries.Begin(staged[p], p, state.Count);
            state.WriteAll(entries);
        }
        log.WaitDurable(entries.End(), CancellationToken.None);
    }

    /// <summary>Makes what was staged the store's state.</summary>
    internal void Take(string store)
    {
        Topic staged = log.FindTopic(Changelog(store) + Suffix)!;
        log.DeleteTopic(Changelog(store));
        Topic changelog = log.EnsureTopic(
            TopicSetup.ChangelogOf(Changelog(store), staged.Partitions, compacted: false));
        using ILogWriter writer = log.OpenWriter($"{definition.Id}-migration");
        using ILogReader reader = log.OpenReader(ReadLevel.Committed);
        using LogBatch batch = reader.CreateBatch();
        for (int p = 0; p < staged.Partitions; p++)
        {
            long end = log.HighWatermark(staged[p]);
            for (long at = 0; reader.ReadOrWait(staged[p], at, batch, end); at = batch.NextOffset)
            {
                while (batch.TryRead(out LogRecord record))
                {
                    writer.Append(changelog[p], record);
                    if (writer.PendingBytes >= CommitBytes)
                        writer.Commit();
                }
            }
        }
        log.WaitDurable(writer.Commit(), CancellationToken.None);
    }

    /// <summary>Deletes what a migration left beside, whether it was taken or given up.</summary>
    internal void Clean(IEnumerable<string> stores)
    {
        foreach (string topic in stores.Select(s => Changelog(s) + Suffix))
        {
            if (log.FindTopic(topic) is not null)
                log.DeleteTopic(topic);
        }
    }

    private StateStore Restore(StoreSpec spec, TopicPartition changelog, int partition)
    {
        StateStore state = spec.Create(null, 0);
        var environment = new TaskEnvironment(
            definition.Id, log, new LogRoom(), definition.DataFolder, definition.Runtime,
            TimeProvider.System);
        using var snapshots = new StoreSnapshots(
            state, log, changelog, environment.SnapshotFiles(new TaskId(0, partition), spec.Name),
            definition.Runtime.Snapshots, TaskScheduler.Default);
        long end = log.HighWatermark(changelog);
        using ILogReader reader = log.OpenReader(ReadLevel.Committed);
        using LogBatch batch = reader.CreateBatch();
        long at = snapshots.Load();
        for (; at < end && reader.ReadOrWait(changelog, at, batch, end); at = batch.NextOffset)
        {
            while (batch.TryRead(out LogRecord record))
                state.Restore(record.Key, record.HasValue, record.Value);
        }
        return state;
    }

    private string Changelog(string store) => $"{definition.Id}-{store}-changelog";

    /// <summary>Converts entries and writes them, some megabytes a commit.</summary>
    private sealed class MigratedEntries(StoreMigration migration, ILogWriter writer, ILogger logger)
        : IChangelog, IDisposable
    {
        private readonly PooledBuffer _converted = new();
        private TopicPartition _target;
        private int _partition;
        private long _done;
        private long _count;

        internal void Begin(TopicPartition target, int partition, long count)
        {
            _target = target;
            _partition = partition;
            _done = 0;
            _count = count;
            logger.StoreMigrates(migration.Store, partition, 0, count);
        }

        internal long End() => writer.Commit();

        public void Dispose() => _converted.Dispose();

        public void Append(ReadOnlySpan<byte> key, bool hasValue, ReadOnlySpan<byte> value)
        {
            _converted.Clear();
            try
            {
                migration.Convert(value, _converted);
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                throw new ConfigurationException(
                    $"The migration of the store '{migration.Store}' failed at the key "
                    + $"{System.Convert.ToHexStringLower(key)} of partition {_partition}: {e.Message} "
                    + "Nothing was changed.", e);
            }
            writer.Append(_target, new LogRecord
            {
                TimestampMs = 0,
                HasKey = true,
                Key = key,
                HasValue = true,
                Value = _converted.WrittenSpan,
            });
            if (++_done % ProgressEntries == 0)
                logger.StoreMigrates(migration.Store, _partition, _done, _count);
            if (writer.PendingBytes >= CommitBytes)
                writer.Commit();
        }
    }
}
