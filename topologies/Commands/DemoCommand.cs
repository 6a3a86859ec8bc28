using System.CommandLine;
using System.Security.Cryptography;
using Spectre.Console;
using Streams.Topologies.Demo;
using Streams.Topologies.Hosting;

namespace Streams.Topologies.Commands;

/// <summary><c>streams demo</c>: a simulated chain with known behaviour in it, and what is found of
/// it.</summary>
internal static class DemoCommand
{
    private const int SeedMax = 1_000_000;

    private static readonly Option<int> Seconds = new("--seconds")
    {
        Description = "How long blocks are fed.",
        DefaultValueFactory = _ => 30,
    };

    private static readonly Option<int> Rate = new("--rate")
    {
        Description = "Transactions per second. A machine that does not keep up feeds fewer blocks.",
        DefaultValueFactory = _ => 10_000,
    };

    private static readonly Option<long?> Seed = new("--seed")
    {
        Description = "Repeats a run: the same seed, seconds and rate make the same blocks, and as many " +
            "blocks the same findings. Without it each run is another; it says its seed.",
    };

    private static readonly Option<string> Data = new("--data")
    {
        Description = "The directory. Each demo begins anew and deletes there what the demo before it " +
            "made, and nothing else; a directory that no demo made is refused.",
        DefaultValueFactory = _ => Path.Combine("data", "demo"),
    };

    private static readonly Option<string?> Listen = new("--listen")
    {
        Description = "Serve /metrics, /healthz and /readyz here, such as 127.0.0.1:9464.",
    };

    private static readonly Option<bool> Json = new("--json")
    {
        Description = "Print the result as one line of JSON, and progress to standard error.",
    };

    internal static Command Create()
    {
        var command = new Command(
            "demo",
            "Score the transactions of a simulated Bitcoin network with known behaviour in it, and say " +
                "what was found and missed. Needs no service and no file. Ctrl-C ends it early, with the " +
                "summary.")
        {
            Seconds, Rate, Seed, Data, Listen, Json,
        };
        command.SetAction((parsed, _) => CommandRunner.RunAsync(() => RunAsync(parsed)));
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed)
    {
        using var stop = new DemoStop();
        long seed = parsed.GetValue(Seed) ?? RandomNumberGenerator.GetInt32(1, SeedMax);
        DemoPlan plan = DemoPlan.Of(parsed.GetValue(Seconds), parsed.GetValue(Rate), seed);
        DemoFolder folder = DemoFolder.Prepare(parsed.GetValue(Data)!);
        bool json = parsed.GetValue(Json);
        TextWriter progress = json ? Console.Error : Console.Out;
        DemoReport.WriteStart(plan, folder, progress);
        var log = new DemoLog();
        var options = new DemoRunOptions
        {
            Plan = plan,
            Folder = folder,
            Listen = parsed.GetValue(Listen),
            Stop = stop.Feed,
            Abandon = stop.Wait,
        };
        IDemoView view = IsLive(json)
            ? new LiveDemoView(plan, AnsiConsole.Console)
            : new PlainDemoView(plan, progress);
        DemoOutcome outcome = await view.ShowAsync(
            show => DemoRun.RunAsync(options, log, () => log.Warning, show));
        if (json)
            DemoReport.WriteJson(outcome, Console.Out);
        else
            DemoReport.Write(outcome, Console.Out);
        return ExitCode.Done;
    }

    private static bool IsLive(bool json) =>
        !json && !Console.IsOutputRedirected && AnsiConsole.Profile.Capabilities.Ansi
            && AnsiConsole.Profile.Width >= LiveDemoView.WidthMin;
}
