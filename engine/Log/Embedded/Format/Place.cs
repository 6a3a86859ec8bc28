using System.Buffers.Binary;
using Streams.Buffers;

namespace Streams.Log.Embedded.Format;

/// <summary>
/// Where headers stand: a log and one of its segments. The checksum of a header covers its place too, so that
/// a header which was written elsewhere is never taken for one that belongs here: not a block left over on
/// the disk, not a misdirected write, and not a segment that somebody stored as a record's value.
/// </summary>
internal readonly struct Place
{
    private readonly uint _state;

    public Place(ulong logId, long segment)
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, logId);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[8..], segment);
        _state = Crc32C.Append(Crc32C.Start, bytes);
    }

    /// <summary>
    /// The checksum of a header that starts <paramref name="position"/> bytes into the segment.
    /// </summary>
    public uint Checksum(long position, ReadOnlySpan<byte> header)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, position);
        return Crc32C.Finish(Crc32C.Append(Crc32C.Append(_state, bytes), header));
    }
}
