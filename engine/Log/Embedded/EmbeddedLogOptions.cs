using Streams.Log.Embedded.Files;

namespace Streams.Log.Embedded;

/// <summary>How an <see cref="EmbeddedLog"/> is run.</summary>
public sealed record EmbeddedLogOptions
{
    private const int MiB = 1024 * 1024;

    /// <summary>The log's directory, created where it is missing.</summary>
    public required string Directory { get; init; }

    /// <summary>
    /// A segment is ended when the next commit would make it longer than this. Default 64 MiB.
    /// </summary>
    public int SegmentBytes { get; init; } = 64 * MiB;

    /// <summary>A segment with commits is ended when it is older than this, so that retention gets at it.
    /// Default one hour.</summary>
    public TimeSpan SegmentAgeMax { get; init; } = TimeSpan.FromHours(1);

    /// <summary>
    /// At the latest this long after a commit its fsync begins, in milliseconds. Default 20.
    /// </summary>
    public int FlushIntervalMs { get; init; } = 20;

    /// <summary>
    /// How often the background thread calls <see cref="EmbeddedLog.Maintain"/>. Default ten seconds.
    /// </summary>
    public TimeSpan MaintainInterval { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Whether the log has no threads of its own: the host calls <see cref="EmbeddedLog.Flush"/> and
    /// <see cref="EmbeddedLog.Maintain"/>, and waiting never blocks. For simulation. Default false.
    /// </summary>
    public bool Manual { get; init; }

    /// <summary>Largest key, value and headers of one record together that a topic may allow, in bytes.
    /// Default 16 MiB.</summary>
    public int RecordBytesMax { get; init; } = 16 * MiB;

    /// <summary>A batch takes no further record when it has this many bytes. Default 1 MiB.</summary>
    public int BatchBytesMax { get; init; } = MiB;

    /// <summary>Largest commit, in bytes. Default 64 MiB.</summary>
    public int CommitBytesMax { get; init; } = 64 * MiB;

    /// <summary>
    /// Most bytes that one read takes from the disk, unless a single batch is larger. Default 256 KiB: more
    /// was not measurably faster, and every reader's batch keeps as much memory.
    /// </summary>
    public int ReadBytesMax { get; init; } = MiB / 4;

    /// <summary>Most segment files open at a time, beside those in use. Default 128.</summary>
    public int OpenFilesMax { get; init; } = 128;

    /// <summary>
    /// Memory for the indexes of sealed segments, beside those in use, in bytes. Default 32 MiB.
    /// </summary>
    public long IndexCacheBytesMax { get; init; } = 32 * MiB;

    /// <summary>
    /// Bytes of the log's end that may stay in the system's page cache; what is older is given up once it is
    /// on the disk, and read from there by whoever is that far behind. Default 256 MiB.
    /// </summary>
    public long PageCacheBytesMax { get; init; } = 256 * MiB;

    /// <summary>Commits are refused when the disk has less than this left, so that recovery and cleaning
    /// always find room, in bytes. Default 128 MiB.</summary>
    public long DiskFreeBytesMin { get; init; } = 128 * MiB;

    /// <summary>How long records past their topic's retention still wait for a group that has not processed
    /// them, from when they were appended. Default 14 days.</summary>
    public TimeSpan UnprocessedRetention { get; init; } = TimeSpan.FromDays(14);

    /// <summary>
    /// A segment is rewritten when at least this part of it is not needed any more, in percent. Default 50:
    /// the log then takes at most twice what is in it, and segments of which only the changelogs are not
    /// needed any more are mostly left alone.
    /// </summary>
    public int CleanDeadPercentMin { get; init; } = 50;

    /// <summary>Compacted topics are compacted when at least this part of their records came since the last
    /// time, in percent of bytes. Default 50.</summary>
    public int CompactionDirtyPercentMin { get; init; } = 50;

    /// <summary>
    /// Memory for the keys that one round of compaction looks at, in bytes; 24 for each key. Default 16 MiB.
    /// </summary>
    public long CompactionMapBytesMax { get; init; } = 16 * MiB;

    /// <summary>How long a tombstone stays that is the last record of its key, from when it was appended, so
    /// that every reader learns of the deletion. Default one day.</summary>
    public TimeSpan TombstoneRetention { get; init; } = TimeSpan.FromDays(1);

    /// <summary>The log's own number, when it is created; null to draw one.</summary>
    public ulong? LogId { get; init; }

    /// <summary>The clock of append times and retention. Default the system's.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>The files; null for those of <see cref="Directory"/>.</summary>
    public ILogFileSystem? FileSystem { get; init; }

    /// <summary>Checks that the options go together.</summary>
    /// <exception cref="ArgumentException">They do not.</exception>
    internal void Validate()
    {
        Check(SegmentBytes is >= 1024 and <= 1024 * MiB,
            $"SegmentBytes is 1 KiB to 1 GiB, not {SegmentBytes:N0}");
        Check(CommitBytesMax is > 0 and <= 1024 * MiB,
            $"CommitBytesMax is up to 1 GiB, not {CommitBytesMax:N0}");
        Check(BatchBytesMax > 0, $"BatchBytesMax is {BatchBytesMax:N0}");
        Check(RecordBytesMax > 0 && RecordBytesMax <= CommitBytesMax - 1024,
            $"RecordBytesMax ({RecordBytesMax:N0}) has to leave 1 KiB of " +
            $"CommitBytesMax ({CommitBytesMax:N0})");
        Check(ReadBytesMax > 0, $"ReadBytesMax is {ReadBytesMax:N0}");
        Check(OpenFilesMax > 0, $"OpenFilesMax is {OpenFilesMax:N0}");
        Check(IndexCacheBytesMax >= 0, $"IndexCacheBytesMax is {IndexCacheBytesMax:N0}");
        Check(DiskFreeBytesMin >= 0, $"DiskFreeBytesMin is {DiskFreeBytesMin:N0}");
        Check(PageCacheBytesMax >= 0, $"PageCacheBytesMax is {PageCacheBytesMax:N0}");
        Check(FlushIntervalMs > 0, $"FlushIntervalMs is {FlushIntervalMs:N0}");
        ValidateMaintenance();
    }

    private void ValidateMaintenance()
    {
        Check(MaintainInterval > TimeSpan.Zero, $"MaintainInterval is {MaintainInterval}");
        Check(SegmentAgeMax > TimeSpan.Zero, $"SegmentAgeMax is {SegmentAgeMax}");
        Check(UnprocessedRetention >= TimeSpan.Zero, $"UnprocessedRetention is {UnprocessedRetention}");
        Check(TombstoneRetention >= TimeSpan.Zero, $"TombstoneRetention is {TombstoneRetention}");
        Check(CleanDeadPercentMin is > 0 and <= 100,
            $"CleanDeadPercentMin is 1 to 100, not {CleanDeadPercentMin}");
        Check(CompactionDirtyPercentMin is > 0 and <= 100,
            $"CompactionDirtyPercentMin is 1 to 100, not {CompactionDirtyPercentMin}");
        Check(CompactionMapBytesMax > 0, $"CompactionMapBytesMax is {CompactionMapBytesMax:N0}");
    }

    private static void Check(bool holds, string otherwise)
    {
        if (!holds)
            throw new ArgumentException($"The log's options do not go together: {otherwise}.");
    }
}
