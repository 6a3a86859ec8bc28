using System.Buffers.Binary;
using Streams.Buffers;
using Streams.Connect;
using Streams.Records;
using Streams.Records.Relational;

namespace Streams.Sinks.Postgres;

/// <summary>Encodes the rows of one mapping for COPY: a record's own row, then those of its lists. For one
/// thread; allocates nothing once its buffers have grown.</summary>
internal sealed class PostgresRows : IDisposable
{
    private readonly RowPlan _plan;
    private readonly RowPlan.TablePlan _main;
    private RowPlan.TablePlan _current;
    private int _ordinal;

    internal PostgresRows(TableMapping mapping, RelationalModel model, int partitionsMax)
    {
        Mapping = mapping;
        Tables = PostgresSchema.Tables(mapping, model);
        Buffers = [.. Tables.Select(_ => new PooledBuffer(64 * 1024))];
        _plan = new RowPlan(mapping, model, Tables, Buffers);
        _current = _main = _plan.Tables[0];
        Months = new MonthsSeen(mapping.Table, partitionsMax);
    }

    internal TableMapping Mapping { get; }

    /// <summary>The record's own table first.</summary>
    internal IReadOnlyList<PostgresTable> Tables { get; }

    /// <summary>Encoded rows of each table.</summary>
    internal PooledBuffer[] Buffers { get; }

    /// <summary>The key of the record encoded last, as fields of COPY.</summary>
    internal PooledBuffer Key { get; } = new();

    /// <summary>Whether the record encoded last takes its row away.</summary>
    internal bool IsRetracted { get; private set; }

    /// <summary>The months of the table's time that were met.</summary>
    internal MonthsSeen Months { get; }

    /// <summary>The tables that have a partition for each month.</summary>
    internal IReadOnlyList<PostgresTable> DividedTables { get; set; } = [];

    internal void BeginRow(int table, ReadOnlySpan<int> positions)
    {
        _ordinal = 0;
        _current = _plan.Tables[table];
        if (table == 0)
        {
            IsRetracted = false;
            Key.Clear();
            foreach (RowPlan.FirstValue first in _plan.Firsts)
                first.Clear();
        }
        if (_current.Rows is not { } rows || IsRetracted)
            return;
        BinaryPrimitives.WriteInt16BigEndian(rows.Append(sizeof(short)), _current.FieldCount);
        if (table == 0)
            return;
        rows.Write(Key.WrittenSpan);
        foreach (int position in positions)
            CopyFields.Int32(rows, position);
    }

    internal void EndRow()
    {
        if (_current != _main)
            return;
        ReadOnlySpan<byte> row = _main.Rows!.WrittenSpan;
        foreach (RowPlan.KeyField field in _plan.Key)
            Key.Write(row.Slice(field.Start, field.Length));
    }

    /// <summary>Ends the record: what its row takes from its lists is known now.</summary>
    internal void EndRecord()
    {
        foreach (RowPlan.FirstValue first in _plan.Firsts)
        {
            if (first.IsSet)
                _main.Rows!.Write(first.Field.WrittenSpan);
            else
                CopyFields.Null(_main.Rows!);
        }
    }

    internal void Null()
    {
        foreach (RowPlan.ColumnPlan column in Next())
        {
            if (column.First is null)
                CopyFields.Null(column.Rows!);
        }
    }

    internal void Bool(bool value)
    {
        foreach (RowPlan.ColumnPlan column in Next())
        {
            if (!column.TryBegin(out PooledBuffer to, out int start))
                continue;
            CopyFields.Bool(to, value);
            column.End(to, start);
        }
    }

    internal void Int32(int value)
    {
        foreach (RowPlan.ColumnPlan column in Next())
        {
            if (!column.TryBegin(out PooledBuffer to, out int start))
                continue;
            CopyFields.Int32(to, value);
            column.End(to, start);
        }
    }

    internal void Int64(long value)
    {
        foreach (RowPlan.ColumnPlan column in Next())
        {
            if (!column.TryBegin(out PooledBuffer to, out int start))
                continue;
            if (column.IsTime)
                Months.Note(value);
            if (column.Form == ColumnForm.Instant)
                CopyFields.Instant(to, value);
            else if (column.Form == ColumnForm.Scaled)
                CopyFields.Numeric(to, value, column.Scale);
            else
                CopyFields.Int64(to, value);
            column.End(to, start);
        }
    }

    internal void UInt64(ulong value)
    {
        foreach (RowPlan.ColumnPlan column in Next())
        {
            if (!column.TryBegin(out PooledBuffer to, out int start))
                continue;
            CopyFields.Numeric(to, value, column.Scale);
            column.End(to, start);
        }
    }

    internal void UInt256(in UInt256 value)
    {
        foreach (RowPlan.ColumnPlan column in Next())
        {
            if (!column.TryBegin(out PooledBuffer to, out int start))
                continue;
            CopyFields.Numeric(to, value, column.Scale);
            column.End(to, start);
        }
    }

    internal void Double(double value)
    {
        foreach (RowPlan.ColumnPlan column in Next())
        {
            if (!column.TryBegin(out PooledBuffer to, out int start))
                continue;
            CopyFields.Double(to, value);
            column.End(to, start);
        }
    }

    internal void Bytes32(in Bytes32 value)
    {
        foreach (RowPlan.ColumnPlan column in Next())
        {
            if (!column.TryBegin(out PooledBuffer to, out int start))
                continue;
            if (column.Form == ColumnForm.Uuid)
                CopyFields.Uuid(to, value);
            else
                CopyFields.Bytes32(to, value);
            column.End(to, start);
        }
    }

    internal void Bytes(ReadOnlySpan<byte> value)
    {
        foreach (RowPlan.ColumnPlan column in Next())
        {
            if (!column.TryBegin(out PooledBuffer to, out int start))
                continue;
            CopyFields.Bytes(to, value);
            column.End(to, start);
        }
    }

    /// <summary>Takes the name of an enumeration's value.</summary>
    internal void Name(ReadOnlySpan<byte> name)
    {
        if (_current == _main && _ordinal == _plan.OperationOrdinal)
            IsRetracted = name.SequenceEqual("retract"u8);
        foreach (RowPlan.ColumnPlan column in Next())
        {
            if (!column.TryBegin(out PooledBuffer to, out int start))
                continue;
            CopyFields.Bytes(to, column.WordFor(name));
            column.End(to, start);
        }
    }

    internal void Text(ReadOnlySpan<byte> utf8)
    {
        foreach (RowPlan.ColumnPlan column in Next())
        {
            if (!column.TryBegin(out PooledBuffer to, out int start))
                continue;
            if (column.Form == ColumnForm.Uuid)
                CopyFields.Uuid(to, utf8);
            else if (utf8.Contains((byte)0))
                throw new RowRefusedException(
                    $"The text for {Mapping.Table}.{column.Name} holds a zero character, which " +
                    "PostgreSQL's text cannot.");
            else
                CopyFields.Bytes(to, utf8);
            column.End(to, start);
        }
    }

    public void Dispose()
    {
        foreach (PooledBuffer buffer in Buffers)
            buffer.Dispose();
        _plan.Dispose();
        Key.Dispose();
    }

    // The columns of the field that is next; none of a list's where the record is retracted. The record's own
    // row is encoded to its end, because the key may stand behind the operation.
    private ReadOnlySpan<RowPlan.ColumnPlan> Next()
    {
        int ordinal = _ordinal++;
        return IsRetracted && _current != _main ? [] : _current.Columns[ordinal];
    }
}

/// <summary>A row that the database, or its types, can never take.</summary>
internal sealed class RowRefusedException(string message, Exception? inner = null)
    : Exception(message, inner);
