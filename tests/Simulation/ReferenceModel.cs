using System.Buffers.Binary;
using System.Text;
using Streams.Tests.Simulation.Operators;

using Streams.Tests.Reference;

namespace Streams.Tests.Simulation;

/// <summary>
/// What must have come of the commits of a journal: every topic, position and state, computed with
/// dictionaries and lists, one record at a time, by code that is not the engine's.
/// </summary>
internal sealed class ReferenceModel
{
    private readonly Plan _plan;
    private readonly Dictionary<(int Operator, int Partition), ReferenceOperator> _references = [];
    private readonly Dictionary<string, PlanOperator> _readers = [];
    private readonly Dictionary<Place, List<Row>> _topics = [];
    private readonly Dictionary<Place, long> _positions = [];

    internal ReferenceModel(Plan plan)
    {
        _plan = plan;
        foreach (PlanOperator any in plan.Operators)
        {
            if (TopicReadBy(any) is { } topic)
                _readers.Add(topic, any);
            for (int p = 0; p < plan.Partitions; p++)
                _references[(any.Id, p)] = Create(any, p);
        }
    }

    /// <summary>The records of every partition that has any.</summary>
    internal IReadOnlyDictionary<Place, List<Row>> Topics => _topics;

    /// <summary>The next offset to process of every partition that is read.</summary>
    internal IReadOnlyDictionary<Place, long> Positions => _positions;

    /// <summary>The topics that tasks read.</summary>
    internal IEnumerable<string> TopicsRead => _readers.Keys;

    /// <summary>What should have come of a journal.</summary>
    internal static ReferenceModel Of(Plan plan, Journal journal)
    {
        var model = new ReferenceModel(plan);
        foreach (JournalEntry entry in journal.Entries)
            model.Apply(entry);
        return model;
    }

    /// <summary>The records of a partition.</summary>
    internal IReadOnlyList<Row> Records(Place place) => _topics.TryGetValue(place, out var rows) ? rows : [];

    /// <summary>An operator's reference in a partition.</summary>
    internal ReferenceOperator Reference(PlanOperator any, int partition) =>
        _references[(any.Id, partition)];

    private void Apply(JournalEntry entry)
    {
        foreach ((Place place, Row row) in entry.Emitted)
            Append(place, row);
        foreach ((Place place, long offset) in entry.Processed)
        {
            long expected = _positions.GetValueOrDefault(place);
            if (offset != expected || offset >= Records(place).Count)
            {
                throw new SimulationFailureException(
                    $"Commit {entry.Commit} processed {place} {offset}, where {expected} of " +
                    $"{Records(place).Count} was next.");
            }
            _positions[place] = offset + 1;
            PlanOperator reader = _readers[place.Topic];
            if (reader is Repartition)
                Pass(reader, 0, place.Partition, Records(place)[(int)offset]);
            else
                Reference(reader, place.Partition).Process(0, Records(place)[(int)offset]);
        }
    }

    private ReferenceOperator Create(PlanOperator any, int partition)
    {
        ReferenceOperator made = any.CreateReference();
        if (made is JoinOperator.Reference join)
            join.Table = (ReferenceTable)_references[(((JoinOperator)any).Joined.Id, partition)];
        made.Emit = any switch
        {
            SinkTopic sink => (_, row) => Append(PlaceOf(sink.Topic, row.Key, partition), row),
            Repartition way => (_, row) => Append(PlaceOf(way.Topic, row.Key, partition), row),
            _ => (port, row) => Pass(any, port, partition, row),
        };
        return made;
    }

    // Depth first, in the order in which the readers were attached.
    private void Pass(PlanOperator from, int port, int partition, Row row)
    {
        foreach (PlanOperator reader in _plan.Operators)
        {
            for (int input = 0; input < reader.Inputs.Count; input++)
            {
                if (reader.Inputs[input].From == from && reader.Inputs[input].Port == port)
                    Reference(reader, partition).Process(input, row);
            }
        }
    }

    private void Append(Place place, Row row)
    {
        if (!_topics.TryGetValue(place, out List<Row>? rows))
            _topics[place] = rows = [];
        rows.Add(row);
    }

    private Place PlaceOf(string topic, string? key, int taskPartition) => new(
        topic, key is null ? taskPartition % _plan.Partitions : PartitionOf(key, _plan.Partitions));

    private static string? TopicReadBy(PlanOperator any) => any switch
    {
        SourceTopic source => source.Topic,
        TableOperator table => table.Topic,
        Repartition repartition => repartition.Topic,
        _ => null,
    };

    // Kafka's default partitioner: murmur2 of the key, without its sign, modulo the partitions.
    private static int PartitionOf(string key, int partitions)
    {
        byte[] data = Encoding.UTF8.GetBytes(key);
        uint h = 0x9747b28c ^ (uint)data.Length;
        int whole = data.Length / 4 * 4;
        for (int i = 0; i < whole; i += 4)
        {
            uint k = BinaryPrimitives.ReadUInt32LittleEndian(data.AsSpan(i)) * 0x5bd1e995;
            h = (h * 0x5bd1e995) ^ ((k ^ (k >> 24)) * 0x5bd1e995);
        }
        for (int i = data.Length - 1; i >= whole; i--)
            h ^= (uint)data[i] << (8 * (i - whole));
        if (whole < data.Length)
            h *= 0x5bd1e995;
        h = (h ^ (h >> 13)) * 0x5bd1e995;
        return (int)((h ^ (h >> 15)) & 0x7fffffff) % partitions;
    }
}
