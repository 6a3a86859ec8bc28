using System.Diagnostics.CodeAnalysis;
using Streams.Log;
using Streams.Records;
using Streams.State;
using Streams.Telemetry;

namespace Streams.Processing;

/// <summary>A table of a topic that every task has whole, as it was written.</summary>
internal abstract class GlobalTable(string topic, string store)
{
    internal string TopicName { get; } = topic;

    internal string StoreName { get; } = store;

    /// <summary>Makes the store of one thread.</summary>
    internal abstract StateStore CreateStore();

    /// <summary>Takes one record of the topic.</summary>
    /// <exception cref="SerializationException">It is not what the topic's serdes say.</exception>
    internal abstract void Apply(StateStore store, in LogRecord record);
}

/// <inheritdoc/>
internal sealed class GlobalTable<TKey, TValue>(
    string topic, StoreOptions options, Serde<TKey> keySerde, Serde<TValue> valueSerde)
    : GlobalTable(topic, options.Name)
{
    internal override StateStore CreateStore() =>
        new KeyValueStore<TKey, TValue>(options, keySerde, valueSerde, null, 0);

    internal override void Apply(StateStore store, in LogRecord record)
    {
        if (!record.HasKey)
            return;
        var table = (KeyValueStore<TKey, TValue>)store;
        TKey key = keySerde.Deserialize(record.Key);
        if (record.HasValue)
            table.Put(key, valueSerde.Deserialize(record.Value), record.TimestampMs);
        else
            table.Delete(key);
    }
}

/// <summary>
/// The global tables of one thread. Each thread has its own, so that reading them takes no lock; their topics
/// are their changelogs, read from the beginning at every start.
/// </summary>
internal sealed class GlobalTables : IDisposable
{
    private readonly List<Reading> _readings = [];
    private readonly Dictionary<string, StateStore> _stores = [];
    private readonly FailurePolicy _failures;

    private GlobalTables(FailurePolicy failures) => _failures = failures;

    /// <summary>Reads the tables of a topology up to what is committed now; null where it has none.</summary>
    internal static GlobalTables? Open(
        Topology topology, TaskEnvironment environment, ILogReader reader, CancellationToken cancellation)
    {
        if (topology.Globals.Count == 0)
            return null;
        var tables = new GlobalTables(environment.Options.DecodingFailures);
        foreach (GlobalTable table in topology.Globals)
        {
            StateStore store = table.CreateStore();
            tables._stores.Add(table.StoreName, store);
            Topic topic = environment.Topic(table.TopicName);
            for (int p = 0; p < topic.Partitions; p++)
                tables._readings.Add(new Reading(
                    table, store, topic[p], environment.Log.StartOffset(topic[p]), reader.CreateBatch()));
        }
        tables.CatchUp(environment.Log, reader, cancellation);
        return tables;
    }

    internal bool TryGet(string name, [NotNullWhen(true)] out StateStore? store) =>
        _stores.TryGetValue(name, out store);

    /// <summary>Takes in what was committed since.</summary>
    internal void Update(ILogReader reader, CancellationToken cancellation)
    {
        foreach (Reading reading in _readings)
        {
            bool changed = false;
            while (reader.Read(reading.Partition, reading.Offset, reading.Batch))
            {
                cancellation.ThrowIfCancellationRequested();
                while (reading.Batch.TryRead(out LogRecord record))
                    Apply(reading, record);
                reading.Offset = reading.Batch.NextOffset;
                changed = true;
            }
            // Nobody logs these changes, but the store remembers them until it is told.
            if (changed)
                reading.Store.Flush(NoChangelog.Instance);
        }
    }

    private void CatchUp(ITopicLog log, ILogReader reader, CancellationToken cancellation)
    {
        long[] ends = [.. _readings.Select(r => log.HighWatermark(r.Partition))];
        for (int i = 0; i < ends.Length; i++)
        {
            while (_readings[i].Offset < ends[i])
            {
                Update(reader, cancellation);
                if (_readings[i].Offset < ends[i])
                    reader.WaitForMore();
            }
        }
    }

    public void Dispose()
    {
        foreach (Reading reading in _readings)
            reading.Batch.Dispose();
        foreach (StateStore store in _stores.Values)
            store.Dispose();
    }

    // A dead letter would be written again at each start and by each thread, so refused bytes are counted.
    private void Apply(Reading reading, in LogRecord record)
    {
        try
        {
            reading.Table.Apply(reading.Store, record);
        }
        catch (SerializationException e) when (_failures != FailurePolicy.Fail)
        {
            EngineMeter.RecordFailed(reading.Table.TopicName, "decode", e.GetType().Name, isKept: false);
        }
    }

    private sealed class Reading(
        GlobalTable table, StateStore store, TopicPartition partition, long offset, LogBatch batch)
    {
        internal GlobalTable Table { get; } = table;

        internal StateStore Store { get; } = store;

        internal TopicPartition Partition { get; } = partition;

        internal long Offset { get; set; } = offset;

        internal LogBatch Batch { get; } = batch;
    }
}
