using Streams.Buffers;
using Streams.Log.Embedded.Files;
using Streams.Log.Embedded.Format;
using Streams.Log.Embedded.Segments;

namespace Streams.Log.Embedded.Repair;

/// <summary>What a piece of a segment is.</summary>
internal enum PieceKind
{
    /// <summary>A whole frame.</summary>
    Frame,

    /// <summary>A whole entry of a frame that is not whole.</summary>
    Entry,

    /// <summary>Bytes that are nothing.</summary>
    Damage,

    /// <summary>Bytes at the end that a crash may have left there.</summary>
    TornTail,
}

/// <summary>A piece of a segment.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Position">Where it starts.</param>
/// <param name="Bytes">How long it is.</param>
/// <param name="Frame">The frame's header, or that of the entry's frame; all zero where it is not
/// known.</param>
/// <param name="Defect">What is wrong with it.</param>
internal readonly record struct Piece(
    PieceKind Kind, long Position, long Bytes, FrameHeader Frame, LogDefect Defect);

/// <summary>
/// Takes a segment apart into what is whole and what is not. Every byte behind the header is in one piece.
/// </summary>
internal sealed class SegmentSurvey : IDisposable
{
    private readonly ILogFile _file;
    private readonly SegmentScan _scan;
    private readonly long _durableEnd;

    /// <summary>Looks at a segment.</summary>
    /// <param name="file">Its file, open.</param>
    /// <param name="place">What its headers are bound to.</param>
    /// <param name="durableEnd">What is known to have been on the disk; behind it the end may be
    /// torn.</param>
    public SegmentSurvey(ILogFile file, Place place, long durableEnd)
    {
        _file = file;
        _scan = new SegmentScan(file, place);
        _durableEnd = durableEnd;
    }

    /// <summary>All pieces, in order.</summary>
    public IEnumerable<Piece> Pieces()
    {
        while (true)
        {
            ParseResult<LogDefect> result = _scan.ReadNext();
            if (result.IsDone)
            {
                yield return new Piece(
                    PieceKind.Frame, _scan.Position, _scan.Frame.FrameBytes, _scan.Frame, LogDefect.None);
                continue;
            }
            long position = _scan.End;
            if (!result.IsInvalid)
            {
                long missing = _durableEnd == long.MaxValue ? 0 : _durableEnd - position;
                const LogDefect Missing = LogDefect.BelowWatermark;
                if (missing > 0)
                    yield return new Piece(PieceKind.Damage, position, missing, default, Missing);
                yield break;
            }
            if (IsTorn(position))
            {
                yield return new Piece(
                    PieceKind.TornTail, position, _scan.Length - position, default, result.Defect);
                yield break;
            }
            long next = _scan.FindFrame(position + 1, out _);
            long end = next < 0 ? _scan.Length : next;
            foreach (Piece piece in Salvage(position, end, result.Defect))
                yield return piece;
            _scan.SkipTo(end);
        }
    }

    /// <summary>A piece's bytes; valid until the next call.</summary>
    public ReadOnlySpan<byte> Read(in Piece piece) => _scan.Raw(piece.Position, (int)piece.Bytes);

    /// <inheritdoc/>
    public void Dispose()
    {
        _scan.Dispose();
        _file.Dispose();
    }

    private bool IsTorn(long position)
    {
        long durableEnd = _durableEnd;
        for (long at = position; (at = _scan.FindFrame(at, out FrameHeader later)) >= 0; at++)
            durableEnd = Math.Max(durableEnd, later.Watermark);
        return durableEnd <= position;
    }

    private IEnumerable<Piece> Salvage(long from, long end, LogDefect defect)
    {
        // Where only an entry is bad, the frame's header still tells the others' commit.
        bool isHeaderWhole = _scan.FindFrame(from, out FrameHeader found) == from;
        FrameHeader frame = isHeaderWhole ? found : default;
        long damagedFrom = isHeaderWhole ? from + FrameHeader.Bytes : from;
        long damagedBytes = 0;
        long at = from;
        while ((at = _scan.FindEntry(at, end, out EntryHeader entry)) >= 0)
        {
            if (at > damagedFrom)
                yield return new Piece(PieceKind.Damage, damagedFrom, at - damagedFrom, frame, defect);
            damagedBytes += at - damagedFrom;
            yield return new Piece(PieceKind.Entry, at, entry.EntryBytes, frame, LogDefect.None);
            at += entry.EntryBytes;
            damagedFrom = at;
        }
        damagedBytes += end - damagedFrom;
        if (end > damagedFrom)
            yield return new Piece(PieceKind.Damage, damagedFrom, end - damagedFrom, frame, defect);
        if (damagedBytes == 0)
            // Every entry is whole, and they are not the ones that the header means.
            yield return new Piece(PieceKind.Damage, from, FrameHeader.Bytes, frame, defect);
    }
}
