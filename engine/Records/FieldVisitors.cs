using System.Runtime.CompilerServices;

namespace Streams.Records;

/// <summary>
/// The calls that a record's description consists of: number, name, field, unit, meaning. The field's type
/// decides the kind, and its nullable form makes it optional.
/// </summary>
/// <remarks>Numbers and names are forever once data is written: see docs/record-descriptions.md. Names are
/// UTF-8 literals, because JSON compares and copies them as bytes: snake_case, or camelCase where a record
/// describes what somebody else writes.</remarks>
public static class FieldVisitors
{
    extension<TVisitor>(ref TVisitor visitor)
        where TVisitor : struct, IFieldVisitor, allows ref struct
    {
        /// <summary>A truth value.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Field(int number, ReadOnlySpan<byte> name, ref bool value, string unit, string doc) =>
            visitor.Scalar<bool, BoolKind>(number, name, ref value, unit, doc);

        /// <summary>A truth value; null when unknown.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Field(int number, ReadOnlySpan<byte> name, ref bool? value, string unit, string doc) =>
            visitor.Optional<bool, BoolKind>(number, name, ref value, unit, doc);

        /// <summary>A list: each item a truth value.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Repeated(
            int number, ReadOnlySpan<byte> name, ref RecordList<bool> values, string unit, string doc) =>
            visitor.Repeated<bool, BoolKind>(number, name, ref values, unit, doc);

        /// <summary>A signed 32-bit number.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Field(int number, ReadOnlySpan<byte> name, ref int value, string unit, string doc) =>
            visitor.Scalar<int, Int32Kind>(number, name, ref value, unit, doc);

        /// <summary>A signed 32-bit number; null when unknown.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Field(int number, ReadOnlySpan<byte> name, ref int? value, string unit, string doc) =>
            visitor.Optional<int, Int32Kind>(number, name, ref value, unit, doc);

        /// <summary>A list: each item a signed 32-bit number.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Repeated(
            int number, ReadOnlySpan<byte> name, ref RecordList<int> values, string unit, string doc) =>
            visitor.Repeated<int, Int32Kind>(number, name, ref values, unit, doc);

        /// <summary>A signed 64-bit number.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Field(int number, ReadOnlySpan<byte> name, ref long value, string unit, string doc) =>
            visitor.Scalar<long, Int64Kind>(number, name, ref value, unit, doc);

        /// <summary>A signed 64-bit number; null when unknown.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Field(int number, ReadOnlySpan<byte> name, ref long? value, string unit, string doc) =>
            visitor.Optional<long, Int64Kind>(number, name, ref value, unit, doc);

        /// <summary>A list: each item a signed 64-bit number.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Repeated(
            int number, ReadOnlySpan<byte> name, ref RecordList<long> values, string unit, string doc) =>
            visitor.Repeated<long, Int64Kind>(number, name, ref values, unit, doc);

        /// <summary>An unsigned 32-bit number.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Field(int number, ReadOnlySpan<byte> name, ref uint value, string unit, string doc) =>
            visitor.Scalar<uint, UInt32Kind>(number, name, ref value, unit, doc);

        /// <summary>An unsigned 32-bit number; null when unknown.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Field(int number, ReadOnlySpan<byte> name, ref uint? value, string unit, string doc) =>
            visitor.Optional<uint, UInt32Kind>(number, name, ref value, unit, doc);

        /// <summary>A list: each item an unsigned 32-bit number.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Repeated(
            int number, ReadOnlySpan<byte> name, ref RecordList<uint> values, string unit, string doc) =>
            visitor.Repeated<uint, UInt32Kind>(number, name, ref values, unit, doc);

        /// <summary>An unsigned 64-bit number.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Field(int number, ReadOnlySpan<byte> name, ref ulong value, string unit, string doc) =>
            visitor.Scalar<ulong, UInt64Kind>(number, name, ref value, unit, doc);

        /// <summary>An unsigned 64-bit number; null when unknown.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Field(int number, ReadOnlySpan<byte> name, ref ulong? value, string unit, string doc) =>
            visitor.Optional<ulong, UInt64Kind>(number, name, ref value, unit, doc);

        /// <summary>A list: each item an unsigned 64-bit number.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Repeated(
            int number, ReadOnlySpan<byte> name, ref RecordList<ulong> values, string unit, string doc) =>
            visitor.Repeated<ulong, UInt64Kind>(number, name, ref values, unit, doc);

        /// <summary>A measurement; never money.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Field(int number, ReadOnlySpan<byte> name, ref double value, string unit, string doc) =>
            visitor.Scalar<double, DoubleKind>(number, name, ref value, unit, doc);

        /// <summary>A measurement; never money; null when unknown.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Field(int number, ReadOnlySpan<byte> name, ref double? value, string unit, string doc) =>
            visitor.Optional<double, DoubleKind>(number, name, ref value, unit, doc);

        /// <summary>A list: each item a measurement; never money.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Repeated(
            int number, ReadOnlySpan<byte> name, ref RecordList<double> values, string unit, string doc) =>
            visitor.Repeated<double, DoubleKind>(number, name, ref values, unit, doc);

        /// <summary>Text.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Field(int number, ReadOnlySpan<byte> name, ref Text value, string unit, string doc) =>
            visitor.Scalar<Text, TextKind>(number, name, ref value, unit, doc);

        /// <summary>Text; null when unknown.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Field(int number, ReadOnlySpan<byte> name, ref Text? value, string unit, string doc) =>
            visitor.Optional<Text, TextKind>(number, name, ref value, unit, doc);

        /// <summary>A list: each item text.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Repeated(
            int number, ReadOnlySpan<byte> name, ref RecordList<Text> values, string unit, string doc) =>
            visitor.Repeated<Text, TextKind>(number, name, ref values, unit, doc);

        /// <summary>Bytes of any length.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Field(int number, ReadOnlySpan<byte> name, ref Bytes value, string unit, string doc) =>
            visitor.Scalar<Bytes, BytesKind>(number, name, ref value, unit, doc);

        /// <summary>Bytes of any length; null when unknown.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Field(int number, ReadOnlySpan<byte> name, ref Bytes? value, string unit, string doc) =>
            visitor.Optional<Bytes, BytesKind>(number, name, ref value, unit, doc);

        /// <summary>A list: each item bytes of any length.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Repeated(
            int number, ReadOnlySpan<byte> name, ref RecordList<Bytes> values, string unit, string doc) =>
            visitor.Repeated<Bytes, BytesKind>(number, name, ref values, unit, doc);

        /// <summary>32 bytes, such as a hash.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Field(int number, ReadOnlySpan<byte> name, ref Bytes32 value, string unit, string doc) =>
            visitor.Scalar<Bytes32, Bytes32Kind>(number, name, ref value, unit, doc);

        /// <summary>32 bytes, such as a hash; null when unknown.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Field(int number, ReadOnlySpan<byte> name, ref Bytes32? value, string unit, string doc) =>
            visitor.Optional<Bytes32, Bytes32Kind>(number, name, ref value, unit, doc);

        /// <summary>A list: each item 32 bytes, such as a hash.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Repeated(
            int number, ReadOnlySpan<byte> name, ref RecordList<Bytes32> values, string unit, string doc) =>
            visitor.Repeated<Bytes32, Bytes32Kind>(number, name, ref values, unit, doc);

        /// <summary>An unsigned 256-bit number, such as an amount of wei.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Field(int number, ReadOnlySpan<byte> name, ref UInt256 value, string unit, string doc) =>
            visitor.Scalar<UInt256, UInt256Kind>(number, name, ref value, unit, doc);

        /// <summary>An unsigned 256-bit number, such as an amount of wei; null when unknown.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Field(int number, ReadOnlySpan<byte> name, ref UInt256? value, string unit, string doc) =>
            visitor.Optional<UInt256, UInt256Kind>(number, name, ref value, unit, doc);

        /// <summary>A list: each item an unsigned 256-bit number, such as an amount of wei.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Repeated(
            int number, ReadOnlySpan<byte> name, ref RecordList<UInt256> values, string unit, string doc) =>
            visitor.Repeated<UInt256, UInt256Kind>(number, name, ref values, unit, doc);

        /// <summary>One of the names of an enumeration over <see cref="int"/> that has a zero.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Enum<TEnum>(int number, ReadOnlySpan<byte> name, ref TEnum value, string doc)
            where TEnum : struct, Enum =>
            visitor.Scalar<TEnum, EnumKind<TEnum>>(number, name, ref value, Unit.None, doc);

        /// <summary>One of the names of an enumeration; null when unknown.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Enum<TEnum>(int number, ReadOnlySpan<byte> name, ref TEnum? value, string doc)
            where TEnum : struct, Enum =>
            visitor.Optional<TEnum, EnumKind<TEnum>>(number, name, ref value, Unit.None, doc);

        /// <summary>A list of names of an enumeration.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Enum<TEnum>(int number, ReadOnlySpan<byte> name, ref RecordList<TEnum> values, string doc)
            where TEnum : struct, Enum =>
            visitor.Repeated<TEnum, EnumKind<TEnum>>(number, name, ref values, Unit.None, doc);

        /// <summary>A list of records.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Repeated<TItem>(
            int number, ReadOnlySpan<byte> name, ref RecordList<TItem> values, string doc)
            where TItem : struct, IDescribed<TItem> =>
            visitor.Messages(number, name, ref values, doc);
    }
}
