using System.Text;
using Streams.Buffers;
using Streams.Log;
using Streams.Records;

namespace Streams.Errors;

/// <summary>Writes dead letters into the commit of whoever met them. For one thread.</summary>
internal sealed class DeadLetterWriter : IDisposable
{
    private static readonly Serde<DeadLetter> Serde = RecordSerde.Protobuf<DeadLetter>();

    private readonly DeadLetter _letter = new();
    private readonly PooledBuffer _encoded = new(4096);
    private readonly ILogWriter _writer;
    private readonly int _valueBytesMax;

    /// <param name="writer">The commit that the letters go into.</param>
    /// <param name="valueBytesMax">Longest refused value that is kept whole; of a longer one the beginning
    /// is.</param>
    internal DeadLetterWriter(ILogWriter writer, int valueBytesMax)
    {
        _writer = writer;
        _valueBytesMax = valueBytesMax;
    }

    /// <summary>Writes a record of a topic.</summary>
    internal void Write(
        Topic target, string stage, string topic, TopicPartition from, in LogRecord record,
        string? operatorName,
        Exception reason)
    {
        _letter.Clear();
        _letter.Stage = Ascii(stage);
        _letter.Source = Ascii(topic);
        _letter.Partition = from.Partition;
        _letter.Offset = record.Offset;
        _letter.TimestampMs = record.TimestampMs;
        _letter.Reason = Ascii(reason.GetType().Name);
        _letter.Detail = _letter.Memory.Text(reason.Message);
        _letter.Operator = operatorName is null ? null : _letter.Memory.Text(operatorName);
        _letter.Key = record.HasKey ? _letter.Memory.Bytes(record.Key) : null;
        _letter.Headers = record.Headers.IsEmpty ? null : _letter.Memory.Bytes(record.Headers);
        if (record.HasValue)
            SetValue(record.Value);
        Append(target, from.Partition % target.Partitions, record.HasKey, record.Key);
    }

    /// <summary>Writes bytes of a source that could not be read.</summary>
    internal void Write(
        Topic target, string source, string location, string reason, string detail, long timestampMs,
        ReadOnlySpan<byte> bytes)
    {
        _letter.Clear();
        _letter.Stage = Ascii("read");
        _letter.Source = _letter.Memory.Text(source);
        _letter.Location = _letter.Memory.Text(location);
        _letter.TimestampMs = timestampMs;
        _letter.Reason = _letter.Memory.Text(reason);
        _letter.Detail = _letter.Memory.Text(detail);
        SetValue(bytes);
        Span<byte> key = stackalloc byte[Math.Min(256, Encoding.UTF8.GetMaxByteCount(location.Length))];
        Encoding.UTF8.TryGetBytes(location, key, out int keyBytes);
        Append(target, 0, keyBytes > 0, key[..keyBytes]);
    }

    /// <inheritdoc/>
    public void Dispose() => _encoded.Dispose();

    private Text Ascii(string text) => _letter.Memory.Text(text);

    private void SetValue(ReadOnlySpan<byte> bytes)
    {
        _letter.Value = _letter.Memory.Bytes(bytes[..Math.Min(bytes.Length, _valueBytesMax)]);
        if (bytes.Length > _valueBytesMax)
            _letter.WholeBytes = bytes.Length;
    }

    private void Append(Topic target, int partition, bool hasKey, ReadOnlySpan<byte> key)
    {
        _encoded.Clear();
        Serde.Serialize(_letter, _encoded);
        _writer.Append(target[partition], new LogRecord
        {
            TimestampMs = Math.Max(_letter.TimestampMs, 0),
            HasKey = hasKey,
            Key = key,
            HasValue = true,
            Value = _encoded.WrittenSpan,
        });
    }
}
