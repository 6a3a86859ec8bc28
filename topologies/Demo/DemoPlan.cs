using Streams.Connect;
using Streams.Connectors.Bitcoin.Simulation;

namespace Streams.Topologies.Demo;

/// <summary>What a demonstration feeds, and how long.</summary>
public sealed record DemoPlan
{
    /// <summary>Longest run, in seconds.</summary>
    public const int SecondsMax = 3_600;

    /// <summary>Highest rate, in transactions per second.</summary>
    public const int RateMax = 200_000;

    // A machine that keeps up feeds the last block in the last moment; it must not be cut off for a hiccup.
    private const double TimeOver = 1.05;

    private DemoPlan(int seconds, int rate, SimulationOptions simulation, TimeSpan timeMax)
    {
        Seconds = seconds;
        Rate = rate;
        Simulation = simulation;
        TimeMax = timeMax;
    }

    /// <summary>How long blocks are fed at the rate.</summary>
    public int Seconds { get; }

    /// <summary>Transactions per second.</summary>
    public int Rate { get; }

    /// <summary>The simulated chain, with its last block.</summary>
    public SimulationOptions Simulation { get; }

    /// <summary>Feeding ends after this time, even if the last block was not reached: a machine that does not
    /// keep up feeds fewer blocks, not longer.</summary>
    public TimeSpan TimeMax { get; init; }

    /// <summary>Plans a run.</summary>
    /// <param name="seconds">How long, 1 to <see cref="SecondsMax"/>.</param>
    /// <param name="rate">Transactions per second, 100 to <see cref="RateMax"/>.</param>
    /// <param name="seed">Everything random follows from it.</param>
    /// <exception cref="ConfigurationException">A number is out of its range.</exception>
    public static DemoPlan Of(int seconds, int rate, long seed)
    {
        if (seconds is < 1 or > SecondsMax)
            throw new ConfigurationException($"--seconds must be 1 to {SecondsMax:N0}; it is {seconds:N0}.");
        if (rate is < 100 or > RateMax)
            throw new ConfigurationException($"--rate must be 100 to {RateMax:N0}; it is {rate:N0}.");
        var duration = TimeSpan.FromSeconds(seconds);
        SimulationOptions simulation = SimulationOptions.ForDemo(duration, rate);
        // The coinbase counts by the rate, and not by the size of a block.
        long traffic = (long)seconds * rate / (simulation.TransactionsPerBlock + 1);
        return new DemoPlan(seconds, rate, simulation with
        {
            Seed = seed,
            BlocksMax = SimulationOptions.RunUpBlocks + (int)Math.Max(traffic, 1),
            Duration = TimeSpan.Zero,
        }, duration * TimeOver + TimeSpan.FromMilliseconds(500));
    }
}
