using System.Buffers.Binary;
using Streams.Connectors.Chain;
using Streams.Dsl;
using Streams.Records;
using Streams.State;
using Streams.Topologies.Transactions.Prices;
using Streams.Topologies.Transactions.State;
using Streams.Topologies.Transactions.Tags;

namespace Streams.Topologies.Transactions;

/// <summary>Runs the analysis over the transactions of a task, and passes on what changed beside
/// them.</summary>
internal sealed class AnalysisProcessor(
    RiskOptions options, TagTable tags, PriceTable prices, SideOutput<long, Entity> entityOutput,
    SideOutput<RiskLevel, BlockRisk> riskOutput)
    : IProcessor<Bytes32, ChainTransaction, Bytes32, ChainTransaction>
{
    internal const string Outputs = "outputs";
    internal const string Addresses = "addresses";
    internal const string Entities = "entities";

    private readonly Entity _entity = new();
    private readonly byte[] _risksKey = "risk"u8.ToArray();
    private ProcessorContext<Bytes32, ChainTransaction> _context = null!;
    private Forwarder<long, Entity> _entities;
    private Forwarder<RiskLevel, BlockRisk> _risk;
    private TransactionAnalyser _analyser = null!;
    private BytesStore _store = null!;

    public void Init(ProcessorContext<Bytes32, ChainTransaction> context)
    {
        _context = context;
        _entities = context.Output(entityOutput);
        _risk = context.Output(riskOutput);
        _store = context.GetStore<BytesStore>(Entities);
        _analyser = new TransactionAnalyser(
            options, tags, prices, context.GetStore<BytesStore>(Outputs),
            context.GetStore<BytesStore>(Addresses), _store);
    }

    public void Process(in Record<Bytes32, ChainTransaction> record)
    {
        ChainTransaction tx = record.Value;
        _analyser.Analyse(tx);
        _context.Forward(record);
        CountRisk(tx, record.TimestampMs);
        // While a block is retracted, its entities were set back already.
        if (tx.Op == Operation.Retract)
            return;
        for (int i = 0; i < _analyser.ChangedEntities.Count; i++)
            PassEntity(_analyser.ChangedEntities[i], record.TimestampMs);
    }

    /// <summary>Passes on an entity as it is now, or that there is none of that number any more.</summary>
    private void PassEntity(long id, long timestampMs)
    {
        EntityRecords.Fill(_entity, id, _analyser.Entities);
        _entities.Forward(new Record<long, Entity>(id, _entity, timestampMs));
    }

    // One record per level and block, at the block's last transaction; until then the sums are state like any
    // other.
    private void CountRisk(ChainTransaction tx, long timestampMs)
    {
        ref BlockRisks risks = ref _store.GetOrAdd<BlockRisks>(_risksKey, out _);
        ref BlockRisk level = ref risks[(int)tx.Analysis.Value.Level];
        int sign = tx.Op == Operation.Append ? 1 : -1;
        level.Transactions += sign;
        level.ValueBase += sign * tx.OutputSumBase;
        if (tx.TxIndex is { } index && tx.BlockTxCount is { } count && index < count - 1)
            return;
        BlockRisks whole = risks;
        risks = default;
        for (int i = 0; i < BlockRisks.Levels; i++)
        {
            if (whole[i].Transactions != 0)
                _risk.Forward(new Record<RiskLevel, BlockRisk>((RiskLevel)i, whole[i], timestampMs));
        }
    }
}

/// <summary>Makes entity records.</summary>
internal static class EntityRecords
{
    private const long NanosecondsPerMillisecond = 1_000_000;

    /// <summary>Fills a record with an entity as it is now; retracted where there is none of that
    /// number.</summary>
    internal static void Fill(Entity record, long id, EntityTable entities)
    {
        record.Memory.Clear();
        record.EntityId = id;
        bool exists = entities.TryGet(id, out EntityState state);
        record.Op = exists ? Operation.Append : Operation.Retract;
        record.MergedInto = exists && state.Parent != id ? state.Parent : null;
        record.Addresses = state.Addresses;
        record.FirstSeenNs = state.FirstSeenMs * NanosecondsPerMillisecond;
        record.Categories = state.Categories == 0
            ? null
            : record.Memory.Text(new TagCategorySet((uint)state.Categories).ToString());
        Span<char> country = [(char)(state.Country >> 8), (char)(state.Country & 0xFF)];
        record.Country = state.Country == 0 ? null : record.Memory.Text(country);
    }

    /// <summary>The number in a key of the entities' store; 0 where the key is of something else.</summary>
    internal static long IdOf(ReadOnlySpan<byte> key) =>
        key.Length == sizeof(long) ? BinaryPrimitives.ReadInt64BigEndian(key) : 0;
}
