using System.Text;
using Streams.Buffers;
using Streams.Log;
using Streams.Processing;
using Streams.Records;

namespace Streams.Errors;

/// <summary>Writes dead letters into the commit of whoever met them. For one thread.</summary>
internal sealed class DeadLetterWriter : IDisposable
{
    private static readonly Serde<DeadLetter> Serde = RecordSerde.Protobuf<DeadLetter>();

    private readonly DeadLetter _letter = new();
    private readonly PooledBuffer _encoded = new(4096);
    private readonly PooledBuffer _identity = new();
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

    /// <summary>Where not null, what it contains is not written again.</summary>
    internal DeliveredRecords? Delivered { get; set; }

    /// <summary>What tells a dead letter from others: not where its record stands, for a record that is read
    /// again stands elsewhere.</summary>
    internal static BackfillRun.Identify CreateIdentify()
    {
        var letter = new DeadLetter();
        return (in LogRecord record, PooledBuffer identity) =>
        {
            Serde.Deserialize(record.Value, ref letter);
            WriteIdentity(letter, identity);
        };
    }

    /// <summary>Writes a record of a topic.</summary>
    /// <returns>Whether it was written.</returns>
    internal bool Write(
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
        return Append(target, from.Partition % target.Partitions, record.HasKey, record.Key);
    }

    /// <summary>Writes bytes of a source that could not be read.</summary>
    /// <returns>Whether it was written.</returns>
    internal bool Write(
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
        return Append(target, 0, keyBytes > 0, key[..keyBytes]);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _encoded.Dispose();
        _identity.Dispose();
    }

    private static void WriteIdentity(DeadLetter letter, PooledBuffer identity)
    {
        WritePart(letter.Stage.Span, identity);
        WritePart(letter.Source.Span, identity);
        WritePart(letter.Location is { } location ? location.Span : default, identity);
        WritePart(letter.Operator is { } name ? name.Span : default, identity);
        WritePart(letter.Key is { } key ? key.Span : default, identity);
        WritePart(letter.Value is { } value ? value.Span : default, identity);
    }

    private static void WritePart(ReadOnlySpan<byte> part, PooledBuffer identity)
    {
        identity.WriteInt32(part.Length);
        identity.Write(part);
    }

    private Text Ascii(string text) => _letter.Memory.Text(text);

    private void SetValue(ReadOnlySpan<byte> bytes)
    {
        _letter.Value = _letter.Memory.Bytes(bytes[..Math.Min(bytes.Length, _valueBytesMax)]);
        if (bytes.Length > _valueBytesMax)
            _letter.WholeBytes = bytes.Length;
    }

    private bool Append(Topic target, int partition, bool hasKey, ReadOnlySpan<byte> key)
    {
        if (Delivered is { } delivered)
        {
            _identity.Clear();
            WriteIdentity(_letter, _identity);
            if (delivered.Contains(_identity.WrittenSpan))
                return false;
        }
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
        return true;
    }
}
