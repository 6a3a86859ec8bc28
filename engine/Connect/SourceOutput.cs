using System.Buffers.Binary;
using Streams.Buffers;
using Streams.Connect.Backfills;
using Streams.Errors;
using Streams.Log;
using Streams.Processing;
using Streams.Records;
using Streams.Telemetry;

namespace Streams.Connect;

/// <summary>Takes what a source reads: records, what could not be read, what was left out, and how far it has
/// come.</summary>
/// <typeparam name="TKey">The type of the keys.</typeparam>
/// <typeparam name="TValue">The type of the values.</typeparam>
public sealed class SourceOutput<TKey, TValue> : IDisposable
{
    private readonly PooledBuffer _key = new();
    private readonly PooledBuffer _value = new(4096);
    private readonly PooledBuffer _headers = new();
    private readonly SourceReread? _reread;
    private readonly DeliveredRecords? _delivered;
    private readonly SourceBinding<TKey, TValue> _binding;
    private readonly ILogWriter _writer;
    private readonly DeadLetterWriter _letters;
    private readonly Topic _topic;
    private readonly Topic _deadLetters;
    private readonly string _cursors;
    private long _lastTimestampMs;
    private long _committedTimestampMs;
    private long _latestTimestampMs = long.MinValue;
    private long _committedLatestMs = long.MinValue;
    private byte _committedReread;

    internal SourceOutput(
        SourceBinding<TKey, TValue> binding, ITopicLog log, ILogWriter writer, int deadLetterBytesMax,
        BackfillRun? backfill = null)
    {
        _binding = binding;
        _writer = writer;
        _topic = log.FindTopic(binding.Topic)!;
        _deadLetters = log.FindTopic(binding.Topic + DeadLetterTopics.Suffix)!;
        _letters = new DeadLetterWriter(writer, deadLetterBytesMax);
        _cursors = SourceCursors.Of(binding.Name);
        if (log.Cursor(_cursors, SourceCursors.LastTimestamp) is { Length: sizeof(long) } committed)
            _lastTimestampMs = _committedTimestampMs = BinaryPrimitives.ReadInt64LittleEndian(committed);
        if (log.Cursor(_cursors, SourceCursors.LatestTimestamp) is { Length: sizeof(long) } latest)
            _latestTimestampMs = _committedLatestMs = BinaryPrimitives.ReadInt64LittleEndian(latest);
        if (backfill?.SourceOf(binding.Name) is not { } territory)
            return;
        _reread = new SourceReread(territory);
        if (log.Cursor(_cursors, SourceReread.Cursor) is [byte state])
            _reread.State = _committedReread = state;
        _delivered = backfill.DeliveredTo(_deadLetters, DeadLetterWriter.CreateIdentify());
    }

    /// <summary>What was emitted, refused and left out and is not counted as committed yet.</summary>
    public SourceCounts Counts { get; } = new();

    /// <summary>Records emitted since the opening.</summary>
    internal long Emitted { get; private set; }

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
            Headers = _reread is null ? record.Headers.Encoded : Marked(record),
        });
        _lastTimestampMs = record.TimestampMs;
        _latestTimestampMs = Math.Max(_latestTimestampMs, record.TimestampMs);
        Counts.Records++;
        Emitted++;
    }

    /// <summary>Notes input that cannot be read: it becomes a dead letter with the bytes and the
    /// reason.</summary>
    /// <param name="location">Where it stood, such as a file and a position.</param>
    /// <param name="reason">A stable code, to count by.</param>
    /// <param name="detail">The reason in words.</param>
    /// <param name="bytes">The bytes.</param>
    public void DeadLetter(string location, string reason, string detail, ReadOnlySpan<byte> bytes)
    {
        // Of what is read again, what was refused before is on the topic already.
        _letters.Delivered = _reread?.Now is null or Territory.New ? null : _delivered;
        if (!_letters.Write(_deadLetters, _binding.Name, location, reason, detail, _lastTimestampMs, bytes))
        {
            Skip("backfill_delivered");
            return;
        }
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
        WriteTime(SourceCursors.LastTimestamp, _lastTimestampMs, ref _committedTimestampMs);
        WriteTime(SourceCursors.LatestTimestamp, _latestTimestampMs, ref _committedLatestMs);
        if (_reread is null || _reread.State == _committedReread)
            return;
        _committedReread = _reread.State;
        _writer.CommitCursor(_cursors, SourceReread.Cursor, [_committedReread]);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _key.Dispose();
        _value.Dispose();
        _headers.Dispose();
        _letters.Dispose();
    }

    private void WriteTime(string cursor, long timeMs, ref long committedMs)
    {
        if (timeMs == committedMs)
            return;
        committedMs = timeMs;
        Span<byte> bytes = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, timeMs);
        _writer.CommitCursor(_cursors, cursor, bytes);
    }

    // While the source is read again, its records say what they are to the tasks that read them.
    private ReadOnlySpan<byte> Marked(in Record<TKey, TValue> record)
    {
        Territory territory = _reread!.Of(record.TimestampMs, _binding.Position?.Of(record));
        _headers.Clear();
        _headers.Write(record.Headers.Encoded);
        _headers.Write(TerritoryMark.Of(territory));
        return _headers.WrittenSpan;
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

    /// <summary>Adds these counts to others, and begins again from zero.</summary>
    internal void MoveTo(SourceCounts total)
    {
        total.Bytes += Bytes;
        total.Records += Records;
        total.DeadLetters += DeadLetters;
        total.Skipped += Skipped;
        Bytes = Records = DeadLetters = Skipped = 0;
        lock (_own)
        {
            foreach ((string what, long count) in _own)
                total.Add(what, count);
            _own.Clear();
        }
    }
}
