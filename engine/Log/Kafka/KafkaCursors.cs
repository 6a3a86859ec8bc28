using System.Text;

namespace Streams.Log.Kafka;

/// <summary>
/// The cursors of the application's sources, sinks and records of shape: a compacted topic, written in the
/// transactions of what they belong to. Thread-safe.
/// </summary>
internal sealed class KafkaCursors : IDisposable
{
    /// <summary>What is put behind the application's name.</summary>
    internal const string Suffix = "-cursors";

    private const byte Separator = 0;

    private readonly KafkaLog _log;
    private readonly Lock _gate = new();
    private readonly SortedDictionary<(string Source, string Key), byte[]> _cursors = new(
        Comparer<(string Source, string Key)>.Create((a, b) =>
            string.CompareOrdinal(a.Source, b.Source) is var order && order != 0
                ? order : string.CompareOrdinal(a.Key, b.Key)));

    private Topic? _topic;
    private ILogReader? _reader;
    private LogBatch? _batch;
    private long _next;

    internal KafkaCursors(KafkaLog log) => _log = log;

    private string TopicName => _log.Application + Suffix;

    /// <summary>Adds a cursor to a transaction.</summary>
    internal void Append(RecordPages records, string source, string key, ReadOnlySpan<byte> cursor)
    {
        byte[] name = [.. Encoding.UTF8.GetBytes(source), Separator, .. Encoding.UTF8.GetBytes(key)];
        records.Add(Topic()[0], new LogRecord
        {
            TimestampMs = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(),
            HasKey = true,
            Key = name,
            HasValue = !cursor.IsEmpty,
            Value = cursor,
        });
    }

    /// <summary>The cursor committed last, by whatever process.</summary>
    internal byte[]? Find(string source, string key)
    {
        lock (_gate)
        {
            CatchUp();
            return _cursors.GetValueOrDefault((source, key));
        }
    }

    /// <summary>All cursors of a source.</summary>
    internal IReadOnlyList<KeyValuePair<string, byte[]>> FindAll(string source)
    {
        lock (_gate)
        {
            CatchUp();
            return [.. _cursors.Where(c => c.Key.Source == source)
                .Select(c => KeyValuePair.Create(c.Key.Key, c.Value))];
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _batch?.Dispose();
        _reader?.Dispose();
    }

    private Topic Topic()
    {
        lock (_gate)
            return _topic ??= _log.EnsureTopic(new TopicSpec
            {
                Name = TopicName,
                Compacted = true,
                Retention = null,
            });
    }

    // What is undecided now may be committed a moment later, and was written before we asked.
    private void CatchUp()
    {
        // Who only looks makes no topic.
        if ((_topic ?? _log.FindTopic(TopicName)) is not { } topic)
            return;
        TopicPartition partition = topic[0];
        long end = _log.HighWatermark(partition);
        if (_next >= end)
            return;
        _reader ??= _log.OpenReader(ReadLevel.Committed);
        _batch ??= _reader.CreateBatch();
        long until = Environment.TickCount64 + (long)_log.Options.RequestTimeout.TotalMilliseconds
            + (long)_log.Options.TransactionTimeout.TotalMilliseconds;
        while (_next < end)
        {
            if (_reader.Read(partition, _next, _batch))
            {
                while (_batch.TryRead(out LogRecord record))
                    Apply(record);
                _next = _batch.NextOffset;
                continue;
            }
            if (Environment.TickCount64 > until)
                throw new LogInterruptedException($"The topic {TopicName} cannot be read to its end.");
            Thread.Sleep(1);
        }
    }

    private void Apply(in LogRecord record)
    {
        int at = record.Key.IndexOf(Separator);
        if (at < 0)
            return;
        (string, string) name =
            (Encoding.UTF8.GetString(record.Key[..at]), Encoding.UTF8.GetString(record.Key[(at + 1)..]));
        if (record.HasValue)
            _cursors[name] = record.Value.ToArray();
        else
            _cursors.Remove(name);
    }
}
