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

    private const int WireTypeBits = 3;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Tag(int number, WireType type) => ((uint)number << WireTypeBits) | (uint)type;

    public static WireType TypeOf(uint tag) => (WireType)(tag & ((1 << WireTypeBits) - 1));

    public static int NumberOf(uint tag) => (int)(tag >> WireTypeBits);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static WireType TypeOf(FieldKind kind) =>
        kind == FieldKind.Double ? WireType.Fixed64
        : kind >= FieldKind.Text ? WireType.LengthDelimited
        : WireType.Varint;
}
