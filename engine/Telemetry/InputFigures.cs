namespace Streams.Telemetry;

/// <summary>Figures of one partition that a task reads, written by the task's thread and read by whoever
/// scrapes.</summary>
internal sealed class InputFigures
{
    private const long None = long.MinValue;

    private long _timeMs = -1;
    private long _holdsSince = None;
    private bool _isIdle;

    /// <summary>The topic's name; set before anybody else knows of the figures.</summary>
    internal string Topic { get; set; } = "";

    /// <summary>The partition's number, as a label.</summary>
    internal string Partition { get; set; } = "";

    /// <summary>The highest record time that was read, Unix milliseconds; -1 before the first.</summary>
    internal long TimeMs
    {
        get => Volatile.Read(ref _timeMs);
        set => Volatile.Write(ref _timeMs, value);
    }

    /// <summary>Since when the partition, which has no records, keeps its task from going on with others: a
    /// timestamp of the application's clock. Null where it does not.</summary>
    internal long? HoldsSince
    {
        get => Volatile.Read(ref _holdsSince) is var since && since == None ? null : since;
        set => Volatile.Write(ref _holdsSince, value ?? None);
    }

    /// <summary>Whether the partition has been silent for so long that its task goes on without it.</summary>
    internal bool IsIdle
    {
        get => Volatile.Read(ref _isIdle);
        set => Volatile.Write(ref _isIdle, value);
    }
}
