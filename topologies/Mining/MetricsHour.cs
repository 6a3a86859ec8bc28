using System.Buffers.Binary;
using Streams.Buffers;
using Streams.Records;

namespace Streams.Topologies.Mining;

/// <summary>Sums of a machine's samples.</summary>
internal struct MetricsSum
{
    internal long Samples;
    internal long RateSamples;
    internal long PowerSamples;
    internal double HashRate;
    internal double PowerConsumption;
    internal double TemperatureMax;
}

/// <summary>Six numbers, 48 bytes big-endian.</summary>
internal sealed class MetricsSumSerde : Serde<MetricsSum>
{
    private const int Bytes = 48;

    public override string Name => "metrics-sum";

    public override void Serialize(in MetricsSum value, PooledBuffer destination)
    {
        Span<byte> to = destination.Append(Bytes);
        BinaryPrimitives.WriteInt64BigEndian(to, value.Samples);
        BinaryPrimitives.WriteInt64BigEndian(to[8..], value.RateSamples);
        BinaryPrimitives.WriteInt64BigEndian(to[16..], value.PowerSamples);
        BinaryPrimitives.WriteDoubleBigEndian(to[24..], value.HashRate);
        BinaryPrimitives.WriteDoubleBigEndian(to[32..], value.PowerConsumption);
        BinaryPrimitives.WriteDoubleBigEndian(to[40..], value.TemperatureMax);
    }

    public override void Deserialize(ReadOnlySpan<byte> source, ref MetricsSum value)
    {
        if (source.Length != Bytes)
            throw new SerializationException(Name, $"{source.Length} bytes where {Bytes} are needed", 0);
        value.Samples = BinaryPrimitives.ReadInt64BigEndian(source);
        value.RateSamples = BinaryPrimitives.ReadInt64BigEndian(source[8..]);
        value.PowerSamples = BinaryPrimitives.ReadInt64BigEndian(source[16..]);
        value.HashRate = BinaryPrimitives.ReadDoubleBigEndian(source[24..]);
        value.PowerConsumption = BinaryPrimitives.ReadDoubleBigEndian(source[32..]);
        value.TemperatureMax = BinaryPrimitives.ReadDoubleBigEndian(source[40..]);
    }
}

/// <summary>A machine's samples of an hour of event time, when the hour is over.</summary>
public sealed class MetricsHour : IDescribed<MetricsHour>
{
    /// <summary>The hour's start.</summary>
    public long Time;

    /// <summary>The machine.</summary>
    public Text Machine;

    /// <summary>Number of samples.</summary>
    public long Samples;

    /// <summary>Mean hash rate; absent where no sample had one.</summary>
    public double? HashRate;

    /// <summary>Mean power; absent where no sample had one.</summary>
    public double? PowerConsumption;

    /// <summary>Highest temperature; absent where no sample had one.</summary>
    public double? TemperatureMax;

    /// <summary>Owns the texts.</summary>
    public RecordMemory Memory;

    /// <inheritdoc/>
    public static RecordType RecordType { get; } =
        new("metrics_hour", 1, "A machine's samples of an hour of event time, when the hour is over.");

    /// <inheritdoc/>
    public void Describe<TVisitor>(ref TVisitor v)
        where TVisitor : struct, IFieldVisitor, allows ref struct
    {
        v.Memory(ref Memory);
        v.Field(1, "time"u8, ref Time, Unit.Nanoseconds, "The hour's start, Unix UTC.");
        v.Field(2, "machine"u8, ref Machine, Unit.None, "The machine's own name.");
        v.Field(3, "samples"u8, ref Samples, Unit.Count, "Number of samples.");
        v.Field(4, "hash_rate"u8, ref HashRate, "TH/s", "Mean of the samples that had one.");
        v.Field(5, "power_consumption"u8, ref PowerConsumption, Unit.Watts,
            "Mean of the samples that had one.");
        v.Field(6, "temperature_max"u8, ref TemperatureMax, Unit.Celsius,
            "Highest of the samples that had one.");
    }
}
