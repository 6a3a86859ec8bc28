using System.Buffers.Binary;
using System.Globalization;
using Microsoft.Extensions.Logging;
using Streams.Errors;
using Streams.Log;
using Streams.Processing;
using Streams.Telemetry;

namespace Streams.Connect;

/// <summary>Takes the records that a sink can never write, and does with them what the policy says. For one
/// thread.</summary>
/// <remarks>
/// Dead letters are committed before the target is, for the target's position may then be past them; how far
/// they go is committed with them, so that what is read again after a crash is not kept twice.
/// </remarks>
public sealed class SinkRejections : IDisposable
{
    private readonly string _sink;
    private readonly ITopicLog _log;
    private readonly SinkOptions _options;
    private readonly ILogger _logger;
    private readonly ILogWriter _writer;
    private readonly DeadLetterWriter _letters;
    private readonly Dictionary<TopicPartition, long> _kept = [];

    internal SinkRejections(string sink, ITopicLog log, SinkOptions options, ILogger logger)
    {
        _sink = sink;
        _log = log;
        _options = options;
        _logger = logger;
        _writer = log.OpenWriter($"sink-{sink}-rejected", exclusive: false);
        _letters = new DeadLetterWriter(_writer, options.DeadLetterBytesMax);
    }

    /// <summary>How many records were refused since the sink was opened.</summary>
    internal long Count { get; private set; }

    private string CursorSource => $"{_sink}/rejected";

    /// <summary>Refuses a record.</summary>
    /// <param name="topic">Where it comes from.</param>
    /// <param name="partition">The partition there.</param>
    /// <param name="record">The record.</param>
    /// <param name="reason">Why it cannot be written.</param>
    /// <exception cref="RecordRejectedException">The policy is to stop.</exception>
    public void Add(Topic topic, int partition, in LogRecord record, Exception reason)
    {
        Count++;
        TopicPartition from = topic[partition];
        if (_options.RejectedRecords == FailurePolicy.Fail)
        {
            throw new RecordRejectedException(
                $"The sink '{_sink}' cannot write the record at offset {record.Offset} of " +
                $"{topic.Name} {partition}: {reason.Message} Read it with 'streams tap'; to go on without " +
                "it set delivery.rejected_records to dead_letter.", reason);
        }
        if (record.Offset <= LastKept(topic, from))
            return;
        bool isKept = _options.RejectedRecords == FailurePolicy.DeadLetter;
        _logger.RecordRejected(
            _sink, record.Offset, topic.Name, partition, isKept ? "dead letter" : "left out", reason.Message);
        EngineMeter.RecordFailed(topic.Name, "write", reason.GetType().Name, isKept);
        if (!isKept)
            return;
        Topic target = DeadLetterTopics.Ensure(_log, topic);
        _letters.Write(target, "write", topic.Name, from, record, _sink, reason);
        Span<byte> cursor = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(cursor, record.Offset);
        _writer.CommitCursor(CursorSource, KeyOf(topic, from), cursor);
        _kept[from] = record.Offset;
    }

    /// <summary>Commits the dead letters.</summary>
    internal void Commit(LogRoom room, CancellationToken cancellation)
    {
        if (_writer.PendingBytes > 0)
            _writer.CommitWhenRoom(_options.LogFullRetry, room, cancellation);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _letters.Dispose();
        _writer.Dispose();
    }

    private long LastKept(Topic topic, TopicPartition from)
    {
        if (_kept.TryGetValue(from, out long last))
            return last;
        byte[]? cursor = _log.Cursor(CursorSource, KeyOf(topic, from));
        return _kept[from] = cursor is null ? -1 : BinaryPrimitives.ReadInt64LittleEndian(cursor);
    }

    private static string KeyOf(Topic topic, TopicPartition from) =>
        string.Create(CultureInfo.InvariantCulture, $"{topic.Name}/{from.Partition}");
}
