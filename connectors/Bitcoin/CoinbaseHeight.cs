namespace Streams.Connectors.Bitcoin;

/// <summary>The height at the start of a coinbase's script.</summary>
/// <remarks>
/// It is pushed as scripts push numbers: 0 to 16 by an opcode of their own, anything else as the fewest
/// bytes, little-endian, the top bit being the sign. Source: BIP34.
/// </remarks>
internal static class CoinbaseHeight
{
    /// <summary>Bytes that <see cref="Write"/> needs at most.</summary>
    public const int BytesMax = 5;

    private const byte ZeroOpcode = 0x00;
    private const byte OneOpcode = 0x51;
    private const int SmallMax = 16;
    private const byte SignBit = 0x80;

    /// <summary>Reads the height; null where the script does not begin with one.</summary>
    public static int? Read(ReadOnlySpan<byte> script)
    {
        if (script.IsEmpty)
            return null;
        if (script[0] == ZeroOpcode)
            return 0;
        if (script[0] is >= OneOpcode and < OneOpcode + SmallMax)
            return script[0] - OneOpcode + 1;
        int bytes = script[0];
        if (bytes is < 1 or >= BytesMax || script.Length <= bytes)
            return null;
        int height = 0;
        for (int i = 0; i < bytes; i++)
            height |= script[1 + i] << (8 * i);
        Span<byte> canonical = stackalloc byte[BytesMax];
        bool isCanonical = height > SmallMax && script.StartsWith(canonical[..Write(canonical, height)]);
        return isCanonical ? height : null;
    }

    /// <summary>Writes the height and returns the bytes used.</summary>
    public static int Write(Span<byte> destination, int height)
    {
        if (height <= SmallMax)
        {
            destination[0] = height == 0 ? ZeroOpcode : (byte)(OneOpcode + height - 1);
            return 1;
        }
        int length = 0;
        for (int left = height; left != 0; left >>= 8)
            destination[1 + length++] = (byte)left;
        // Another byte keeps the sign bit clear.
        if ((destination[length] & SignBit) != 0)
            destination[1 + length++] = 0;
        destination[0] = (byte)length;
        return 1 + length;
    }
}
