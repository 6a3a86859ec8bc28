using System.Numerics;

namespace Streams.Connectors.Bitcoin.Simulation;

/// <summary>
/// Numbers that follow from a seed alone, on every machine and in every version of the framework, which
/// <see cref="Random"/> does not promise.
/// </summary>
/// <remarks>Sources: xoshiro256** and SplitMix64, Blackman and Vigna, prng.di.unimi.it (public
/// domain).</remarks>
internal sealed class SimulationRandom
{
    private const ulong GoldenGamma = 0x9E3779B97F4A7C15;
    private const int RoundPerMille = 350;
    private const long RoundTo = 10_000;

    private ulong _0;
    private ulong _1;
    private ulong _2;
    private ulong _3;

    internal SimulationRandom(ulong seed)
    {
        _0 = Mix(seed += GoldenGamma);
        _1 = Mix(seed += GoldenGamma);
        _2 = Mix(seed += GoldenGamma);
        _3 = Mix(seed + GoldenGamma);
    }

    /// <summary>64 random bits.</summary>
    internal ulong Next()
    {
        ulong result = BitOperations.RotateLeft(_1 * 5, 7) * 9;
        ulong shifted = _1 << 17;
        _2 ^= _0;
        _3 ^= _1;
        _1 ^= _2;
        _0 ^= _3;
        _2 ^= shifted;
        _3 = BitOperations.RotateLeft(_3, 45);
        return result;
    }

    /// <summary>A number from 0 to below <paramref name="bound"/>.</summary>
    internal int Below(int bound) => (int)Math.BigMul(Next(), (ulong)bound, out _);

    /// <summary>A number from <paramref name="min"/> to <paramref name="max"/>, both included.</summary>
    internal int Between(int min, int max) => min + Below(max - min + 1);

    /// <inheritdoc cref="Between(int, int)"/>
    internal long Between(long min, long max) =>
        min + (long)Math.BigMul(Next(), (ulong)(max - min + 1), out _);

    /// <summary>A time from <paramref name="min"/> to <paramref name="max"/>, in whole seconds.</summary>
    internal TimeSpan Between(TimeSpan min, TimeSpan max) =>
        TimeSpan.FromSeconds(Between((long)min.TotalSeconds, (long)max.TotalSeconds));

    /// <summary>True as often as <paramref name="perMille"/> says.</summary>
    internal bool Chance(int perMille) => Below(1000) < perMille;

    /// <summary>An amount as people pay it: most near the median, a few a hundred times as much, many
    /// round.</summary>
    /// <remarks>
    /// About log-normal, of whole numbers only: the count of set bits among 64 is nearly normal with
    /// deviation 4, so half of it as a power of two spreads amounts by two octaves.
    /// </remarks>
    /// <param name="medianSatoshi">The median, at least 1,000.</param>
    internal long Amount(long medianSatoshi)
    {
        int octaves = (BitOperations.PopCount(Next()) - 32) >> 1;
        // From 2^-0.5 to 2^0.5 of it, so that amounts between the powers occur too.
        long spread = Between(medianSatoshi * 707 / 1000, medianSatoshi * 1414 / 1000);
        long amount = octaves >= 0 ? spread << octaves : spread >> -octaves;
        return amount > RoundTo && Chance(RoundPerMille) ? amount - amount % RoundTo : amount;
    }

    /// <summary>Spreads the bits of a number over 64: equal for equal, unlike for unlike.</summary>
    internal static ulong Mix(ulong number)
    {
        number = (number ^ (number >> 30)) * 0xBF58476D1CE4E5B9;
        number = (number ^ (number >> 27)) * 0x94D049BB133111EB;
        return number ^ (number >> 31);
    }
}
