using System.Globalization;
using Streams.Log.Embedded.Files;
using Streams.Log.Embedded.Format;

namespace Streams.Log.Embedded.Segments;

/// <summary>
/// A segment of the log. All but the last one are sealed: they change only by being replaced as a whole.
/// </summary>
internal sealed class LogSegment(SegmentHeader header)
{
    /// <summary>Ends the name of an index file.</summary>
    public const string IndexSuffix = ".index";

    private const string SegmentSuffix = ".segment";

    /// <summary>
    /// Ends the name of a file that is being prepared; one found at the start is a leftover.
    /// </summary>
    public const string NewSuffix = ".new";

    /// <summary>The first bytes of its file.</summary>
    public SegmentHeader Header { get; } = header;

    /// <summary>What its other headers are bound to.</summary>
    public Place Place { get; } = header.Place;

    /// <summary>Its number.</summary>
    public long Number => Header.Number;

    /// <summary>Its file.</summary>
    public string FileName => NameOf(Number);

    /// <summary>The file of its index.</summary>
    public string IndexName => IndexNameOf(Number);

    /// <summary>Bytes of the file.</summary>
    public long Length { get; set; }

    /// <summary>The last commit in it, or before it where it has none.</summary>
    public long LastCommit { get; set; }

    /// <summary>
    /// Whether there are commits in it, beside the snapshot at its head; known while it is written to.
    /// </summary>
    public bool HasCommits { get; set; }

    /// <summary>
    /// When its last commit was written, Unix milliseconds; when its snapshot was where it has none.
    /// </summary>
    public long LastAppendTimeMs { get; set; }

    /// <summary>Its batches by partition.</summary>
    public List<PartitionSlice> Slices { get; } = [];

    /// <summary>Its file, while it is open.</summary>
    public ILogFile? File { get; set; }

    /// <summary>How many reads use the file; it stays open while there is one.</summary>
    public int Pins { get; set; }

    /// <summary>When it was last read from, as a count of such uses.</summary>
    public long LastUse { get; set; }

    /// <summary>Whether it was replaced or dropped: its file is closed when the last read is done.</summary>
    public bool IsRetired { get; set; }

    /// <summary>
    /// Whether it has its seal; only then is it maintained, and its index let go of.
    /// </summary>
    public bool IsFinished { get; set; }

    /// <summary>Whether the locations of its batches are in memory.</summary>
    public bool IsIndexLoaded { get; set; }

    /// <summary>Memory that the locations take, in bytes.</summary>
    public long IndexBytes
    {
        get
        {
            long batches = 0;
            foreach (PartitionSlice slice in Slices)
                batches += slice.Batches;
            return batches * BatchLocation.FileBytes;
        }
    }

    /// <summary>Whether it stands for the segment of that number, itself or one merged into it.</summary>
    public bool Covers(long number) => number >= Number && number <= Header.LastNumber;

    /// <summary>The exception for a defect at a position.</summary>
    public LogDamagedException Damaged(ILogFileSystem files, long position, LogDefect defect) =>
        new(Path.Combine(files.Location, FileName), position, defect.Describe());

    /// <summary>
    /// Takes over the figures of the same segment that was read anew, without the locations.
    /// </summary>
    public void TakeFigures(LogSegment rebuilt)
    {
        LastCommit = rebuilt.LastCommit;
        LastAppendTimeMs = rebuilt.LastAppendTimeMs;
        foreach (PartitionSlice slice in rebuilt.Slices)
            Slices.Add(slice.WithoutLocations(this));
    }

    /// <summary>The name of a segment's file.</summary>
    public static string NameOf(long number) => Digits(number) + SegmentSuffix;

    /// <summary>The name of a segment's index file.</summary>
    public static string IndexNameOf(long number) => Digits(number) + IndexSuffix;

    /// <summary>The number of the segment whose file has that name.</summary>
    public static bool TryParseName(string name, out long number)
    {
        number = 0;
        return name.EndsWith(SegmentSuffix, StringComparison.Ordinal)
            && long.TryParse(name.AsSpan(0, name.Length - SegmentSuffix.Length), NumberStyles.None,
                CultureInfo.InvariantCulture, out number)
            && name == NameOf(number);
    }

    private static string Digits(long number) => number.ToString("D16", CultureInfo.InvariantCulture);
}
