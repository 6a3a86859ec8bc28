using System.Runtime.CompilerServices;

namespace Streams.Records;

/// <summary><see cref="bool"/> as <see cref="FieldKind.Bool"/>.</summary>
public readonly struct BoolKind : IScalarKind<bool>
{
    /// <inheritdoc/>
    public static FieldKind Kind => FieldKind.Bool;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsDefault(in bool value) => !value;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int PayloadBytes(in bool value) => 0;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Write<TWriter>(ref TWriter writer, in bool value)
        where TWriter : struct, IScalarWriter, allows ref struct => writer.Bool(value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Read<TReader>(ref TReader reader, int position)
        where TReader : struct, IScalarReader, allows ref struct => reader.Bool(position);
}

/// <summary><see cref="int"/> as <see cref="FieldKind.Int32"/>.</summary>
public readonly struct Int32Kind : IScalarKind<int>
{
    /// <inheritdoc/>
    public static FieldKind Kind => FieldKind.Int32;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsDefault(in int value) => value == 0;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int PayloadBytes(in int value) => 0;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Write<TWriter>(ref TWriter writer, in int value)
        where TWriter : struct, IScalarWriter, allows ref struct => writer.Int32(value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Read<TReader>(ref TReader reader, int position)
        where TReader : struct, IScalarReader, allows ref struct => reader.Int32(position);
}

/// <summary><see cref="long"/> as <see cref="FieldKind.Int64"/>.</summary>
public readonly struct Int64Kind : IScalarKind<long>
{
    /// <inheritdoc/>
    public static FieldKind Kind => FieldKind.Int64;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsDefault(in long value) => value == 0;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int PayloadBytes(in long value) => 0;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Write<TWriter>(ref TWriter writer, in long value)
        where TWriter : struct, IScalarWriter, allows ref struct => writer.Int64(value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static long Read<TReader>(ref TReader reader, int position)
        where TReader : struct, IScalarReader, allows ref struct => reader.Int64(position);
}

/// <summary><see cref="uint"/> as <see cref="FieldKind.UInt32"/>.</summary>
public readonly struct UInt32Kind : IScalarKind<uint>
{
    /// <inheritdoc/>
    public static FieldKind Kind => FieldKind.UInt32;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsDefault(in uint value) => value == 0;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int PayloadBytes(in uint value) => 0;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Write<TWriter>(ref TWriter writer, in uint value)
        where TWriter : struct, IScalarWriter, allows ref struct => writer.UInt32(value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Read<TReader>(ref TReader reader, int position)
        where TReader : struct, IScalarReader, allows ref struct => reader.UInt32(position);
}

/// <summary><see cref="ulong"/> as <see cref="FieldKind.UInt64"/>.</summary>
public readonly struct UInt64Kind : IScalarKind<ulong>
{
    /// <inheritdoc/>
    public static FieldKind Kind => FieldKind.UInt64;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsDefault(in ulong value) => value == 0;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int PayloadBytes(in ulong value) => 0;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Write<TWriter>(ref TWriter writer, in ulong value)
        where TWriter : struct, IScalarWriter, allows ref struct => writer.UInt64(value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Read<TReader>(ref TReader reader, int position)
        where TReader : struct, IScalarReader, allows ref struct => reader.UInt64(position);
}

/// <summary><see cref="double"/> as <see cref="FieldKind.Double"/>.</summary>
public readonly struct DoubleKind : IScalarKind<double>
{
    /// <inheritdoc/>
    public static FieldKind Kind => FieldKind.Double;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsDefault(in double value) => BitConverter.DoubleToInt64Bits(value) == 0;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int PayloadBytes(in double value) => 0;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Write<TWriter>(ref TWriter writer, in double value)
        where TWriter : struct, IScalarWriter, allows ref struct => writer.Double(value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double Read<TReader>(ref TReader reader, int position)
        where TReader : struct, IScalarReader, allows ref struct => reader.Double(position);
}

/// <summary><see cref="Text"/> as <see cref="FieldKind.Text"/>.</summary>
public readonly struct TextKind : IScalarKind<Text>
{
    /// <inheritdoc/>
    public static FieldKind Kind => FieldKind.Text;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsDefault(in Text value) => value.IsEmpty;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int PayloadBytes(in Text value) => value.Length;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Write<TWriter>(ref TWriter writer, in Text value)
        where TWriter : struct, IScalarWriter, allows ref struct => writer.Text(value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Text Read<TReader>(ref TReader reader, int position)
        where TReader : struct, IScalarReader, allows ref struct => reader.Text(position);
}

/// <summary><see cref="Bytes"/> as <see cref="FieldKind.Bytes"/>.</summary>
public readonly struct BytesKind : IScalarKind<Bytes>
{
    /// <inheritdoc/>
    public static FieldKind Kind => FieldKind.Bytes;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsDefault(in Bytes value) => value.IsEmpty;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int PayloadBytes(in Bytes value) => value.Length;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Write<TWriter>(ref TWriter writer, in Bytes value)
        where TWriter : struct, IScalarWriter, allows ref struct => writer.Bytes(value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Bytes Read<TReader>(ref TReader reader, int position)
        where TReader : struct, IScalarReader, allows ref struct => reader.Bytes(position);
}

/// <summary><see cref="Bytes32"/> as <see cref="FieldKind.Bytes32"/>.</summary>
public readonly struct Bytes32Kind : IScalarKind<Bytes32>
{
    /// <inheritdoc/>
    public static FieldKind Kind => FieldKind.Bytes32;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsDefault(in Bytes32 value) => value.IsZero;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int PayloadBytes(in Bytes32 value) => 0;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Write<TWriter>(ref TWriter writer, in Bytes32 value)
        where TWriter : struct, IScalarWriter, allows ref struct => writer.Bytes32(in value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Bytes32 Read<TReader>(ref TReader reader, int position)
        where TReader : struct, IScalarReader, allows ref struct => reader.Bytes32(position);
}

/// <summary><see cref="UInt256"/> as <see cref="FieldKind.UInt256"/>.</summary>
public readonly struct UInt256Kind : IScalarKind<UInt256>
{
    /// <inheritdoc/>
    public static FieldKind Kind => FieldKind.UInt256;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsDefault(in UInt256 value) => value.IsZero;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int PayloadBytes(in UInt256 value) => 0;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Write<TWriter>(ref TWriter writer, in UInt256 value)
        where TWriter : struct, IScalarWriter, allows ref struct => writer.UInt256(in value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static UInt256 Read<TReader>(ref TReader reader, int position)
        where TReader : struct, IScalarReader, allows ref struct => reader.UInt256(position);
}

/// <summary>An enumeration as <see cref="FieldKind.Enum"/>.</summary>
public readonly struct EnumKind<TEnum> : IScalarKind<TEnum>
    where TEnum : struct, Enum
{
    /// <inheritdoc/>
    public static FieldKind Kind => FieldKind.Enum;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsDefault(in TEnum value) => Unsafe.BitCast<TEnum, int>(value) == 0;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int PayloadBytes(in TEnum value) => 0;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Write<TWriter>(ref TWriter writer, in TEnum value)
        where TWriter : struct, IScalarWriter, allows ref struct => writer.Enum(value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TEnum Read<TReader>(ref TReader reader, int position)
        where TReader : struct, IScalarReader, allows ref struct => reader.Enum<TEnum>(position);
}
