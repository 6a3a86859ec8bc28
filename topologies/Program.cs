using System.CommandLine;
using Streams.Topologies.Commands;
using Streams.Topologies.Configuration;
using Streams.Topologies.Hosting;

namespace Streams.Topologies;

internal static class Program
{
    private static async Task<int> Main(string[] args)
    {
        Secrets.HideOnConsole();
        var root = new RootCommand(
            "Stream processing for digital-asset platforms: risk-scored records, exactly once.")
        {
            DemoCommand.Create(),
            RunCommand.Create(),
            TopologyCommands.CreateValidate(),
            TopologyCommands.CreateDescribe(),
            PlanCommand.Create(),
            BackfillCommand.Create(),
            ResetCommand.Create(),
            LagCommand.Create(),
            TopCommand.Create(),
            TopicCommands.CreateTopics(),
            TopicCommands.CreateTap(),
            StateCommand.Create(),
            DlqCommands.Create(),
            LogCommands.Create(),
            SqlCommand.Create(),
            DocumentCommands.CreateSchemas(),
            DocumentCommands.CreateOptions(),
        };
        ParseResult parsed = root.Parse(args);
        int code = await parsed.InvokeAsync(new InvocationConfiguration
        {
            // A command that is asked to stop commits what it has; it is not cut off after two seconds.
            ProcessTerminationTimeout = Timeout.InfiniteTimeSpan,
        });
        return parsed.Errors.Count > 0 ? ExitCode.Usage : code;
    }
}
