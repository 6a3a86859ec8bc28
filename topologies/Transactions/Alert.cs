using Streams.Connectors.Chain;
using Streams.Records;

namespace Streams.Topologies.Transactions;

/// <summary>One rule that one transaction met, for whoever has to act on it. Written once, however often a
/// run is repeated.</summary>
public sealed class Alert : IDescribed<Alert>
{
    /// <summary>Identifies the alert: transaction id and rule.</summary>
    public Text AlertId;

    /// <summary>Whether the alert holds, or its transaction left the chain.</summary>
    public Operation Op;

    /// <summary>The transaction.</summary>
    public Bytes32 TxId;

    /// <summary>The rule.</summary>
    public RiskRule Rule;

    /// <summary>The score that the rule gives.</summary>
    public int Score;

    /// <summary>The transaction's level, by all its rules.</summary>
    public RiskLevel Level;

    /// <summary>What the alert rests on.</summary>
    public Text Evidence;

    /// <summary>Event time.</summary>
    public long EventNs;

    /// <summary>The block.</summary>
    public Bytes32? BlockHash;

    /// <summary>The block's height.</summary>
    public long? BlockHeight;

    /// <summary>Sum of the transaction's outputs.</summary>
    public long OutputSumBase;

    /// <summary>The entity that spends.</summary>
    public long? EntityId;

    /// <summary>Digest of the label set.</summary>
    public Text? LabelSet;

    /// <summary>Digest of the price table; absent where limits are in base units.</summary>
    public Text? PriceSet;

    /// <summary>Owns the texts.</summary>
    public RecordMemory Memory;

    /// <inheritdoc/>
    public static RecordType RecordType { get; } = new("alert", 1, "One rule that one transaction met.");

    /// <inheritdoc/>
    public void Describe<TVisitor>(ref TVisitor v)
        where TVisitor : struct, IFieldVisitor, allows ref struct
    {
        v.Memory(ref Memory);
        v.Field(1, "alert_id"u8, ref AlertId, Unit.None, "Transaction id and rule.");
        v.Enum(2, "op"u8, ref Op, "Whether the alert holds, or its transaction left the chain.");
        v.Field(3, "tx_id"u8, ref TxId, Unit.None, "The transaction, in display order.");
        v.Enum(4, "rule"u8, ref Rule, "The rule.");
        v.Field(5, "score"u8, ref Score, "0-100", "The score that the rule gives.");
        v.Enum(6, "level"u8, ref Level, "The transaction's level, by all its rules.");
        v.Field(7, "evidence"u8, ref Evidence, Unit.None, "What the alert rests on.");
        v.Field(8, "event_ns"u8, ref EventNs, Unit.Nanoseconds, "Event time, Unix UTC.");
        v.Field(9, "block_hash"u8, ref BlockHash, Unit.None, "The block, in display order.");
        v.Field(10, "block_height"u8, ref BlockHeight, Unit.Count, "The block's height.");
        v.Field(
            11, "output_sum_base"u8, ref OutputSumBase, Unit.BaseUnits, "Sum of the transaction's outputs.");
        v.Field(12, "entity_id"u8, ref EntityId, Unit.None, "The entity that spends.");
        v.Field(13, "label_set"u8, ref LabelSet, Unit.None, "Digest of the label set.");
        v.Field(14, "price_set"u8, ref PriceSet, Unit.None,
            "Digest of the prices; absent where limits are in base units.");
    }
}
