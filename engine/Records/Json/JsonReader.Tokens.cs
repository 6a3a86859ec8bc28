using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Text;
using System.Text.Unicode;

namespace Streams.Records.Json;

/// <summary>Texts with their escapes, and values that nobody asked for.</summary>
internal ref partial struct JsonReader
{
    private const int NameLengthMax = 63;

    /// <summary>Reads a text, resolves its escapes in place and steps over it.</summary>
    /// <param name="position">Of the opening quote;
    /// the contents follow it, and another quote follows those.</param>
    /// <returns>The length of the contents in bytes.</returns>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private int ReadText(int position)
    {
        if (ByteAt(position) != '"')
            Expected("a text", position);
        int start = position + 1;
        int end = PlainEnd(start, out bool isAscii);
        int length = end - start;
        if (ByteAt(end) == '\\')
            length = Unescape(start, ref end, ref isAscii);
        if (!isAscii)
            RequireUtf8(start, length);
        _position = end + 1;
        return length;
    }

    /// <summary>Checks a text and leaves it as it is.</summary>
    /// <param name="position">Of the opening quote.</param>
    /// <returns>The position behind the closing quote.</returns>
    private readonly int SkipText(int position)
    {
        if (ByteAt(position) != '"')
            Expected("a text", position);
        int start = position + 1;
        int end = PlainEnd(start, out bool isAscii);
        while (ByteAt(end) == '\\')
        {
            ReadEscape(end, out int next);
            end = PlainEnd(next, out bool isRestAscii);
            isAscii &= isRestAscii;
        }
        if (!isAscii)
            RequireUtf8(start, end - start);
        return end + 1;
    }

    /// <summary>Finds the next quote or backslash.</summary>
    /// <remarks>The slack consists of control characters, so the search ends there at the latest.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly int PlainEnd(int start, out bool isAscii)
    {
        Vector128<byte> all = Vector128<byte>.Zero;
        int at = start;
        while (true)
        {
            Vector128<byte> block = Vector128.LoadUnsafe(ref _start, (nuint)at);
            uint stops = (Vector128.Equals(block, Vector128.Create((byte)'"'))
                | Vector128.Equals(block, Vector128.Create((byte)'\\'))
                | Vector128.LessThan(block, Vector128.Create((byte)' '))).ExtractMostSignificantBits();
            if (stops != 0)
            {
                int count = BitOperations.TrailingZeroCount(stops);
                uint before = (1U << count) - 1;
                uint high = all.ExtractMostSignificantBits() | (block.ExtractMostSignificantBits() & before);
                isAscii = high == 0;
                at += count;
                break;
            }
            all |= block;
            at += Vector128<byte>.Count;
        }
        if (ByteAt(at) < ' ')
            FailControl(at);
        return at;
    }

    private readonly void FailControl(int position) =>
        Fail(position >= _end ? "a text without an end" : "a control character in a text", position);

    private readonly void RequireUtf8(int start, int length)
    {
        if (!Utf8.IsValid(new ReadOnlySpan<byte>(_bytes, start, length)))
            Fail("a text that is not UTF-8", start);
    }

    /// <summary>Resolves the escapes of a text in place and puts a quote behind what is left.</summary>
    /// <param name="start">Of the contents.</param>
    /// <param name="end">Of the first backslash; then of the closing quote in the encoded bytes.</param>
    /// <param name="isAscii">Whether the contents are.</param>
    private readonly int Unescape(int start, ref int end, ref bool isAscii)
    {
        int to = end;
        while (ByteAt(end) == '\\')
        {
            Rune character = ReadEscape(end, out int from);
            isAscii &= character.IsAscii;
            // An escape is longer than the character it stands for.
            to += character.EncodeToUtf8(_bytes.AsSpan(to));
            end = PlainEnd(from, out bool isRestAscii);
            isAscii &= isRestAscii;
            _bytes.AsSpan(from, end - from).CopyTo(_bytes.AsSpan(to));
            to += end - from;
        }
        _bytes![to] = (byte)'"';
        return to - start;
    }

    /// <summary>Reads one escape.</summary>
    /// <param name="position">Of the backslash.</param>
    /// <param name="next">Behind the escape.</param>
    private readonly Rune ReadEscape(int position, out int next)
    {
        next = position + 2;
        switch (ByteAt(position + 1))
        {
            case (byte)'"':
            case (byte)'\\':
            case (byte)'/':
                return new Rune((char)ByteAt(position + 1));
            case (byte)'b':
                return new Rune('\b');
            case (byte)'f':
                return new Rune('\f');
            case (byte)'n':
                return new Rune('\n');
            case (byte)'r':
                return new Rune('\r');
            case (byte)'t':
                return new Rune('\t');
            case (byte)'u':
                return ReadUnicodeEscape(position, out next);
            default:
                Fail("an escape that JSON does not have", position);
                return default;
        }
    }

    /// <summary>Reads <c>\u</c> and four hexadecimal digits, or two of them that are the halves of one
    /// character.</summary>
    private readonly Rune ReadUnicodeEscape(int position, out int next)
    {
        const int EscapeBytes = 6;
        next = position + EscapeBytes;
        char first = ReadHex(position);
        if (!char.IsSurrogate(first))
            return new Rune(first);
        if (char.IsHighSurrogate(first) && ByteAt(next) == '\\' && ByteAt(next + 1) == 'u')
        {
            char second = ReadHex(next);
            next += EscapeBytes;
            if (Rune.TryCreate(first, second, out Rune pair))
                return pair;
        }
        Fail("half of a surrogate pair", position);
        return default;
    }

    private readonly char ReadHex(int escape)
    {
        int value = 0;
        for (int i = escape + 2; i < escape + 6; i++)
        {
            char digit = (char)ByteAt(i);
            if (!char.IsAsciiHexDigit(digit))
                Fail("an escape without four hexadecimal digits", escape);
            value = (value << 4) | (char.IsAsciiDigit(digit) ? digit - '0' : (digit | 0x20) - 'a' + 10);
        }
        return (char)value;
    }

    /// <summary>Brings a name with escapes into the form that fields look for.</summary>
    /// <returns>Whether it was such a name, and one that a field may have;
    /// it is then the next one again.</returns>
    private bool WritePlainName(int start, int end)
    {
        ReadOnlySpan<byte> text = new(_bytes, start + 1, end - start - 2);
        if (!text.Contains((byte)'\\'))
            return false;
        Span<byte> name = stackalloc byte[NameLengthMax + 1];
        int length = 0;
        for (int at = start + 1; at < end - 1;)
        {
            int next = at + 1;
            int character = ByteAt(at) == '\\' ? ReadEscape(at, out next).Value : ByteAt(at);
            bool isInNames = char.IsAsciiLetterOrDigit((char)character) || character == '_';
            if (!isInNames || length == NameLengthMax)
                return false;
            name[length++] = (byte)character;
            at = next;
        }
        int quote = end - length - 2;
        _bytes![quote] = (byte)'"';
        name[..length].CopyTo(_bytes.AsSpan(quote + 1));
        PutComma(quote);
        return true;
    }

    /// <summary>Checks a value and steps over it.</summary>
    private void SkipValue(int position, int depthLeft)
    {
        switch (ByteAt(position))
        {
            case (byte)'"':
                _position = SkipText(position);
                break;
            case (byte)'{':
                SkipObject(position, depthLeft);
                break;
            case (byte)'[':
                SkipArray(position, depthLeft);
                break;
            case (byte)'t' when IsLiteral(position, "true"u8):
            case (byte)'f' when IsLiteral(position, "false"u8):
            case (byte)'n' when IsLiteral(position, "null"u8):
                break;
            case (byte)'-' or (>= (byte)'0' and <= (byte)'9'):
                SkipNumber(position, out _, out _, out _);
                break;
            default:
                Expected("a value", position);
                break;
        }
    }

    private void SkipObject(int position, int depthLeft)
    {
        RequireDepth(position, depthLeft);
        _position = SkipWhitespace(position + 1);
        bool isFirst = true;
        while (ByteAt(_position) != '}' || !isFirst)
        {
            SkipValue(Colon(SkipText(_position)), depthLeft - 1);
            _position = SkipWhitespace(_position);
            if (ByteAt(_position) == '}')
                break;
            if (ByteAt(_position) != ',')
                Expected("a comma or a closing brace", _position);
            _position = SkipWhitespace(_position + 1);
            isFirst = false;
        }
        _position++;
    }

    private void SkipArray(int position, int depthLeft)
    {
        RequireDepth(position, depthLeft);
        if (!BeginArray(position))
            return;
        do
            SkipValue(_position, depthLeft - 1);
        while (NextItem());
    }

    private readonly void RequireDepth(int position, int depthLeft)
    {
        if (depthLeft == 0)
            Fail("values nested deeper than the limit", position);
    }

    /// <summary>Checks a number's form and steps over it. Source: RFC 8259, section 6.</summary>
    private void SkipNumber(int start, out int digits, out int fractionDigits, out bool hasExponent)
    {
        int position = ByteAt(start) == '-' ? start + 1 : start;
        if (HasLeadingZero(position))
            Fail("a number with a leading zero", start);
        digits = RequireDigits(ref position);
        fractionDigits = 0;
        if (ByteAt(position) == '.')
        {
            position++;
            fractionDigits = RequireDigits(ref position);
            digits += fractionDigits;
        }
        hasExponent = ByteAt(position) is (byte)'e' or (byte)'E';
        if (hasExponent)
        {
            position++;
            if (ByteAt(position) is (byte)'+' or (byte)'-')
                position++;
            RequireDigits(ref position);
        }
        _position = position;
    }

    private readonly int RequireDigits(ref int position)
    {
        int start = position;
        while (char.IsAsciiDigit((char)ByteAt(position)))
            position++;
        if (position == start)
            Expected("a digit", start);
        return position - start;
    }
}
