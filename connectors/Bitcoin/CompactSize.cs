using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace Streams.Connectors.Bitcoin;

/// <summary>Bitcoin's variable-length integer, which precedes every list and every script.</summary>
/// <remarks>
/// One byte up to 252; else a marker byte (253, 254, 255) and two, four or eight bytes, little-endian. Only
/// the shortest form is accepted, as a node's own reader does: a second form of the same value would give the
/// same transaction two hashes. Source: Bitcoin developer reference, "CompactSize Unsigned Integers".
/// </remarks>
public static class CompactSize
{
    /// <summary>Bytes that any value fits in.</summary>
    public const int BytesMax = 9;

    /// <summary>What <see cref="Read"/> returns for a value that has a shorter form.</summary>
    public const int NotCanonical = -1;

    private const byte Marker16 = 0xFD;
    private const byte Marker32 = 0xFE;
    private const byte Marker64 = 0xFF;

    /// <summary>Bytes that <paramref name="value"/> takes: 1, 3, 5 or 9.</summary>
    public static int Size(ulong value) => value switch
    {
        < Marker16 => 1,
        <= ushort.MaxValue => 3,
        <= uint.MaxValue => 5,
        _ => 9,
    };

    /// <summary>Writes <paramref name="value"/> and returns the bytes used.</summary>
    /// <param name="destination">At least <see cref="BytesMax"/> bytes, or the value's own size.</param>
    /// <param name="value">Any value.</param>
    public static int Write(Span<byte> destination, ulong value)
    {
        switch (Size(value))
        {
            case 1:
                destination[0] = (byte)value;
                return 1;
            case 3:
                destination[0] = Marker16;
                BinaryPrimitives.WriteUInt16LittleEndian(destination[1..], (ushort)value);
                return 3;
            case 5:
                destination[0] = Marker32;
                BinaryPrimitives.WriteUInt32LittleEndian(destination[1..], (uint)value);
                return 5;
            default:
                destination[0] = Marker64;
                BinaryPrimitives.WriteUInt64LittleEndian(destination[1..], value);
                return 9;
        }
    }

    /// <summary>Reads one value from the start of <paramref name="source"/>.</summary>
    /// <returns>The bytes used; 0 when the bytes end inside the value; <see cref="NotCanonical"/>.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Read(ReadOnlySpan<byte> source, out ulong value)
    {
        if (source.Length > 0 && source[0] < Marker16)
        {
            value = source[0];
            return 1;
        }
        return ReadLong(source, out value);
    }

    /// <summary>Reads a count or a length in bytes that were validated, and moves past it.</summary>
    internal static int Take(ReadOnlySpan<byte> validated, scoped ref int offset)
    {
        offset += Read(validated[offset..], out ulong value);
        return (int)value;
    }

    /// <summary>Reads a length and its bytes in bytes that were validated, and moves past them.</summary>
    internal static ReadOnlySpan<byte> TakeSized(ReadOnlySpan<byte> validated, scoped ref int offset)
    {
        int bytes = Take(validated, ref offset);
        ReadOnlySpan<byte> sized = validated.Slice(offset, bytes);
        offset += bytes;
        return sized;
    }

    private static int ReadLong(ReadOnlySpan<byte> source, out ulong value)
    {
        value = 0;
        if (source.IsEmpty)
            return 0;
        int size = source[0] switch { Marker16 => 3, Marker32 => 5, _ => 9 };
        if (source.Length < size)
            return 0;
        value = size switch
        {
            3 => BinaryPrimitives.ReadUInt16LittleEndian(source[1..]),
            5 => BinaryPrimitives.ReadUInt32LittleEndian(source[1..]),
            _ => BinaryPrimitives.ReadUInt64LittleEndian(source[1..]),
        };
        return Size(value) == size ? size : NotCanonical;
    }
}
