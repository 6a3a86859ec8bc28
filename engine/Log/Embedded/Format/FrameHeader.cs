using System.Buffers.Binary;
using Streams.Buffers;

namespace Streams.Log.Embedded.Format;

/// <summary>What a frame is for.</summary>
internal enum FrameKind : byte
{
    /// <summary>One commit.</summary>
    Commit = 1,

    /// <summary>The log's state at the head of a segment.</summary>
    Snapshot = 2,

    /// <summary>The end of a segment; another one follows it.</summary>
    Seal = 3,

    /// <summary>The log was closed in good order here.</summary>
    Close = 4,
}

/// <summary>The header of a frame: a run of entries that are there together or not at all.</summary>
/// <param name="Kind">What the frame is for.</param>
/// <param name="BodyBytes">Bytes of its entries.</param>
/// <param name="Entries">Number of its entries.</param>
/// <param name="Commit">The commit's number; of other frames, the number of the last commit before
/// them.</param>
/// <param name="AppendTimeMs">When it was written, Unix milliseconds.</param>
/// <param name="Watermark">Everything before this position of the file had reached the disk when this was
/// written.</param>
/// <param name="EntriesChecksum">CRC-32C over the header checksums of all entries, in order.</param>
internal readonly record struct FrameHeader(
    FrameKind Kind,
    int BodyBytes,
    int Entries,
    long Commit,
    long AppendTimeMs,
    long Watermark,
    uint EntriesChecksum)
{
    /// <summary>Size of the header, in bytes.</summary>
    public const int Bytes = 48;

    private const byte Version = 1;
    private const int ChecksumAt = 44;

    /// <summary>The bytes that every frame begins with.</summary>
    public static ReadOnlySpan<byte> Magic => [0xC5, (byte)'c', (byte)'m', (byte)'t'];

    /// <summary>Size of the whole frame, in bytes.</summary>
    public int FrameBytes => Bytes + BodyBytes;

    /// <summary>
    /// Writes the header to the start of <paramref name="destination"/>, for a frame at a place.
    /// </summary>
    public void Write(Span<byte> destination, Place place, long position)
    {
        Span<byte> header = destination[..Bytes];
        Magic.CopyTo(header);
        header[4] = Version;
        header[5] = (byte)Kind;
        header[6] = 0;
        header[7] = 0;
        BinaryPrimitives.WriteInt32LittleEndian(header[8..], BodyBytes);
        BinaryPrimitives.WriteInt32LittleEndian(header[12..], Entries);
        BinaryPrimitives.WriteInt64LittleEndian(header[16..], Commit);
        BinaryPrimitives.WriteInt64LittleEndian(header[24..], AppendTimeMs);
        BinaryPrimitives.WriteInt64LittleEndian(header[32..], Watermark);
        BinaryPrimitives.WriteUInt32LittleEndian(header[40..], EntriesChecksum);
        BinaryPrimitives.WriteUInt32LittleEndian(
            header[ChecksumAt..], place.Checksum(position, header[..ChecksumAt]));
    }

    /// <summary>Reads the header of a frame that starts at <paramref name="position"/>.</summary>
    public static ParseResult<LogDefect> TryRead(
        ReadOnlySpan<byte> source, Place place, long position, out FrameHeader header)
    {
        header = default;
        if (source.Length < Bytes)
            return ParseResult<LogDefect>.NeedMoreData;
        if (!source.StartsWith(Magic))
            return ParseResult<LogDefect>.Invalid(LogDefect.FrameMagic, 0);
        uint checksum = BinaryPrimitives.ReadUInt32LittleEndian(source[ChecksumAt..]);
        if (checksum != place.Checksum(position, source[..ChecksumAt]))
            return ParseResult<LogDefect>.Invalid(LogDefect.FrameHeader, 0);
        if (source[4] != Version)
            return ParseResult<LogDefect>.Invalid(LogDefect.FrameVersion, 4);
        header = new FrameHeader(
            (FrameKind)source[5],
            BinaryPrimitives.ReadInt32LittleEndian(source[8..]),
            BinaryPrimitives.ReadInt32LittleEndian(source[12..]),
            BinaryPrimitives.ReadInt64LittleEndian(source[16..]),
            BinaryPrimitives.ReadInt64LittleEndian(source[24..]),
            BinaryPrimitives.ReadInt64LittleEndian(source[32..]),
            BinaryPrimitives.ReadUInt32LittleEndian(source[40..]));
        return header.BodyBytes >= 0
            ? ParseResult<LogDefect>.Done
            : ParseResult<LogDefect>.Invalid(LogDefect.FrameHeader, 8);
    }
}
