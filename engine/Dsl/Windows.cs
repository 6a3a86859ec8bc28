namespace Streams.Dsl;

/// <summary>Tumbling or hopping windows of a fixed size over event time; a window's end is
/// exclusive.</summary>
/// <remarks>Windows start at multiples of the advance, never before 1970. Source: Kafka Streams'
/// TimeWindows.</remarks>
public sealed record TimeWindows
{
    private TimeWindows(long sizeMs, long advanceMs, long graceMs)
    {
        SizeMs = sizeMs;
        AdvanceMs = advanceMs;
        GraceMs = graceMs;
    }

    /// <summary>Length of a window, in milliseconds.</summary>
    public long SizeMs { get; }

    /// <summary>Distance from one window's start to the next one's, in milliseconds.</summary>
    public long AdvanceMs { get; }

    /// <summary>How long after its end a window still takes late records, in milliseconds of stream
    /// time.</summary>
    public long GraceMs { get; }

    /// <summary>Tumbling windows that take no late records.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The size is under a millisecond.</exception>
    public static TimeWindows OfSizeWithNoGrace(TimeSpan size) => OfSizeAndGrace(size, TimeSpan.Zero);

    /// <summary>Tumbling windows that take late records for a while.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The size is under a millisecond or the grace
    /// negative.</exception>
    public static TimeWindows OfSizeAndGrace(TimeSpan size, TimeSpan grace)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(size.TotalMilliseconds, 1, nameof(size));
        ArgumentOutOfRangeException.ThrowIfLessThan(grace.TotalMilliseconds, 0, nameof(grace));
        long sizeMs = (long)size.TotalMilliseconds;
        return new TimeWindows(sizeMs, sizeMs, (long)grace.TotalMilliseconds);
    }

    /// <summary>The same windows, one beginning at each multiple of the advance: hopping windows.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The advance is under a millisecond or over the
    /// size.</exception>
    public TimeWindows AdvanceBy(TimeSpan advance)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(advance.TotalMilliseconds, 1, nameof(advance));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(advance.TotalMilliseconds, SizeMs, nameof(advance));
        return new TimeWindows(SizeMs, (long)advance.TotalMilliseconds, GraceMs);
    }

    internal long LeastRetentionMs => SizeMs + GraceMs;

    /// <summary>The start of the first window that holds a time.</summary>
    internal long FirstStart(long timeMs) =>
        Math.Max(0, timeMs - SizeMs + AdvanceMs) / AdvanceMs * AdvanceMs;
}

/// <summary>Windows of a fixed length around the records themselves: two records are in one window where
/// their times differ by at most the difference. Both ends of a window are inclusive.</summary>
/// <remarks>There is a window for each different set of records, so one that ends at each record and one that
/// starts just after it. Source: Kafka Streams' SlidingWindows (KIP-450).</remarks>
public sealed record SlidingWindows
{
    private SlidingWindows(long differenceMs, long graceMs)
    {
        DifferenceMs = differenceMs;
        GraceMs = graceMs;
    }

    /// <summary>How far apart the records of a window can be, in milliseconds.</summary>
    public long DifferenceMs { get; }

    /// <summary>How long after its end a window still takes late records, in milliseconds of stream
    /// time.</summary>
    public long GraceMs { get; }

    internal long LeastRetentionMs => 2 * DifferenceMs + GraceMs;

    /// <summary>Windows that take no late records.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The difference is negative.</exception>
    public static SlidingWindows OfTimeDifferenceWithNoGrace(TimeSpan difference) =>
        OfTimeDifferenceAndGrace(difference, TimeSpan.Zero);

    /// <summary>Windows that take late records for a while.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The difference or the grace is negative.</exception>
    public static SlidingWindows OfTimeDifferenceAndGrace(TimeSpan difference, TimeSpan grace)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(difference.TotalMilliseconds, 0, nameof(difference));
        ArgumentOutOfRangeException.ThrowIfLessThan(grace.TotalMilliseconds, 0, nameof(grace));
        return new SlidingWindows((long)difference.TotalMilliseconds, (long)grace.TotalMilliseconds);
    }
}

/// <summary>Windows of a key's activity: records that are no further apart than the gap are in one session.
/// Start and end are the times of its first and last record, both inclusive.</summary>
/// <remarks>Source: Kafka Streams' SessionWindows.</remarks>
public sealed record SessionWindows
{
    private SessionWindows(long gapMs, long graceMs)
    {
        GapMs = gapMs;
        GraceMs = graceMs;
    }

    /// <summary>The longest inactivity within a session, in milliseconds.</summary>
    public long GapMs { get; }

    /// <summary>How long after a session could last have been extended it still takes late records, in
    /// milliseconds of stream time.</summary>
    public long GraceMs { get; }

    internal long LeastRetentionMs => GapMs + GraceMs;

    /// <summary>Sessions that take no late records.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The gap is under a millisecond.</exception>
    public static SessionWindows OfInactivityGapWithNoGrace(TimeSpan gap) =>
        OfInactivityGapAndGrace(gap, TimeSpan.Zero);

    /// <summary>Sessions that take late records for a while.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The gap is under a millisecond or the grace
    /// negative.</exception>
    public static SessionWindows OfInactivityGapAndGrace(TimeSpan gap, TimeSpan grace)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(gap.TotalMilliseconds, 1, nameof(gap));
        ArgumentOutOfRangeException.ThrowIfLessThan(grace.TotalMilliseconds, 0, nameof(grace));
        return new SessionWindows((long)gap.TotalMilliseconds, (long)grace.TotalMilliseconds);
    }
}

/// <summary>How far apart two records of joined streams can be: the other one at most <see cref="BeforeMs"/>
/// earlier and <see cref="AfterMs"/> later.</summary>
/// <remarks>Source: Kafka Streams' JoinWindows.</remarks>
public sealed record JoinWindows
{
    private JoinWindows(long beforeMs, long afterMs, long graceMs)
    {
        if (beforeMs + afterMs < 0)
            throw new ArgumentException(
                $"A join window from {beforeMs} ms before to {afterMs} ms after a record holds nothing.");
        ArgumentOutOfRangeException.ThrowIfNegative(graceMs, "grace");
        BeforeMs = beforeMs;
        AfterMs = afterMs;
        GraceMs = graceMs;
    }

    /// <summary>How much earlier the right record can be, in milliseconds.</summary>
    public long BeforeMs { get; }

    /// <summary>How much later the right record can be, in milliseconds.</summary>
    public long AfterMs { get; }

    /// <summary>How long records are kept beyond that for late ones, in milliseconds of stream
    /// time.</summary>
    public long GraceMs { get; }

    internal long SizeMs => BeforeMs + AfterMs;

    internal long RetentionMs => SizeMs + GraceMs;

    /// <summary>The same difference to both sides, and no late records.</summary>
    public static JoinWindows OfTimeDifferenceWithNoGrace(TimeSpan difference) =>
        OfTimeDifferenceAndGrace(difference, TimeSpan.Zero);

    /// <summary>The same difference to both sides.</summary>
    /// <exception cref="ArgumentException">The difference or the grace is negative.</exception>
    public static JoinWindows OfTimeDifferenceAndGrace(TimeSpan difference, TimeSpan grace) => new(
        (long)difference.TotalMilliseconds, (long)difference.TotalMilliseconds,
        (long)grace.TotalMilliseconds);

    /// <summary>The same windows with another bound before; a negative one is after.</summary>
    /// <exception cref="ArgumentException">Nothing is between the bounds.</exception>
    public JoinWindows Before(TimeSpan before) => new((long)before.TotalMilliseconds, AfterMs, GraceMs);

    /// <summary>The same windows with another bound after; a negative one is before.</summary>
    /// <exception cref="ArgumentException">Nothing is between the bounds.</exception>
    public JoinWindows After(TimeSpan after) => new(BeforeMs, (long)after.TotalMilliseconds, GraceMs);
}

/// <summary>When a windowed aggregate is emitted.</summary>
public enum EmitStrategy
{
    /// <summary>At every update of a window.</summary>
    OnWindowUpdate,

    /// <summary>Once, when the window and its grace are over.</summary>
    OnWindowClose,
}
