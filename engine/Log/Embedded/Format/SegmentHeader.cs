using System.Buffers.Binary;
using Streams.Buffers;

namespace Streams.Log.Embedded.Format;

/// <summary>The first bytes of a segment file.</summary>
/// <param name="LogId">The log's own number, drawn when it was created; part of every checksum of a
/// header.</param>
/// <param name="Number">The segment's number: 1 for the log's first.</param>
/// <param name="LastNumber">The last of the segments merged into this one by the cleaner; else its own
/// number.</param>
/// <param name="Generation">How often the cleaner has rewritten it.</param>
/// <param name="CreatedMs">When it, or the first of those merged into it, was begun, Unix
/// milliseconds.</param>
/// <param name="PreviousEnd">Where the commits of the segment before it ended when it was begun; 0 for the
/// first. Behind that position the other one has at most its seal, which may be torn.</param>
internal readonly record struct SegmentHeader(
    ulong LogId, long Number, long LastNumber, uint Generation, long CreatedMs, long PreviousEnd)
{
    /// <summary>Size of the header, in bytes.</summary>
    public const int Bytes = 64;

    /// <summary>The version of the format that this program writes.</summary>
    public const byte Version = 1;

    private const int ChecksumAt = 60;

    private static ReadOnlySpan<byte> Magic => "STRMSLOG"u8;

    /// <summary>The place that the segment's other headers are bound to.</summary>
    public Place Place => new(LogId, Number);

    /// <summary>
    /// Where the segment before this one may have a torn seal; null where all of it has to be whole.
    /// </summary>
    public long? SealPositionOf(in SegmentHeader previous) =>
        previous.Generation == 0 && Number == previous.Number + 1 && PreviousEnd > 0 ? PreviousEnd : null;

    /// <summary>Writes the header to the start of <paramref name="destination"/>.</summary>
    public void Write(Span<byte> destination)
    {
        Span<byte> header = destination[..Bytes];
        header.Clear();
        Magic.CopyTo(header);
        header[8] = Version;
        BinaryPrimitives.WriteUInt32LittleEndian(header[12..], Generation);
        BinaryPrimitives.WriteUInt64LittleEndian(header[16..], LogId);
        BinaryPrimitives.WriteInt64LittleEndian(header[24..], Number);
        BinaryPrimitives.WriteInt64LittleEndian(header[32..], LastNumber);
        BinaryPrimitives.WriteInt64LittleEndian(header[40..], CreatedMs);
        BinaryPrimitives.WriteInt64LittleEndian(header[48..], PreviousEnd);
        BinaryPrimitives.WriteUInt32LittleEndian(header[ChecksumAt..], Crc32C.Compute(header[..ChecksumAt]));
    }

    /// <summary>Reads a header.</summary>
    public static ParseResult<LogDefect> TryRead(ReadOnlySpan<byte> source, out SegmentHeader header)
    {
        header = default;
        if (source.Length < Bytes)
            return ParseResult<LogDefect>.NeedMoreData;
        if (!source.StartsWith(Magic))
            return ParseResult<LogDefect>.Invalid(LogDefect.SegmentHeader, 0);
        uint checksum = BinaryPrimitives.ReadUInt32LittleEndian(source[ChecksumAt..]);
        if (checksum != Crc32C.Compute(source[..ChecksumAt]))
            return ParseResult<LogDefect>.Invalid(LogDefect.SegmentHeader, 0);
        if (source[8] != Version)
            return ParseResult<LogDefect>.Invalid(LogDefect.SegmentVersion, 8);
        header = new SegmentHeader(
            BinaryPrimitives.ReadUInt64LittleEndian(source[16..]),
            BinaryPrimitives.ReadInt64LittleEndian(source[24..]),
            BinaryPrimitives.ReadInt64LittleEndian(source[32..]),
            BinaryPrimitives.ReadUInt32LittleEndian(source[12..]),
            BinaryPrimitives.ReadInt64LittleEndian(source[40..]),
            BinaryPrimitives.ReadInt64LittleEndian(source[48..]));
        return ParseResult<LogDefect>.Done;
    }
}
