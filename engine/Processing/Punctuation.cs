namespace Streams.Processing;

/// <summary>Which clock a punctuation goes by.</summary>
public enum PunctuationType
{
    /// <summary>The highest record time that the task has seen: it stands still while no record
    /// comes.</summary>
    StreamTime,

    /// <summary>The wall clock of the process.</summary>
    WallClockTime,
}

/// <summary>A scheduled call; disposing of it cancels it.</summary>
internal sealed class Punctuation(int node, long intervalMs, long nextMs, Action<long> callback) : IDisposable
{
    internal int Node { get; } = node;

    internal long IntervalMs { get; } = intervalMs;

    internal long NextMs { get; set; } = nextMs;

    internal Action<long> Callback { get; } = callback;

    internal bool IsCancelled { get; private set; }

    public void Dispose() => IsCancelled = true;
}

/// <summary>The punctuations of a task, by either clock.</summary>
/// <remarks>
/// Source of the rules: Kafka Streams' PunctuationQueue. A stream-time punctuation fires first on the first
/// record and then at multiples of its interval; on wall clock first after one interval. However many were
/// missed, it fires once.
/// </remarks>
internal sealed class PunctuationQueue
{
    private readonly List<Punctuation> _streamTime = [];
    private readonly List<Punctuation> _wallClock = [];

    /// <summary>Whether anything goes by stream time: asked after every record.</summary>
    internal bool HasStreamTime => _streamTime.Count > 0;

    /// <summary>When the next wall-clock punctuation is due; long.MaxValue for never.</summary>
    internal long NextWallClockMs { get; private set; } = long.MaxValue;

    internal IDisposable Schedule(
        int node, PunctuationType type, long intervalMs, long nowMs, Action<long> callback)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(intervalMs, 1);
        bool wallClock = type == PunctuationType.WallClockTime;
        var punctuation = new Punctuation(node, intervalMs, wallClock ? nowMs + intervalMs : 0, callback);
        (wallClock ? _wallClock : _streamTime).Add(punctuation);
        if (wallClock)
            NextWallClockMs = Math.Min(NextWallClockMs, punctuation.NextMs);
        return punctuation;
    }

    /// <summary>Fires what is due by stream time.</summary>
    internal void PunctuateStreamTime(TaskScope scope)
    {
        if (scope.StreamTimeMs >= 0)
            Fire(_streamTime, scope, scope.StreamTimeMs);
    }

    /// <summary>Fires what is due by wall clock.</summary>
    internal void PunctuateWallClock(TaskScope scope, long nowMs)
    {
        if (nowMs < NextWallClockMs)
            return;
        Fire(_wallClock, scope, nowMs);
        NextWallClockMs = long.MaxValue;
        foreach (Punctuation punctuation in _wallClock)
            NextWallClockMs = Math.Min(NextWallClockMs, punctuation.NextMs);
    }

    private static void Fire(List<Punctuation> punctuations, TaskScope scope, long nowMs)
    {
        for (int i = 0; i < punctuations.Count; i++)
        {
            Punctuation punctuation = punctuations[i];
            if (punctuation.IsCancelled)
            {
                punctuations.RemoveAt(i--);
                continue;
            }
            if (nowMs < punctuation.NextMs)
                continue;
            long missed = (nowMs - punctuation.NextMs) / punctuation.IntervalMs;
            punctuation.NextMs += (missed + 1) * punctuation.IntervalMs;
            scope.CurrentNode = punctuation.Node;
            punctuation.Callback(nowMs);
        }
    }
}
