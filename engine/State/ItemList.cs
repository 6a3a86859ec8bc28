using System.Buffers.Binary;

namespace Streams.State;

/// <summary>Values behind one another in a store's value, each with its length in front, in order of
/// arrival.</summary>
internal static class ItemList
{
    private const int LengthBytes = 4;

    /// <summary>What an item of that length takes.</summary>
    internal static int ItemBytes(int payloadBytes) => LengthBytes + payloadBytes;

    /// <summary>Writes an item.</summary>
    internal static void Write(Span<byte> destination, ReadOnlySpan<byte> payload)
    {
        BinaryPrimitives.WriteInt32LittleEndian(destination, payload.Length);
        payload.CopyTo(destination[LengthBytes..]);
    }

    /// <summary>Takes the first item off a list.</summary>
    internal static ReadOnlySpan<byte> Take(scoped ref ReadOnlySpan<byte> list)
    {
        int length = BinaryPrimitives.ReadInt32LittleEndian(list);
        ReadOnlySpan<byte> item = list.Slice(LengthBytes, length);
        list = list[(LengthBytes + length)..];
        return item;
    }
}
