using Streams.Log.Embedded.Catalog;
using Streams.Log.Embedded.Files;
using Streams.Log.Embedded.Format;
using Streams.Log.Embedded.Segments;

namespace Streams.Log.Embedded.Repair;

/// <summary>
/// Goes through everything in a log's directory, whole or not, and finds out what the log was like. Changes
/// nothing.
/// </summary>
internal sealed class LogSurvey
{
    private readonly ILogFileSystem _files;
    private readonly DurableMark? _note;
    private readonly SortedDictionary<(int Topic, int Partition), PartitionSurvey> _partitions = [];
    private readonly List<DamageReport> _damage = [];
    private readonly List<SegmentReport> _segments = [];
    private readonly List<long> _missing = [];
    private int _damageSeen;
    private long _commits;
    private TornTail? _tornTail;
    private FrameKind _lastKind;
    private long _lastNumber;

    private LogSurvey(ILogFileSystem files)
    {
        _files = files;
        _note = DurableNote.Read(files);
        Segments = SurveyedSegment.List(files, _note?.LogId);
    }

    /// <summary>The segments, by number.</summary>
    public IReadOnlyList<SurveyedSegment> Segments { get; }

    /// <summary>What the log knew, as far as it can be told.</summary>
    public LogCatalog Catalog { get; private set; } = new();

    /// <summary>The last whole commit.</summary>
    public long LastCommit { get; private set; }

    /// <summary>Where the whole frames of the last segment end, if it has a torn tail or none.</summary>
    public long LastEnd { get; private set; }

    /// <summary>Whether the last segment ends as one that another follows.</summary>
    public bool EndsWithSeal => _lastKind == FrameKind.Seal;

    /// <summary>A number that no segment has had.</summary>
    public long NextNumber
    {
        get
        {
            long highest = _lastNumber;
            foreach (long number in _missing)
                highest = Math.Max(highest, number);
            return highest + 1;
        }
    }

    /// <summary>Looks at a directory.</summary>
    public static LogSurvey Run(ILogFileSystem files)
    {
        var survey = new LogSurvey(files);
        int newestSnapshot = survey.FindNewestSnapshot();
        survey.FindMissing(newestSnapshot);
        for (int i = 0; i < survey.Segments.Count; i++)
            survey.Look(i, newestSnapshot);
        survey.CompleteOffsets();
        return survey;
    }

    /// <summary>Where what is known to have been on the disk ends in a segment.</summary>
    public long DurableEnd(int index)
    {
        SegmentHeader header = Segments[index].Header;
        if (index + 1 < Segments.Count)
            return Segments[index + 1].Header.SealPositionOf(header) ?? long.MaxValue;
        bool isNoted = _note?.Segment == header.Number && _note?.LogId == header.LogId;
        return isNoted ? _note!.Value.Position : 0;
    }

    /// <summary>Takes a segment apart.</summary>
    public SegmentSurvey Open(int index)
    {
        SurveyedSegment segment = Segments[index];
        return new SegmentSurvey(
            _files.Open(segment.FileName, LogFileMode.Read), segment.Header.Place, DurableEnd(index));
    }

    /// <summary>Length of a segment's file; 0 where it is missing.</summary>
    public long LengthOf(string fileName)
    {
        foreach (SurveyedSegment segment in Segments)
        {
            if (segment.FileName == fileName)
                return segment.Length;
        }
        return 0;
    }

    /// <summary>What was found.</summary>
    public VerificationReport Report()
    {
        var partitions = new List<PartitionReport>();
        var lost = new List<LostRecords>();
        foreach (Topic topic in Catalog.Topics.Sorted)
        {
            foreach (PartitionState state in Catalog.Topics.Find(topic.Id)!.Partitions)
            {
                PartitionSurvey seen = Survey(state.Id);
                partitions.Add(new PartitionReport(
                    topic.Name, state.Id.Partition, state.StartOffset, state.NextOffset,
                    seen.Records, seen.Bytes));
                foreach ((long missing, long last) in seen.Missing)
                {
                    long first = Math.Max(missing, state.StartOffset);
                    if (first <= last)
                        lost.Add(new LostRecords(topic.Name, state.Id.Partition, first, last));
                }
            }
        }
        return new VerificationReport
        {
            Segments = _segments,
            Partitions = partitions,
            Commits = _commits,
            LastCommit = LastCommit,
            ClosedInOrder = _lastKind == FrameKind.Close,
            TornTail = _tornTail,
            Damage = _damage,
            Lost = lost,
            CommitsLostAtEnd = _damage.Count > 0 ? Math.Max(0, (_note?.Commit ?? 0) - LastCommit) : 0,
        };
    }

    private int FindNewestSnapshot()
    {
        for (int i = Segments.Count - 1; i >= 0; i--)
        {
            using SegmentSurvey survey = Open(i);
            foreach (Piece first in survey.Pieces())
            {
                if (first.Kind == PieceKind.Frame && first.Frame.Kind == FrameKind.Snapshot)
                    return i;
                break;
            }
        }
        return 0;
    }

    private void Look(int index, int newestSnapshot)
    {
        SurveyedSegment segment = Segments[index];
        if (segment.HeaderDefect != LogDefect.None)
            AddDamage(segment, 0, Math.Min(SegmentHeader.Bytes, segment.Length), segment.HeaderDefect);
        if (_missing.Exists(number => number > _lastNumber && number < segment.Header.Number))
            _damageSeen++;
        long commitsBefore = _commits;
        using SegmentSurvey survey = Open(index);
        LastEnd = Math.Min(SegmentHeader.Bytes, segment.Length);
        foreach (Piece piece in survey.Pieces())
        {
            LastEnd = piece.Kind == PieceKind.TornTail ? LastEnd : piece.Position + piece.Bytes;
            Take(segment, survey, piece, applies: index >= newestSnapshot);
        }
        bool hasToBeSealed = index + 1 < Segments.Count && DurableEnd(index) == long.MaxValue;
        if (hasToBeSealed && !segment.IsDamaged && _lastKind != FrameKind.Seal)
            AddDamage(segment, LastEnd, 0, LogDefect.NotSealed);
        _segments.Add(new SegmentReport(
            segment.FileName, segment.Length, segment.Header.Generation, _commits - commitsBefore));
        _lastNumber = segment.Header.LastNumber;
    }

    private void Take(SurveyedSegment segment, SegmentSurvey survey, in Piece piece, bool applies)
    {
        switch (piece.Kind)
        {
            case PieceKind.Frame:
                _commits += piece.Frame.Kind == FrameKind.Commit ? 1 : 0;
                _lastKind = piece.Frame.Kind;
                LastCommit = Math.Max(LastCommit, piece.Frame.Commit);
                if (piece.Frame.Kind == FrameKind.Snapshot && applies)
                    Catalog = new LogCatalog();
                var entries = new FrameEntries(survey.Read(piece)[FrameHeader.Bytes..]);
                while (entries.MoveNext())
                    Take(entries.Header, entries.Payload, applies);
                break;
            case PieceKind.Entry:
                ReadOnlySpan<byte> entry = survey.Read(piece);
                Take(EntryHeader.ReadUnchecked(entry), entry[EntryHeader.Bytes..], applies);
                break;
            case PieceKind.TornTail when IsLast(segment):
                _tornTail = new TornTail(
                    segment.FileName, piece.Position, piece.Bytes, piece.Defect.Describe());
                break;
            case PieceKind.Damage:
                AddDamage(segment, piece.Position, piece.Bytes, piece.Defect);
                _lastKind = 0;
                break;
            default:
                // The torn seal of a segment that another one follows: the next start writes it again.
                break;
        }
    }

    private void Take(in EntryHeader header, ReadOnlySpan<byte> payload, bool applies)
    {
        if (header.Kind == EntryKind.Records)
        {
            Survey(header.TopicPartition).Add(header, _damageSeen);
            if (applies && Catalog.Topics.Find(header.TopicPartition) is { } partition)
                partition.NextOffset = Math.Max(partition.NextOffset, header.LastOffset + 1);
        }
        else if (applies)
        {
            // An entry that does not fit, because one before it is lost, changes nothing.
            Catalog.Apply(header, payload);
        }
    }

    // The newest snapshot, and what was dropped since, says which segments there should be.
    private void FindMissing(int newestSnapshot)
    {
        var live = new LogCatalog();
        FrameKind last = 0;
        for (int i = newestSnapshot; i < Segments.Count; i++)
        {
            using SegmentSurvey survey = Open(i);
            foreach (Piece piece in survey.Pieces())
            {
                last = piece.Kind == PieceKind.Frame ? piece.Frame.Kind : 0;
                if (piece.Kind is PieceKind.Damage or PieceKind.TornTail)
                    continue;
                int headerBytes = piece.Kind == PieceKind.Frame ? FrameHeader.Bytes : 0;
                var entries = new FrameEntries(survey.Read(piece)[headerBytes..]);
                while (entries.MoveNext())
                {
                    if (entries.Header.Kind is EntryKind.LiveSegments or EntryKind.DroppedSegments)
                        live.Apply(entries.Header, entries.Payload);
                }
            }
            live.LiveSegments.Add(Segments[i].Header.Number);
        }
        long lastNumber = Segments.Count > 0 ? Segments[^1].Header.LastNumber : 0;
        if (last == FrameKind.Seal)
            live.LiveSegments.Add(lastNumber + 1);
        if (_note is { } note && note.Segment > lastNumber)
            live.LiveSegments.Add(note.Segment);
        foreach (long number in live.LiveSegments)
        {
            if (Exists(number))
                continue;
            _missing.Add(number);
            _damage.Add(new DamageReport(LogSegment.NameOf(number), 0, 0, "the segment is missing"));
        }
    }

    // A partition goes on behind everything that is known of it: what was read, what a snapshot says, what a
    // group has processed. An offset must never be given twice.
    private void CompleteOffsets()
    {
        if (_missing.Exists(number => number > _lastNumber))
            _damageSeen++;
        foreach (Topic topic in Catalog.Topics.Sorted)
        {
            foreach (PartitionState state in Catalog.Topics.Find(topic.Id)!.Partitions)
            {
                PartitionSurvey seen = Survey(state.Id);
                seen.NoteGap(Math.Max(state.NextOffset, Catalog.Groups.Highest(state.Id) ?? 0), _damageSeen);
                state.NextOffset = seen.NextOffset;
                state.StartOffset = Math.Min(state.StartOffset, state.NextOffset);
            }
        }
    }

    private bool Exists(long number)
    {
        foreach (SurveyedSegment segment in Segments)
        {
            if (number >= segment.Header.Number && number <= segment.Header.LastNumber)
                return true;
        }
        return false;
    }

    private bool IsLast(SurveyedSegment segment) => segment == Segments[^1];

    private void AddDamage(SurveyedSegment segment, long position, long bytes, LogDefect defect)
    {
        segment.IsDamaged = true;
        _damageSeen++;
        _damage.Add(new DamageReport(segment.FileName, position, bytes, defect.Describe()));
    }

    private PartitionSurvey Survey(TopicPartition id)
    {
        if (!_partitions.TryGetValue((id.Topic, id.Partition), out PartitionSurvey? survey))
            _partitions[(id.Topic, id.Partition)] = survey = new PartitionSurvey();
        return survey;
    }
}
