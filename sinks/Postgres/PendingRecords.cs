using Streams.Buffers;
using Streams.Connect;
using Streams.Log;
using Streams.Records;

namespace Streams.Sinks.Postgres;

/// <summary>Records of a topic that are encoded and not in the database yet, with what a dead letter of one
/// takes. For one thread.</summary>
internal sealed class PendingRecords : IDisposable
{
    private readonly PostgresRecordWriter _writer;
    private readonly PooledBuffer _bytes = new(64 * 1024);
    private readonly Dictionary<int, Exception> _refused = [];
    private Entry[] _entries = new Entry[1024];

    internal PendingRecords(Topic topic, PostgresRecordWriter writer, IReadOnlyList<PostgresRows> rows)
    {
        Topic = topic;
        _writer = writer;
        Mappings = [.. rows.Select(r => new PendingRows(r))];
    }

    internal Topic Topic { get; }

    /// <summary>The rows of each mapping of the topic.</summary>
    internal PendingRows[] Mappings { get; }

    internal int Count { get; private set; }

    /// <summary>Bytes of rows and records that wait.</summary>
    internal long Bytes
    {
        get
        {
            long bytes = _bytes.Length;
            foreach (PendingRows rows in Mappings)
                bytes += rows.Bytes;
            return bytes;
        }
    }

    /// <summary>Whether a record was refused.</summary>
    internal bool IsRefused(int index) => _refused.Count > 0 && _refused.ContainsKey(index);

    /// <summary>Takes a record.</summary>
    internal void Add(int partition, in LogRecord record)
    {
        if (Count == _entries.Length)
            Array.Resize(ref _entries, 2 * Count);
        _entries[Count] = new Entry(
            record.Offset, partition, record.TimestampMs, _bytes.Length,
            record.HasKey ? record.Key.Length : -1,
            record.HasValue ? record.Value.Length : -1, record.Headers.Length);
        _bytes.Write(record.Key);
        _bytes.Write(record.Value);
        _bytes.Write(record.Headers);
        int index = Count++;
        bool isDecoded = record.HasValue && TryDecode(index, record.Value);
        foreach (PendingRows rows in Mappings)
        {
            if (!isDecoded || IsRefused(index))
                rows.AddNothing();
            else
                Encode(rows, index);
        }
    }

    /// <summary>Refuses a record; the first reason is kept.</summary>
    internal void Refuse(int index, Exception reason) => _refused.TryAdd(index, reason);

    /// <summary>The place of a record, for messages.</summary>
    internal (int Partition, long Offset) PlaceOf(int index) =>
        (_entries[index].Partition, _entries[index].Offset);

    /// <summary>Hands over what was refused, in the order of the topic, and forgets all.</summary>
    internal void Clear(SinkRejections rejections)
    {
        // Sorted only where there are any, so that a flush without refusals makes no object.
        IEnumerable<int> refused = _refused.Count > 0 ? _refused.Keys.Order() : Array.Empty<int>();
        foreach (int index in refused)
        {
            Entry entry = _entries[index];
            ReadOnlySpan<byte> bytes = _bytes.WrittenSpan[entry.Start..];
            int key = Math.Max(0, entry.KeyBytes), value = Math.Max(0, entry.ValueBytes);
            rejections.Add(Topic, entry.Partition, new LogRecord
            {
                Offset = entry.Offset,
                TimestampMs = entry.TimestampMs,
                HasKey = entry.KeyBytes >= 0,
                Key = bytes[..key],
                HasValue = entry.ValueBytes >= 0,
                Value = bytes.Slice(key, value),
                Headers = bytes.Slice(key + value, entry.HeaderBytes),
            }, _refused[index]);
        }
        _refused.Clear();
        _bytes.Clear();
        Count = 0;
        foreach (PendingRows rows in Mappings)
            rows.Clear();
    }

    public void Dispose()
    {
        _bytes.Dispose();
        foreach (PendingRows rows in Mappings)
            rows.Dispose();
    }

    private bool TryDecode(int index, ReadOnlySpan<byte> value)
    {
        try
        {
            _writer.Decode(value);
            return true;
        }
        catch (SerializationException e)
        {
            Refuse(index, e);
            return false;
        }
    }

    private void Encode(PendingRows rows, int index)
    {
        try
        {
            rows.Add(_writer);
        }
        catch (RowRefusedException e)
        {
            Refuse(index, e);
        }
    }

    /// <summary>A record; its key, value and headers lie one behind the other.</summary>
    private readonly record struct Entry(
        long Offset, int Partition, long TimestampMs, int Start, int KeyBytes, int ValueBytes,
        int HeaderBytes);
}
