using System.Runtime.InteropServices;
using Streams.Buffers;

namespace Streams.Log.Kafka;

/// <summary>Records as librdkafka fetched them: views of its buffers, given back at the next read.</summary>
internal sealed unsafe class KafkaLogBatch : LogBatch
{
    internal const int RecordsMax = 1024;

    private const int NoHeaders = -156;

    private readonly Librdkafka.Message** _messages =
        (Librdkafka.Message**)NativeMemory.Alloc(RecordsMax, (nuint)sizeof(nint));

    private readonly PooledBuffer _headers = new();
    private int _count;
    private int _next;
    private bool _disposed;

    /// <summary>Where the client puts what it has.</summary>
    internal Librdkafka.Message** Messages => _messages;

    /// <summary>Gives back what was read before.</summary>
    internal void Clear()
    {
        for (int i = 0; i < _count; i++)
            Librdkafka.MessageDestroy(_messages[i]);
        _count = _next = 0;
    }

    /// <summary>Takes over what the client has put into <see cref="Messages"/>.</summary>
    internal void Fill(TopicPartition partition, int count, long nextOffset)
    {
        Partition = partition;
        NextOffset = nextOffset;
        _count = count;
    }

    /// <inheritdoc/>
    public override bool TryRead(out LogRecord record)
    {
        while (_next < _count)
        {
            Librdkafka.Message* message = _messages[_next++];
            if (message->Error != 0)
                continue;
            int type;
            record = new LogRecord
            {
                Offset = message->Offset,
                TimestampMs = Librdkafka.MessageTimestamp(message, &type),
                HasKey = message->Key is not null,
                Key = new ReadOnlySpan<byte>(message->Key, (int)message->KeyBytes),
                HasValue = message->Payload is not null,
                Value = new ReadOnlySpan<byte>(message->Payload, (int)message->PayloadBytes),
                Headers = HeadersOf(message),
            };
            return true;
        }
        record = default;
        return false;
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (_disposed)
            return;
        _disposed = true;
        Clear();
        NativeMemory.Free(_messages);
        _headers.Dispose();
    }

    private ReadOnlySpan<byte> HeadersOf(Librdkafka.Message* message)
    {
        nint headers;
        if (Librdkafka.MessageHeaders(message, &headers) == NoHeaders)
            return default;
        _headers.Clear();
        byte* name;
        byte* value;
        nint size;
        for (nint i = 0; Librdkafka.HeaderGetAll(headers, i, &name, &value, &size) == 0; i++)
        {
            ReadOnlySpan<byte> nameBytes = MemoryMarshal.CreateReadOnlySpanFromNullTerminated(name);
            _headers.WriteVarint((ulong)nameBytes.Length);
            _headers.Write(nameBytes);
            _headers.WriteVarint(Varint.ZigZag(value is null ? -1 : size));
            if (value is not null)
                _headers.Write(new ReadOnlySpan<byte>(value, (int)size));
        }
        return _headers.WrittenSpan;
    }
}
