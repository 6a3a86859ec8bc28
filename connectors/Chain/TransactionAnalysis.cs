using Streams.Records;

namespace Streams.Connectors.Chain;

/// <summary>What analysis found out about a transaction.</summary>
public struct TransactionAnalysis : IDescribed<TransactionAnalysis>
{
    /// <summary>Kind of CoinJoin that the structure shows.</summary>
    public CoinJoinKind CoinJoin;

    /// <summary>How sure that is.</summary>
    public int CoinJoinConfidence;

    /// <summary>Hops of a peel chain up to here; 0 for none.</summary>
    public int PeelHop;

    /// <summary>Number of inputs.</summary>
    public int FanIn;

    /// <summary>Number of outputs.</summary>
    public int FanOut;

    /// <summary>Outputs under 546 satoshi to distinct addresses.</summary>
    public int DustOutputs;

    /// <summary>Outputs of round amounts.</summary>
    public int RoundOutputs;

    /// <summary>Inputs whose spent output was seen.</summary>
    public int KnownInputs;

    /// <summary>The entity that spends; absent where no address of the inputs is known.</summary>
    public long? EntityId;

    /// <summary>What the entity is known by.</summary>
    public ClusterMethod ClusterMethod;

    /// <summary>How sure that is.</summary>
    public int ClusterConfidence;

    /// <summary>Whether the inputs were kept apart because the transaction looks like a CoinJoin.</summary>
    public bool CoinJoinSuppressed;

    /// <summary>Exposure to tagged actors.</summary>
    public RecordList<Exposure> Exposures;

    /// <summary>What the sender did in the windows that this transaction is in; absent where it is not
    /// known.</summary>
    public Nested<SenderActivity> Sender;

    /// <summary>Risk score.</summary>
    public int Score;

    /// <summary>Risk level.</summary>
    public RiskLevel Level;

    /// <summary>Why.</summary>
    public RecordList<RiskReason> Reasons;

    /// <summary>Version of the model; absent where only rules scored.</summary>
    public Text? ModelVersion;

    /// <summary>Digest of the label set that tags were taken from.</summary>
    public Text? LabelSet;

    /// <summary>Digest of the price table that limits follow from; absent where they are in base
    /// units.</summary>
    public Text? PriceSet;

    /// <summary>Keeps unknown fields.</summary>
    public RecordMemory Memory;

    /// <inheritdoc/>
    public static RecordType RecordType { get; } =
        new("transaction_analysis", 1, "What analysis found out about a transaction.");

    /// <inheritdoc/>
    public void Describe<TVisitor>(ref TVisitor v)
        where TVisitor : struct, IFieldVisitor, allows ref struct
    {
        v.Memory(ref Memory);
        v.Enum(1, "coin_join"u8, ref CoinJoin, "Kind of CoinJoin that the structure shows.");
        v.Field(2, "coin_join_confidence"u8, ref CoinJoinConfidence, Unit.Percent, "How sure that is.");
        v.Field(3, "peel_hop"u8, ref PeelHop, Unit.Count, "Hops of a peel chain up to here; 0 for none.");
        v.Field(4, "fan_in"u8, ref FanIn, Unit.Count, "Number of inputs.");
        v.Field(5, "fan_out"u8, ref FanOut, Unit.Count, "Number of outputs.");
        v.Field(6, "dust_outputs"u8, ref DustOutputs, Unit.Count, "Dust outputs to distinct addresses.");
        v.Field(7, "round_outputs"u8, ref RoundOutputs, Unit.Count, "Outputs of round amounts.");
        v.Field(8, "known_inputs"u8, ref KnownInputs, Unit.Count, "Inputs whose spent output was seen.");
        v.Field(9, "entity_id"u8, ref EntityId, Unit.None, "The entity that spends.");
        v.Enum(10, "cluster_method"u8, ref ClusterMethod, "What the entity is known by.");
        v.Field(11, "cluster_confidence"u8, ref ClusterConfidence, Unit.Percent, "How sure that is.");
        v.Field(12, "coin_join_suppressed"u8, ref CoinJoinSuppressed, Unit.None,
            "Inputs kept apart for a CoinJoin.");
        v.Messages(13, "exposures"u8, ref Exposures, "Exposure to tagged actors.");
        v.Message(14, "sender"u8, ref Sender, "What the sender did in the current windows.");
        v.Field(15, "score"u8, ref Score, "0-100", "Risk score.");
        v.Enum(16, "level"u8, ref Level, "Risk level.");
        v.Messages(17, "reasons"u8, ref Reasons, "Why, the strongest first.");
        v.Field(18, "model_version"u8, ref ModelVersion, Unit.None,
            "Version of the model; absent for rules alone.");
        v.Field(
            19, "label_set"u8, ref LabelSet, Unit.None, "Digest of the label set that tags were taken from.");
        v.Field(20, "price_set"u8, ref PriceSet, Unit.None,
            "Digest of the prices; absent where limits are in base units.");
    }
}

/// <summary>A share of the transaction's money that touches tagged actors of one category.</summary>
public struct Exposure : IDescribed<Exposure>
{
    /// <summary>The category.</summary>
    public Text Category;

    /// <summary>Whether an address of the transaction itself is tagged.</summary>
    public bool IsDirect;

    /// <summary>Part of the value, by haircut; absent where input values are not known.</summary>
    public int? SharePpm;

    /// <summary>The value.</summary>
    public long? ValueBase;

    /// <summary>Transactions between the tagged address and this one.</summary>
    public int Hops;

    /// <summary>Keeps unknown fields.</summary>
    public RecordMemory Memory;

    /// <inheritdoc/>
    public static RecordType RecordType { get; } =
        new("exposure", 1, "A share of a transaction's money that touches tagged actors of one category.");

    /// <inheritdoc/>
    public void Describe<TVisitor>(ref TVisitor v)
        where TVisitor : struct, IFieldVisitor, allows ref struct
    {
        v.Memory(ref Memory);
        v.Field(1, "category"u8, ref Category, Unit.None, "The category of the tag.");
        v.Field(2, "is_direct"u8, ref IsDirect, Unit.None,
            "Whether an address of the transaction itself is tagged.");
        v.Field(
            3, "share_ppm"u8, ref SharePpm, Unit.Ppm, "Part of the value, by haircut; absent where unknown.");
        v.Field(4, "value_base"u8, ref ValueBase, Unit.BaseUnits, "The value, where known.");
        v.Field(5, "hops"u8, ref Hops, Unit.Count, "Transactions between the tagged address and this one.");
    }
}

/// <summary>What the spending address did in the windows that hold the transaction.</summary>
public struct SenderActivity : IDescribed<SenderActivity>
{
    /// <summary>Time since the address was first seen.</summary>
    public long AgeMs;

    /// <summary>Time from the first receipt to now; absent where no receipt was seen.</summary>
    public long? SinceFirstReceiptMs;

    /// <summary>Transactions within the hour.</summary>
    public int Tx1h;

    /// <summary>Transactions within 24 hours.</summary>
    public int Tx24h;

    /// <summary>Transactions within 7 days.</summary>
    public int Tx7d;

    /// <summary>Received within the hour.</summary>
    public long Received1h;

    /// <summary>Received within 24 hours.</summary>
    public long Received24h;

    /// <summary>Received within 7 days.</summary>
    public long Received7d;

    /// <summary>Sent within the hour.</summary>
    public long Sent1h;

    /// <summary>Sent within 24 hours.</summary>
    public long Sent24h;

    /// <summary>Sent within 7 days.</summary>
    public long Sent7d;

    /// <summary>Transfers just under the reporting limit within 24 hours.</summary>
    public int NearLimit24h;

    /// <summary>Transactions of the entity within 24 hours; absent where there is none.</summary>
    public int? EntityTx24h;

    /// <summary>Sent by the entity within 24 hours.</summary>
    public long? EntitySent24h;

    /// <summary>Keeps unknown fields.</summary>
    public RecordMemory Memory;

    /// <inheritdoc/>
    public static RecordType RecordType { get; } =
        new("sender_activity", 1, "What the spending address did in the windows that hold the transaction.");

    /// <inheritdoc/>
    public void Describe<TVisitor>(ref TVisitor v)
        where TVisitor : struct, IFieldVisitor, allows ref struct
    {
        v.Memory(ref Memory);
        v.Field(1, "age_ms"u8, ref AgeMs, Unit.Milliseconds, "Time since the address was first seen.");
        v.Field(2, "since_first_receipt_ms"u8, ref SinceFirstReceiptMs, Unit.Milliseconds,
            "Time since its first receipt.");
        v.Field(3, "tx_1h"u8, ref Tx1h, Unit.Count, "Transactions within the hour.");
        v.Field(4, "tx_24h"u8, ref Tx24h, Unit.Count, "Transactions within 24 hours.");
        v.Field(5, "tx_7d"u8, ref Tx7d, Unit.Count, "Transactions within 7 days.");
        v.Field(6, "received_1h"u8, ref Received1h, Unit.BaseUnits, "Received within the hour.");
        v.Field(7, "received_24h"u8, ref Received24h, Unit.BaseUnits, "Received within 24 hours.");
        v.Field(8, "received_7d"u8, ref Received7d, Unit.BaseUnits, "Received within 7 days.");
        v.Field(9, "sent_1h"u8, ref Sent1h, Unit.BaseUnits, "Sent within the hour.");
        v.Field(10, "sent_24h"u8, ref Sent24h, Unit.BaseUnits, "Sent within 24 hours.");
        v.Field(11, "sent_7d"u8, ref Sent7d, Unit.BaseUnits, "Sent within 7 days.");
        v.Field(12, "near_limit_24h"u8, ref NearLimit24h, Unit.Count,
            "Transfers just under the limit within 24 hours.");
        v.Field(13, "entity_tx_24h"u8, ref EntityTx24h, Unit.Count,
            "Transactions of the entity within 24 hours.");
        v.Field(14, "entity_sent_24h"u8, ref EntitySent24h, Unit.BaseUnits,
            "Sent by the entity within 24 hours.");
    }
}

/// <summary>A rule that raised the score.</summary>
public struct RiskReason : IDescribed<RiskReason>
{
    /// <summary>The rule.</summary>
    public RiskRule Rule;

    /// <summary>The score that the rule alone gives.</summary>
    public int Contribution;

    /// <summary>What it rests on, for people: an address, a tag, a count.</summary>
    public Text Evidence;

    /// <summary>Keeps unknown fields.</summary>
    public RecordMemory Memory;

    /// <inheritdoc/>
    public static RecordType RecordType { get; } = new("risk_reason", 1, "A rule that raised the score.");

    /// <inheritdoc/>
    public void Describe<TVisitor>(ref TVisitor v)
        where TVisitor : struct, IFieldVisitor, allows ref struct
    {
        v.Memory(ref Memory);
        v.Enum(1, "rule"u8, ref Rule, "The rule.");
        v.Field(2, "contribution"u8, ref Contribution, "0-100", "The score that the rule alone gives.");
        v.Field(3, "evidence"u8, ref Evidence, Unit.None, "What it rests on, for people.");
    }
}
