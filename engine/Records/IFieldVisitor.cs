namespace Streams.Records;

/// <summary>
/// Goes over the fields of a record: a codec, a schema builder, a column writer. Implemented by structs, so
/// that the JIT compiles a record's description once per visitor, with the visitor's code inlined into it.
/// </summary>
/// <remarks>Record types call the overloads of <see cref="FieldVisitors"/>, which choose the kind by the
/// field's type; only visitors are written against this interface.</remarks>
public interface IFieldVisitor
{
    /// <summary>Begins a record: shows what it owns beside its fields.</summary>
    void Memory(ref RecordMemory memory);

    /// <summary>A field that always has a value.</summary>
    void Scalar<T, TKind>(int number, ReadOnlySpan<byte> name, ref T value, string unit, string doc)
        where T : struct
        where TKind : struct, IScalarKind<T>;

    /// <summary>A field whose value may be absent, which is another thing than zero.</summary>
    void Optional<T, TKind>(int number, ReadOnlySpan<byte> name, ref T? value, string unit, string doc)
        where T : struct
        where TKind : struct, IScalarKind<T>;

    /// <summary>A list of values.</summary>
    void Repeated<T, TKind>(
        int number, ReadOnlySpan<byte> name, ref RecordList<T> values, string unit, string doc)
        where T : struct
        where TKind : struct, IScalarKind<T>;

    /// <summary>A record inside the record, which may be absent.</summary>
    void Message<T>(int number, ReadOnlySpan<byte> name, ref Nested<T> value, string doc)
        where T : struct, IDescribed<T>;

    /// <summary>A field that once existed: its number and name stay taken.</summary>
    void Retired(int number, ReadOnlySpan<byte> name);

    /// <summary>A list of records inside the record.</summary>
    void Messages<T>(int number, ReadOnlySpan<byte> name, ref RecordList<T> values, string doc)
        where T : struct, IDescribed<T>;
}
