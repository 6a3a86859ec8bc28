using System.CommandLine;
using Streams.Connect;
using Streams.Sinks.Postgres;
using Streams.Topologies.Hosting;

namespace Streams.Topologies.Commands;

/// <summary><c>streams sql</c>: the tables of a topology in PostgreSQL, to read, to make, and for the roles
/// that use them.</summary>
internal static class SqlCommand
{
    internal static Command Create() => new("sql", "The tables that a topology's PostgreSQL sinks write.")
    {
        CreatePrint(), CreateRoles(),
    };

    private static Command CreatePrint()
    {
        var options = new RunCommandOptions();
        var apply = new Option<bool>("--apply")
        {
            Description = "Make in the database what it lacks, in one transaction, and print what was done.",
        };
        var command = new Command(
            "print", "Print the statements that make tables, indexes and views.")
        {
            apply,
        };
        options.AddTo(command);
        command.SetAction((parsed, _) => CommandRunner.RunAsync(() =>
        {
            RunSettings settings = options.Read(parsed, needsData: false);
            BuiltTopology built = settings.Topology.Build(settings.TopologyOptions);
            foreach ((string name, PostgresOptions sink) in SinksOf(settings))
                Console.Write(parsed.GetValue(apply) ? Apply(name, sink, built)
                    : PostgresScripts.Print(sink, built.Formats, built.PostgresTables, built.PostgresViews));
            return Task.FromResult(ExitCode.Done);
        }));
        return command;
    }

    private static Command CreateRoles()
    {
        var options = new RunCommandOptions();
        var command = new Command(
            "roles", "Print a script of roles that may do no more than they need: owner, writer, reader.");
        options.AddTo(command);
        command.SetAction((parsed, _) => CommandRunner.RunAsync(() =>
        {
            foreach (var sink in SinksOf(options.Read(parsed, needsData: false)))
                Console.Write(PostgresScripts.Roles(sink.Options));
            return Task.FromResult(ExitCode.Done);
        }));
        return command;
    }

    private static string Apply(string name, PostgresOptions sink, BuiltTopology built)
    {
        string done = PostgresScripts.Apply(sink, built.Formats, built.PostgresTables, built.PostgresViews);
        return done.Length > 0 ? done : $"-- {name}: nothing is lacking\n";
    }

    private static List<(string Name, PostgresOptions Options)> SinksOf(RunSettings settings)
    {
        List<(string, PostgresOptions)> sinks = [.. settings.Sinks.Where(s => s.Options is PostgresOptions)
            .Select(s => (s.Name, (PostgresOptions)s.Options))];
        return sinks.Count > 0 ? sinks : throw new ConfigurationException(
            "No sink writes to PostgreSQL: give --sink postgres://USER@HOST:PORT/DATABASE, or a " +
            "configuration with one.");
    }
}
