namespace Streams.Records;

/// <summary>Values on the straight line between two others. Whole numbers stay whole: what lies between two
/// of them is rounded towards the first. Nothing overflows, and no amount ever becomes a double.</summary>
public static class Interpolate
{
    /// <summary>Between two signed numbers.</summary>
    /// <param name="from">The value at the beginning.</param>
    /// <param name="to">The value at the end.</param>
    /// <param name="elapsedMs">Milliseconds from the beginning, 0 to <paramref name="spanMs"/>.</param>
    /// <param name="spanMs">Milliseconds from beginning to end, above 0.</param>
    public static long Int64(long from, long to, long elapsedMs, long spanMs) =>
        (long)(from + ((Int128)to - from) * elapsedMs / spanMs);

    /// <summary>Between two unsigned numbers; see <see cref="Int64"/>.</summary>
    public static ulong UInt64(ulong from, ulong to, long elapsedMs, long spanMs) =>
        (ulong)(from + ((Int128)to - from) * elapsedMs / spanMs);

    /// <summary>Between two unsigned 256-bit numbers; see <see cref="Int64"/>.</summary>
    public static UInt256 UInt256(UInt256 from, UInt256 to, long elapsedMs, long spanMs) => to >= from
        ? from + Share(to - from, (ulong)elapsedMs, (ulong)spanMs)
        : from - Share(from - to, (ulong)elapsedMs, (ulong)spanMs);

    /// <summary>Between two measurements; see <see cref="Int64"/>.</summary>
    public static double Double(double from, double to, long elapsedMs, long spanMs) =>
        from + (to - from) * elapsedMs / spanMs;

    // Quotient and rest are multiplied apart, so that the product fits however large the difference is.
    private static UInt256 Share(in UInt256 difference, ulong elapsed, ulong span)
    {
        UInt256 rest = difference % span;
        return difference / span * elapsed + rest * elapsed / span;
    }
}
