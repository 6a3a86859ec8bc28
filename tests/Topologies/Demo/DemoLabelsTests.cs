using System.Text;
using Streams.Connectors.Bitcoin.Simulation;
using Streams.Tests.Support;
using Streams.Topologies.Demo;
using Streams.Topologies.Transactions.Tags;
using Xunit;

namespace Streams.Tests.Topologies.Demo;

/// <summary>The labels of the simulation's known actors.</summary>
public sealed class DemoLabelsTests
{
    [Fact]
    public void Every_known_actor_is_labelled_as_what_it_is()
    {
        using var folder = new TemporaryFolder();
        TagTable table = DemoLabels.Load(folder.File("labels"));
        Assert.Equal(SimulatedActors.All.Count, table.Count);
        foreach (SimulatedActor actor in SimulatedActors.All)
        {
            Assert.True(table.TryGet(Encoding.ASCII.GetBytes(actor.Address), out TagEntry? entry));
            Assert.Equal(actor.Name, entry.Label.ToString());
            Assert.Equal(actor.Country, entry.Country?.ToString());
            Assert.Equal(actor.Kind == SimulatedActorKind.Sanctioned, entry.IsSanctioned);
            Assert.Equal(actor.Kind is SimulatedActorKind.Ransomware
                or SimulatedActorKind.DarknetMarket, entry.IsIllicit);
            Assert.Equal(actor.Kind == SimulatedActorKind.Mixer, entry.IsMixer);
            Assert.Equal(
                actor.Kind is SimulatedActorKind.Exchange or SimulatedActorKind.MiningPool, entry.IsService);
        }
    }

    [Fact]
    public void The_labels_are_the_same_each_time()
    {
        using var folder = new TemporaryFolder();
        Assert.Equal(DemoLabels.Load(folder.File("a")).Version, DemoLabels.Load(folder.File("b")).Version);
    }
}
