namespace Streams.Records;

/// <summary>
/// Names of the units that fields are measured in. A unit is the text that schemas and documentation show, so
/// a topology may use a text of its own (<c>"TH/s"</c>) where none of these fits.
/// </summary>
/// <remarks>Constants, not an enumeration: the engine cannot know the units of every domain,
/// and a constant costs the codecs nothing.</remarks>
public static class Unit
{
    /// <summary>The field counts nothing: a name, an identifier, a flag.</summary>
    public const string None = "";

    /// <summary>Nanoseconds; for an instant, since 1970-01-01T00:00Z.</summary>
    public const string Nanoseconds = "ns";

    /// <summary>Microseconds; for an instant, since 1970-01-01T00:00Z.</summary>
    public const string Microseconds = "us";

    /// <summary>Milliseconds; for an instant, since 1970-01-01T00:00Z.</summary>
    public const string Milliseconds = "ms";

    /// <summary>Seconds; for an instant, since 1970-01-01T00:00Z.</summary>
    public const string Seconds = "s";

    /// <summary>10^-8 bitcoin.</summary>
    public const string Satoshi = "satoshi";

    /// <summary>10^-18 ether.</summary>
    public const string Wei = "wei";

    /// <summary>Smallest units of an asset whose decimals stand beside it.</summary>
    public const string BaseUnits = "base units";

    /// <summary>Steps of a venue's price grid.</summary>
    public const string Ticks = "ticks";

    /// <summary>Steps of a venue's quantity grid.</summary>
    public const string Lots = "lots";

    /// <summary>Bytes.</summary>
    public const string Bytes = "bytes";

    /// <summary>Number of things.</summary>
    public const string Count = "count";

    /// <summary>Part of one.</summary>
    public const string Ratio = "ratio";

    /// <summary>Hundredths.</summary>
    public const string Percent = "percent";

    /// <summary>Ten-thousandths.</summary>
    public const string BasisPoints = "bps";

    /// <summary>Millionths.</summary>
    public const string Ppm = "ppm";

    /// <summary>Watts.</summary>
    public const string Watts = "W";

    /// <summary>Watt-hours.</summary>
    public const string WattHours = "Wh";

    /// <summary>Degrees Celsius.</summary>
    public const string Celsius = "degC";
}
