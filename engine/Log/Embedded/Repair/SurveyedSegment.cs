using System.Buffers.Binary;
using Streams.Buffers;
using Streams.Log.Embedded.Files;
using Streams.Log.Embedded.Format;
using Streams.Log.Embedded.Segments;

namespace Streams.Log.Embedded.Repair;

/// <summary>A segment file that may be damaged.</summary>
internal sealed class SurveyedSegment(SegmentHeader header, LogDefect headerDefect, long length)
{
    private const int LogIdAt = 16;

    /// <summary>
    /// Its header; made up from the file's name and the other segments where it is damaged.
    /// </summary>
    public SegmentHeader Header { get; } = header;

    /// <summary>What is wrong with the header.</summary>
    public LogDefect HeaderDefect { get; } = headerDefect;

    /// <summary>Bytes of the file.</summary>
    public long Length { get; } = length;

    /// <summary>Whether anything of it is not as it was written.</summary>
    public bool IsDamaged { get; set; }

    /// <summary>Its file.</summary>
    public string FileName => LogSegment.NameOf(Header.Number);

    /// <summary>The segments of a directory, by number.</summary>
    /// <param name="files">The directory.</param>
    /// <param name="notedLogId">The log's number by the note beside it, where there is one.</param>
    public static List<SurveyedSegment> List(ILogFileSystem files, ulong? notedLogId)
    {
        var numbers = new List<long>();
        foreach (string name in files.List())
        {
            if (LogSegment.TryParseName(name, out long number))
                numbers.Add(number);
        }
        numbers.Sort();
        ulong? logId = notedLogId;
        for (int i = 0; i < numbers.Count && logId is null; i++)
        {
            SurveyedSegment segment = Read(files, numbers[i], null);
            logId = segment.HeaderDefect == LogDefect.None ? segment.Header.LogId : null;
        }
        var segments = new List<SurveyedSegment>();
        foreach (long number in numbers)
        {
            SurveyedSegment segment = Read(files, number, logId);
            bool isMerged = segments.Count > 0 && number <= segments[^1].Header.LastNumber;
            if (!isMerged)
                segments.Add(segment);
        }
        return segments;
    }

    private static SurveyedSegment Read(ILogFileSystem files, long number, ulong? logId)
    {
        using ILogFile file = files.Open(LogSegment.NameOf(number), LogFileMode.Read);
        byte[] bytes = new byte[SegmentHeader.Bytes];
        file.ReadAt(bytes, 0);
        ParseResult<LogDefect> result = SegmentHeader.TryRead(bytes, out SegmentHeader header);
        if (result.Defect == LogDefect.SegmentVersion)
        {
            throw new LogUnavailableException(
                $"{LogSegment.NameOf(number)} in {files.Location} was written by a later version of this " +
                "program.");
        }
        LogDefect defect = result.IsDone ? LogDefect.None : result.Defect;
        if (result.IsDone && (header.Number != number || header.LogId != (logId ?? header.LogId)))
            defect = LogDefect.SegmentIdentity;
        if (defect != LogDefect.None)
        {
            // Nobody else may know the log's number; then what stands in its place is the best guess there
            // is.
            ulong guess = logId ?? BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(LogIdAt));
            header = new SegmentHeader(guess, number, number, 0, 0, 0);
        }
        return new SurveyedSegment(header, defect, file.Length);
    }
}
