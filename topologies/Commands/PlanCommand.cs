using System.CommandLine;
using System.Text.Json;
using Streams.Connect.Evolution;
using Streams.Log;
using Streams.Topologies.Hosting;

namespace Streams.Topologies.Commands;

/// <summary><c>streams plan</c>: says what a changed topology would come to on the data that is there, and
/// starts nothing.</summary>
internal static class PlanCommand
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
    };

    internal static Command Create()
    {
        var options = new RunCommandOptions();
        var json = new Option<bool>("--json") { Description = "Print the plan as one line of JSON." };
        var command = new Command(
            "plan",
            "Compare a topology with the one that the data was made by, and start nothing; the directory or "
            + "the group on Kafka may be in use. Exits with 5 when state would be lost.")
        {
            json,
        };
        options.AddTo(command);
        options.AddAcceptTo(command);
        command.SetAction((parsed, _) => CommandRunner.RunAsync(() =>
        {
            TopologyChanges changes = Find(options.Read(parsed));
            if (parsed.GetValue(json))
                WriteJson(changes);
            else
                changes.Write(Console.Out);
            return Task.FromResult(changes.IsImpossible ? ExitCode.Usage
                : changes.LosesState ? ExitCode.LosesState
                : ExitCode.Done);
        }));
        return command;
    }

    private static TopologyChanges Find(RunSettings settings)
    {
        var place = LogPlace.Of(settings);
        var definition = ApplicationHost.Define(settings, settings.Topology.Build(settings.TopologyOptions));
        // Where there is no log yet, all of it is new.
        if (!place.IsOnKafka && !Directory.Exists(DataFolder.LogFolder(settings.DataFolder)))
            return TopologyChanges.Find(definition, new NoLogContents());
        using OpenedLog log = OpenedLog.Look(place);
        return TopologyChanges.Find(definition, log.Contents);
    }

    private static void WriteJson(TopologyChanges changes) => Console.WriteLine(JsonSerializer.Serialize(
        new
        {
            changes.Application,
            changes.IsFirst,
            changes.CanStart,
            changes.NeedlesslyAccepted,
            Changes = changes.Changes.Select(c => new
            {
                Effect = c.Effect switch
                {
                    ChangeEffect.Impossible => "impossible",
                    ChangeEffect.LosesState => "loses_state",
                    _ => "compatible",
                },
                c.Kind,
                c.Subject,
                c.What,
                c.Reasons,
                c.WaysOut,
                Accepted = c.IsAccepted,
            }),
        },
        Json));
}
