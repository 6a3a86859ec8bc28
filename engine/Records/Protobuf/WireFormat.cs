using System.Runtime.CompilerServices;

namespace Streams.Records.Protobuf;

/// <summary>How a field's bytes are laid out.</summary>
/// <remarks>Source: Protocol Buffers encoding guide, "Message Structure".</remarks>
internal enum WireType
{
    Varint = 0,
    Fixed64 = 1,
    LengthDelimited = 2,
    StartGroup = 3,
    EndGroup = 4,
    Fixed32 = 5,
}

/// <summary>Tags and wire types.</summary>
internal static class WireFormat
{
    /// <summary>The highest field number.</summary>
    public const int NumberMax = (1 << 29) - 1;

    /// <summary>The highest number whose tag takes one byte, and the highest whose tag takes two.</summary>
    public const int OneByteNumberMax = (1 << 4) - 1;
    public const int TwoByteNumberMax = (1 << 11) - 1;

    private const int WireTypeBits = 3;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Tag(int number, WireType type) => ((uint)number << WireTypeBits) | (uint)type;

    /// <summary>The varint bytes of a tag that takes two.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ushort TwoByteTag(int number, WireType type) =>
        (ushort)(((((uint)number << WireTypeBits) | (uint)type) & 0x7F) | 0x80 | ((uint)number >> 4 << 8));

    /// <summary>The varint bytes of a tag as the low bytes of a word, and how many they are.</summary>
    /// <remarks>Tags of descriptions are constants,
    /// and so is all of this once the JIT has inlined it.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong TagWord(uint tag, out int size)
    {
        size = tag < 1U << 7 ? 1 : tag < 1U << 14 ? 2 : tag < 1U << 21 ? 3 : tag < 1U << 28 ? 4 : 5;
        ulong groups = (tag & 0x7F) | ((ulong)(tag & 0x3F80) << 1) | ((ulong)(tag & 0x1F_C000) << 2)
            | ((ulong)(tag & 0xFE0_0000) << 3) | ((ulong)(tag & 0xF000_0000) << 4);
        return groups | (0x80808080UL & ((1UL << (8 * (size - 1))) - 1));
    }

    public static WireType TypeOf(uint tag) => (WireType)(tag & ((1 << WireTypeBits) - 1));

    public static int NumberOf(uint tag) => (int)(tag >> WireTypeBits);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static WireType TypeOf(FieldKind kind) =>
        kind == FieldKind.Double ? WireType.Fixed64
        : kind >= FieldKind.Text ? WireType.LengthDelimited
        : WireType.Varint;
}
