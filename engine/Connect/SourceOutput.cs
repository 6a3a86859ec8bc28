using System.Buffers.Binary;
using Streams.Buffers;
using Streams.Errors;
using Streams.Log;
using Streams.Records;
using Streams.Telemetry;

namespace Streams.Connect;

/// <summary>Takes what a source reads: records, what could not be read, what was left out, and how far it has
/// come.</summary>
/// <typeparam name="TKey">The type of the keys.</typeparam>
/// <typeparam name="TValue">The type of the values.</typeparam>
public sealed class SourceOutput<TKey, TValue> : IDisposable
{
    private const string CursorsSuffix = "/output";
    private const string TimestampCursor = "last-timestamp";

    private readonly PooledBuffer _key = new();
    private readonly PooledBuffer _value = new(4096);
    private readonly SourceBinding<TKey, TValue> _binding;
    private readonly ILogWriter _writer;
    private readonly DeadLetterWriter _letters;
    private readonly Topic _topic;
    private readonly Topic _deadLetters;
    private readonly string _cursors;
    private long _lastTimestampMs;
    private long _committedTimestampMs;

    internal SourceOutput(
        SourceBinding<TKey, TValue> binding, ITopicLog log, ILogWriter writer, int deadLetterBytesMax)
    {
        _binding = binding;
        _writer = writer;
        _topic = log.FindTopic(binding.Topic)!;
        _deadLetters = log.FindTopic(binding.Topic + DeadLetterTopics.Suffix)!;
        _letters = new DeadLetterWriter(writer, deadLetterBytesMax);
        _cursors = binding.Name + CursorsSuffix;
        if (log.Cursor(_cursors, TimestampCursor) is { Length: sizeof(long) } committed)
            _lastTimestampMs = _committedTimestampMs = BinaryPrimitives.ReadInt64LittleEndian(committed);
    }

    /// <summary>What was emitted, refused and left out since the start.</summary>
    public SourceCounts Counts { get; } = new();

    /// <summary>Emits a record.</summary>
    public void Emit(in Record<TKey, TValue> record)
    {
        _key.Clear();
        _value.Clear();
        if (record.HasKey)
            _binding.KeySerde.Serialize(record.Key, _key);
        if (record.HasValue)
            _binding.ValueSerde.Serialize(record.Value, _value);
        ReadOnlySpan<byte> key = _key.WrittenSpan;
        int partition = _binding.Partitioner is { } choose
            ? choose(key, _topic.Partitions)
            : record.HasKey ? Murmur2.Partition(key, _topic.Partitions) : 0;
        _writer.Append(_topic[partition], new LogRecord
        {
            TimestampMs = record.TimestampMs,
            HasKey = record.HasKey,
            Key = key,
            HasValue = record.HasValue,
            Value = _value.WrittenSpan,
            Headers = record.Headers.Encoded,
        });
        _lastTimestampMs = record.TimestampMs;
        Counts.Records++;
    }

    /// <summary>Notes input that cannot be read: it becomes a dead letter with the bytes and the
    /// reason.</summary>
    /// <param name="location">Where it stood, such as a file and a position.</param>
    /// <param name="reason">A stable code, to count by.</param>
    /// <param name="detail">The reason in words.</param>
    /// <param name="bytes">The bytes.</param>
    public void DeadLetter(string location, string reason, string detail, ReadOnlySpan<byte> bytes)
    {
        _letters.Write(_deadLetters, _binding.Name, location, reason, detail, _lastTimestampMs, bytes);
        Counts.DeadLetters++;
        EngineMeter.RecordFailed(_binding.Name, "read", reason, isKept: true);
    }

    /// <summary>Notes input that is left out on purpose.</summary>
    /// <param name="reason">A stable code, to count by.</param>
    /// <param name="count">How many units of input.</param>
    public void Skip(string reason, long count = 1)
    {
        Counts.Skipped += count;
        EngineMeter.RecordSkipped(_binding.Name, reason, count);
    }

    /// <summary>Notes that input was taken in.</summary>
    public void CountBytes(long bytes)
    {
        Counts.Bytes += bytes;
        EngineMeter.RecordSourceBytes(_binding.Name, bytes);
    }

    /// <summary>Adds to a count of the source's own, for the summary at the end.</summary>
    public void Count(string what, long count = 1) => Counts.Add(what, count);

    /// <summary>Says how far the source has come; an empty value removes the key.</summary>
    public void SetCursor(string key, ReadOnlySpan<byte> cursor) =>
        _writer.CommitCursor(_binding.Name, key, cursor);

    /// <summary>
    /// Adds what the output itself must know after a restart: a dead letter has the time of the record before
    /// it, also where that one was emitted by another process.
    /// </summary>
    internal void PrepareCommit()
    {
        if (_lastTimestampMs == _committedTimestampMs)
            return;
        _committedTimestampMs = _lastTimestampMs;
        Span<byte> timestamp = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(timestamp, _lastTimestampMs);
        _writer.CommitCursor(_cursors, TimestampCursor, timestamp);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _key.Dispose();
        _value.Dispose();
        _letters.Dispose();
    }
}

/// <summary>What a source has taken in, and what became of it.</summary>
public sealed class SourceCounts
{
    private readonly Dictionary<string, long> _own = [];

    /// <summary>Bytes read.</summary>
    public long Bytes { get; internal set; }

    /// <summary>Records emitted.</summary>
    public long Records { get; internal set; }

    /// <summary>Inputs that became dead letters.</summary>
    public long DeadLetters { get; internal set; }

    /// <summary>Inputs left out on purpose.</summary>
    public long Skipped { get; internal set; }

    /// <summary>Counts of the source's own, by name.</summary>
    public IReadOnlyDictionary<string, long> Own
    {
        get
        {
            lock (_own)
                return new SortedDictionary<string, long>(_own, StringComparer.Ordinal);
        }
    }

    internal void Add(string what, long count)
    {
        lock (_own)
        {
            _own.TryGetValue(what, out long before);
            _own[what] = before + count;
        }
    }
}
