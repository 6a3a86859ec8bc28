using System.Text;
using Streams.Connectors.Bitcoin.Simulation;
using Streams.Topologies.Transactions.Tags;

namespace Streams.Topologies.Demo;

/// <summary>The labels of the simulation's known actors, as files that a run loads like any other.</summary>
/// <remarks>One set fits all seeds: the addresses of known actors do not depend on the seed.</remarks>
public static class DemoLabels
{
    private const string SanctionList = "simulated-sanctions.csv";
    private const string ActorList = "simulated-actors.csv";
    private const string Header = "address,category,label,confidence,country";
    private const string Confidence = "ownership";

    /// <summary>Writes the label files.</summary>
    /// <param name="folder">Is created where there is none; files of the same names are replaced.</param>
    /// <returns>Options that name them, for <see cref="TagLoader"/> or the configuration of a
    /// topology.</returns>
    public static TagOptions WriteTo(string folder)
    {
        Directory.CreateDirectory(folder);
        string sanctions = Path.Combine(folder, SanctionList);
        string actors = Path.Combine(folder, ActorList);
        File.WriteAllText(sanctions, Rows(isSanctionList: true));
        File.WriteAllText(actors, Rows(isSanctionList: false));
        return new TagOptions { SanctionLists = [sanctions], CsvFiles = [actors] };
    }

    /// <summary>Writes the label files and loads them.</summary>
    /// <param name="folder">Is created where there is none; files of the same names are replaced.</param>
    public static TagTable Load(string folder) => TagLoader.Load(WriteTo(folder)).Table;

    private static string Rows(bool isSanctionList)
    {
        var rows = new StringBuilder(Header).Append('\n');
        foreach (SimulatedActor actor in SimulatedActors.All)
        {
            if (actor.Kind == SimulatedActorKind.Sanctioned == isSanctionList)
                rows.Append(
                    $"{actor.Address},{CategoryOf(actor.Kind)},{actor.Name},{Confidence},{actor.Country}\n");
        }
        return rows.ToString();
    }

    private static string CategoryOf(SimulatedActorKind kind)
    {
        TagCategory category = kind switch
        {
            SimulatedActorKind.Sanctioned => TagCategory.Sanction,
            SimulatedActorKind.Ransomware => TagCategory.Ransomware,
            SimulatedActorKind.DarknetMarket => TagCategory.DarknetMarket,
            SimulatedActorKind.Mixer => TagCategory.MixingService,
            SimulatedActorKind.Exchange => TagCategory.Exchange,
            _ => TagCategory.Miner,
        };
        return TagConcepts.NameOf(category).ToString();
    }
}
