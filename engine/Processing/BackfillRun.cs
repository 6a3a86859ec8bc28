using System.Buffers.Binary;
using System.Security.Cryptography;
using Streams.Buffers;
using Streams.Log;

namespace Streams.Processing;

/// <summary>
/// A backfill that is under way, as tasks and sources see it: in which territory their records lie, and what
/// of the outputs that are delivered once was delivered before it began. Shared by all threads.
/// </summary>
/// <remarks>
/// What was delivered is read from the output topic itself, up to where it ended when the backfill began:
/// the topic is the record of it, so nothing has to be kept in ordinary times, and a restart finds it again.
/// </remarks>
/// <param name="log">The log.</param>
/// <param name="inputs">The partitions that are read again, by topic name and number.</param>
/// <param name="marked">Topics whose records may carry a mark.</param>
/// <param name="sources">The sources that are read again, by name.</param>
/// <param name="ends">Where output topics ended when the backfill began, by name.</param>
/// <param name="recordsMax">Bound on what is remembered of one topic.</param>
internal sealed class BackfillRun(
    ITopicLog log, IReadOnlyDictionary<(string Topic, int Partition), InputTerritory> inputs,
    IReadOnlySet<string> marked, IReadOnlyDictionary<string, SourceTerritory> sources,
    IReadOnlyDictionary<string, long[]> ends, int recordsMax)
{
    private readonly Dictionary<string, HashSet<UInt128>> _delivered = new(StringComparer.Ordinal);
    private readonly Lock _lock = new();

    /// <summary>Computes what tells a delivered record from others.</summary>
    internal delegate void Identify(in LogRecord record, PooledBuffer identity);

    /// <summary>How the records of a partition are told apart; null where all of them are new.</summary>
    internal InputTerritory? InputOf(string topic, int partition) =>
        inputs.TryGetValue((topic, partition), out InputTerritory? found) ? found
        : marked.Contains(topic) ? new InputTerritory(0, 0, 0, IsMarked: true)
        : null;

    /// <summary>How a source that is read again goes about it; null for one that goes on.</summary>
    internal SourceTerritory? SourceOf(string name) => sources.GetValueOrDefault(name);

    /// <summary>What a topic held when the backfill began.</summary>
    /// <param name="topic">The output topic.</param>
    /// <param name="identify">Computes a record's identity.</param>
    /// <exception cref="TopologyException">There is more than the bound allows.</exception>
    internal DeliveredRecords DeliveredTo(Topic topic, Identify identify)
    {
        lock (_lock)
        {
            if (!_delivered.TryGetValue(topic.Name, out HashSet<UInt128>? found))
                _delivered.Add(topic.Name, found = Read(topic, identify));
            return new DeliveredRecords(found);
        }
    }

    private HashSet<UInt128> Read(Topic topic, Identify identify)
    {
        var found = new HashSet<UInt128>();
        long[] until = ends.GetValueOrDefault(topic.Name) ?? [];
        using var identity = new PooledBuffer();
        using ILogReader reader = log.OpenReader(ReadLevel.Committed);
        using LogBatch batch = reader.CreateBatch();
        for (int p = 0; p < Math.Min(until.Length, topic.Partitions); p++)
        {
            long offset = log.StartOffset(topic[p]);
            while (offset < until[p] && reader.ReadOrWait(topic[p], offset, batch, until[p]))
            {
                while (batch.TryRead(out LogRecord record) && record.Offset < until[p])
                {
                    identity.Clear();
                    identify(record, identity);
                    found.Add(DeliveredRecords.Digest(identity.WrittenSpan));
                    if (found.Count > recordsMax)
                        throw new TopologyException(
                            $"The topic '{topic.Name}' holds more than {recordsMax:N0} records that are "
                            + "delivered once, and a backfill has to remember them all: raise "
                            + "backfill_records_max, at 32 bytes each.");
                }
                offset = batch.NextOffset;
            }
        }
        return found;
    }
}

/// <summary>What was delivered before a backfill began; it does not change.</summary>
internal readonly struct DeliveredRecords(HashSet<UInt128> digests)
{
    /// <summary>How many there are.</summary>
    internal int Count => digests.Count;

    /// <summary>Whether a record of that identity was.</summary>
    internal bool Contains(ReadOnlySpan<byte> identity) => digests.Contains(Digest(identity));

    /// <summary>128 bits of an identity: two that differ do not have the same.</summary>
    internal static UInt128 Digest(ReadOnlySpan<byte> identity)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(identity, hash);
        return BinaryPrimitives.ReadUInt128LittleEndian(hash);
    }
}

/// <summary>A source that is read again from its beginning: which of its records write outputs
/// again.</summary>
/// <param name="Unit">What the bounds count: null for event time in milliseconds, else the source's own
/// unit.</param>
/// <param name="From">The first position whose outputs are written again.</param>
/// <param name="To">The first position behind those; null for up to the end.</param>
/// <param name="EndMs">The latest event time that the source had emitted before.</param>
internal sealed record SourceTerritory(string? Unit, long From, long? To, long EndMs);
