using System.CommandLine;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Streams.Connect;
using Streams.Connect.Backfills;
using Streams.Topologies.Hosting;

namespace Streams.Topologies.Commands;

/// <summary><c>streams backfill</c>: says what processing a range again would come to, begins it, or says how
/// far it has come.</summary>
internal static class BackfillCommand
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
    };

    internal static Command Create()
    {
        var options = new RunCommandOptions();
        var apply = new Option<bool>("--apply")
        {
            Description = "Begin it: set positions back and empty the state behind them. The application "
                + "must not run; its next run goes through the range.",
        };
        var json = new Option<bool>("--json") { Description = "Print one line of JSON." };
        var command = new Command(
            "backfill",
            "Say what processing input again --from a point would come to, and change nothing; with --apply, "
            + "begin it; without --from, say how far the last one has come. Exits with 5 when something "
            + "needed is not kept any more.")
        {
            apply, json,
        };
        options.AddTo(command);
        options.AddAcceptTo(command);
        options.AddRangeTo(command);
        command.SetAction((parsed, cancellation) => CommandRunner.RunAsync(() =>
        {
            RunSettings settings = options.Read(parsed);
            bool asJson = parsed.GetValue(json);
            return Task.FromResult(
                settings.Backfill is not { } request ? Status(settings, asJson)
                : parsed.GetValue(apply) ? Begin(settings, request, asJson, cancellation)
                : Plan(settings, request, asJson));
        }));
        return command;
    }

    private static int Status(RunSettings settings, bool json)
    {
        using OpenedLog log = OpenedLog.Look(LogPlace.Of(settings));
        BackfillStatus? status = Backfill.Status(settings.Application, log.Contents);
        if (json)
            Console.WriteLine(JsonSerializer.Serialize(
                new { settings.Application, Backfill = status }, Json));
        else if (status is null)
            Console.WriteLine($"{settings.Application}: nothing was processed again yet");
        else if (status.IsDone)
            Console.WriteLine($"{settings.Application}: {status.Words} is through");
        else
            Console.WriteLine(
                $"{settings.Application}: {status.Words} is under way; {status.RecordsLeft:N0} records in "
                + "topics are left" + (status.SourcesLeft.Count == 0 ? ""
                    : $", and nothing new came yet from {string.Join(", ", status.SourcesLeft)}"));
        return ExitCode.Done;
    }

    private static int Plan(RunSettings settings, BackfillRequest request, bool json)
    {
        using OpenedLog log = OpenedLog.Look(LogPlace.Of(settings));
        BackfillPlan plan = Backfill.Plan(Define(settings), log.Contents, request);
        Write(plan, json, "would be processed again; nothing was changed, --apply begins it");
        return plan.Problems.Count > 0 ? ExitCode.Usage
            : plan.CanBegin ? ExitCode.Done
            : ExitCode.LosesState;
    }

    private static int Begin(
        RunSettings settings, BackfillRequest request, bool json, CancellationToken cancellation)
    {
        using ILoggerFactory factory = HostLog.CreateFactory(settings.Options.LogFormat);
        using OpenedLog log = OpenedLog.ToChange(LogPlace.Of(settings), usesFolder: true);
        BackfillPlan plan = Backfill.Begin(
            Define(settings), log.Log, request, factory.CreateLogger("streams"), cancellation);
        Write(plan, json, "is going to be processed again by the next 'streams run'");
        return ExitCode.Done;
    }

    private static ApplicationDefinition Define(RunSettings settings) =>
        ApplicationHost.Define(settings, settings.Topology.Build(settings.TopologyOptions));

    private static void Write(BackfillPlan plan, bool json, string what)
    {
        if (!json)
        {
            Console.WriteLine(plan.CanBegin
                ? $"{plan.Application}: {plan.Request} {what}"
                : $"{plan.Application}: {plan.Request} cannot be processed again as asked");
            plan.Write(Console.Out);
            return;
        }
        Console.WriteLine(JsonSerializer.Serialize(
            new
            {
                plan.Application,
                Request = plan.Request.ToString(),
                plan.CanBegin,
                plan.Records,
                plan.Inputs,
                plan.Sources,
                plan.Stores,
                plan.DeliveredOnce,
                plan.Problems,
                plan.Losses,
            },
            Json));
    }
}
