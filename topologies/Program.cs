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
            RunCommand.Create(),
            TopologyCommands.CreateValidate(),
            TopologyCommands.CreateDescribe(),
            TopicCommands.CreateTopics(),
            TopicCommands.CreateTap(),
            LogCommands.Create(),
            DocumentCommands.CreateSchemas(),
            DocumentCommands.CreateOptions(),
        };
        ParseResult parsed = root.Parse(args);
        int code = await parsed.InvokeAsync();
        return parsed.Errors.Count > 0 ? ExitCode.Usage : code;
    }
}
