using Streams.Records;
using Streams.Records.Relational;

namespace Streams.Sinks.Postgres;

/// <summary>Decodes the records of a topic and encodes their rows, for each mapping of the topic. For one
/// thread.</summary>
internal abstract class PostgresRecordWriter
{
    /// <summary>Decodes a value.</summary>
    /// <exception cref="SerializationException">The bytes are not of the topic's type.</exception>
    internal abstract void Decode(ReadOnlySpan<byte> value);

    /// <summary>Encodes the rows of what was decoded.</summary>
    /// <exception cref="RowRefusedException">A value has no place in its column.</exception>
    internal abstract void Encode(PostgresRows rows);
}

/// <inheritdoc/>
internal sealed class PostgresRecordWriter<TValue>(Serde<TValue> serde) : PostgresRecordWriter
    where TValue : class, IDescribed<TValue>, new()
{
    private TValue _value = new();

    internal override void Decode(ReadOnlySpan<byte> value) => serde.Deserialize(value, ref _value);

    internal override void Encode(PostgresRows rows)
    {
        var writer = new PostgresRowWriter(rows);
        RelationalRows.Write(_value, ref writer);
        rows.EndRecord();
    }
}

/// <summary>Passes what a record shows on to the rows; a struct, so that the walk over the record is compiled
/// for it.</summary>
internal readonly struct PostgresRowWriter(PostgresRows rows) : IRowWriter
{
    public void BeginRow(int table, ReadOnlySpan<int> positions) => rows.BeginRow(table, positions);

    public void EndRow() => rows.EndRow();

    public void Null(FieldKind kind) => rows.Null();

    public void Bool(bool value) => rows.Bool(value);

    public void Int32(int value) => rows.Int32(value);

    public void Int64(long value) => rows.Int64(value);

    public void UInt32(uint value) => rows.Int64(value);

    public void UInt64(ulong value) => rows.UInt64(value);

    public void Double(double value) => rows.Double(value);

    public void Enum<TEnum>(TEnum value)
        where TEnum : struct, Enum => rows.Name(EnumNames<TEnum>.NameOf(value));

    public void Text(Text value) => rows.Text(value.Span);

    public void Bytes(Bytes value) => rows.Bytes(value.Span);

    public void Bytes32(in Bytes32 value) => rows.Bytes32(value);

    public void UInt256(in UInt256 value) => rows.UInt256(value);
}
