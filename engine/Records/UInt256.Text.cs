using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace Streams.Records;

public readonly partial struct UInt256
{
    /// <summary>Digits of the largest number in decimal.</summary>
    public const int DecimalLengthMax = 78;

    /// <summary>The largest power of ten in 64 bits, and how many digits it cuts off at once.</summary>
    private const ulong DecimalChunk = 10_000_000_000_000_000_000;
    private const int DecimalChunkDigits = 19;

    private const int HexLengthMax = 2 * Size;

    /// <summary>Reads decimal digits.</summary>
    /// <exception cref="FormatException">The text is something else, or over 256 bits.</exception>
    public static UInt256 Parse(string digits) =>
        TryParse(Encoding.UTF8.GetBytes(digits), out UInt256 value)
            ? value
            : throw new FormatException($"'{digits}' is not a decimal number of at most 256 bits.");

    /// <summary>Reads decimal digits: at least one, nothing else.</summary>
    /// <returns>Whether they are a number of at most 256 bits.</returns>
    public static bool TryParse(ReadOnlySpan<byte> digits, out UInt256 value)
    {
        value = default;
        if (digits.IsEmpty)
            return false;
        while (!digits.IsEmpty)
        {
            ReadOnlySpan<byte> chunk = digits[..Math.Min(digits.Length, DecimalChunkDigits)];
            if (!TryParseChunk(chunk, out ulong low, out ulong scale)
                || !TryMultiply(value, scale, out value)
                || !TryAdd(value, low, out value))
            {
                value = default;
                return false;
            }
            digits = digits[chunk.Length..];
        }
        return true;
    }

    /// <summary>Reads hexadecimal digits, with or without <c>0x</c>.</summary>
    /// <exception cref="FormatException">The text is something else, or over 256 bits.</exception>
    public static UInt256 ParseHex(string digits) =>
        TryParseHex(Encoding.UTF8.GetBytes(digits), out UInt256 value)
            ? value
            : throw new FormatException($"'{digits}' is not a hexadecimal number of at most 256 bits.");

    /// <summary>
    /// Reads hexadecimal digits of either case, with or without <c>0x</c>, as Ethereum's RPC writes them.
    /// </summary>
    /// <remarks>Source: Ethereum JSON-RPC specification, "Quantities" (hex, most compact form).</remarks>
    /// <returns>Whether they are a number of at most 256 bits.</returns>
    public static bool TryParseHex(ReadOnlySpan<byte> digits, out UInt256 value)
    {
        value = default;
        if (digits.StartsWith("0x"u8))
            digits = digits[2..];
        if (digits.IsEmpty)
            return false;
        digits = digits.TrimStart((byte)'0');
        if (digits.Length > HexLengthMax)
            return false;
        Span<byte> padded = stackalloc byte[HexLengthMax];
        padded.Fill((byte)'0');
        digits.CopyTo(padded[(HexLengthMax - digits.Length)..]);
        Span<byte> bytes = stackalloc byte[Size];
        if (Convert.FromHexString(padded, bytes, out _, out _) != OperationStatus.Done)
            return false;
        value = FromBigEndian(bytes);
        return true;
    }

    /// <summary>Writes the decimal digits, without leading zeros.</summary>
    /// <param name="destination">At least <see cref="DecimalLengthMax"/> bytes always suffice.</param>
    /// <returns>The digits written.</returns>
    /// <exception cref="ArgumentException">The destination is too short.</exception>
    public int Format(Span<byte> destination)
    {
        Span<ulong> chunks = stackalloc ulong[DecimalLengthMax / DecimalChunkDigits + 1];
        int count = 0;
        UInt256 rest = this;
        do
        {
            rest = DivRem(rest, DecimalChunk, out chunks[count++]);
        }
        while (!rest.IsZero);

        int length = FormatChunk(chunks[--count], default, destination);
        while (count > 0)
            length += FormatChunk(
                chunks[--count], new StandardFormat('D', DecimalChunkDigits), destination[length..]);
        return length;
    }

    /// <summary>Decimal digits, without leading zeros.</summary>
    public override string ToString()
    {
        Span<byte> digits = stackalloc byte[DecimalLengthMax];
        return Encoding.ASCII.GetString(digits[..Format(digits)]);
    }

    /// <summary><c>0x</c> and lower-case hexadecimal digits, without leading zeros.</summary>
    public string ToHexString()
    {
        Span<byte> bytes = stackalloc byte[Size];
        WriteBigEndian(bytes);
        string digits = Convert.ToHexStringLower(bytes).TrimStart('0');
        return string.Create(CultureInfo.InvariantCulture, $"0x{(digits.Length == 0 ? "0" : digits)}");
    }

    private static int FormatChunk(ulong value, StandardFormat format, Span<byte> destination) =>
        Utf8Formatter.TryFormat(value, destination, out int written, format)
            ? written
            : throw new ArgumentException("The destination is too short.", nameof(destination));

    private static bool TryParseChunk(ReadOnlySpan<byte> digits, out ulong value, out ulong scale)
    {
        value = 0;
        scale = 1;
        foreach (byte digit in digits)
        {
            if (!char.IsAsciiDigit((char)digit))
                return false;
            value = value * 10 + (ulong)(digit - '0');
            scale *= 10;
        }
        return true;
    }
}
