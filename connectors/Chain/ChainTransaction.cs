using Streams.Records;

namespace Streams.Connectors.Chain;

/// <summary>
/// A transaction of a block chain: the one form that Bitcoin, Ethereum and further chains are read into, and
/// that analysis adds to. Hashes stand in the order that explorers print them.
/// </summary>
/// <remarks>
/// What a feed knows is in the fields up to 29; from 30 on stands what the transactions topology finds out,
/// absent on the way in. An amount that is not known is absent, never zero. docs/schemas/chain_transaction.md
/// is made from this.
/// </remarks>
public sealed class ChainTransaction : IDescribed<ChainTransaction>
{
    /// <summary>Whether the transaction joins the chain or leaves it.</summary>
    public Operation Op;

    /// <summary>The chain.</summary>
    public ChainKind Chain;

    /// <summary>The network of the chain.</summary>
    public Network Network;

    /// <summary>The source that read it.</summary>
    public Text SourceId;

    /// <summary>Version of this record's schema.</summary>
    public int SchemaVersion;

    /// <summary>Event time: the block's.</summary>
    public long EventNs;

    /// <summary>When it was taken in; absent in replays, whose output must not depend on the clock.</summary>
    public long? IngestNs;

    /// <summary>Number of the record in its source.</summary>
    public long Seq;

    /// <summary>The transaction's id.</summary>
    public Bytes32 TxId;

    /// <summary>The id that covers the witnesses; absent where it is the same.</summary>
    public Bytes32? WtxId;

    /// <summary>How far it is confirmed.</summary>
    public TransactionStatus Status;

    /// <summary>The block.</summary>
    public Bytes32? BlockHash;

    /// <summary>The block's height; absent where it is not known.</summary>
    public long? BlockHeight;

    /// <summary>Place in the block.</summary>
    public int? TxIndex;

    /// <summary>Blocks on top of it, itself included, when it was read.</summary>
    public int Confirmations;

    /// <summary>The transaction format's version.</summary>
    public int Version;

    /// <summary>First height or time at which it may be mined.</summary>
    public uint LockTime;

    /// <summary>Serialised size.</summary>
    public int SizeBytes;

    /// <summary>Virtual size.</summary>
    public int? VsizeBytes;

    /// <summary>Whether it creates the block's reward.</summary>
    public bool IsCoinbase;

    /// <summary>What it spends.</summary>
    public RecordList<TransactionInput> Inputs;

    /// <summary>What it pays.</summary>
    public RecordList<TransactionOutput> Outputs;

    /// <summary>Fee; absent unless every input's value is known.</summary>
    public long? FeeBase;

    /// <summary>Fee rate; absent unless the fee is known.</summary>
    public long? FeeRateMilliSatPerVbyte;

    /// <summary>Sum of the inputs; absent unless every one is known.</summary>
    public long? InputSumBase;

    /// <summary>Sum of the outputs.</summary>
    public long OutputSumBase;

    /// <summary>Number of transactions of the block; absent outside a block.</summary>
    public int? BlockTxCount;

    /// <summary>What analysis found out; absent before it.</summary>
    public Nested<TransactionAnalysis> Analysis;

    /// <summary>Owns the texts.</summary>
    public RecordMemory Memory;

    /// <inheritdoc/>
    public static RecordType RecordType { get; } =
        new("chain_transaction", 1,
            "A transaction of a block chain, as read and with what analysis found out.");

    /// <inheritdoc/>
    public void Describe<TVisitor>(ref TVisitor v)
        where TVisitor : struct, IFieldVisitor, allows ref struct
    {
        v.Memory(ref Memory);
        v.Enum(1, "op"u8, ref Op, "Whether it joins the chain or leaves it (a reorganisation).");
        v.Enum(2, "chain"u8, ref Chain, "The chain.");
        v.Enum(3, "network"u8, ref Network, "The network of the chain.");
        v.Field(4, "source_id"u8, ref SourceId, Unit.None, "The source that read it.");
        v.Field(5, "schema_version"u8, ref SchemaVersion, Unit.None, "Version of this record's schema.");
        v.Field(6, "event_ns"u8, ref EventNs, Unit.Nanoseconds, "Event time, Unix UTC: the block's.");
        v.Field(7, "ingest_ns"u8, ref IngestNs, Unit.Nanoseconds, "When it was taken in; absent in replays.");
        v.Field(8, "seq"u8, ref Seq, Unit.Count, "Number of the record in its source.");
        v.Field(9, "tx_id"u8, ref TxId, Unit.None, "Transaction id, in display order.");
        v.Field(10, "wtx_id"u8, ref WtxId, Unit.None, "Id with witnesses; absent where it is the same.");
        v.Enum(11, "status"u8, ref Status, "How far it is confirmed.");
        v.Field(12, "block_hash"u8, ref BlockHash, Unit.None, "The block, in display order.");
        v.Field(13, "block_height"u8, ref BlockHeight, Unit.Count, "The block's height.");
        v.Field(14, "tx_index"u8, ref TxIndex, Unit.Count, "Place in the block, from 0.");
        v.Field(15, "confirmations"u8, ref Confirmations, Unit.Count,
            "Blocks on it, itself included, when read.");
        v.Field(16, "version"u8, ref Version, Unit.None, "Version of the transaction format.");
        v.Field(17, "lock_time"u8, ref LockTime, Unit.None, "First height or time at which it may be mined.");
        v.Field(18, "size_bytes"u8, ref SizeBytes, Unit.Bytes, "Serialised size.");
        v.Field(19, "vsize_bytes"u8, ref VsizeBytes, Unit.Bytes, "Virtual size (BIP 141).");
        v.Field(20, "is_coinbase"u8, ref IsCoinbase, Unit.None, "Whether it creates the block's reward.");
        v.Messages(21, "inputs"u8, ref Inputs, "What it spends.");
        v.Messages(22, "outputs"u8, ref Outputs, "What it pays.");
        v.Field(23, "fee_base"u8, ref FeeBase, Unit.BaseUnits, "Fee; absent unless every input is known.");
        v.Field(24, "fee_rate_milli"u8, ref FeeRateMilliSatPerVbyte, "0.001 satoshi/vB",
            "Fee rate, where known.");
        v.Field(25, "input_sum_base"u8, ref InputSumBase, Unit.BaseUnits,
            "Sum of the inputs, where all are known.");
        v.Field(26, "output_sum_base"u8, ref OutputSumBase, Unit.BaseUnits, "Sum of the outputs.");
        v.Field(27, "block_tx_count"u8, ref BlockTxCount, Unit.Count, "Number of transactions of the block.");
        v.Message(30, "analysis"u8, ref Analysis, "What analysis found out; absent before it.");
    }

    /// <summary>Empties it for the next use.</summary>
    public void Clear()
    {
        Memory.Clear();
        Op = default;
        Chain = default;
        Network = default;
        SourceId = default;
        IngestNs = FeeBase = FeeRateMilliSatPerVbyte = InputSumBase = BlockHeight = null;
        EventNs = Seq = OutputSumBase = 0;
        SchemaVersion = Confirmations = Version = SizeBytes = 0;
        TxId = default;
        WtxId = BlockHash = null;
        Status = default;
        TxIndex = VsizeBytes = BlockTxCount = null;
        LockTime = 0;
        IsCoinbase = false;
        Inputs.Clear();
        Outputs.Clear();
        Analysis.IsPresent = false;
    }
}
