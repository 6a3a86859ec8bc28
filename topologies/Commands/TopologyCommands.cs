using System.CommandLine;
using Streams.Processing;
using Streams.Topologies.Hosting;

namespace Streams.Topologies.Commands;

/// <summary><c>streams validate</c> and <c>streams describe</c>: look at what would run, and start
/// nothing.</summary>
internal static class TopologyCommands
{
    internal static Command CreateValidate()
    {
        var options = new RunCommandOptions();
        var command = new Command(
            "validate", "Check a configuration and all that it names, and start nothing.");
        options.AddTo(command);
        command.SetAction((parsed, _) => CommandRunner.RunAsync(() =>
        {
            RunSettings settings = options.Read(parsed);
            BuiltTopology built = settings.Topology.Build(settings.TopologyOptions);
            foreach (string note in built.Notes)
                Console.WriteLine(note);
            foreach (NamedSource source in settings.Sources)
                Console.WriteLine($"source {source.Name} ({source.Kind.Name}) writes {source.Kind.Topic}");
            foreach (NamedSink sink in settings.Sinks)
                Console.WriteLine(
                    $"sink {sink.Name} ({sink.Kind.Name}) gets {string.Join(", ", sink.Kind.Topics(built))}");
            foreach (string unnamed in built.Topology.UnnamedState)
                Console.WriteLine(
                    $"warning: '{unnamed}' keeps state under a generated name, which can change with the "
                    + "topology; give its operator a name, and keep it");
            Console.WriteLine(
                $"{settings.Application} is valid: it reads " +
                    $"{string.Join(", ", built.Topology.SourceTopics)} " +
                $"and keeps {built.Topology.Stores.Count} stores");
            return Task.FromResult(ExitCode.Done);
        }));
        return command;
    }

    internal static Command CreateDescribe()
    {
        var options = new RunCommandOptions();
        var format = new Option<DescribeFormat>("--format") { Description = "text, mermaid or dot." };
        var command = new Command("describe", "Print a topology: its parts, nodes, stores and topics.")
        {
            format,
        };
        options.AddTo(command);
        command.SetAction((parsed, _) => CommandRunner.RunAsync(() =>
        {
            RunSettings settings = options.Read(parsed);
            BuiltTopology built = settings.Topology.Build(settings.TopologyOptions);
            Console.Write(built.Topology.Describe(parsed.GetValue(format)));
            return Task.FromResult(ExitCode.Done);
        }));
        return command;
    }
}
