using System.CommandLine;
using System.Globalization;
using Microsoft.Extensions.Logging;
using Streams.Connect;
using Streams.Log.Embedded;
using Streams.Log.Kafka;
using Streams.Topologies.Hosting;

namespace Streams.Topologies.Commands;

/// <summary><c>streams log copy</c>: takes an application from a data directory to Kafka, with its
/// state.</summary>
internal static class LogCopyCommand
{
    internal static Command Create()
    {
        var options = new RunCommandOptions();
        var from = new Option<string>("--from-data")
        {
            Description = "The data directory that the application ran on, and must not run on now.",
            Required = true,
        };
        var apply = new Option<bool>("--apply") { Description = "Copy it; without, say what would be." };
        var command = new Command(
            "copy",
            "Say what of a data directory would be copied to Kafka, as the configuration names it; with "
            + "--apply, copy it: records, positions, cursors and state. The directory is only read.")
        {
            from, apply,
        };
        options.AddTo(command);
        options.AddAcceptTo(command);
        command.SetAction((parsed, cancellation) => CommandRunner.RunAsync(() =>
        {
            RunSettings settings = options.Read(parsed, needsData: false) with
            {
                DataFolder = parsed.GetValue(from)!,
            };
            if (settings.Options.Kafka.Brokers.Length == 0)
                throw new ConfigurationException(
                    "Where to? Name the brokers: --kafka HOST:PORT, or 'kafka' in the configuration.");
            Copy(settings, parsed.GetValue(apply), cancellation);
            return Task.FromResult(ExitCode.Done);
        }));
        return command;
    }

    private static void Copy(RunSettings settings, bool apply, CancellationToken cancellation)
    {
        using ILoggerFactory factory = HostLog.CreateFactory(settings.Options.LogFormat);
        // Held, so that nobody runs on it meanwhile.
        using OpenedLog held = OpenedLog.ToChange(
            LogPlace.Of(settings) with { Kafka = new KafkaLogOptions() });
        using EmbeddedLogView view = DataFolder.View(settings.DataFolder);
        using KafkaLog to = KafkaLog.Open(
            settings.Application, settings.Options.Kafka, factory.CreateLogger("streams"));
        using var copy = new LogCopy(
            ApplicationHost.Define(settings, settings.Topology.Build(settings.TopologyOptions)), view, to);
        IReadOnlyList<CopiedTopic> plan = copy.Plan();
        if (copy.IsCopied)
            Console.WriteLine(
                "The records are there already; sinks that keep their position are told again.");
        foreach (CopiedTopic topic in plan)
            Console.WriteLine(topic.Kind == "state" ? $"{topic.Topic,-48} state" : string.Create(
                CultureInfo.InvariantCulture, $"{topic.Topic,-48} {topic.Records,14:N0} records"));
        if (!apply)
        {
            Console.WriteLine("Nothing was copied; --apply does it.");
            return;
        }
        copy.Run(topic => Console.WriteLine($"copied {topic}"), cancellation);
        Console.WriteLine($"{settings.Application} goes on at {settings.Options.Kafka.Brokers}.");
    }
}
