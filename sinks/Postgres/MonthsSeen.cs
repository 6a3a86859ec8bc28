namespace Streams.Sinks.Postgres;

/// <summary>The months, UTC, that rows of a divided table lie in: which have a partition, and which need
/// one.</summary>
internal sealed class MonthsSeen(string table, int partitionsMax)
{
    private const int MonthsPerYear = 12;
    private const long NanosecondsPerTick = 100;

    private readonly HashSet<int> _known = [];
    private readonly List<int> _wanted = [];
    private long _startNs = 1;
    private long _endNs;

    /// <summary>Months without a partition, as <see cref="StartOf"/> counts them.</summary>
    internal IReadOnlyList<int> Wanted => _wanted;

    /// <summary>Whether the table has partitions; without, nothing is noted.</summary>
    internal bool IsDivided { get; set; }

    /// <summary>Notes the month of an instant.</summary>
    /// <exception cref="RowRefusedException">It would be one partition too many.</exception>
    internal void Note(long nanoseconds)
    {
        if (!IsDivided || (nanoseconds >= _startNs && nanoseconds < _endNs))
            return;
        DateTime time = TimeOf(nanoseconds);
        int month = time.Year * MonthsPerYear + time.Month - 1;
        if (!_known.Contains(month) && !_wanted.Contains(month))
        {
            if (_known.Count + _wanted.Count >= partitionsMax)
                throw new RowRefusedException(
                    $"Its month, {time:yyyy-MM}, would be one partition of {table} more than the " +
                    $"{partitionsMax} that 'partitions_max' allows.");
            _wanted.Add(month);
        }
        _startNs = NanosecondsOf(month);
        _endNs = NanosecondsOf(month + 1);
    }

    /// <summary>Says that a month has its partition.</summary>
    internal void Add(int month)
    {
        _known.Add(month);
        _wanted.Remove(month);
    }

    /// <summary>Forgets which partitions there are.</summary>
    internal void Clear()
    {
        _known.Clear();
        _wanted.Clear();
        (_startNs, _endNs) = (1, 0);
    }

    /// <summary>The first instant of a month.</summary>
    internal static DateTime StartOf(int month) =>
        new(month / MonthsPerYear, month % MonthsPerYear + 1, 1, 0, 0, 0, DateTimeKind.Utc);

    /// <summary>The month of its first instant.</summary>
    internal static int Of(DateTime start) => start.Year * MonthsPerYear + start.Month - 1;

    /// <summary>The first instant of a month; the last one there is for a month that is not in
    /// range.</summary>
    internal static long NanosecondsOf(int month)
    {
        Int128 ticks = StartOf(month).Ticks - DateTime.UnixEpoch.Ticks;
        return (long)Int128.Clamp(ticks * NanosecondsPerTick, long.MinValue, long.MaxValue);
    }

    private static DateTime TimeOf(long nanoseconds) =>
        DateTime.UnixEpoch.AddTicks(
            nanoseconds / NanosecondsPerTick - (nanoseconds % NanosecondsPerTick < 0 ? 1 : 0));
}
