using System.Text.Json.Serialization;

namespace Streams.Benchmarks.Micro;

/// <summary>
/// The sample as System.Text.Json wants it: classes with properties, a serializer generated for them.
/// </summary>
public sealed class TransactionModel
{
    public int Op { get; set; }
    public string SourceId { get; set; } = "";
    public long Seq { get; set; }
    public long EventNs { get; set; }
    public long IngestNs { get; set; }
    public string? Chain { get; set; }
    public int Network { get; set; }
    public string? TxId { get; set; }
    public string? WtxId { get; set; }
    public string? Status { get; set; }
    public string? BlockHash { get; set; }
    public long? BlockHeight { get; set; }
    public int? TxIndex { get; set; }
    public int Confirmations { get; set; }
    public ulong? MempoolSeq { get; set; }
    public long? Fee { get; set; }
    public int? VirtualSize { get; set; }
    public long? FeeRatePpm { get; set; }
    public long? TotalIn { get; set; }
    public long TotalOut { get; set; }
    public List<InputModel>? Inputs { get; set; }
    public List<OutputModel>? Outputs { get; set; }
    public ClusterModel? Cluster { get; set; }
    public PatternsModel? Patterns { get; set; }
    public RiskModel? Risk { get; set; }
    public string? DedupKey { get; set; }
}

public sealed class InputModel
{
    public string? PrevTxId { get; set; }
    public uint Vout { get; set; }
    public long? Value { get; set; }
    public string? Address { get; set; }
    public int ScriptType { get; set; }
    public uint Sequence { get; set; }
    public ulong? EntityId { get; set; }
    public int Hops { get; set; }
    public bool IsTagged { get; set; }
}

public sealed class OutputModel
{
    public uint Vout { get; set; }
    public long Value { get; set; }
    public string? Address { get; set; }
    public int ScriptType { get; set; }
    public bool IsChangeCandidate { get; set; }
    public int ChangeConfidence { get; set; }
    public ulong? EntityId { get; set; }
    public int Hops { get; set; }
    public int Country { get; set; }
}

public sealed class ClusterModel
{
    public ulong EntityId { get; set; }
    public int Method { get; set; }
    public int Confidence { get; set; }
    public bool IsCoinJoinSuppressed { get; set; }
}

public sealed class PatternsModel
{
    public int CoinJoinConfidence { get; set; }
    public int PeelHop { get; set; }
    public int FanIn { get; set; }
    public int FanOut { get; set; }
    public int DustOutputs { get; set; }
    public int RoundOutputs { get; set; }
}

public sealed class RiskModel
{
    public int Score { get; set; }
    public int Level { get; set; }
    public uint ModelVersion { get; set; }
    public uint LabelSetVersion { get; set; }
    public double Probability { get; set; }
    public List<ReasonModel>? Reasons { get; set; }
}

public sealed class ReasonModel
{
    public string Code { get; set; } = "";
    public double Contribution { get; set; }
    public long? EvidenceRef { get; set; }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(TransactionModel))]
public sealed partial class TransactionModelContext : JsonSerializerContext
{
}
