using Streams.Buffers;
using Streams.Log.Embedded.Files;
using Streams.Log.Embedded.Format;

namespace Streams.Log.Embedded.Segments;

/// <summary>The segment files of a directory.</summary>
/// <param name="Segments">Those that make up the log, by number.</param>
/// <param name="Merged">Those that a merged segment stands for, which a crash kept from being
/// deleted.</param>
internal sealed record SegmentListing(List<LogSegment> Segments, List<LogSegment> Merged)
{
    /// <summary>Reads the headers of all segment files.</summary>
    /// <exception cref="LogDamagedException">A header is not what was written.</exception>
    /// <exception cref="LogUnavailableException">A later version of the program has written it.</exception>
    public static SegmentListing Read(ILogFileSystem files)
    {
        var listing = new SegmentListing([], []);
        var numbers = new List<long>();
        foreach (string name in files.List())
        {
            if (LogSegment.TryParseName(name, out long number))
                numbers.Add(number);
        }
        numbers.Sort();
        foreach (long number in numbers)
        {
            LogSegment segment = ReadOne(files, number, listing.Segments.FirstOrDefault());
            bool isMerged = listing.Segments.Count > 0 && listing.Segments[^1].Covers(number);
            (isMerged ? listing.Merged : listing.Segments).Add(segment);
        }
        return listing;
    }

    private static LogSegment ReadOne(ILogFileSystem files, long number, LogSegment? first)
    {
        using ILogFile file = files.Open(LogSegment.NameOf(number), LogFileMode.Read);
        Span<byte> bytes = stackalloc byte[SegmentHeader.Bytes];
        int read = file.ReadAt(bytes, 0);
        ParseResult<LogDefect> result = SegmentHeader.TryRead(bytes[..read], out SegmentHeader header);
        string path = Path.Combine(files.Location, LogSegment.NameOf(number));
        if (result.Defect == LogDefect.SegmentVersion)
        {
            throw new LogUnavailableException(
                $"{path} was written by a later version of this program (format {bytes[8]}).");
        }
        LogDefect defect = result.IsDone ? LogDefect.None : LogDefect.SegmentHeader;
        bool isOfLog = first is null || first.Header.LogId == header.LogId;
        if (result.IsDone && (header.Number != number || !isOfLog))
            defect = LogDefect.SegmentIdentity;
        if (defect != LogDefect.None)
            throw new LogDamagedException(path, result.Offset, defect.Describe());
        return new LogSegment(header) { Length = file.Length };
    }
}
