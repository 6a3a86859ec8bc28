using System.Buffers.Binary;
using System.Numerics;
using Streams.Buffers;

namespace Streams.Sinks.Postgres;

/// <summary>The rows that records become by one mapping: which bytes of each table's are a record's, and
/// which record is the last of its key.</summary>
internal sealed class PendingRows(PostgresRows rows) : IDisposable
{
    private readonly PooledBuffer _keys = new(16 * 1024);
    private readonly int _tables = rows.Tables.Count;
    private readonly int[] _starts = new int[rows.Tables.Count];
    private int[] _ends = new int[1024];
    private RecordKey[] _records = new RecordKey[1024];
    private int[] _slots = new int[1024];
    private int _count;

    internal PostgresRows Rows { get; } = rows;

    internal long Bytes
    {
        get
        {
            long bytes = _keys.Length;
            foreach (PooledBuffer buffer in Rows.Buffers)
                bytes += buffer.Length;
            return bytes;
        }
    }

    /// <summary>Encodes the rows of the record that the writer has decoded.</summary>
    /// <exception cref="RowRefusedException">It cannot; the record has no rows.</exception>
    internal void Add(PostgresRecordWriter writer)
    {
        for (int t = 0; t < _tables; t++)
            _starts[t] = Rows.Buffers[t].Length;
        bool isEncoded = false;
        try
        {
            writer.Encode(Rows);
            isEncoded = true;
        }
        finally
        {
            if (!isEncoded || Rows.IsRetracted)
            {
                for (int t = 0; t < _tables; t++)
                    Rows.Buffers[t].Truncate(_starts[t]);
            }
            if (!isEncoded)
                AddNothing();
        }
        int start = _keys.Length;
        _keys.Write(Rows.Key.WrittenSpan);
        Append(new RecordKey(start, _keys.Length - start, Rows.IsRetracted ? Change.Retract : Change.Put));
    }

    /// <summary>Takes a record that becomes no rows.</summary>
    internal void AddNothing() => Append(new RecordKey(_keys.Length, 0, Change.None));

    /// <summary>Chooses what is to be done for a range of records: of a key's, the last one counts.</summary>
    /// <param name="from">The first record.</param>
    /// <param name="to">The one behind the last.</param>
    /// <param name="records">Says which were refused.</param>
    /// <returns>How many rows are put and how many taken away.</returns>
    internal (int Puts, int Retractions) Choose(int from, int to, PendingRecords records)
    {
        bool isKeyed = Rows.Mapping.Key.Count > 0;
        int mask = (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(16, 2 * (to - from))) - 1;
        if (isKeyed && _slots.Length <= mask)
            _slots = new int[mask + 1];
        if (isKeyed)
            Array.Clear(_slots, 0, mask + 1);
        int puts = 0, retractions = 0;
        for (int i = to - 1; i >= from; i--)
        {
            ref RecordKey record = ref _records[i];
            record.IsChosen = record.Change != Change.None && !records.IsRefused(i)
                && (!isKeyed || TryTake(i, mask));
            if (!record.IsChosen)
                continue;
            puts += record.Change == Change.Put ? 1 : 0;
            retractions += record.Change == Change.Retract ? 1 : 0;
        }
        return (puts, retractions);
    }

    /// <summary>The next stretch of bytes of a table that the chosen records of a range put.</summary>
    /// <param name="table">The table.</param>
    /// <param name="at">Where to go on; moved behind the stretch.</param>
    /// <param name="to">The record behind the last.</param>
    /// <param name="bytes">The stretch, of as many records as lie together.</param>
    internal bool TryNext(int table, ref int at, int to, out ReadOnlyMemory<byte> bytes)
    {
        while (at < to && !IsPut(at))
            at++;
        int first = at;
        while (at < to && IsPut(at))
            at++;
        int start = StartOf(first, table);
        bytes = Rows.Buffers[table].WrittenMemory[start..(at > first ? EndOf(at - 1, table) : start)];
        return at > first;
    }

    /// <summary>The key of a chosen record that takes its row away; none for any other.</summary>
    internal bool TryRetraction(int index, out ReadOnlySpan<byte> key)
    {
        RecordKey record = _records[index];
        key = _keys.WrittenSpan.Slice(record.Start, record.Length);
        return record is { IsChosen: true, Change: Change.Retract };
    }

    internal void Clear()
    {
        _keys.Clear();
        _count = 0;
        foreach (PooledBuffer buffer in Rows.Buffers)
            buffer.Clear();
    }

    public void Dispose()
    {
        _keys.Dispose();
        Rows.Dispose();
    }

    private bool IsPut(int index) => _records[index] is { IsChosen: true, Change: Change.Put };

    private int StartOf(int index, int table) => index == 0 ? 0 : EndOf(index - 1, table);

    private int EndOf(int index, int table) => _ends[index * _tables + table];

    private void Append(in RecordKey record)
    {
        if (_count == _records.Length)
            Array.Resize(ref _records, 2 * _count);
        if ((_count + 1) * _tables > _ends.Length)
            Array.Resize(ref _ends, 2 * (_count + 1) * _tables);
        _records[_count] = record;
        for (int t = 0; t < _tables; t++)
            _ends[_count * _tables + t] = Rows.Buffers[t].Length;
        _count++;
    }

    // Whether no later record of the range has the key. Slots hold a record's number plus one.
    private bool TryTake(int index, int mask)
    {
        ReadOnlySpan<byte> key = KeyOf(index);
        for (int slot = Hash(key) & mask; ; slot = (slot + 1) & mask)
        {
            if (_slots[slot] == 0)
            {
                _slots[slot] = index + 1;
                return true;
            }
            if (KeyOf(_slots[slot] - 1).SequenceEqual(key))
                return false;
        }
    }

    private ReadOnlySpan<byte> KeyOf(int index) =>
        _keys.WrittenSpan.Slice(_records[index].Start, _records[index].Length);

    private static int Hash(ReadOnlySpan<byte> key)
    {
        const ulong Golden = 0x9E3779B97F4A7C15;
        ulong hash = Golden;
        for (; key.Length >= sizeof(ulong); key = key[sizeof(ulong)..])
            hash = BitOperations.RotateLeft(
                (hash ^ BinaryPrimitives.ReadUInt64LittleEndian(key)) * Golden, 29);
        foreach (byte b in key)
            hash = (hash ^ b) * Golden;
        return (int)((hash ^ (hash >> 32)) & int.MaxValue);
    }

    private enum Change : byte
    {
        None,
        Put,
        Retract,
    }

    private struct RecordKey(int start, int length, Change change)
    {
        internal int Start = start;
        internal int Length = length;
        internal Change Change = change;
        internal bool IsChosen;
    }
}
