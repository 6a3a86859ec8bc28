using Streams.Records;

namespace Streams.Connectors.Mining;

/// <summary>What a mining machine measured at an instant (CSIC-014, CSIC-070).</summary>
public sealed class MachineMetric : IDescribed<MachineMetric>
{
    /// <summary>When it was measured.</summary>
    public long Time;

    /// <summary>The machine's own name, such as its MAC address.</summary>
    public Text Machine;

    /// <summary>Where it stands; absent where the feed does not say.</summary>
    public Text? Site;

    /// <summary>Hash rate; absent where the machine did not say.</summary>
    public double? HashRate;

    /// <summary>Power that it draws; absent where it is not measured.</summary>
    public double? PowerConsumption;

    /// <summary>Its hottest chip; absent where the machine did not say.</summary>
    public double? Temperature;

    /// <summary>The pool that it works for; absent where the machine did not say.</summary>
    public Text? PoolUrl;

    /// <summary>Owns the texts.</summary>
    public RecordMemory Memory;

    /// <inheritdoc/>
    public static RecordType RecordType { get; } =
        new("machine_metric", 1, "What a mining machine measured at an instant.");

    /// <inheritdoc/>
    public void Describe<TVisitor>(ref TVisitor v)
        where TVisitor : struct, IFieldVisitor, allows ref struct
    {
        v.Memory(ref Memory);
        v.Field(1, "time"u8, ref Time, Unit.Nanoseconds, "When it was measured, Unix UTC.");
        v.Field(2, "machine"u8, ref Machine, Unit.None, "The machine's own name, such as its MAC address.");
        v.Field(3, "site"u8, ref Site, Unit.None, "Where it stands, where the feed says.");
        v.Field(4, "hash_rate"u8, ref HashRate, "TH/s", "Hash rate; absent where the machine did not say.");
        v.Field(5, "power_consumption"u8, ref PowerConsumption, Unit.Watts,
            "Power that it draws; absent where it is not measured.");
        v.Field(6, "temperature"u8, ref Temperature, Unit.Celsius,
            "Its hottest chip; absent where the machine did not say.");
        v.Field(7, "pool_url"u8, ref PoolUrl, Unit.None, "The pool that it works for, where it says.");
    }
}
