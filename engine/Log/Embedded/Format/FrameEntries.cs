using System.Buffers.Binary;
using Streams.Buffers;

namespace Streams.Log.Embedded.Format;

/// <summary>Goes through the entries of a frame's body whose headers are known to be whole.</summary>
internal ref struct FrameEntries(ReadOnlySpan<byte> body)
{
    private readonly ReadOnlySpan<byte> _body = body;
    private int _next;

    /// <summary>The entry's header.</summary>
    public EntryHeader Header { get; private set; }

    /// <summary>Where the entry starts, in bytes from the start of the body.</summary>
    public int At { get; private set; }

    /// <summary>The entry's payload.</summary>
    public readonly ReadOnlySpan<byte> Payload => _body.Slice(At + EntryHeader.Bytes, Header.PayloadBytes);

    /// <summary>Moves to the next entry.</summary>
    public bool MoveNext()
    {
        if (_next >= _body.Length)
            return false;
        At = _next;
        Header = EntryHeader.ReadUnchecked(_body[At..]);
        _next = At + Header.EntryBytes;
        return true;
    }

    /// <summary>
    /// Checks a body against its frame's header: every entry, and that they are the ones it was written with.
    /// </summary>
    /// <param name="frame">The frame's header, already checked.</param>
    /// <param name="body">Exactly <see cref="FrameHeader.BodyBytes"/> bytes.</param>
    /// <param name="place">The segment.</param>
    /// <param name="position">Where the frame starts in it; defects are placed relative to that.</param>
    public static ParseResult<LogDefect> Check(
        in FrameHeader frame, ReadOnlySpan<byte> body, Place place, long position)
    {
        uint entriesChecksum = Crc32C.Start;
        Span<byte> checksum = stackalloc byte[4];
        int count = 0;
        int at = 0;
        while (at < body.Length)
        {
            long entryPosition = position + FrameHeader.Bytes + at;
            ParseResult<LogDefect> result =
                EntryHeader.TryRead(body[at..], place, entryPosition, out EntryHeader entry);
            if (!result.IsDone)
                return ParseResult<LogDefect>.Invalid(LogDefect.EntryHeader, FrameHeader.Bytes + at);
            if (entry.PayloadBytes > body.Length - at - EntryHeader.Bytes)
                return ParseResult<LogDefect>.Invalid(LogDefect.EntryLength, FrameHeader.Bytes + at);
            ReadOnlySpan<byte> payload = body.Slice(at + EntryHeader.Bytes, entry.PayloadBytes);
            if (Crc32C.Compute(payload) != entry.PayloadChecksum)
                return ParseResult<LogDefect>.Invalid(LogDefect.EntryPayload, FrameHeader.Bytes + at);
            BinaryPrimitives.WriteUInt32LittleEndian(checksum, EntryHeader.Checksum(body[at..]));
            entriesChecksum = Crc32C.Append(entriesChecksum, checksum);
            count++;
            at += entry.EntryBytes;
        }
        if (count != frame.Entries)
            return ParseResult<LogDefect>.Invalid(LogDefect.EntryCount, 0);
        return Crc32C.Finish(entriesChecksum) == frame.EntriesChecksum
            ? ParseResult<LogDefect>.Done
            : ParseResult<LogDefect>.Invalid(LogDefect.EntrySet, 0);
    }
}
