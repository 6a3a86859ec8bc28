using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Streams.State;

namespace Streams.Topologies.Transactions.State;

/// <summary>A cluster of addresses that one party is taken to control, before its panes.</summary>
[StructLayout(LayoutKind.Sequential, Size = Bytes)]
internal struct EntityState
{
    internal const int Bytes = 48;

    /// <summary>The entity that it became part of; itself while it is a whole of its own.</summary>
    internal long Parent;

    internal long FirstSeenMs;

    internal long LastTransaction;

    internal int Addresses;

    internal int Transactions;

    internal int HourPanes;

    /// <summary>Country of the actor that one of its addresses is tagged with: two letters, 0 for
    /// none.</summary>
    internal ushort Country;

    internal ushort Unused;

    /// <summary>Categories of its tagged addresses.</summary>
    internal ulong Categories;
}

/// <summary>
/// Entities as a union-find over state: merging points the smaller at the larger, finding shortens the way.
/// The number of an entity is given when it comes into being, in the order of the chain.
/// </summary>
internal sealed class EntityTable(BytesStore store)
{
    private const int KeyBytes = 8;

    // No entity has number 0; its entry holds the last number given.
    private const long CounterId = 0;

    private readonly byte[] _key = new byte[KeyBytes];
    private readonly ActivityPane[] _scratch = new ActivityPane[64];

    /// <summary>The entity that a number stands for by now.</summary>
    internal long Find(long id)
    {
        long root = id;
        for (long parent = Parent(root); parent != root; parent = Parent(root))
            root = parent;
        while (id != root)
        {
            long next = Parent(id);
            if (next != root)
                State(id).Parent = root;
            id = next;
        }
        return root;
    }

    /// <summary>Reads an entity.</summary>
    internal bool TryGet(long id, out EntityState state)
    {
        bool found = store.TryGet(Key(id), out ReadOnlySpan<byte> value);
        state = found ? MemoryMarshal.Read<EntityState>(value) : default;
        return found;
    }

    /// <summary>Reads an entity with its panes; they are valid until the next change of any entity.</summary>
    internal bool TryGet(long id, out EntityState state, out ReadOnlySpan<ActivityPane> panes)
    {
        bool found = store.TryGet(Key(id), out ReadOnlySpan<byte> value);
        state = found ? MemoryMarshal.Read<EntityState>(value) : default;
        panes = found ? ActivityPanes.Of(value, EntityState.Bytes) : default;
        return found;
    }

    /// <summary>Opens an entity for change; valid until the next change of any entity's panes.</summary>
    internal ref EntityState State(long id)
    {
        if (!store.TryChange(Key(id), out Span<byte> value))
            throw new InvalidOperationException($"There is no entity {id}.");
        return ref MemoryMarshal.AsRef<EntityState>(value);
    }

    /// <summary>Makes an entity of one address.</summary>
    internal long Create(long eventMs)
    {
        long id = ++store.GetOrAdd<long>(Key(CounterId), out _);
        Span<byte> value = store.Put(Key(id), EntityState.Bytes, out _);
        value.Clear();
        ref EntityState state = ref MemoryMarshal.AsRef<EntityState>(value);
        state.Parent = id;
        state.FirstSeenMs = eventMs;
        state.Addresses = 1;
        return id;
    }

    /// <summary>Merges two entities.</summary>
    /// <returns>The one that stays: the larger, of equals the older.</returns>
    internal long Merge(long a, long b)
    {
        a = Find(a);
        b = Find(b);
        if (a == b)
            return a;
        TryGet(a, out EntityState first);
        TryGet(b, out EntityState second);
        bool keepFirst = first.Addresses != second.Addresses ? first.Addresses > second.Addresses : a < b;
        (long kept, long gone) = keepFirst ? (a, b) : (b, a);
        EntityState absorbed = keepFirst ? second : first;
        State(gone).Parent = kept;
        ref EntityState state = ref State(kept);
        state.Addresses += absorbed.Addresses;
        state.Transactions += absorbed.Transactions;
        state.FirstSeenMs = Math.Min(state.FirstSeenMs, absorbed.FirstSeenMs);
        state.Categories |= absorbed.Categories;
        if (state.Country == 0)
            state.Country = absorbed.Country;
        return kept;
    }

    /// <summary>Notes that an entity takes part in a transaction.</summary>
    internal void Record(long id, in Movement movement)
    {
        if (!store.TryFind(Key(id), out StoreEntry entry, out ReadOnlySpan<byte> before))
            return;
        ReadOnlySpan<ActivityPane> old = ActivityPanes.Of(before, EntityState.Bytes);
        int hours = MemoryMarshal.Read<EntityState>(before).HourPanes;
        PanePlan plan = ActivityPanes.Plan(old, hours, movement.EventMs);
        old.CopyTo(_scratch);
        int oldCount = old.Length;
        Span<byte> value =
            store.Resize(entry, EntityState.Bytes + plan.Count * ActivityPanes.PaneBytes);
        Span<ActivityPane> panes = ActivityPanes.Of(value, EntityState.Bytes);
        if (plan.Moves)
            ActivityPanes.Apply(_scratch.AsSpan(0, oldCount), hours, panes, plan);
        ref EntityState state = ref MemoryMarshal.AsRef<EntityState>(value);
        bool counted = state.LastTransaction == movement.Transaction;
        state.HourPanes = plan.Hours.Count;
        state.LastTransaction = movement.Transaction;
        state.Transactions += counted ? 0 : 1;
        if (plan.Hours.Place >= 0)
            AddressTable.Add(ref panes[plan.Hours.Place], movement, counted);
        if (plan.Days.Place >= 0)
            AddressTable.Add(ref panes[plan.Hours.Count + plan.Days.Place], movement, counted);
    }

    private long Parent(long id) => TryGet(id, out EntityState state)
        ? state.Parent
        : throw new InvalidOperationException($"There is no entity {id}.");

    private ReadOnlySpan<byte> Key(long id)
    {
        BinaryPrimitives.WriteInt64BigEndian(_key, id);
        return _key;
    }
}
