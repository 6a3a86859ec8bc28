using Npgsql;
using Streams.Connect;
using Streams.Log;

namespace Streams.Sinks.Postgres;

/// <summary>The next offset of each partition and who may move it, in the database itself.</summary>
/// <remarks>
/// Opening a partition raises its epoch. A commit moves the offset only where the epoch is still the one that
/// this sink raised it to, in the transaction that holds the rows: of two writers, the older one's
/// transaction fails, whatever it has written.
/// </remarks>
internal sealed class PostgresOffsets(PostgresSession session, string sink, string logId)
{
    internal const string Ddl = """
        CREATE TABLE IF NOT EXISTS streams_offsets (
          sink text NOT NULL,
          topic text NOT NULL,
          partition_number integer NOT NULL,
          next_offset bigint NOT NULL,
          epoch bigint NOT NULL,
          log_id text NOT NULL,
          committed_at timestamp with time zone NOT NULL DEFAULT now(),
          PRIMARY KEY (sink, topic, partition_number)
        )
        """;

    private const string Claim = """
        INSERT INTO streams_offsets AS was (sink, topic, partition_number, next_offset, epoch, log_id)
        VALUES ($1, $2, $3, 0, 1, $4)
        ON CONFLICT (sink, topic, partition_number) DO UPDATE SET epoch = was.epoch + 1
        RETURNING next_offset, epoch, log_id
        """;

    private const string Move = """
        UPDATE streams_offsets SET next_offset = $1, committed_at = now()
        WHERE sink = $2 AND topic = $3 AND partition_number = $4 AND epoch = $5
        """;

    private const string ToOtherLog = """
        UPDATE streams_offsets SET log_id = $1, next_offset = $2, epoch = epoch + 1, committed_at = now()
        WHERE sink = $3 AND topic = $4 AND partition_number = $5 AND log_id = $6
        """;

    private const string Owner = """
        SELECT log_id FROM streams_offsets WHERE sink = $1 AND topic = $2 AND partition_number = $3
        """;

    private readonly Dictionary<TopicPartition, Claimed> _claimed = [];

    /// <summary>Takes a partition over, and says where to go on.</summary>
    /// <exception cref="ConfigurationException">The rows are those of another log.</exception>
    internal long Take(Topic topic, int partition)
    {
        object?[] row = session.Query(Claim, sink, topic.Name, partition, logId)[0];
        if (row[2] is string owner && owner != logId)
            throw new ConfigurationException(
                $"postgres: {session.Server} holds the results of another log under the name '{sink}' " +
                $"({owner}, this one is {logId}). Give this sink a 'name' or a 'schema' of its own, or use " +
                "the data directory or the cluster that they came from.");
        long offset = (long)row[0]!;
        _claimed[topic[partition]] = new Claimed(topic.Name, (long)row[1]!, offset);
        return offset;
    }

    /// <summary>Sets a partition's offset to what it is in this log, where it is one of another; in the open
    /// transaction.</summary>
    /// <exception cref="ConfigurationException">It is of neither log.</exception>
    internal void Rebase(string topic, int partition, long offset, string fromLogId)
    {
        session.Execute(ToOtherLog, logId, offset, sink, topic, partition, fromLogId);
        string? owner = session.Scalar<string>(Owner, sink, topic, partition);
        if (owner != logId)
            throw new ConfigurationException(
                $"postgres: {session.Server} says under the name '{sink}' how far the log {owner} is "
                + $"written, not {fromLogId}: the copied directory is not the one that wrote there.");
    }

    /// <summary>Moves the offsets that changed, in the open transaction.</summary>
    /// <exception cref="SinkFencedException">Another writer has taken one over.</exception>
    internal void MoveTo(IReadOnlyDictionary<TopicPartition, long> positions)
    {
        using var batch = new NpgsqlBatch(session.Connection);
        foreach ((TopicPartition partition, long offset) in positions)
        {
            Claimed claimed = _claimed[partition];
            if (claimed.Offset == offset)
                continue;
            batch.BatchCommands.Add(new NpgsqlBatchCommand(Move)
            {
                Parameters =
                {
                    new NpgsqlParameter<long> { TypedValue = offset },
                    new NpgsqlParameter<string> { TypedValue = sink },
                    new NpgsqlParameter<string> { TypedValue = claimed.Topic },
                    new NpgsqlParameter<int> { TypedValue = partition.Partition },
                    new NpgsqlParameter<long> { TypedValue = claimed.Epoch },
                },
            });
        }
        if (batch.BatchCommands.Count == 0)
            return;
        int moved = batch.ExecuteNonQuery();
        if (moved != batch.BatchCommands.Count)
            throw new SinkFencedException(
                $"postgres: another process has taken over what the sink '{sink}' writes to " +
                $"{session.Server}; nothing of this transaction was written. Two processes run with copies " +
                "of one data directory: stop one of them.");
    }

    /// <summary>Remembers what was committed.</summary>
    internal void Committed(IReadOnlyDictionary<TopicPartition, long> positions)
    {
        foreach ((TopicPartition partition, long offset) in positions)
            _claimed[partition] = _claimed[partition] with { Offset = offset };
    }

    private sealed record Claimed(string Topic, long Epoch, long Offset);
}
