using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Streams.Topologies.Transactions.State;

/// <summary>What somebody did in one hour or one day.</summary>
[StructLayout(LayoutKind.Sequential, Size = 24)]
internal struct ActivityPane
{
    /// <summary>Hours or days since 1970.</summary>
    internal int Index;
    internal ushort Transactions;
    internal ushort NearLimit;
    internal long Received;
    internal long Sent;
}

/// <summary>
/// Activity of an address or an entity by hour for the last day and by day for the last thirty: the panes of
/// hopping windows of 1 h, 24 h (advance one hour) and 7 d (advance one day). Most have one pane of each, so
/// that a million addresses stay small.
/// </summary>
/// <remarks>Panes lie behind a fixed header in a store's value: first the hours, then the days, each by
/// index.</remarks>
internal static class ActivityPanes
{
    internal const int PaneBytes = 24;
    internal const long HourMs = 3_600_000;
    internal const long DayMs = 24 * HourMs;

    private const int HoursKept = 24;
    private const int DaysKept = 30;

    /// <summary>What the panes of an entry are going to look like once an instant is in them.</summary>
    /// <param name="panes">Hours, then days.</param>
    /// <param name="hours">How many of them are hours.</param>
    /// <param name="eventMs">The instant.</param>
    internal static PanePlan Plan(ReadOnlySpan<ActivityPane> panes, int hours, long eventMs)
    {
        var hour = (int)(eventMs / HourMs);
        var day = (int)(eventMs / DayMs);
        return new PanePlan(
            Plan(panes[..hours], hour, HoursKept), Plan(panes[hours..], day, DaysKept), hour, day);
    }

    /// <summary>Moves the panes from how they were to how the plan has them; a new pane is empty.</summary>
    /// <param name="old">A copy of the panes as they were.</param>
    /// <param name="hours">How many of them were hours.</param>
    /// <param name="panes">Takes the panes; as long as the plan says.</param>
    /// <param name="plan">The plan.</param>
    internal static void Apply(
        ReadOnlySpan<ActivityPane> old, int hours, Span<ActivityPane> panes, in PanePlan plan)
    {
        Apply(old[..hours], panes[..plan.Hours.Count], plan.Hours, plan.Hour);
        Apply(old[hours..], panes[plan.Hours.Count..], plan.Days, plan.Day);
    }

    /// <summary>Sums the panes whose index is in a range, ends included.</summary>
    internal static ActivityPane Sum(ReadOnlySpan<ActivityPane> panes, int from, int to)
    {
        var sum = default(ActivityPane);
        int transactions = 0;
        int nearLimit = 0;
        foreach (ref readonly ActivityPane pane in panes)
        {
            if (pane.Index < from || pane.Index > to)
                continue;
            transactions += pane.Transactions;
            nearLimit += pane.NearLimit;
            sum.Received += pane.Received;
            sum.Sent += pane.Sent;
        }
        sum.Transactions = (ushort)Math.Min(transactions, ushort.MaxValue);
        sum.NearLimit = (ushort)Math.Min(nearLimit, ushort.MaxValue);
        return sum;
    }

    /// <summary>The panes behind a header of that length.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Span<ActivityPane> Of(Span<byte> value, int headerBytes) =>
        MemoryMarshal.Cast<byte, ActivityPane>(value[headerBytes..]);

    /// <inheritdoc cref="Of(Span{byte}, int)"/>
    internal static ReadOnlySpan<ActivityPane> Of(ReadOnlySpan<byte> value, int headerBytes) =>
        MemoryMarshal.Cast<byte, ActivityPane>(value[headerBytes..]);

    // Panes too old for the newest window go; a pane older than those would be, is not made: its place is -1.
    private static PaneRow Plan(ReadOnlySpan<ActivityPane> row, int index, int kept)
    {
        int newest = row.IsEmpty ? index : Math.Max(row[^1].Index, index);
        int drop = 0;
        while (drop < row.Length && row[drop].Index <= newest - kept)
            drop++;
        if (index <= newest - kept)
            return new PaneRow(drop, row.Length - drop, -1, false);
        int place = row.Length;
        while (place > drop && row[place - 1].Index >= index)
            place--;
        bool insert = place == row.Length || row[place].Index != index;
        return new PaneRow(drop, row.Length - drop + (insert ? 1 : 0), place - drop, insert);
    }

    private static void Apply(
        ReadOnlySpan<ActivityPane> old, Span<ActivityPane> row, in PaneRow plan, int index)
    {
        old = old[plan.Drop..];
        if (!plan.Insert)
        {
            old.CopyTo(row);
            return;
        }
        old[..plan.Place].CopyTo(row);
        row[plan.Place] = new ActivityPane { Index = index };
        old[plan.Place..].CopyTo(row[(plan.Place + 1)..]);
    }
}

/// <summary>How a row of panes changes.</summary>
/// <param name="Drop">Panes that go, from the oldest.</param>
/// <param name="Count">Panes afterwards.</param>
/// <param name="Place">Where the current pane is afterwards; -1 where it would be too old to keep.</param>
/// <param name="Insert">Whether the current pane is new.</param>
internal readonly record struct PaneRow(int Drop, int Count, int Place, bool Insert)
{
    /// <summary>Whether panes come or go.</summary>
    internal bool Moves => Drop > 0 || Insert;
}

/// <summary>How the panes of an entry change.</summary>
internal readonly record struct PanePlan(PaneRow Hours, PaneRow Days, int Hour, int Day)
{
    /// <summary>Panes afterwards.</summary>
    internal int Count => Hours.Count + Days.Count;

    /// <summary>Whether panes come or go.</summary>
    internal bool Moves => Hours.Moves || Days.Moves;
}
