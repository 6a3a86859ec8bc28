using Xunit;

namespace Streams.Tests.Simulation;

/// <summary>
/// The whole engine under crashes, full disks and failing ends, from seeds. STREAMS_SIMULATION_SEEDS sets how
/// many; the command <c>simulate</c> runs any number and repeats one.
/// </summary>
public sealed class SimulationTests
{
    private const int SeedsByDefault = 300;
    private const int SeedsUntilFound = 500;

    /// <summary>Every mistake that is planted.</summary>
    public static TheoryData<string> Bugs =>
        [.. Enum.GetNames<PlantedBug>().Except([nameof(PlantedBug.None)])];

    [Fact]
    public void Nothing_is_lost_doubled_or_reordered_whatever_fails_when()
    {
        string? asked = Environment.GetEnvironmentVariable("STREAMS_SIMULATION_SEEDS");
        int seeds = int.TryParse(asked, out int count) ? count : SeedsByDefault;
        var seen = new Coverage();
        for (int seed = 1; seed <= seeds; seed++)
        {
            if (SimulationCommand.Find(seed, PlantedBug.None, seen) is { } failure)
                throw failure;
        }
        TestContext.Current.TestOutputHelper?.WriteLine(seen.ToString());
        // A simulation in which nothing happens proves nothing.
        Assert.DoesNotContain(Occurrences.All, what => seen[what] == 0);
    }

    [Theory]
    [MemberData(nameof(Bugs))]
    public void A_planted_bug_is_found(string bug)
    {
        var seen = new Coverage();
        Exception? found = null;
        for (int seed = 1; seed <= SeedsUntilFound && found is null; seed++)
            found = SimulationCommand.Find(seed, Enum.Parse<PlantedBug>(bug), seen);
        Assert.NotNull(found);
        TestContext.Current.TestOutputHelper?.WriteLine(found.Message);
    }

    [Fact]
    public void A_seed_repeats_itself()
    {
        var once = new Coverage();
        var again = new Coverage();
        Assert.Null(SimulationCommand.Find(7, PlantedBug.None, once));
        Assert.Null(SimulationCommand.Find(7, PlantedBug.None, again));
        Assert.Equal(once.ToString(), again.ToString());
    }
}
