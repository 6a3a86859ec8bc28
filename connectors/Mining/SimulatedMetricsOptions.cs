using Streams.Connect;

namespace Streams.Connectors.Mining;

/// <summary>Which machines are simulated.</summary>
public sealed record SimulatedMetricsOptions
{
    /// <summary>The seed: the same one gives the same samples.</summary>
    public long Seed { get; init; }

    /// <summary>How many machines there are. Default 100 machines.</summary>
    public int Machines { get; init; } = 100;

    /// <summary>The time between two samples of a machine. Default 10 s.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How many times all machines are sampled before the source is exhausted; 0 for no end. Default
    /// 0 rounds.</summary>
    public long RoundsMax { get; init; }

    /// <summary>Samples a second; 0 for as fast as they are taken. Default 0.</summary>
    public int SamplesPerSecond { get; init; }

    internal void Validate()
    {
        if (Machines <= 0 || Interval <= TimeSpan.Zero || RoundsMax < 0 || SamplesPerSecond < 0)
            throw new ConfigurationException(
                "mining-simulated: 'machines' and 'interval' must be over zero, 'rounds_max' and " +
                "'samples_per_second' not below it.");
    }
}
