using Streams.Log.Embedded;
using Streams.Testing;

namespace Streams.Tests.Engine.Log;

/// <summary>A log in a simulated directory, and what was done to it.</summary>
internal sealed class SmallLog
{
    public SmallLog(int seed) => Files = new SimulatedFileSystem(seed);

    /// <summary>The directory.</summary>
    public SimulatedFileSystem Files { get; }

    /// <summary>Options for a log without threads in the directory.</summary>
    public static EmbeddedLogOptions Options(SimulatedFileSystem files, int segmentBytes = 64 * 1024) => new()
    {
        Directory = "",
        FileSystem = files,
        Manual = true,
        DiskFreeBytesMin = 0,
        SegmentBytes = segmentBytes,
        LogId = 0x1122334455667788,
        TimeProvider = new SteppingTime(),
    };

    /// <summary>Opens a log without threads.</summary>
    public static EmbeddedLog Open(SimulatedFileSystem files, int segmentBytes = 64 * 1024) =>
        EmbeddedLog.Open(Options(files, segmentBytes));

    /// <summary>Opens the log of the directory.</summary>
    public EmbeddedLog Open(int segmentBytes = 64 * 1024) => Open(Files, segmentBytes);
}

/// <summary>A clock that stands still until it is told otherwise.</summary>
internal sealed class SteppingTime : TimeProvider
{
    /// <summary>The time.</summary>
    public DateTimeOffset Now { get; set; } = new(2024, 1, 2, 3, 4, 5, TimeSpan.Zero);

    public override DateTimeOffset GetUtcNow() => Now;
}
