using Streams.Records;

namespace Streams.Benchmarks.Micro;

public enum SampleChain
{
    None,
    Bitcoin,
    Ethereum,
}

public enum SampleStatus
{
    Mempool,
    InBlock,
    Safe,
    Finalized,
    Replaced,
    Reorged,
}

/// <summary>
/// A transaction as an enrichment topology would write it: the record that the budgets are about.
/// </summary>
public sealed class EnrichedTransaction : IDescribed<EnrichedTransaction>
{
    public RecordMemory Memory;
    public int Op;
    public Text SourceId;
    public long Seq;
    public long EventNs;
    public long IngestNs;
    public SampleChain Chain;
    public int Network;
    public Bytes32 TxId;
    public Bytes32? WtxId;
    public SampleStatus Status;
    public Bytes32? BlockHash;
    public long? BlockHeight;
    public int? TxIndex;
    public int Confirmations;
    public ulong? MempoolSeq;
    public long? Fee;
    public int? VirtualSize;
    public long? FeeRatePpm;
    public long? TotalIn;
    public long TotalOut;
    public Bytes32 DedupKey;
    public RecordList<SampleInput> Inputs;
    public RecordList<SampleOutput> Outputs;
    public Nested<SampleCluster> Cluster;
    public Nested<SamplePatterns> Patterns;
    public Nested<SampleRisk> Risk;

    public static RecordType RecordType { get; } = new(
        "enriched_transaction", 1, "A transaction with its risk.");

    public void Describe<TVisitor>(ref TVisitor visitor)
        where TVisitor : struct, IFieldVisitor, allows ref struct
    {
        visitor.Memory(ref Memory);
        visitor.Field(1, "op"u8, ref Op, Unit.None, "Append or retract.");
        visitor.Field(2, "source_id"u8, ref SourceId, Unit.None, "Where it came from.");
        visitor.Field(3, "seq"u8, ref Seq, Unit.Count, "Place in the source.");
        visitor.Field(4, "event_ns"u8, ref EventNs, Unit.Nanoseconds, "Event time.");
        visitor.Field(5, "ingest_ns"u8, ref IngestNs, Unit.Nanoseconds, "Arrival.");
        visitor.Enum(6, "chain"u8, ref Chain, "The chain.");
        visitor.Field(7, "network"u8, ref Network, Unit.None, "The network.");
        visitor.Field(8, "tx_id"u8, ref TxId, Unit.None, "Hash of the transaction.");
        visitor.Field(9, "wtx_id"u8, ref WtxId, Unit.None, "Hash with the witness.");
        visitor.Enum(10, "status"u8, ref Status, "How settled it is.");
        visitor.Field(11, "block_hash"u8, ref BlockHash, Unit.None, "Hash of the block.");
        visitor.Field(12, "block_height"u8, ref BlockHeight, Unit.Count, "Height of the block.");
        visitor.Field(13, "tx_index"u8, ref TxIndex, Unit.Count, "Place in the block.");
        visitor.Field(14, "confirmations"u8, ref Confirmations, Unit.Count, "Blocks above, and its own.");
        visitor.Field(15, "mempool_seq"u8, ref MempoolSeq, Unit.Count, "The node's sequence.");
        visitor.Field(16, "fee"u8, ref Fee, Unit.Satoshi, "Inputs less outputs.");
        visitor.Field(17, "virtual_size"u8, ref VirtualSize, Unit.Bytes, "Weight over four.");
        visitor.Field(18, "fee_rate_ppm"u8, ref FeeRatePpm, Unit.Ppm, "Fee by size.");
        visitor.Field(19, "total_in"u8, ref TotalIn, Unit.Satoshi, "Sum of inputs.");
        visitor.Field(20, "total_out"u8, ref TotalOut, Unit.Satoshi, "Sum of outputs.");
        visitor.Repeated(21, "inputs"u8, ref Inputs, "What it spends.");
        visitor.Repeated(22, "outputs"u8, ref Outputs, "What it creates.");
        visitor.Message(23, "cluster"u8, ref Cluster, "The sender's entity.");
        visitor.Message(24, "patterns"u8, ref Patterns, "Shapes found in it.");
        visitor.Message(25, "risk"u8, ref Risk, "Score and reasons.");
        visitor.Field(26, "dedup_key"u8, ref DedupKey, Unit.None, "Identity of the event.");
    }
}

public struct SampleInput : IDescribed<SampleInput>
{
    public RecordMemory Memory;
    public Bytes32 PrevTxId;
    public uint Vout;
    public long? Value;
    public Text? Address;
    public int ScriptType;
    public uint Sequence;
    public ulong? EntityId;
    public int Hops;
    public bool IsTagged;

    public static RecordType RecordType { get; } = new("sample_input", 1, "An input.");

    public void Describe<TVisitor>(ref TVisitor visitor)
        where TVisitor : struct, IFieldVisitor, allows ref struct
    {
        visitor.Memory(ref Memory);
        visitor.Field(1, "prev_tx_id"u8, ref PrevTxId, Unit.None, "Hash of the spent transaction.");
        visitor.Field(2, "vout"u8, ref Vout, Unit.Count, "Place of the spent output.");
        visitor.Field(3, "value"u8, ref Value, Unit.Satoshi, "Value of the spent output.");
        visitor.Field(4, "address"u8, ref Address, Unit.None, "Address of the spent output.");
        visitor.Field(5, "script_type"u8, ref ScriptType, Unit.None, "Type of the spent script.");
        visitor.Field(6, "sequence"u8, ref Sequence, Unit.None, "Sequence number.");
        visitor.Field(7, "entity_id"u8, ref EntityId, Unit.None, "Owner.");
        visitor.Field(8, "hops"u8, ref Hops, Unit.Count, "Distance to the nearest tag.");
        visitor.Field(9, "is_tagged"u8, ref IsTagged, Unit.None, "Whether a tag is near.");
    }
}

public struct SampleOutput : IDescribed<SampleOutput>
{
    public RecordMemory Memory;
    public uint Vout;
    public long Value;
    public Text? Address;
    public int ScriptType;
    public bool IsChangeCandidate;
    public int ChangeConfidence;
    public ulong? EntityId;
    public int Hops;
    public int Country;

    public static RecordType RecordType { get; } = new("sample_output", 1, "An output.");

    public void Describe<TVisitor>(ref TVisitor visitor)
        where TVisitor : struct, IFieldVisitor, allows ref struct
    {
        visitor.Memory(ref Memory);
        visitor.Field(1, "vout"u8, ref Vout, Unit.Count, "Place.");
        visitor.Field(2, "value"u8, ref Value, Unit.Satoshi, "Value.");
        visitor.Field(3, "address"u8, ref Address, Unit.None, "Address.");
        visitor.Field(4, "script_type"u8, ref ScriptType, Unit.None, "Type of the script.");
        visitor.Field(
            5, "is_change_candidate"u8, ref IsChangeCandidate, Unit.None, "Whether it may be change.");
        visitor.Field(6, "change_confidence"u8, ref ChangeConfidence, Unit.Percent, "How sure that is.");
        visitor.Field(7, "entity_id"u8, ref EntityId, Unit.None, "Owner.");
        visitor.Field(8, "hops"u8, ref Hops, Unit.Count, "Distance to the nearest tag.");
        visitor.Field(9, "country"u8, ref Country, Unit.None, "Country of the owner.");
    }
}

public struct SampleCluster : IDescribed<SampleCluster>
{
    public RecordMemory Memory;
    public ulong EntityId;
    public int Method;
    public int Confidence;
    public bool IsCoinJoinSuppressed;

    public static RecordType RecordType { get; } = new("sample_cluster", 1, "An entity.");

    public void Describe<TVisitor>(ref TVisitor visitor)
        where TVisitor : struct, IFieldVisitor, allows ref struct
    {
        visitor.Memory(ref Memory);
        visitor.Field(1, "entity_id"u8, ref EntityId, Unit.None, "The entity.");
        visitor.Field(2, "method"u8, ref Method, Unit.None, "How it was found.");
        visitor.Field(3, "confidence"u8, ref Confidence, Unit.Percent, "How sure that is.");
        visitor.Field(
            4, "is_coin_join_suppressed"u8, ref IsCoinJoinSuppressed, Unit.None, "Whether a mix hides it.");
    }
}

public struct SamplePatterns : IDescribed<SamplePatterns>
{
    public RecordMemory Memory;
    public int CoinJoinConfidence;
    public int PeelHop;
    public int FanIn;
    public int FanOut;
    public int DustOutputs;
    public int RoundOutputs;

    public static RecordType RecordType { get; } = new("sample_patterns", 1, "Shapes.");

    public void Describe<TVisitor>(ref TVisitor visitor)
        where TVisitor : struct, IFieldVisitor, allows ref struct
    {
        visitor.Memory(ref Memory);
        visitor.Field(
            1, "coin_join_confidence"u8, ref CoinJoinConfidence, Unit.Percent, "How sure a mix is.");
        visitor.Field(2, "peel_hop"u8, ref PeelHop, Unit.Count, "Place in a peel chain.");
        visitor.Field(3, "fan_in"u8, ref FanIn, Unit.Count, "Inputs.");
        visitor.Field(4, "fan_out"u8, ref FanOut, Unit.Count, "Outputs.");
        visitor.Field(5, "dust_outputs"u8, ref DustOutputs, Unit.Count, "Outputs too small to spend.");
        visitor.Field(6, "round_outputs"u8, ref RoundOutputs, Unit.Count, "Outputs of round value.");
    }
}

public struct SampleRisk : IDescribed<SampleRisk>
{
    public RecordMemory Memory;
    public int Score;
    public int Level;
    public uint ModelVersion;
    public uint LabelSetVersion;
    public double Probability;
    public RecordList<SampleReason> Reasons;

    public static RecordType RecordType { get; } = new("sample_risk", 1, "A score.");

    public void Describe<TVisitor>(ref TVisitor visitor)
        where TVisitor : struct, IFieldVisitor, allows ref struct
    {
        visitor.Memory(ref Memory);
        visitor.Field(1, "score"u8, ref Score, Unit.None, "0 to 100.");
        visitor.Field(2, "level"u8, ref Level, Unit.None, "None to severe.");
        visitor.Field(3, "model_version"u8, ref ModelVersion, Unit.None, "The model.");
        visitor.Field(4, "label_set_version"u8, ref LabelSetVersion, Unit.None, "The labels.");
        visitor.Field(5, "probability"u8, ref Probability, Unit.Ratio, "The model's own view.");
        visitor.Repeated(6, "reasons"u8, ref Reasons, "Why.");
    }
}

public struct SampleReason : IDescribed<SampleReason>
{
    public RecordMemory Memory;
    public Text Code;
    public double Contribution;
    public long? EvidenceRef;

    public static RecordType RecordType { get; } = new("sample_reason", 1, "A reason.");

    public void Describe<TVisitor>(ref TVisitor visitor)
        where TVisitor : struct, IFieldVisitor, allows ref struct
    {
        visitor.Memory(ref Memory);
        visitor.Field(1, "code"u8, ref Code, Unit.None, "Rule or feature.");
        visitor.Field(2, "contribution"u8, ref Contribution, Unit.None, "Part of the score.");
        visitor.Field(3, "evidence_ref"u8, ref EvidenceRef, Unit.None, "Offset of the evidence.");
    }
}

/// <summary>
/// Fills the sample: three inputs, three outputs, two reasons, about 900 bytes of Protobuf.
/// </summary>
public static class RecordSample
{
    public static EnrichedTransaction Create()
    {
        var tx = new EnrichedTransaction
        {
            SourceId = new Text("bitcoin:mainnet:node-1"),
            Seq = 48_112_345,
            EventNs = 1_760_000_000_123_456_789,
            IngestNs = 1_760_000_000_223_456_789,
            Chain = SampleChain.Bitcoin,
            TxId = Hash(1),
            WtxId = Hash(2),
            Status = SampleStatus.InBlock,
            BlockHash = Hash(3),
            BlockHeight = 916_123,
            TxIndex = 1_234,
            Confirmations = 3,
            Fee = 4_210,
            VirtualSize = 421,
            FeeRatePpm = 10_000_000,
            TotalIn = 612_345_678,
            TotalOut = 612_341_468,
            MempoolSeq = 7_654_321,
            DedupKey = Hash(4),
        };
        for (int i = 0; i < 3; i++)
            AddSides(tx, i);
        ref SampleCluster cluster = ref tx.Cluster.Set();
        cluster.EntityId = 77_123_456;
        cluster.Method = 1;
        cluster.Confidence = 85;
        ref SamplePatterns patterns = ref tx.Patterns.Set();
        patterns.FanIn = 3;
        patterns.FanOut = 3;
        patterns.RoundOutputs = 1;
        ref SampleRisk risk = ref tx.Risk.Set();
        risk.Score = 72;
        risk.Level = 3;
        risk.ModelVersion = 12;
        risk.LabelSetVersion = 20_251_009;
        risk.Probability = 0.7185431277;
        AddReason(ref risk, "mixer_exposure", 0.4375, 48_112_001);
        AddReason(ref risk, "fee_rate_percentile", 0.1273, null);
        return tx;
    }

    private static void AddSides(EnrichedTransaction tx, int i)
    {
        ref SampleInput input = ref tx.Inputs.Add();
        input.PrevTxId = Hash(10 + i);
        input.Vout = (uint)i;
        input.Value = 204_115_226 + i;
        input.Address = new Text("bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5md" + (char)('a' + i));
        input.ScriptType = 5;
        input.Sequence = 0xFFFF_FFFD;
        input.EntityId = 77_123_456;
        input.Hops = 2;
        input.IsTagged = i == 1;
        ref SampleOutput output = ref tx.Outputs.Add();
        output.Vout = (uint)i;
        output.Value = 204_113_822 + i;
        output.Address = new Text("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t" + (char)('a' + i));
        output.ScriptType = 5;
        output.IsChangeCandidate = i == 2;
        output.ChangeConfidence = i * 40;
        output.EntityId = i == 0 ? null : 99_000_000UL + (ulong)i;
        output.Hops = 3;
        output.Country = 756;
    }

    private static void AddReason(ref SampleRisk risk, string code, double contribution, long? evidence)
    {
        ref SampleReason reason = ref risk.Reasons.Add();
        reason.Code = new Text(code);
        reason.Contribution = contribution;
        reason.EvidenceRef = evidence;
    }

    private static Bytes32 Hash(int seed)
    {
        Span<byte> bytes = stackalloc byte[Bytes32.Size];
        new Random(seed).NextBytes(bytes);
        return new Bytes32(bytes);
    }
}
