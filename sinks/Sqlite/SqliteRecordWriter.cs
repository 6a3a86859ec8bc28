using Streams.Log;
using Streams.Records;
using Streams.Records.Relational;

namespace Streams.Sinks.Sqlite;

/// <summary>Writes the records of a topic as rows. For one thread.</summary>
internal abstract class SqliteRecordWriter : IDisposable
{
    /// <summary>Writes a record; one without a value is passed over.</summary>
    internal abstract void Write(in LogRecord record);

    public abstract void Dispose();
}

/// <inheritdoc/>
internal sealed class SqliteRecordWriter<TValue>(Serde<TValue> serde, SqliteRows rows) : SqliteRecordWriter
    where TValue : class, IDescribed<TValue>, new()
{
    private TValue _value = new();

    internal override void Write(in LogRecord record)
    {
        if (!record.HasValue)
            return;
        serde.Deserialize(record.Value, ref _value);
        var writer = new SqliteRowWriter(rows);
        RelationalRows.Write(_value, ref writer);
    }

    public override void Dispose() => rows.Dispose();
}

/// <summary>Passes what a record shows on to the rows; a struct, so that the walk over the record is compiled for it.</summary>
internal readonly struct SqliteRowWriter(SqliteRows rows) : IRowWriter
{
    public void BeginRow(int table, ReadOnlySpan<int> positions) => rows.BeginRow(table, positions);

    public void EndRow() => rows.EndRow();

    public void Null(FieldKind kind) => rows.Null();

    public void Bool(bool value) => rows.Number(value ? 1 : 0);

    public void Int32(int value) => rows.Number(value);

    public void Int64(long value) => rows.Number(value);

    public void UInt32(uint value) => rows.Number(value);

    public void UInt64(ulong value)
    {
        if (value <= long.MaxValue)
        {
            rows.Number((long)value);
            return;
        }
        // SQLite's integers are signed: what does not fit is text.
        Span<byte> digits = stackalloc byte[20];
        System.Buffers.Text.Utf8Formatter.TryFormat(value, digits, out int count);
        rows.Text(digits[..count]);
    }

    public void Double(double value) => rows.Real(value);

    public void Enum<TEnum>(TEnum value)
        where TEnum : struct, Enum => rows.Text(EnumNames<TEnum>.NameOf(value));

    public void Text(Text value) => rows.Text(value.Span);

    public void Bytes(Bytes value) => rows.Blob(value.Span);

    public void Bytes32(in Bytes32 value)
    {
        Span<byte> hex = stackalloc byte[Records.Bytes32.HexLength];
        value.Format(hex);
        rows.Text(hex);
    }

    public void UInt256(in UInt256 value)
    {
        Span<byte> digits = stackalloc byte[Records.UInt256.DecimalLengthMax];
        rows.Text(digits[..value.Format(digits)]);
    }
}
