using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Streams.State;

namespace Streams.Topologies.Transactions.State;

/// <summary>What is known of an address, before its panes.</summary>
[StructLayout(LayoutKind.Sequential, Size = Bytes)]
internal struct AddressState
{
    internal const int Bytes = 64;

    /// <summary>The entity that the address was put into first; 0 for none. The entity may have merged
    /// since.</summary>
    internal long EntityId;

    /// <summary>When it first appeared, Unix milliseconds.</summary>
    internal long FirstSeenMs;

    /// <summary>When it first received; 0 for never.</summary>
    internal long FirstReceivedMs;

    internal long ReceivedTotal;

    /// <summary>Sum of what it spent, as far as known.</summary>
    internal long SentTotal;

    /// <summary>The transaction that was counted last, by the task's own number.</summary>
    internal long LastTransaction;

    internal int Transactions;

    /// <summary>Times that it received.</summary>
    internal int Receipts;

    internal int HourPanes;

    internal int Unused;
}

/// <summary>The addresses that were seen, by address text.</summary>
internal sealed class AddressTable(BytesStore store)
{
    private readonly ActivityPane[] _scratch = new ActivityPane[64];

    /// <summary>Starts loading where a lookup begins.</summary>
    /// <returns>What <see cref="PrefetchEntry"/> wants.</returns>
    internal uint Prefetch(ReadOnlySpan<byte> address) => store.Prefetch(address);

    /// <summary>Starts loading what a lookup finds.</summary>
    internal void PrefetchEntry(uint hash) => store.PrefetchEntry(hash);

    /// <summary>Whether the address was seen before.</summary>
    internal bool TryGet(ReadOnlySpan<byte> address, out AddressState state)
    {
        bool found = store.TryGet(address, out ReadOnlySpan<byte> value);
        state = found ? MemoryMarshal.Read<AddressState>(value) : default;
        return found;
    }

    /// <summary>Reads an address with its panes; they are valid until the next change of any
    /// address.</summary>
    internal bool TryGet(
        ReadOnlySpan<byte> address, out AddressState state, out ReadOnlySpan<ActivityPane> panes)
    {
        bool found = store.TryGet(address, out ReadOnlySpan<byte> value);
        state = found ? MemoryMarshal.Read<AddressState>(value) : default;
        panes = found ? ActivityPanes.Of(value, AddressState.Bytes) : default;
        return found;
    }

    /// <summary>Sets the entity of an address that is there.</summary>
    internal void SetEntity(ReadOnlySpan<byte> address, long entityId)
    {
        if (store.TryChange(address, out Span<byte> value))
            MemoryMarshal.AsRef<AddressState>(value).EntityId = entityId;
    }

    /// <summary>Notes that an address takes part in a transaction.</summary>
    /// <param name="address">The address.</param>
    /// <param name="movement">What it does there.</param>
    /// <returns>The entity that it was put into first; 0 for none.</returns>
    internal long Record(ReadOnlySpan<byte> address, in Movement movement)
    {
        bool existed = store.TryFind(address, out StoreEntry entry, out ReadOnlySpan<byte> before);
        ReadOnlySpan<ActivityPane> old = existed ? ActivityPanes.Of(before, AddressState.Bytes) : default;
        int hours = existed ? MemoryMarshal.Read<AddressState>(before).HourPanes : 0;
        PanePlan plan = ActivityPanes.Plan(old, hours, movement.EventMs);
        Span<byte> value;
        if (existed && !plan.Moves)
        {
            value = store.Change(entry);
        }
        else
        {
            old.CopyTo(_scratch);
            int valueBytes = AddressState.Bytes + plan.Count * ActivityPanes.PaneBytes;
            value = existed ? store.Resize(entry, valueBytes) : store.Put(address, valueBytes, out _);
            if (!existed)
                value[..AddressState.Bytes].Clear();
            ActivityPanes.Apply(
                _scratch.AsSpan(0, old.Length), hours, ActivityPanes.Of(value, AddressState.Bytes), plan);
        }
        return Update(value, movement, plan);
    }

    private static long Update(Span<byte> value, in Movement movement, in PanePlan plan)
    {
        ref AddressState state = ref MemoryMarshal.AsRef<AddressState>(value);
        bool counted = state.LastTransaction == movement.Transaction;
        if (state.FirstSeenMs == 0 || movement.EventMs < state.FirstSeenMs)
            state.FirstSeenMs = movement.EventMs;
        if (movement.Received > 0 && (state.FirstReceivedMs == 0 || movement.EventMs < state.FirstReceivedMs))
            state.FirstReceivedMs = movement.EventMs;
        state.ReceivedTotal += movement.Received;
        state.SentTotal += movement.Sent;
        state.Receipts += movement.Received > 0 ? 1 : 0;
        state.Transactions += counted ? 0 : 1;
        state.LastTransaction = movement.Transaction;
        state.HourPanes = plan.Hours.Count;
        Span<ActivityPane> panes = ActivityPanes.Of(value, AddressState.Bytes);
        if (plan.Hours.Place >= 0)
            Add(ref panes[plan.Hours.Place], movement, counted);
        if (plan.Days.Place >= 0)
            Add(ref panes[plan.Hours.Count + plan.Days.Place], movement, counted);
        return state.EntityId;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Add(ref ActivityPane pane, in Movement movement, bool counted)
    {
        if (!counted && pane.Transactions < ushort.MaxValue)
            pane.Transactions++;
        if (pane.NearLimit <= ushort.MaxValue - movement.NearLimit)
            pane.NearLimit += movement.NearLimit;
        pane.Received += movement.Received;
        pane.Sent += movement.Sent;
    }
}

/// <summary>What an address or an entity does in a transaction.</summary>
/// <param name="Transaction">The task's own number of the transaction.</param>
/// <param name="EventMs">Its time.</param>
/// <param name="Received">What is received.</param>
/// <param name="Sent">What is sent, as far as known.</param>
/// <param name="NearLimit">Transfers just under the reporting limit.</param>
internal readonly record struct Movement(
    long Transaction, long EventMs, long Received, long Sent, ushort NearLimit);
