using Streams.Connectors.Chain;
using Streams.Records;
using Streams.Topologies.Transactions.State;
using Streams.Topologies.Transactions.Tags;

namespace Streams.Topologies.Transactions;

/// <summary>What the spender did in the windows that hold a transaction: the first known address of the
/// inputs.</summary>
/// <remarks>
/// Transfers just under the limit are counted for whoever makes or takes them, but not held against a
/// service: one that pays thousands of customers a day pays some of them just under any limit. Its customers
/// are still counted.
/// </remarks>
internal sealed class SenderFacts(
    MoneyLimits limits, TagTable tags, AddressTable addresses, EntityTable entities)
{
    private const int DaysOfWeek = 7;

    private readonly long[] _sent = new long[32];
    private readonly int[] _transactions = new int[32];

    /// <summary>Whether an amount stays just under the reporting limit.</summary>
    internal bool IsNearLimit(long value) => limits.IsNearLimit(value);

    /// <summary>Transfers of a transaction just under the limit, to others than its first input's
    /// address.</summary>
    internal int CountNearLimit(ChainTransaction tx)
    {
        int count = 0;
        foreach (ref TransactionOutput output in tx.Outputs.Items)
        {
            if (IsNearLimit(output.Value) && !(Sender(tx) is { } sender && output.Address == sender))
                count++;
        }
        return count;
    }

    /// <summary>Gathers the sender's activity, this transaction included.</summary>
    internal void Gather(
        ChainTransaction tx, ref TransactionAnalysis analysis, scoped ref RuleFacts facts, int nearLimit)
    {
        facts.NearLimitHere = nearLimit;
        if (nearLimit > 0)
            facts.NearLimit24h = ReceiversNearLimit(tx, facts.EventMs);
        if (Sender(tx) is not { } address
            || !addresses.TryGet(address.Span, out AddressState state, out ReadOnlySpan<ActivityPane> panes))
            return;
        facts.HasSender = true;
        facts.Sender = state;
        analysis.Sender.IsPresent = true;
        ref SenderActivity activity = ref analysis.Sender.Value;
        activity = default;
        activity.AgeMs = facts.EventMs - state.FirstSeenMs;
        activity.SinceFirstReceiptMs = state.FirstReceivedMs == 0 ? null
            : facts.EventMs - state.FirstReceivedMs;
        Sum(panes, state.HourPanes, facts.EventMs, ref activity);
        bool isService = nearLimit > 0 && IsService(address);
        if (!isService)
            facts.NearLimit24h = Math.Max(facts.NearLimit24h, activity.NearLimit24h);
        facts.Sent24h = activity.Sent24h;
        facts.Transactions24h = activity.Tx24h;
        FindHabit(panes[state.HourPanes..], ref facts);
        AddEntity(analysis.EntityId, isService, ref activity, ref facts);
    }

    private static Text? Sender(ChainTransaction tx)
    {
        foreach (ref TransactionInput input in tx.Inputs.Items)
        {
            if (input.Address is { } address)
                return address;
        }
        return null;
    }

    private static void Sum(
        ReadOnlySpan<ActivityPane> panes, int hours, long eventMs, ref SenderActivity activity)
    {
        var hour = (int)(eventMs / ActivityPanes.HourMs);
        var day = (int)(eventMs / ActivityPanes.DayMs);
        ActivityPane last1 = ActivityPanes.Sum(panes[..hours], hour, hour);
        ActivityPane last24 = ActivityPanes.Sum(panes[..hours], hour - 23, hour);
        ActivityPane last7 = ActivityPanes.Sum(panes[hours..], day - DaysOfWeek + 1, day);
        (activity.Tx1h, activity.Tx24h, activity.Tx7d) = (
            last1.Transactions, last24.Transactions, last7.Transactions);
        (activity.Received1h, activity.Received24h, activity.Received7d) = (
            last1.Received, last24.Received, last7.Received);
        (activity.Sent1h, activity.Sent24h, activity.Sent7d) = (last1.Sent, last24.Sent, last7.Sent);
        activity.NearLimit24h = last24.NearLimit;
    }

    // The medians over the days before, on which something was sent.
    private void FindHabit(ReadOnlySpan<ActivityPane> days, scoped ref RuleFacts facts)
    {
        var today = (int)(facts.EventMs / ActivityPanes.DayMs);
        int count = 0;
        foreach (ref readonly ActivityPane day in days)
        {
            if (day.Index >= today || day.Sent <= 0)
                continue;
            _sent[count] = day.Sent;
            _transactions[count++] = day.Transactions;
        }
        facts.HabitDays = count;
        if (count == 0)
            return;
        _sent.AsSpan(0, count).Sort();
        _transactions.AsSpan(0, count).Sort();
        facts.MedianDaySent = _sent[count / 2];
        facts.MedianDayTransactions = _transactions[count / 2];
    }

    private int ReceiversNearLimit(ChainTransaction tx, long eventMs)
    {
        var hour = (int)(eventMs / ActivityPanes.HourMs);
        int most = 0;
        foreach (ref TransactionOutput output in tx.Outputs.Items)
        {
            if (IsNearLimit(output.Value) && output.Address is { } address && !IsService(address)
                && addresses.TryGet(
                    address.Span, out AddressState state, out ReadOnlySpan<ActivityPane> panes))
                most = Math.Max(most, ActivityPanes.Sum(panes[..state.HourPanes], hour - 23, hour).NearLimit);
        }
        return most;
    }

    private bool IsService(Text address) => tags.TryGet(address.Span, out TagEntry? entry) && entry.IsService;

    private void AddEntity(long? id, bool isService, ref SenderActivity activity, scoped ref RuleFacts facts)
    {
        if (id is not { } entity
            || !entities.TryGet(entity, out EntityState state, out ReadOnlySpan<ActivityPane> panes))
            return;
        var hour = (int)(facts.EventMs / ActivityPanes.HourMs);
        ActivityPane last24 = ActivityPanes.Sum(panes[..state.HourPanes], hour - 23, hour);
        activity.EntityTx24h = last24.Transactions;
        activity.EntitySent24h = last24.Sent;
        if (!isService)
            facts.NearLimit24h = Math.Max(facts.NearLimit24h, last24.NearLimit);
    }
}
