using System.Buffers.Binary;
using Streams.Buffers;

namespace Streams.Log.Embedded.Format;

/// <summary>What an entry of a frame holds.</summary>
internal enum EntryKind : byte
{
    /// <summary>A batch of records of one partition.</summary>
    Records = 1,

    /// <summary>Offsets that one group has to process next.</summary>
    GroupOffsets = 2,

    /// <summary>Cursors of one source.</summary>
    Cursors = 3,

    /// <summary>A topic as it is from here on.</summary>
    Topic = 4,

    /// <summary>A topic is gone.</summary>
    TopicDeleted = 5,

    /// <summary>Where a partition's kept records begin.</summary>
    DeleteBefore = 6,

    /// <summary>First and next offsets of all partitions of one topic.</summary>
    Partitions = 7,

    /// <summary>The segments that make up the log.</summary>
    LiveSegments = 8,

    /// <summary>Segments that are about to be deleted.</summary>
    DroppedSegments = 9,
}

/// <summary>
/// The header of an entry. The fields from <paramref name="Records"/> on have a meaning in record batches
/// only and are zero elsewhere.
/// </summary>
/// <param name="Kind">What the entry holds.</param>
/// <param name="PayloadBytes">Bytes behind the header.</param>
/// <param name="PayloadChecksum">CRC-32C of them; it does not depend on offsets, so it is computed before any
/// lock.</param>
/// <param name="Topic">The topic's number; zero where the entry is not about one topic.</param>
/// <param name="Partition">The partition, 0-based.</param>
/// <param name="Records">Number of records in the batch.</param>
/// <param name="BaseOffset">The first offset that the batch covers.</param>
/// <param name="LastOffsetDelta">The last offset that it covers, less the first: more than records - 1 after
/// compaction.</param>
/// <param name="BaseTimestampMs">What the records' times are relative to.</param>
/// <param name="MaxTimestampMs">The latest of them.</param>
internal readonly record struct EntryHeader(
    EntryKind Kind,
    int PayloadBytes,
    uint PayloadChecksum,
    int Topic,
    int Partition,
    int Records,
    long BaseOffset,
    int LastOffsetDelta,
    long BaseTimestampMs,
    long MaxTimestampMs)
{
    /// <summary>Size of the header, in bytes.</summary>
    public const int Bytes = 56;

    private const int BaseOffsetAt = 24;
    private const int ChecksumAt = 52;

    /// <summary>The bytes that every entry begins with.</summary>
    public static ReadOnlySpan<byte> Magic => [0xE5, (byte)'e'];

    /// <summary>The last offset that the batch covers.</summary>
    public long LastOffset => BaseOffset + LastOffsetDelta;

    /// <summary>The batch's partition.</summary>
    public TopicPartition TopicPartition => new(Topic, Partition);

    /// <summary>Size of the whole entry, in bytes.</summary>
    public int EntryBytes => Bytes + PayloadBytes;

    /// <summary>The header of an entry that says where a partition's kept records begin.</summary>
    public static EntryHeader DeleteBefore(TopicPartition partition, long offset) => new()
    {
        Kind = EntryKind.DeleteBefore,
        Topic = partition.Topic,
        Partition = partition.Partition,
        BaseOffset = offset,
    };

    /// <summary>Writes the header without its checksum, which <see cref="Seal"/> adds.</summary>
    public void Write(Span<byte> destination)
    {
        Span<byte> header = destination[..Bytes];
        Magic.CopyTo(header);
        header[2] = (byte)Kind;
        header[3] = 0;
        BinaryPrimitives.WriteInt32LittleEndian(header[4..], PayloadBytes);
        BinaryPrimitives.WriteUInt32LittleEndian(header[8..], PayloadChecksum);
        BinaryPrimitives.WriteInt32LittleEndian(header[12..], Topic);
        BinaryPrimitives.WriteInt32LittleEndian(header[16..], Partition);
        BinaryPrimitives.WriteInt32LittleEndian(header[20..], Records);
        BinaryPrimitives.WriteInt64LittleEndian(header[BaseOffsetAt..], BaseOffset);
        BinaryPrimitives.WriteInt32LittleEndian(header[32..], LastOffsetDelta);
        BinaryPrimitives.WriteInt64LittleEndian(header[36..], BaseTimestampMs);
        BinaryPrimitives.WriteInt64LittleEndian(header[44..], MaxTimestampMs);
    }

    /// <summary>Sets the base offset of a header in place, before <see cref="Seal"/>.</summary>
    public static void SetBaseOffset(Span<byte> header, long baseOffset) =>
        BinaryPrimitives.WriteInt64LittleEndian(header[BaseOffsetAt..], baseOffset);

    /// <summary>Writes the checksum of a header at its place, and returns it.</summary>
    public static uint Seal(Span<byte> header, Place place, long position)
    {
        uint checksum = place.Checksum(position, header[..ChecksumAt]);
        BinaryPrimitives.WriteUInt32LittleEndian(header[ChecksumAt..], checksum);
        return checksum;
    }

    /// <summary>The checksum as it stands in the header.</summary>
    public static uint Checksum(ReadOnlySpan<byte> header) =>
        BinaryPrimitives.ReadUInt32LittleEndian(header[ChecksumAt..]);

    /// <summary>Reads the header of an entry that starts at <paramref name="position"/>.</summary>
    public static ParseResult<LogDefect> TryRead(
        ReadOnlySpan<byte> source, Place place, long position, out EntryHeader header)
    {
        header = default;
        if (source.Length < Bytes)
            return ParseResult<LogDefect>.NeedMoreData;
        if (!source.StartsWith(Magic) || Checksum(source) != place.Checksum(position, source[..ChecksumAt]))
            return ParseResult<LogDefect>.Invalid(LogDefect.EntryHeader, 0);
        header = ReadUnchecked(source);
        return header.PayloadBytes >= 0
            ? ParseResult<LogDefect>.Done
            : ParseResult<LogDefect>.Invalid(LogDefect.EntryHeader, 4);
    }

    /// <summary>Reads a header that was just written or is already known to be whole.</summary>
    public static EntryHeader ReadUnchecked(ReadOnlySpan<byte> source) => new(
        (EntryKind)source[2],
        BinaryPrimitives.ReadInt32LittleEndian(source[4..]),
        BinaryPrimitives.ReadUInt32LittleEndian(source[8..]),
        BinaryPrimitives.ReadInt32LittleEndian(source[12..]),
        BinaryPrimitives.ReadInt32LittleEndian(source[16..]),
        BinaryPrimitives.ReadInt32LittleEndian(source[20..]),
        BinaryPrimitives.ReadInt64LittleEndian(source[BaseOffsetAt..]),
        BinaryPrimitives.ReadInt32LittleEndian(source[32..]),
        BinaryPrimitives.ReadInt64LittleEndian(source[36..]),
        BinaryPrimitives.ReadInt64LittleEndian(source[44..]));
}
