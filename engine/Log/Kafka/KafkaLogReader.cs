using System.Diagnostics;
using System.Text;
using Streams.Telemetry;
using Client = Confluent.Kafka;

namespace Streams.Log.Kafka;

/// <summary>
/// Reads partitions, each from a queue of its own that librdkafka fills ahead. Only committed records are
/// seen, which on Kafka are also durable.
/// </summary>
internal sealed unsafe class KafkaLogReader : ILogReader
{
    private static readonly long ServeTicks = Stopwatch.Frequency / 10;
    private static readonly long WakeTicks = Stopwatch.Frequency / 50;
    private static readonly TimeSpan WakeTimeout = TimeSpan.FromMilliseconds(500);

    private readonly KafkaLog _log;
    private readonly Client.IConsumer<Client.Ignore, Client.Ignore> _consumer;
    private readonly nint _handle;
    private readonly Dictionary<TopicPartition, Fetch> _fetches = [];
    private long _serveAt;
    private long _wakeAt;
    private Client.Error? _fatal;

    internal KafkaLogReader(KafkaLog log)
    {
        _log = log;
        _consumer = new Client.ConsumerBuilder<Client.Ignore, Client.Ignore>(KafkaProperties.Reader(
            log.Options, $"{log.ClientId}-reader", log.ClientId, Client.IsolationLevel.ReadCommitted))
            .SetLogHandler(log.Logger.KafkaSays)
            .SetErrorHandler((client, error) =>
            {
                log.Brokers.Note(client, error);
                if (KafkaFailures.Of(error, Doing, log.Options.Brokers) is LogUnavailableException)
                    _fatal = error;
            })
            .Build();
        _handle = Librdkafka.HandleOf(_consumer);
    }

    // A reader is in no group, but the client asks who coordinates the one that it must name.
    private string Doing => $"reading as the group '{_log.ClientId}'";

    /// <inheritdoc/>
    public LogBatch CreateBatch() => new KafkaLogBatch();

    /// <inheritdoc/>
    public bool Read(TopicPartition partition, long offset, LogBatch batch)
    {
        var kafka = (KafkaLogBatch)batch;
        kafka.Clear();
        Serve();
        if (!_fetches.TryGetValue(partition, out Fetch? fetch))
            _fetches.Add(partition, fetch = Start(partition, offset));
        else if (fetch.Next != offset)
            fetch = _fetches[partition] = Restart(partition, fetch, offset);
        int count = (int)Librdkafka.ConsumeBatchQueue(
            fetch.Queue, 0, kafka.Messages, KafkaLogBatch.RecordsMax);
        if (count <= 0)
        {
            long now = Stopwatch.GetTimestamp();
            if (fetch.WakeAt < now && _wakeAt < now)
                WakeClient(partition, fetch);
            return false;
        }
        fetch.WakeAt = long.MaxValue;
        // Whatever follows, what was taken from the client is given back to it.
        kafka.Fill(partition, count, offset);
        long next = fetch.Next;
        for (int i = 0; i < count; i++)
        {
            Librdkafka.Message* message = kafka.Messages[i];
            if (message->Error == 0)
                next = message->Offset + 1;
            else if (message->Error == (int)Client.ErrorCode.Local_PartitionEOF)
                fetch.End = next = Math.Max(next, message->Offset);
            else
                next = Recover(partition, message, next);
        }
        _fetches[partition].Next = next;
        kafka.Fill(partition, count, next);
        return next > offset;
    }

    /// <inheritdoc/>
    /// <remarks>The client says when it has come to a partition's end, which is within
    /// <see cref="KafkaProperties.FetchWaitMaxMs"/>; until then, more may be on its way.</remarks>
    public long? Lag(TopicPartition partition, long offset) =>
        _fetches.TryGetValue(partition, out Fetch? fetch) && fetch.End == offset ? 0 : null;

    /// <inheritdoc/>
    public void Close(TopicPartition partition)
    {
        if (_fetches.Remove(partition, out Fetch? fetch))
            Stop(partition, fetch);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach ((TopicPartition partition, Fetch fetch) in _fetches)
            Stop(partition, fetch);
        _fetches.Clear();
        _consumer.Close();
        _consumer.Dispose();
    }

    // The queue is split off before the partition is assigned: afterwards records could already be on their
    // way into the common one.
    private Fetch Start(TopicPartition partition, long offset)
    {
        Client.TopicPartition name = _log.TopicsOf.Of(partition);
        nint queue = Librdkafka.QueueGetPartition(_handle, name.Topic, name.Partition.Value);
        Librdkafka.QueueForward(queue, 0);
        try
        {
            _consumer.IncrementalAssign([new Client.TopicPartitionOffset(name, offset)]);
        }
        catch (Client.KafkaException e)
        {
            Librdkafka.QueueDestroy(queue);
            throw KafkaFailures.Of(
                e.Error, $"reading {_log.TopicsOf.Describe(partition)}", _log.Options.Brokers);
        }
        return new Fetch(queue) { Next = offset, WakeAt = Stopwatch.GetTimestamp() + (WakeTicks / 4) };
    }

    // librdkafka's thread for a broker that had nothing to fetch sleeps for up to a second, and is not told
    // that a partition may be fetched from now on. A request to that broker wakes it.
    private void WakeClient(TopicPartition partition, Fetch fetch)
    {
        fetch.WakeAt = Stopwatch.GetTimestamp() + WakeTicks;
        try
        {
            _consumer.OffsetsForTimes(
                [new(_log.TopicsOf.Of(partition), new Client.Timestamp(-1, Client.TimestampType.CreateTime))],
                WakeTimeout);
        }
        catch (Client.KafkaException)
        {
            // What is wrong with the partition comes from its queue; others are not held up by it.
            _wakeAt = Stopwatch.GetTimestamp() + Stopwatch.Frequency;
        }
    }

    private void Stop(TopicPartition partition, Fetch fetch)
    {
        _consumer.IncrementalUnassign([_log.TopicsOf.Of(partition)]);
        Librdkafka.QueueDestroy(fetch.Queue);
    }

    private Fetch Restart(TopicPartition partition, Fetch fetch, long offset)
    {
        Stop(partition, fetch);
        return Start(partition, offset);
    }

    // Events of the client come with the common queue, where no records are.
    private void Serve()
    {
        long now = Stopwatch.GetTimestamp();
        if (now < _serveAt)
            return;
        _serveAt = now + ServeTicks;
        try
        {
            _consumer.Consume(TimeSpan.Zero);
        }
        catch (Client.ConsumeException e)
        {
            throw KafkaFailures.Of(e.Error, Doing, _log.Options.Brokers);
        }
        if (_fatal is not null)
            throw KafkaFailures.Of(_fatal, Doing, _log.Options.Brokers);
    }

    // Records that retention has deleted are passed over, as the embedded log does.
    private long Recover(TopicPartition partition, Librdkafka.Message* message, long next)
    {
        var code = (Client.ErrorCode)message->Error;
        if (code is Client.ErrorCode.OffsetOutOfRange or Client.ErrorCode.Local_AutoOffsetReset)
        {
            long start = _log.StartOffset(partition);
            if (next >= start)
                throw new LogUnavailableException(
                    $"The topic {_log.TopicsOf.Describe(partition)} ends before offset {next}, which was "
                    + "processed: it was deleted and made anew, or restored from a backup. "
                    + "'streams reset' begins from its start.");
            _log.Logger.RecordsDeleted(_log.TopicsOf.Describe(partition), next, start);
            _fetches[partition] = Restart(partition, _fetches[partition], start);
            return start;
        }
        string reason = message->Payload is null
            ? code.ToString()
            : Encoding.UTF8.GetString(message->Payload, (int)message->PayloadBytes);
        LogException failure = KafkaFailures.Of(
            new Client.Error(code, reason), $"reading {_log.TopicsOf.Describe(partition)}",
            _log.Options.Brokers);
        // What passes, librdkafka tries again by itself.
        return failure is LogInterruptedException ? next : throw failure;
    }

    private sealed class Fetch(nint queue)
    {
        internal nint Queue { get; } = queue;

        internal long Next { get; set; }

        /// <summary>When the client is to be woken, if nothing came before; never once something
        /// did.</summary>
        internal long WakeAt { get; set; }

        /// <summary>The end that the client came to last; -1 before the first.</summary>
        internal long End { get; set; } = -1;
    }
}
