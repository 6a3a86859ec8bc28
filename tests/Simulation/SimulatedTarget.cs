using System.Globalization;
using System.Text;
using Streams.Connect;
using Streams.Log;

using Streams.Tests.Reference;

namespace Streams.Tests.Simulation;

/// <summary>
/// A system outside that results are written to. It survives every crash of the engine. It is transactional
/// and keeps positions with its rows, or it is a file that is cut off at the cursor when it is opened.
/// </summary>
internal sealed class SimulatedTarget(Plan plan, SimulatedMachine machine, Random random, Coverage seen)
{
    internal const string SinkName = "target";

    private readonly bool _isTransactional = random.Next(2) == 0;

    private Random Random => random;

    private Coverage Seen => seen;

    /// <summary>All rows that a reader of the target sees.</summary>
    internal List<(Place Place, Row Row)> Rows { get; } = [];

    /// <summary>The positions that it keeps itself.</summary>
    internal Dictionary<Place, long> Positions { get; } = [];

    /// <summary>Whether it fails now and then.</summary>
    internal bool Fails { get; set; } = true;

    /// <summary>How it is run.</summary>
    internal SinkBinding Binding => new(
        SinkName, plan.SinkTopics,
        () => _isTransactional ? new TransactionalSink(this) : new CursorSink(this));

    private void MayFail()
    {
        machine.Count();
        if (!Fails || random.Next(25) > 0)
            return;
        seen.Count("target refused");
        throw new UnavailableException("The target does not answer.");
    }

    private sealed class TransactionalSink(SimulatedTarget target) : ISink
    {
        private readonly List<(Place Place, Row Row)> _transaction = [];
        private readonly Dictionary<TopicPartition, Place> _places = [];

        public void Open(SinkContext context)
        {
            target.MayFail();
            foreach (Topic topic in context.Topics)
            {
                for (int p = 0; p < topic.Partitions; p++)
                    _places[topic[p]] = new Place(topic.Name, p);
            }
        }

        public long? Position(Topic topic, int partition) =>
            target.Positions.GetValueOrDefault(new Place(topic.Name, partition));

        public int Write(Topic topic, LogBatch batch, SinkRejections rejections)
        {
            target.MayFail();
            int count = 0;
            for (; batch.TryRead(out LogRecord record); count++)
                _transaction.Add((new Place(topic.Name, batch.Partition.Partition), LoggedRow.Of(record)));
            return count;
        }

        public void Commit(IReadOnlyDictionary<TopicPartition, long> positions, SinkCursors cursors)
        {
            target.MayFail();
            target.Rows.AddRange(_transaction);
            _transaction.Clear();
            foreach ((TopicPartition partition, long position) in positions)
                target.Positions[_places[partition]] = position;
            // The answer may be lost though it was done.
            if (target.Fails && target.Random.Next(25) == 0)
            {
                target.Seen.Count("target's answer was lost");
                throw new UnavailableException("The answer is lost.");
            }
        }

        public void Dispose()
        {
        }
    }

    private sealed class CursorSink(SimulatedTarget target) : ISink
    {
        private const string Key = "rows";

        public void Open(SinkContext context)
        {
            target.MayFail();
            int rows = context.Cursor(Key) is { } cursor
                ? int.Parse(Encoding.ASCII.GetString(cursor), CultureInfo.InvariantCulture) : 0;
            if (rows > target.Rows.Count)
                throw new SimulationFailureException("The cursor is ahead of the target.");
            if (rows < target.Rows.Count)
                target.Seen.Count("target was cut off");
            target.Rows.RemoveRange(rows, target.Rows.Count - rows);
        }

        public long? Position(Topic topic, int partition) => null;

        public int Write(Topic topic, LogBatch batch, SinkRejections rejections)
        {
            target.MayFail();
            int count = 0;
            for (; batch.TryRead(out LogRecord record); count++)
                target.Rows.Add((new Place(topic.Name, batch.Partition.Partition), LoggedRow.Of(record)));
            return count;
        }

        public void Commit(IReadOnlyDictionary<TopicPartition, long> positions, SinkCursors cursors)
        {
            target.MayFail();
            cursors.Set(
                Key, Encoding.ASCII.GetBytes(target.Rows.Count.ToString(CultureInfo.InvariantCulture)));
        }

        public void Dispose()
        {
        }
    }
}
