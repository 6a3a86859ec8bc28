using System.Buffers.Binary;
using Streams.Buffers;
using Streams.Connectors.Chain;
using Streams.Records;

namespace Streams.Topologies.Transactions;

/// <summary>Transactions of one level of risk, in a block or an hour.</summary>
internal struct BlockRisk
{
    internal long Transactions;
    internal long ValueBase;
}

/// <summary>The sums of all levels.</summary>
[System.Runtime.CompilerServices.InlineArray(Levels)]
internal struct BlockRisks
{
    /// <summary>How many levels there are.</summary>
    internal const int Levels = (int)RiskLevel.Severe + 1;

    private BlockRisk _first;
}

/// <summary>Two numbers, 16 bytes big-endian.</summary>
internal sealed class BlockRiskSerde : Serde<BlockRisk>
{
    private const int Bytes = 16;

    public override string Name => "block-risk";

    public override void Serialize(in BlockRisk value, PooledBuffer destination)
    {
        Span<byte> to = destination.Append(Bytes);
        BinaryPrimitives.WriteInt64BigEndian(to, value.Transactions);
        BinaryPrimitives.WriteInt64BigEndian(to[8..], value.ValueBase);
    }

    public override void Deserialize(ReadOnlySpan<byte> source, ref BlockRisk value)
    {
        if (source.Length != Bytes)
            throw new SerializationException(Name, $"{source.Length} bytes where {Bytes} are needed", 0);
        value.Transactions = BinaryPrimitives.ReadInt64BigEndian(source);
        value.ValueBase = BinaryPrimitives.ReadInt64BigEndian(source[8..]);
    }
}

/// <summary>A level as one byte.</summary>
internal sealed class RiskLevelSerde : Serde<RiskLevel>
{
    public override string Name => "risk-level";

    public override void Serialize(in RiskLevel value, PooledBuffer destination) =>
        destination.WriteByte((byte)value);

    public override void Deserialize(ReadOnlySpan<byte> source, ref RiskLevel value)
    {
        if (source.Length != 1 || source[0] > (byte)RiskLevel.Severe)
            throw new SerializationException(Name, "no level of risk", 0);
        value = (RiskLevel)source[0];
    }
}

/// <summary>Transactions of one level within an hour of event time, when the hour is over.</summary>
public sealed class RiskHour : IDescribed<RiskHour>
{
    /// <summary>The hour's start.</summary>
    public long HourStartNs;

    /// <summary>The level.</summary>
    public RiskLevel Level;

    /// <summary>Number of transactions.</summary>
    public long Transactions;

    /// <summary>Sum of their outputs.</summary>
    public long ValueBase;

    /// <summary>Keeps unknown fields.</summary>
    public RecordMemory Memory;

    /// <inheritdoc/>
    public static RecordType RecordType { get; } =
        new("risk_hour", 1,
            "Transactions of one level of risk within an hour of event time, when the hour is over.");

    /// <inheritdoc/>
    public void Describe<TVisitor>(ref TVisitor v)
        where TVisitor : struct, IFieldVisitor, allows ref struct
    {
        v.Memory(ref Memory);
        v.Field(1, "hour_start_ns"u8, ref HourStartNs, Unit.Nanoseconds, "The hour's start, Unix UTC.");
        v.Enum(2, "level"u8, ref Level, "The level.");
        v.Field(3, "transactions"u8, ref Transactions, Unit.Count, "Number of transactions.");
        v.Field(4, "value_base"u8, ref ValueBase, Unit.BaseUnits, "Sum of their outputs.");
    }
}
