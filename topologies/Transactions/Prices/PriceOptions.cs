using Streams.Connect;

namespace Streams.Topologies.Transactions.Prices;

/// <summary>The file that prices are loaded from, so that limits are in dollars. docs/rules.md describes
/// it.</summary>
public sealed record PriceOptions
{
    /// <summary>CSV with the columns <c>time</c>, <c>asset</c> and <c>usd</c>. Without it, every limit is in
    /// base units.</summary>
    public string? File { get; init; }

    /// <summary>How old a price may be at a transaction's time; without a price that is not older, limits are
    /// in base units. Default 3 d.</summary>
    public TimeSpan AgeMax { get; init; } = TimeSpan.FromDays(3);

    /// <summary>Largest file, in bytes. Default 64 MiB.</summary>
    public long FileBytesMax { get; init; } = 64L << 20;

    /// <summary>Checks what can be checked without reading a file.</summary>
    /// <exception cref="ConfigurationException">An option can never work.</exception>
    internal void Validate()
    {
        if (AgeMax <= TimeSpan.Zero)
            throw new ConfigurationException("prices.age_max is 0. Give a duration, such as 3d.");
        if (FileBytesMax is <= 0 or > int.MaxValue)
            throw new ConfigurationException(
                $"prices.file_bytes_max is {FileBytesMax}. Give 1 to {int.MaxValue}.");
    }
}
