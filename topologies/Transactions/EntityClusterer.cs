using Streams.Connectors.Chain;
using Streams.Records;
using Streams.Topologies.Transactions.State;

namespace Streams.Topologies.Transactions;

/// <summary>
/// Puts the addresses that a transaction spends from into one entity: whoever signs for all of them controls
/// all of them. Not where the transaction looks like a CoinJoin, in which strangers sign together.
/// </summary>
internal sealed class EntityClusterer(AddressTable addresses, EntityTable entities)
{
    private const int MultiInputConfidence = 80;
    private const int TaggedConfidence = 95;

    private readonly List<long> _changed = [];
    private readonly Dictionary<ushort, Text> _countries = [];

    /// <summary>Entities that came to be, grew or merged with the last transaction, each once.</summary>
    internal IReadOnlyList<long> Changed => _changed;

    /// <summary>Finds the entity that spends, merging where the transaction shows that entities are
    /// one.</summary>
    internal void Cluster(
        ChainTransaction tx, ref TransactionAnalysis analysis, bool keepApart, long eventMs,
        SpentOutput[] spent)
    {
        _changed.Clear();
        if (keepApart)
        {
            analysis.CoinJoinSuppressed = true;
            NameInputs(tx);
            return;
        }
        long entity = 0;
        Text only = default;
        bool hasOnly = false;
        foreach (ref TransactionInput input in tx.Inputs.Items)
        {
            if (input.Address is not { } address || (hasOnly && entity == 0 && address == only))
                continue;
            addresses.TryGet(address.Span, out AddressState state);
            if (!hasOnly)
            {
                // The first address alone makes no entity.
                (only, hasOnly) = (address, true);
                entity = state.EntityId == 0 ? 0 : entities.Find(state.EntityId);
                continue;
            }
            if (entity == 0)
                entity = Start(only, eventMs);
            entity = Join(entity, address, state.EntityId);
        }
        if (entity == 0)
            return;
        Describe(tx, ref analysis, entity, spent);
        foreach (ref TransactionInput input in tx.Inputs.Items)
        {
            if (input.Address is not null)
                input.EntityId = entity;
        }
    }

    /// <summary>The country of an entity; absent where none of its addresses says.</summary>
    internal Text? CountryOf(long entity) =>
        entities.TryGet(entity, out EntityState state)
            && state.Country != 0 ? CountryText(state.Country) : null;

    /// <summary>A country as text.</summary>
    internal Text CountryText(ushort country)
    {
        if (!_countries.TryGetValue(country, out Text text))
            _countries[country] = text = new Text($"{(char)(country >> 8)}{(char)(country & 0xFF)}");
        return text;
    }

    private long Start(Text address, long eventMs)
    {
        long entity = entities.Create(eventMs);
        addresses.SetEntity(address.Span, entity);
        NoteChanged(entity);
        return entity;
    }

    private long Join(long entity, Text address, long other)
    {
        if (other == 0)
        {
            // Its entity may have been set by an earlier input of this transaction.
            addresses.SetEntity(address.Span, entity);
            entities.State(entity).Addresses++;
            NoteChanged(entity);
            return entity;
        }
        other = entities.Find(other);
        if (other == entity)
            return entity;
        long kept = entities.Merge(entity, other);
        NoteChanged(kept);
        NoteChanged(kept == entity ? other : entity);
        return kept;
    }

    private void Describe(
        ChainTransaction tx, ref TransactionAnalysis analysis, long entity, SpentOutput[] spent)
    {
        analysis.EntityId = entity;
        analysis.ClusterMethod = ClusterMethod.MultiInput;
        analysis.ClusterConfidence = MultiInputConfidence;
        for (int i = 0; i < tx.Inputs.Count; i++)
        {
            if (spent[i].Tags is not { } tags)
                continue;
            ref EntityState state = ref entities.State(entity);
            ulong categories = state.Categories | tags.Categories.Bits;
            ushort country = state.Country != 0 || tags.Country is not { Length: 2 } text
                ? state.Country
                : (ushort)(text.Span[0] << 8 | text.Span[1]);
            if (categories == state.Categories && country == state.Country)
                continue;
            (state.Categories, state.Country) = (categories, country);
            NoteChanged(entity);
        }
        if (entities.TryGet(entity, out EntityState now) && now.Categories != 0)
        {
            analysis.ClusterMethod = ClusterMethod.Tag;
            analysis.ClusterConfidence = TaggedConfidence;
        }
    }

    private void NameInputs(ChainTransaction tx)
    {
        foreach (ref TransactionInput input in tx.Inputs.Items)
        {
            if (input.Address is { } address && addresses.TryGet(address.Span, out AddressState state)
                && state.EntityId != 0)
                input.EntityId = entities.Find(state.EntityId);
        }
    }

    private void NoteChanged(long entity)
    {
        if (!_changed.Contains(entity))
            _changed.Add(entity);
    }
}
