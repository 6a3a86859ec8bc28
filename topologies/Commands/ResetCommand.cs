using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Streams.Connect.Evolution;
using Streams.Log;
using Streams.Topologies.Hosting;

namespace Streams.Topologies.Commands;

/// <summary><c>streams reset</c>: lets an application begin as if it had never run.</summary>
internal static class ResetCommand
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
    };

    internal static Command Create()
    {
        var access = new LogAccess();
        var toEnd = new Option<bool>("--to-end")
        {
            Description = "Process only what comes from now on, instead of all that is kept.",
        };
        var sources = new Option<string[]>("--source")
        {
            Description = "Also read this source again from its beginning; may be repeated.",
        };
        var apply = new Option<bool>("--apply") { Description = "Do it; the application must not run." };
        var json = new Option<bool>("--json") { Description = "Print one line of JSON." };
        var command = new Command(
            "reset",
            "Set an application's positions back and delete its state, so that it begins as if it had never "
            + "run; without --apply, say what that comes to and change nothing. Outputs are written again, "
            + "alerts too: to process again without that, use 'streams backfill'.")
        {
            toEnd, sources, apply, json,
        };
        access.AddTo(command);
        access.AddApplicationTo(command, "The application; needed where the log knows several.");
        command.SetAction((parsed, _) => CommandRunner.RunAsync(() =>
        {
            string? id = access.ApplicationMeant(parsed);
            ApplicationReset reset;
            ApplicationReset Plan(ILogContents log) => ApplicationReset.Plan(
                id, log, parsed.GetValue(toEnd), parsed.GetValue(sources) ?? []);
            if (parsed.GetValue(apply))
            {
                using OpenedLog log = access.OpenToChange(parsed, id, usesFolder: true);
                reset = Plan(log.Contents);
                reset.Apply(log.Log, access.DataOf(parsed));
            }
            else
            {
                using OpenedLog log = access.Look(parsed, id);
                reset = Plan(log.Contents);
            }
            Write(reset, parsed.GetValue(apply), parsed.GetValue(json));
            return Task.FromResult(ExitCode.Done);
        }));
        return command;
    }

    private static void Write(ApplicationReset reset, bool done, bool json)
    {
        if (json)
        {
            Console.WriteLine(JsonSerializer.Serialize(new
            {
                reset.Application,
                Applied = done,
                reset.Positions,
                reset.Stores,
                reset.Topics,
                reset.Sources,
            }, Json));
            return;
        }
        Console.WriteLine(done
            ? $"{reset.Application} was reset: its next run begins as if it had never run"
            : $"{reset.Application} would be reset; nothing was changed, --apply does it");
        foreach (ResetPosition position in reset.Positions)
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"  position in {position.Topic} {position.Partition}: {position.From?.ToString("N0",
                    CultureInfo.InvariantCulture) ?? "none"} -> {position.To:N0}"));
        foreach (string source in reset.Sources)
            Console.WriteLine($"  source {source}: from its beginning");
        Console.WriteLine($"  state: {string.Join(", ", reset.Stores.DefaultIfEmpty("none"))}");
        foreach (string topic in reset.Topics)
            Console.WriteLine($"  topic {topic}: deleted");
    }
}
