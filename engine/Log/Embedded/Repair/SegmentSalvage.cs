using Streams.Log.Embedded.Files;
using Streams.Log.Embedded.Format;
using Streams.Log.Embedded.Segments;

namespace Streams.Log.Embedded.Repair;

/// <summary>
/// Writes a damaged segment anew with the batches that are whole. Everything else is in a later snapshot.
/// </summary>
internal sealed class SegmentSalvage(ILogFileSystem files) : IDisposable
{
    private readonly FrameBuilder _frame = new();

    /// <summary>Replaces a segment of a survey.</summary>
    public void Rewrite(LogSurvey survey, int index, long nowMs)
    {
        SurveyedSegment damaged = survey.Segments[index];
        SegmentHeader header = damaged.Header with { Generation = damaged.Header.Generation + 1 };
        string name = damaged.FileName + LogSegment.NewSuffix;
        using (ILogFile file = files.Open(name, LogFileMode.Create))
        {
            byte[] head = new byte[SegmentHeader.Bytes];
            header.Write(head);
            file.WriteAt(head, 0);
            long position = SegmentHeader.Bytes;
            // An entry whose frame is lost is taken to be of the commit and the time before it.
            var last = new FrameHeader { AppendTimeMs = nowMs };
            using (SegmentSurvey pieces = survey.Open(index))
            {
                foreach (Piece piece in pieces.Pieces())
                {
                    last = piece.Frame.Kind == FrameKind.Commit ? piece.Frame : last;
                    if (TryCollect(pieces, piece))
                        Write(file, FrameKind.Commit, last, header.Place, ref position);
                }
            }
            _frame.Clear();
            Write(file, FrameKind.Seal, last with { AppendTimeMs = nowMs }, header.Place, ref position);
            file.Sync();
        }
        files.Delete(LogSegment.IndexNameOf(header.Number));
        files.Rename(name, damaged.FileName);
        files.SyncDirectory();
    }

    /// <inheritdoc/>
    public void Dispose() => _frame.Dispose();

    // Puts a piece's batches into the frame; false where it has none.
    private bool TryCollect(SegmentSurvey pieces, in Piece piece)
    {
        _frame.Clear();
        if (piece.Kind == PieceKind.Frame && piece.Frame.Kind == FrameKind.Commit)
        {
            var entries = new FrameEntries(pieces.Read(piece)[FrameHeader.Bytes..]);
            while (entries.MoveNext())
                Add(entries.Header, entries.Payload);
        }
        else if (piece.Kind == PieceKind.Entry)
        {
            ReadOnlySpan<byte> entry = pieces.Read(piece);
            Add(EntryHeader.ReadUnchecked(entry), entry[EntryHeader.Bytes..]);
        }
        return _frame.Entries > 0;
    }

    private void Write(ILogFile file, FrameKind kind, in FrameHeader like, Place place, ref long position)
    {
        _frame.Seal(kind, like.Commit, like.AppendTimeMs, 0, place, position);
        file.WriteAt(_frame.Frame, position);
        position += _frame.Length;
    }

    private void Add(in EntryHeader header, ReadOnlySpan<byte> payload)
    {
        if (header.Kind == EntryKind.Records)
            _frame.Add(header, payload);
    }
}
