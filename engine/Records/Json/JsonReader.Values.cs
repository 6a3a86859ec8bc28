using System.Buffers;
using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Streams.Buffers;

namespace Streams.Records.Json;

/// <summary>
/// Reading single values. Numbers may stand in quotes, as many writers put those beyond 2^53.
/// </summary>
internal ref partial struct JsonReader
{
    /// <summary>Digits that a double holds exactly, and powers of ten that it does: within both, one division
    /// gives the nearest double. Source: W. D. Clinger, "How to Read Floating Point Numbers Accurately"
    /// (1990).</summary>
    private const int ExactDigitsMax = 15;

    private static ReadOnlySpan<double> PowersOfTen =>
        [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

    public bool Bool(int position)
    {
        if (IsLiteral(position, "true"u8))
            return true;
        if (!IsLiteral(position, "false"u8))
            Expected("true or false", position);
        return false;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Int32(int position)
    {
        long value = Signed(position);
        if (value != (int)value)
            Fail("a number over 32 bits", position);
        return (int)value;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public long Int64(int position) => Signed(position);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public uint UInt32(int position)
    {
        ulong value = Unsigned(position);
        if (value > uint.MaxValue)
            Fail("a number over 32 bits", position);
        return (uint)value;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong UInt64(int position) => Unsigned(position);

    [MethodImpl(MethodImplOptions.NoInlining)]
    public double Double(int position)
    {
        int start = OpenNumber(position);
        double value = Decimal(start);
        CloseNumber(position, start);
        return value;
    }

    /// <summary>Reads a name of the enumeration, or a number.</summary>
    public TEnum Enum<TEnum>(int position)
        where TEnum : struct, Enum
    {
        if (ByteAt(position) != '"')
            return Unsafe.BitCast<int, TEnum>(Int32(position));
        int length = ReadText(position);
        if (!EnumNames<TEnum>.TryFind(new ReadOnlySpan<byte>(_bytes, position + 1, length), out TEnum value))
            Fail($"a name that is not one of {typeof(TEnum).Name}", position);
        return value;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Text Text(int position)
    {
        int length = ReadText(position);
        return new Text(_bytes!, position + 1, length);
    }

    /// <summary>Reads base64 with padding. Source: RFC 4648, section 4.</summary>
    public Bytes Bytes(int position)
    {
        int length = ReadText(position);
        Span<byte> text = new(_bytes, position + 1, length);
        int padding = text is [.., (byte)'=', (byte)'='] ? 2 : text is [.., (byte)'='] ? 1 : 0;
        // The decoder passes over whitespace, which only the length then shows.
        if (Base64.DecodeFromUtf8InPlace(text, out int written) != OperationStatus.Done
            || length % 4 != 0
            || written != length / 4 * 3 - padding)
        {
            Fail("a text that is not base64", position);
        }
        return new Bytes(_bytes!, position + 1, written);
    }

    public Bytes32 Bytes32(int position)
    {
        int length = ReadText(position);
        ReadOnlySpan<byte> digits = new(_bytes, position + 1, length);
        if (!Records.Bytes32.TryParse(digits, out Bytes32 value))
            Fail($"a text that is not {Records.Bytes32.HexLength} hexadecimal digits", position);
        return value;
    }

    public UInt256 UInt256(int position)
    {
        int start = OpenNumber(position);
        int last = start;
        while (char.IsAsciiDigit((char)ByteAt(last)))
            last++;
        if (!Records.UInt256.TryParse(new ReadOnlySpan<byte>(_bytes, start, last - start), out UInt256 value)
            || HasLeadingZero(start))
        {
            Fail("a text that is not a decimal number of at most 256 bits", position);
        }
        RefuseFraction(last);
        _position = last;
        CloseNumber(position, start);
        return value;
    }

    /// <summary>Whether the value is null, which stands for a field that is not there.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool IsNull(int position) => ByteAt(position) == 'n' && IsNullSlowly(position);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool IsNullSlowly(int position)
    {
        if (!IsLiteral(position, "null"u8))
            Expected("a value", position);
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool IsLiteral(int position, scoped ReadOnlySpan<byte> literal)
    {
        ref byte at = ref Unsafe.Add(ref _start, position);
        if (!MemoryMarshal.CreateReadOnlySpan(ref at, literal.Length).SequenceEqual(literal))
            return false;
        _position = position + literal.Length;
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private long Signed(int position)
    {
        if (ByteAt(position) < '0')
            return NegativeOrQuoted(position);
        ulong value = Digits(position);
        if (value > long.MaxValue)
            Fail("a number over 64 bits", position);
        return (long)value;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private long NegativeOrQuoted(int position)
    {
        int start = OpenNumber(position);
        bool isNegative = ByteAt(start) == '-';
        ulong magnitude = Digits(isNegative ? start + 1 : start);
        if (magnitude > (isNegative ? 1UL << 63 : long.MaxValue))
            Fail("a number over 64 bits", start);
        CloseNumber(position, start);
        return isNegative ? -(long)magnitude : (long)magnitude;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ulong Unsigned(int position)
    {
        int start = OpenNumber(position);
        ulong value = Digits(start);
        CloseNumber(position, start);
        return value;
    }

    /// <summary>
    /// Finds where a number's first character is: at the position, or behind a quote there.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int OpenNumber(int position)
    {
        if (ByteAt(position) != '"')
            return position;
        ReadText(position);
        _quotedEnd = _position;
        return position + 1;
    }

    /// <summary>Checks that a number in quotes fills them, and steps over the closing one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void CloseNumber(int position, int start)
    {
        if (position != start)
            CloseQuotedNumber(position);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void CloseQuotedNumber(int position)
    {
        // Where an escape made the text shorter, a quote was put behind what is left.
        if (ByteAt(_position) != '"')
            Expected("a number", position);
        _position = _quotedEnd;
    }

    /// <summary>Reads the digits of a whole number of at most 64 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ulong Digits(int start)
    {
        ref byte at = ref Unsafe.Add(ref _start, start);
        bool fits = DecimalDigits.TryRead(ref at, out ulong value, out int count);
        if (!fits || count == 0 || (at == '0' && count > 1))
            FailDigits(start, count);
        RefuseFraction(start + count);
        _position = start + count;
        return value;
    }

    [DoesNotReturn]
    private readonly void FailDigits(int start, int count)
    {
        if (count == 0)
            Expected("a whole number", start);
        Fail(HasLeadingZero(start) ? "a number with a leading zero" : "a number over 64 bits", start);
    }

    private readonly bool HasLeadingZero(int start) =>
        ByteAt(start) == '0' && char.IsAsciiDigit((char)ByteAt(start + 1));

    private readonly void RefuseFraction(int position)
    {
        if (ByteAt(position) is (byte)'.' or (byte)'e' or (byte)'E')
            Fail("a number that is not whole", position);
    }

    /// <summary>Reads a number of any form.</summary>
    private double Decimal(int start)
    {
        SkipNumber(start, out int digits, out int fractionDigits, out bool hasExponent);
        ReadOnlySpan<byte> text = new(_bytes, start, _position - start);
        if (digits <= ExactDigitsMax && !hasExponent)
            return Exact(text) / PowersOfTen[fractionDigits];
        double value = double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture);
        if (double.IsInfinity(value))
            Fail("a number over the range of a double", start);
        return value;
    }

    private static double Exact(ReadOnlySpan<byte> text)
    {
        bool isNegative = text[0] == '-';
        long mantissa = 0;
        foreach (byte character in isNegative ? text[1..] : text)
        {
            if (character != '.')
                mantissa = mantissa * 10 + (character - '0');
        }
        return isNegative ? -(double)mantissa : mantissa;
    }
}
