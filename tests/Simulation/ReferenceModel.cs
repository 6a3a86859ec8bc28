using System.Buffers.Binary;
using System.Text;
using Streams.Tests.Reference;
using Streams.Tests.Simulation.Operators;

namespace Streams.Tests.Simulation;

/// <summary>
/// What must have come of the commits of a journal: every topic, position and state, computed with
/// dictionaries and lists, one record at a time, by code that is not the engine's.
/// </summary>
internal sealed class ReferenceModel
{
    private readonly Plan _plan;
    private readonly Dictionary<(int Operator, int Partition), ReferenceOperator> _references = [];
    private readonly Dictionary<string, (PlanOperator Operator, int Channel)> _readers = [];
    private readonly Dictionary<Place, List<Row>> _topics = [];
    private readonly Dictionary<Place, List<object?>> _messages = [];
    private readonly Dictionary<Place, long> _positions = [];
    private readonly Dictionary<string, Dictionary<string, string?>> _globals = [];
    private readonly Dictionary<Place, long> _globalPositions = [];
    private readonly Dictionary<PlanOperator, PlanOperator> _neighbours = [];
    private readonly Dictionary<(PlanOperator, int Partition), long> _streamTimesMs = [];
    private long _commit;
    private int _applied;

    private ReferenceModel(Plan plan)
    {
        _plan = plan;
        foreach (PlanOperator any in plan.Operators)
        {
            if (any.SourceTopic is { } topic)
                _readers.Add(topic, (any, -1));
            for (int i = 0; i < any.OwnTopics.Count; i++)
                _readers.Add(any.OwnTopics[i], (any, i));
            for (int p = 0; p < plan.Partitions; p++)
                _references[(any.Id, p)] = Create(any, p);
        }
        foreach (PlanOperator any in plan.Operators)
        {
            for (int p = 0; p < plan.Partitions; p++)
            {
                int partition = p;
                Reference(any, p).Link(other => Reference(other, partition));
            }
            foreach (PlanOperator other in any.Neighbours)
                _neighbours[Root(any)] = Root(other);
        }
    }

    /// <summary>The records of every partition that has any.</summary>
    internal IReadOnlyDictionary<Place, List<Row>> Topics => _topics;

    /// <summary>The next offset to process of every partition that is read.</summary>
    internal IReadOnlyDictionary<Place, long> Positions => _positions;

    /// <summary>The topics that tasks read.</summary>
    internal IEnumerable<string> TopicsRead => _readers.Keys;

    /// <summary>The topics of dead letters that have any.</summary>
    internal IEnumerable<string> DeadLetterTopics =>
        _topics.Keys.Select(p => p.Topic).Where(LoggedRow.IsDeadLetter).Distinct();

    /// <summary>How many records each operator took, and what else happened.</summary>
    internal Dictionary<string, long> Counts { get; } = [];

    /// <summary>What should have come of a journal.</summary>
    internal static ReferenceModel Of(Plan plan, Journal journal)
    {
        var model = new ReferenceModel(plan);
        model.Follow(journal);
        return model;
    }

    /// <summary>Takes in what the journal has more than before.</summary>
    internal void Follow(Journal journal)
    {
        for (; _applied < journal.Entries.Count; _applied++)
            Apply(journal.Entries[_applied]);
    }

    /// <summary>The records of a partition.</summary>
    internal IReadOnlyList<Row> Records(Place place) => _topics.TryGetValue(place, out var rows) ? rows : [];

    /// <summary>An operator's reference in a partition.</summary>
    internal ReferenceOperator Reference(PlanOperator any, int partition) =>
        _references[(any.Id, partition)];

    private void Apply(JournalEntry entry)
    {
        _commit = entry.Commit;
        foreach ((Place place, Row row) in entry.Emitted)
            Append(place, row, null);
        foreach (TaskStep step in entry.Steps)
        {
            switch (step.Kind)
            {
                case TaskStepKind.Processed:
                    Process(step.Place, step.Number);
                    break;
                case TaskStepKind.TookInGlobal:
                    TakeInGlobal(step.Place, step.Number);
                    break;
                default:
                    PlanOperator timer = _plan.Operators.First(o => o.StoreName == step.Place.Topic);
                    var collector = (ReferenceOf<Collector>)Reference(timer, step.Place.Partition);
                    if (step.Kind == TaskStepKind.Opened)
                        collector.State.Schedule(step.Number, ((PunctuatorOperator)timer).IsWallClock);
                    else
                        collector.State.Observe(step.Number);
                    break;
            }
        }
    }

    private void Process(Place place, long offset)
    {
        long expected = _positions.GetValueOrDefault(place);
        if (offset != expected || offset >= Records(place).Count)
            throw new SimulationFailureException(
                $"Commit {_commit} processed {place} {offset}, where {expected} of " +
                $"{Records(place).Count} was next.");
        _positions[place] = offset + 1;
        (PlanOperator reader, int channel) = _readers[place.Topic];
        ReferenceOperator reference = Reference(reader, place.Partition);
        Row row = Records(place)[(int)offset];
        long timeMs = channel < 0 ? reference.TimeOf(row) : row.TimestampMs;
        if (timeMs < 0)
        {
            Count("record left out by its timestamp extractor");
            return;
        }
        PlanOperator part = Root(reader.ReaderOf(channel));
        long streamTimeMs = Math.Max(
            timeMs, _streamTimesMs.GetValueOrDefault((part, place.Partition), long.MinValue));
        _streamTimesMs[(part, place.Partition)] = streamTimeMs;
        Count(reader.Family);
        try
        {
            if (channel < 0)
                reference.Process(0, row with { TimestampMs = timeMs });
            else
                reference.Receive(channel, row, _messages[place][(int)offset]);
            foreach (PunctuatorOperator timer in _plan.Operators.OfType<PunctuatorOperator>()
                .Where(t => !t.IsWallClock && Root(t) == part))
                ((ReferenceOf<Collector>)Reference(timer, place.Partition)).State.Observe(streamTimeMs);
        }
        catch (UserFailureException)
        {
            Count("dead letter of a failing operator");
            Append(
                new Place(place.Topic + LoggedRow.DeadLetterSuffix, 0),
                LoggedRow.DeadLetter(place, offset, row), null);
        }
    }

    private void TakeInGlobal(Place place, long until)
    {
        if (!_globals.TryGetValue(place.Topic, out var table))
            _globals[place.Topic] = table = [];
        // Threads take a table in one after another: what one has, others may not have yet.
        if (until < _globalPositions.GetValueOrDefault(place))
        {
            table.Clear();
            foreach (Place known in _globalPositions.Keys.Where(p => p.Topic == place.Topic && p != place))
                TakeInGlobal(known, 0, _globalPositions[known], table);
            _globalPositions[place] = 0;
        }
        TakeInGlobal(place, _globalPositions.GetValueOrDefault(place), until, table);
        _globalPositions[place] = until;
    }

    private void TakeInGlobal(Place place, long from, long until, Dictionary<string, string?> table)
    {
        for (long offset = from; offset < until; offset++)
        {
            Row row = Records(place)[(int)offset];
            if (row.Key is not null)
                table[row.Key] = row.Value;
        }
    }

    private ReferenceOperator Create(PlanOperator any, int partition)
    {
        ReferenceOperator made = any.CreateReference();
        made.IsActive = () => any.Since < _commit && _commit <= any.Until;
        made.Emit = any is SinkTopic sink
            ? (_, row) => Append(PlaceOf(sink.Topic, row.Key, partition), row, null)
            : (port, row) => Pass(any, port, partition, row);
        made.Send = (channel, row, message) =>
        {
            Count(any.Family);
            Append(PlaceOf(any.OwnTopics[channel], row.Key, partition), row, message);
        };
        if (made is GlobalLookupOperator.Reference lookup)
        {
            string topic = ((GlobalLookupOperator)any).Topic;
            lookup.Find = key => _globals.TryGetValue(topic, out var table)
                ? table.GetValueOrDefault(key) : null;
        }
        return made;
    }

    // Depth first, in the order in which the readers were attached.
    private void Pass(PlanOperator from, int port, int partition, Row row)
    {
        if (from.Inputs.Count == 0 && from.Tables.Count > 0)
            Count(from.Family);
        if (from is WindowedOperator && port == 1)
            Count("late record");
        foreach (PlanOperator reader in _plan.Operators)
        {
            for (int input = 0; input < reader.Inputs.Count; input++)
            {
                if (reader.Inputs[input].From != from || reader.Inputs[input].Port != port
                    || !Reference(reader, partition).IsActive())
                    continue;
                Count(reader.Family);
                Reference(reader, partition).Process(input, row);
            }
        }
    }

    private PlanOperator Root(PlanOperator any)
    {
        while (_neighbours.TryGetValue(any, out PlanOperator? next) && next != any)
            any = next;
        return any;
    }

    private void Count(string what) => Counts[what] = Counts.GetValueOrDefault(what) + 1;

    private void Append(Place place, Row row, object? message)
    {
        if (!_topics.TryGetValue(place, out List<Row>? rows))
        {
            _topics[place] = rows = [];
            _messages[place] = [];
        }
        rows.Add(row);
        _messages[place].Add(message);
    }

    private Place PlaceOf(string topic, string? key, int taskPartition) => new(
        topic, key is null ? taskPartition % _plan.Partitions : PartitionOf(key, _plan.Partitions));

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
