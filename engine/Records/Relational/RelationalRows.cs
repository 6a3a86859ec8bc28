using System.Runtime.CompilerServices;
using Streams.Records.Schemas;

namespace Streams.Records.Relational;

/// <summary>Goes over a record as rows of the tables of its <see cref="RelationalModel"/>.</summary>
public static class RelationalRows
{
    /// <summary>
    /// Shows the record's row, then those of its lists, each followed by those of the lists inside it.
    /// </summary>
    /// <remarks>Allocates nothing: values go to the writer by their kind, unboxed.</remarks>
    public static void Write<T, TWriter>(in T record, ref TWriter writer)
        where T : IDescribed<T>, new()
        where TWriter : struct, IRowWriter
    {
        Span<int> positions = stackalloc int[RelationalModel.DepthMax];
        var visitor = new RowVisitor<TWriter>(ref writer, positions);
        // The visitor only reads, but shares its interface with decoders.
        visitor.WriteRecord(ref Unsafe.AsRef(in record));
    }
}

/// <summary>
/// Writes a row in one visit of a record (its columns) and the rows of its lists in another.
/// </summary>
internal ref struct RowVisitor<TWriter> : IFieldVisitor
    where TWriter : struct, IRowWriter
{
    private readonly ref TWriter _writer;
    private readonly Span<int> _positions;
    private int _depth;

    /// <summary>Whether this visit is of the columns; if not, of the lists.</summary>
    private bool _isColumns;

    /// <summary>Whether the inner record whose columns these are is absent.</summary>
    private bool _isAbsent;

    /// <summary>The table of the next list.</summary>
    private int _table;

    public RowVisitor(ref TWriter writer, Span<int> positions)
    {
        _writer = ref writer;
        _positions = positions;
    }

    public void WriteRecord<T>(ref T record)
        where T : IDescribed<T>, new()
    {
        _writer.BeginRow(_table, _positions[.._depth]);
        _isColumns = true;
        record.Describe(ref this);
        _isColumns = false;
        _writer.EndRow();
        _table++;
        record.Describe(ref this);
    }

    public readonly void Memory(ref RecordMemory memory)
    {
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Scalar<T, TKind>(int number, ReadOnlySpan<byte> name, ref T value, string unit, string doc)
        where T : struct
        where TKind : struct, IScalarKind<T>
    {
        if (!_isColumns)
            return;
        if (_isAbsent)
            _writer.Null(TKind.Kind);
        else
            TKind.Write(ref _writer, value);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Optional<T, TKind>(int number, ReadOnlySpan<byte> name, ref T? value, string unit, string doc)
        where T : struct
        where TKind : struct, IScalarKind<T>
    {
        if (!_isColumns)
            return;
        if (_isAbsent || !value.HasValue)
            _writer.Null(TKind.Kind);
        else
            TKind.Write(ref _writer, in Nullable.GetValueRefOrDefaultRef(in value));
    }

    public void Repeated<T, TKind>(
        int number, ReadOnlySpan<byte> name, ref RecordList<T> values, string unit, string doc)
        where T : struct
        where TKind : struct, IScalarKind<T>
    {
        if (_isColumns)
            return;
        for (int i = 0; i < (_isAbsent ? 0 : values.Count); i++)
        {
            _positions[_depth] = i;
            _writer.BeginRow(_table, _positions[..(_depth + 1)]);
            TKind.Write(ref _writer, in values[i]);
            _writer.EndRow();
        }
        _table++;
    }

    public void Message<T>(int number, ReadOnlySpan<byte> name, ref Nested<T> value, string doc)
        where T : struct, IDescribed<T>
    {
        // The record inside an absent one is absent too, whatever its slot still holds.
        bool outer = _isAbsent;
        _isAbsent |= !value.IsPresent;
        value.Value.Describe(ref this);
        _isAbsent = outer;
    }

    public void Messages<T>(int number, ReadOnlySpan<byte> name, ref RecordList<T> values, string doc)
        where T : struct, IDescribed<T>
    {
        if (_isColumns)
            return;
        int table = _table;
        for (int i = 0; i < (_isAbsent ? 0 : values.Count); i++)
        {
            _table = table;
            _positions[_depth++] = i;
            WriteRecord(ref values[i]);
            _depth--;
        }
        _table = table + 1 + ListCount<T>.Value;
    }

    public readonly void Retired(int number, ReadOnlySpan<byte> name)
    {
    }

    private static class ListCount<T>
        where T : struct, IDescribed<T>
    {
        public static readonly int Value = RelationalModel.CountLists(RecordSchema.Of<T>());
    }
}
