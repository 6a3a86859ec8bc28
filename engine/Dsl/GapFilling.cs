using Streams.Processing;
using Streams.Records;

namespace Streams.Dsl;

/// <summary>Makes the value between two values of a key.</summary>
/// <typeparam name="TValue">The value's type.</typeparam>
/// <param name="from">The value before, an instance of its own for each call: it may be changed and
/// returned.</param>
/// <param name="to">The value after; it must not be changed.</param>
/// <param name="elapsedMs">Milliseconds from the one before to the time that is filled.</param>
/// <param name="spanMs">Milliseconds from the one before to the one after.</param>
public delegate TValue Interpolator<TValue>(TValue from, TValue to, long elapsedMs, long spanMs);

/// <summary>How the gaps in a key's records are filled.</summary>
/// <typeparam name="TValue">The value's type.</typeparam>
public sealed record GapFilling<TValue>
{
    // A record that makes more records than that is a mistake in the options, not a gap.
    private const long FillsPerGapMax = 100_000;

    internal GapFilling(TimeSpan interval, Func<Interpolator<TValue>>? interpolator)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(interval, TimeSpan.FromMilliseconds(1));
        Interval = interval;
        MaxGap = 10 * interval;
        Interpolator = interpolator;
    }

    /// <summary>Length of a slot: each should have a record. Slots begin at multiples of it since
    /// 1970.</summary>
    public TimeSpan Interval { get; }

    /// <summary>Two records of a key that are further apart than this leave their gap open. Default ten
    /// intervals.</summary>
    public TimeSpan MaxGap { get; init; }

    /// <summary>How long after its last record a key that has gone quiet is filled, as stream time moves on;
    /// at most <see cref="MaxGap"/>. Default zero: gaps are filled when the record after them comes. Needs
    /// hold.</summary>
    public TimeSpan KeepFilling { get; init; }

    /// <summary>How much longer than a slot's end a quiet key's own record is waited for, in stream time,
    /// which other keys move on. Default zero.</summary>
    public TimeSpan Grace { get; init; }

    /// <summary>The header that filled records have, and no others; its value is <c>hold</c> or
    /// <c>linear</c>. Null for none. Default <c>filled</c>.</summary>
    public string? FilledHeader { get; init; } = "filled";

    /// <summary>Flags a filled value, such as in its quality field; null for the header only. It may change
    /// and return what it is given.</summary>
    public Func<TValue, TValue>? FlagFilled { get; init; }

    /// <summary>Name of the node; null for a generated one.</summary>
    public string? Name { get; init; }

    /// <summary>The store's name; null for a generated one, which changes when the topology does.</summary>
    public string? StoreName { get; init; }

    /// <summary>Bound on the store's memory per task, in bytes. Default 8 GiB.</summary>
    public long StateBytesMax { get; init; } = 8L << 30;

    /// <summary>Whether changes go to a changelog; without it the state is gone after a restart. Default
    /// true.</summary>
    public bool Logged { get; init; } = true;

    /// <summary>Makes the interpolator of one task; null for hold.</summary>
    internal Func<Interpolator<TValue>>? Interpolator { get; }

    internal long IntervalMs => (long)Interval.TotalMilliseconds;

    internal long MaxGapMs => (long)MaxGap.TotalMilliseconds;

    internal long KeepFillingMs => (long)KeepFilling.TotalMilliseconds;

    internal long GraceMs => (long)Grace.TotalMilliseconds;

    /// <summary>The headers of filled records.</summary>
    internal Headers Headers => FilledHeader is null
        ? default
        : Headers.Empty.With(FilledHeader, Interpolator is null ? "hold" : "linear");

    /// <summary>Refuses what cannot be meant.</summary>
    internal void Validate()
    {
        if (MaxGap < Interval)
            throw new TopologyException(
                $"A gap filling with MaxGap {MaxGap} and Interval {Interval} fills nothing: the longest gap "
                + "is shorter than a slot.");
        if (MaxGap / Interval > FillsPerGapMax)
            throw new TopologyException(
                $"A gap filling with MaxGap {MaxGap} and Interval {Interval} could make "
                + $"{MaxGap / Interval:N0} records of one gap; at most {FillsPerGapMax:N0} are allowed: "
                + "lower MaxGap or raise the interval.");
        if (KeepFilling < TimeSpan.Zero || KeepFilling > MaxGap)
            throw new TopologyException(
                $"KeepFilling is {KeepFilling}, and must lie between zero and MaxGap ({MaxGap}).");
        if (KeepFilling > TimeSpan.Zero && Interpolator is not null)
            throw new TopologyException(
                "KeepFilling needs hold: a linear filling has no value to go towards before the next "
                + "record comes.");
        if (Grace < TimeSpan.Zero)
            throw new TopologyException($"Grace is {Grace}, and must not be negative.");
    }
}

/// <summary>The ways to fill gaps.</summary>
public static class GapFilling
{
    /// <summary>Carries a key's last value forward.</summary>
    /// <param name="interval">Length of a slot, at least a millisecond.</param>
    public static GapFilling<TValue> Hold<TValue>(TimeSpan interval) => new(interval, null);

    /// <summary>Interpolates between the values around a gap, such as with
    /// <see cref="Interpolate.Int64"/>.</summary>
    /// <param name="interval">Length of a slot, at least a millisecond.</param>
    /// <param name="interpolator">Makes the value at a time between the two.</param>
    public static GapFilling<TValue> Linear<TValue>(TimeSpan interval, Interpolator<TValue> interpolator) =>
        new(interval, () => interpolator);

    /// <summary>Interpolates fields of a described record; the other fields keep the value that they had
    /// before the gap, and so does a field that is absent on either side.</summary>
    /// <param name="interval">Length of a slot, at least a millisecond.</param>
    /// <param name="fields">Names of numeric fields, as the record describes them.</param>
    /// <exception cref="TopologyException">The record has no such field, or it is no number.</exception>
    public static GapFilling<TValue> LinearFields<TValue>(TimeSpan interval, params string[] fields)
        where TValue : IDescribed<TValue>, new()
    {
        // Made once now, so that a name that is wrong is found before there are tasks.
        _ = new FieldInterpolation<TValue>(fields);
        return new GapFilling<TValue>(
            interval, () => new FieldInterpolation<TValue>(fields).Between);
    }
}
