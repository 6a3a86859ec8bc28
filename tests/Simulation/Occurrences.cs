namespace Streams.Tests.Simulation;

/// <summary>What has to occur in any few hundred simulations: every operator, every accident.</summary>
internal static class Occurrences
{
    internal static IEnumerable<string> All => [];
}
