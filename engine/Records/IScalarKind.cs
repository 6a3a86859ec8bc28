namespace Streams.Records;

/// <summary>What sort of value a field holds.</summary>
public enum FieldKind : byte
{
    /// <summary>True or false.</summary>
    Bool,

    /// <summary>Signed, 32 bits.</summary>
    Int32,

    /// <summary>Signed, 64 bits.</summary>
    Int64,

    /// <summary>Unsigned, 32 bits.</summary>
    UInt32,

    /// <summary>Unsigned, 64 bits.</summary>
    UInt64,

    /// <summary>IEEE 754 binary64.</summary>
    Double,

    /// <summary>One of a closed list of names.</summary>
    Enum,

    /// <summary>UTF-8 text.</summary>
    Text,

    /// <summary>Bytes of any length.</summary>
    Bytes,

    /// <summary>Exactly 32 bytes.</summary>
    Bytes32,

    /// <summary>Unsigned, 256 bits.</summary>
    UInt256,

    /// <summary>A record inside the record.</summary>
    Message,
}

/// <summary>
/// Ties a .NET type to the <see cref="FieldKind"/> it is stored as, and to the writer's and reader's method
/// for it.
/// </summary>
/// <remarks>With it a visitor implements each form of a field (scalar,
/// optional, repeated) once, not once per type.</remarks>
/// <typeparam name="T">The .NET type of the value.</typeparam>
public interface IScalarKind<T>
    where T : struct
{
    /// <summary>The kind.</summary>
    static abstract FieldKind Kind { get; }

    /// <summary>Whether the value is the one that a missing field has: zero, false, empty.</summary>
    static abstract bool IsDefault(in T value);

    /// <summary>Bytes that the value points to, for kinds of variable length; 0 for the others.</summary>
    static abstract int PayloadBytes(in T value);

    /// <summary>Calls the writer's method for this kind.</summary>
    static abstract void Write<TWriter>(ref TWriter writer, in T value)
        where TWriter : struct, IScalarWriter, allows ref struct;

    /// <summary>Calls the reader's method for this kind.</summary>
    static abstract T Read<TReader>(ref TReader reader, int position)
        where TReader : struct, IScalarReader, allows ref struct;
}

/// <summary>
/// Takes one value of each kind: a codec's way to encode it, a sink's way to bind it to a column.
/// </summary>
public interface IScalarWriter
{
    /// <summary>Takes a truth value.</summary>
    void Bool(bool value);

    /// <summary>Takes a signed 32-bit number.</summary>
    void Int32(int value);

    /// <summary>Takes a signed 64-bit number.</summary>
    void Int64(long value);

    /// <summary>Takes an unsigned 32-bit number.</summary>
    void UInt32(uint value);

    /// <summary>Takes an unsigned 64-bit number.</summary>
    void UInt64(ulong value);

    /// <summary>Takes a measurement.</summary>
    void Double(double value);

    /// <summary>Takes an enumeration's value; its names are in <see cref="EnumNames{TEnum}"/>.</summary>
    void Enum<TEnum>(TEnum value)
        where TEnum : struct, Enum;

    /// <summary>Takes text.</summary>
    void Text(Text value);

    /// <summary>Takes bytes.</summary>
    void Bytes(Bytes value);

    /// <summary>Takes 32 bytes.</summary>
    void Bytes32(in Bytes32 value);

    /// <summary>Takes an unsigned 256-bit number.</summary>
    void UInt256(in UInt256 value);
}

/// <summary>
/// Gives one value of each kind, the one whose bytes begin at a position, and stands behind it afterwards:
/// the counterpart of <see cref="IScalarWriter"/>.
/// </summary>
/// <remarks>The position is a parameter, not only the reader's state, because it then stays in a register
/// between a field's tag and its value. That is a fifth of the time of decoding.</remarks>
public interface IScalarReader
{
    /// <summary>Gives a truth value.</summary>
    bool Bool(int position);

    /// <summary>Gives a signed 32-bit number.</summary>
    int Int32(int position);

    /// <summary>Gives a signed 64-bit number.</summary>
    long Int64(int position);

    /// <summary>Gives an unsigned 32-bit number.</summary>
    uint UInt32(int position);

    /// <summary>Gives an unsigned 64-bit number.</summary>
    ulong UInt64(int position);

    /// <summary>Gives a measurement.</summary>
    double Double(int position);

    /// <summary>Gives an enumeration's value; it may be a number without a name.</summary>
    TEnum Enum<TEnum>(int position)
        where TEnum : struct, Enum;

    /// <summary>Gives text.</summary>
    Text Text(int position);

    /// <summary>Gives bytes.</summary>
    Bytes Bytes(int position);

    /// <summary>Gives 32 bytes.</summary>
    Bytes32 Bytes32(int position);

    /// <summary>Gives an unsigned 256-bit number.</summary>
    UInt256 UInt256(int position);
}
