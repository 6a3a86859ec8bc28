using Streams.Buffers;
using Streams.Log;
using Streams.Records;

namespace Streams.Testing;

/// <summary>Puts records into a topic of a topology under test; each is processed to the end before the call
/// returns.</summary>
public sealed class TestInputTopic<TKey, TValue>
{
    private readonly TopologyTestDriver _driver;
    private readonly string _name;
    private readonly Serde<TKey> _keySerde;
    private readonly Serde<TValue> _valueSerde;

    internal TestInputTopic(
        TopologyTestDriver driver, string name, Serde<TKey> keySerde, Serde<TValue> valueSerde)
    {
        _driver = driver;
        _name = name;
        _keySerde = keySerde;
        _valueSerde = valueSerde;
    }

    /// <summary>Puts in a record; a null key or value counts as absent.</summary>
    /// <param name="key">The key.</param>
    /// <param name="value">The value.</param>
    /// <param name="timestampMs">Event time, Unix milliseconds.</param>
    /// <param name="headers">The headers.</param>
    /// <param name="partition">The partition; null to let the key decide.</param>
    public void Pipe(
        TKey key, TValue value, long timestampMs, Headers headers = default, int? partition = null) =>
        Pipe(new Record<TKey, TValue>(key, value, timestampMs, headers), partition);

    /// <summary>Puts in a record.</summary>
    public void Pipe(in Record<TKey, TValue> record, int? partition = null)
    {
        using var key = new PooledBuffer();
        using var value = new PooledBuffer();
        if (record.HasKey)
            _keySerde.Serialize(record.Key, key);
        if (record.HasValue)
            _valueSerde.Serialize(record.Value, value);
        _driver.Pipe(_name, new LogRecord
        {
            TimestampMs = record.TimestampMs,
            HasKey = record.HasKey,
            Key = key.WrittenSpan,
            HasValue = record.HasValue,
            Value = value.WrittenSpan,
            Headers = record.Headers.Encoded,
        }, partition);
    }
}

/// <summary>Reads the records of a topic of a topology under test.</summary>
public sealed class TestOutputTopic<TKey, TValue>
{
    private readonly TopologyTestDriver _driver;
    private readonly string _name;
    private readonly Serde<TKey> _keySerde;
    private readonly Serde<TValue> _valueSerde;
    private readonly Dictionary<int, long> _positions = [];

    internal TestOutputTopic(
        TopologyTestDriver driver, string name, Serde<TKey> keySerde, Serde<TValue> valueSerde)
    {
        _driver = driver;
        _name = name;
        _keySerde = keySerde;
        _valueSerde = valueSerde;
    }

    /// <summary>The records since the last call, each partition's in order.</summary>
    public IReadOnlyList<Record<TKey, TValue>> ReadAll()
    {
        var records = new List<Record<TKey, TValue>>();
        Topic topic = _driver.Log.FindTopic(_name)
            ?? throw new ArgumentException($"There is no topic '{_name}'.");
        using ILogReader reader = _driver.Log.OpenReader(ReadLevel.Committed);
        using LogBatch batch = reader.CreateBatch();
        for (int p = 0; p < topic.Partitions; p++)
        {
            long offset = _positions.GetValueOrDefault(p);
            while (reader.Read(topic[p], offset, batch))
            {
                while (batch.TryRead(out LogRecord record))
                    records.Add(Decode(record));
                offset = batch.NextOffset;
            }
            _positions[p] = offset;
        }
        return records;
    }

    private Record<TKey, TValue> Decode(in LogRecord record) => new(
        record.HasKey ? _keySerde.Deserialize(record.Key) : default!, record.HasKey,
        record.HasValue ? _valueSerde.Deserialize(record.Value) : default!, record.HasValue,
        record.TimestampMs, record.Headers.IsEmpty ? default : new Headers(record.Headers.ToArray()));
}
