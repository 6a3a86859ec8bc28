using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Streams.Buffers;

namespace Streams.Records.Json;

/// <summary>Writes single JSON values.</summary>
/// <remarks>
/// Source: RFC 8259, sections 6 and 7. A local variable of the method that writes a field, so that its place
/// stays in a register. Invariant: the caller has made room for <see cref="BytesMax"/> and the slack of a
/// field.
/// </remarks>
internal ref struct JsonValueWriter : IScalarWriter
{
    /// <summary>Where the next byte goes.</summary>
    public ref byte At;

    /// <summary>Whether the last double was a number.</summary>
    public bool IsFinite;

    /// <summary>
    /// Bytes that a text cannot contain as they are, but for those above ASCII, which need no escape.
    /// </summary>
    private static readonly SearchValues<byte> EscapedBytes = SearchValues.Create(
        [.. Enumerable.Range(0, 0x20).Select(control => (byte)control), (byte)'"', (byte)'\\']);

    /// <summary>The longest escape, of a control character: backslash, u and four digits.</summary>
    private const int EscapeBytes = 6;

    /// <summary>Most measurements have no more than six decimals; within 2^53 doubles are exact.</summary>
    private const int DecimalsScale = 1_000_000;
    private const double DecimalsScaledMax = 1UL << 53;

    /// <summary>
    /// Digits of the longest double, with sign and exponent, are 24; the longest integer has 20.
    /// </summary>
    private const int NumberBytesMax = 32;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public JsonValueWriter(ref byte at) => At = ref at;

    /// <summary>Bytes that a payload may become: six to one for text, four to three for bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int BytesMax(int payloadBytes) => checked(payloadBytes * EscapeBytes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Bool(bool value) => At = ref Raw(ref At, value ? "true"u8 : "false"u8);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Int32(int value) => Int64(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Int64(long value) => At = ref Signed(ref At, value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void UInt32(uint value) => UInt64(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void UInt64(ulong value) => At = ref DecimalDigits.Write(ref At, value);

    /// <summary>Writes digits that read back as the same number; a zero where there is none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Double(double value)
    {
        IsFinite = double.IsFinite(value);
        At = ref Measurement(ref At, IsFinite ? value : 0);
    }

    /// <summary>
    /// Writes the name; the number where a newer version of the enumeration left one without a name.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Enum<TEnum>(TEnum value)
        where TEnum : struct, Enum
    {
        ReadOnlySpan<byte> name = EnumNames<TEnum>.NameOf(value);
        At = ref name.IsEmpty
            ? ref Signed(ref At, Unsafe.BitCast<TEnum, int>(value))
            : ref Quoted(ref At, name);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Text(Text value) => At = ref Escaped(ref At, value.Span);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Bytes(Bytes value) => At = ref InBase64(ref At, value.Span);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Bytes32(in Bytes32 value) => At = ref InHex(ref At, in value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void UInt256(in UInt256 value) => At = ref InDecimal(ref At, in value);

    private static ref byte Signed(ref byte at, long value)
    {
        ulong magnitude = (ulong)value;
        if (value < 0)
        {
            at = (byte)'-';
            at = ref Unsafe.Add(ref at, 1);
            magnitude = 0 - magnitude;
        }
        return ref DecimalDigits.Write(ref at, magnitude);
    }

    /// <summary>Writes the shortest digits that read back as the same double.</summary>
    private static ref byte Measurement(ref byte at, double value)
    {
        double magnitude = Math.Abs(value);
        double scaled = Math.Round(magnitude * DecimalsScale);
        // Division of two numbers that doubles hold exactly gives the double nearest to the decimal, which is
        // how a reader finds it: so these few decimals are enough. Zero may have a sign, so it does not come
        // this way.
        if (scaled is >= 1 and <= DecimalsScaledMax && scaled / DecimalsScale == magnitude)
            return ref FewDecimals(ref at, (ulong)scaled, value < 0);
        Span<byte> destination = MemoryMarshal.CreateSpan(ref at, NumberBytesMax);
        value.TryFormat(destination, out int written, default, CultureInfo.InvariantCulture);
        return ref Unsafe.Add(ref at, written);
    }

    private static ref byte FewDecimals(ref byte at, ulong scaled, bool isNegative)
    {
        (ulong whole, ulong fraction) = Math.DivRem(scaled, DecimalsScale);
        at = (byte)'-';
        at = ref DecimalDigits.Write(ref Unsafe.Add(ref at, isNegative ? 1 : 0), whole);
        if (fraction == 0)
            return ref at;
        // The digit before the fraction keeps its zeros in place; then it becomes the point.
        ref byte point = ref at;
        at = ref DecimalDigits.Write(ref at, DecimalsScale + fraction);
        point = (byte)'.';
        while (Unsafe.Add(ref at, -1) == '0')
            at = ref Unsafe.Add(ref at, -1);
        return ref at;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static ref byte Escaped(ref byte at, ReadOnlySpan<byte> text)
    {
        int plain = text.IndexOfAny(EscapedBytes);
        if (plain < 0)
            return ref Quoted(ref at, text);
        at = ref Byte(ref at, (byte)'"');
        while (plain >= 0)
        {
            at = ref Raw(ref at, text[..plain]);
            at = ref Escape(ref at, text[plain]);
            text = text[(plain + 1)..];
            plain = text.IndexOfAny(EscapedBytes);
        }
        at = ref Raw(ref at, text);
        return ref Byte(ref at, (byte)'"');
    }

    private static ref byte Escape(ref byte at, byte value)
    {
        byte letter = value switch
        {
            (byte)'"' or (byte)'\\' => value,
            (byte)'\b' => (byte)'b',
            (byte)'\f' => (byte)'f',
            (byte)'\n' => (byte)'n',
            (byte)'\r' => (byte)'r',
            (byte)'\t' => (byte)'t',
            _ => 0,
        };
        if (letter != 0)
            return ref Byte(ref Byte(ref at, (byte)'\\'), letter);
        ReadOnlySpan<byte> digits = "0123456789abcdef"u8;
        at = ref Raw(ref at, "\\u00"u8);
        return ref Byte(ref Byte(ref at, digits[value >> 4]), digits[value & 0xF]);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static ref byte InBase64(ref byte at, ReadOnlySpan<byte> bytes)
    {
        at = ref Byte(ref at, (byte)'"');
        Span<byte> room = MemoryMarshal.CreateSpan(ref at, Base64.GetMaxEncodedToUtf8Length(bytes.Length));
        Base64.EncodeToUtf8(bytes, room, out _, out int written);
        return ref Byte(ref Unsafe.Add(ref at, written), (byte)'"');
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static ref byte InHex(ref byte at, scoped in Bytes32 value)
    {
        at = ref Byte(ref at, (byte)'"');
        value.Format(MemoryMarshal.CreateSpan(ref at, Records.Bytes32.HexLength));
        return ref Byte(ref Unsafe.Add(ref at, Records.Bytes32.HexLength), (byte)'"');
    }

    /// <summary>Writes decimal digits in quotes: many readers take a bare number for a double.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static ref byte InDecimal(ref byte at, scoped in UInt256 value)
    {
        at = ref Byte(ref at, (byte)'"');
        int digits = value.Format(MemoryMarshal.CreateSpan(ref at, Records.UInt256.DecimalLengthMax));
        return ref Byte(ref Unsafe.Add(ref at, digits), (byte)'"');
    }

    private static ref byte Quoted(ref byte at, ReadOnlySpan<byte> text) =>
        ref Byte(ref Raw(ref Byte(ref at, (byte)'"'), text), (byte)'"');

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ref byte Byte(ref byte at, byte value)
    {
        at = value;
        return ref Unsafe.Add(ref at, 1);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ref byte Raw(ref byte at, ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(MemoryMarshal.CreateSpan(ref at, bytes.Length));
        return ref Unsafe.Add(ref at, bytes.Length);
    }
}
