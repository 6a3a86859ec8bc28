using System.CommandLine;
using Streams.Connect;
using Streams.Records.Schemas;
using Streams.Topologies.Configuration;
using Streams.Topologies.Documents;
using Streams.Topologies.Hosting;

namespace Streams.Topologies.Commands;

/// <summary><c>streams schemas</c> and <c>streams options</c>: what records hold and what can be configured,
/// as the pages of docs.</summary>
internal static class DocumentCommands
{
    internal static Command CreateSchemas()
    {
        var name = new Argument<string?>("record")
        {
            Description = "Print this record type's page.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var proto = new Option<bool>("--proto") { Description = "Print its .proto file instead." };
        var folder = new Option<string?>("--out")
        {
            Description = "Write the pages and .proto files of all record types to this folder.",
        };
        var command = new Command(
            "schemas", "List the record types of the topics, or print or write their pages.")
        {
            name, proto, folder,
        };
        command.SetAction((parsed, _) => CommandRunner.RunAsync(() =>
        {
            if (parsed.GetValue(folder) is { } to)
                WriteAll(to);
            else if (parsed.GetValue(name) is { } wanted)
                Console.Write(Page(wanted, parsed.GetValue(proto)));
            else
                List();
            return Task.FromResult(ExitCode.Done);
        }));
        return command;
    }

    internal static Command CreateOptions()
    {
        var file = new Option<string?>("--out") { Description = "Write the page to this file." };
        var command = new Command(
            "options", "Print every option of runs, topologies, sources and sinks: type, unit, default.")
        {
            file,
        };
        command.SetAction((parsed, _) => CommandRunner.RunAsync(() =>
        {
            string page = ConfigurationPage.Write();
            if (parsed.GetValue(file) is { } to)
                GeneratedFile.Write(to, page);
            else
                Console.Write(page);
            return Task.FromResult(ExitCode.Done);
        }));
        return command;
    }

    private static void WriteAll(string folder)
    {
        IReadOnlyList<GeneratedFile> files = SchemaDocuments.All();
        foreach (GeneratedFile file in files)
            file.WriteTo(folder);
        Console.WriteLine($"{files.Count} files in {folder}");
    }

    private static string Page(string name, bool isProto)
    {
        RecordDocument record = SchemaDocuments.Records.FirstOrDefault(r => r.Schema.Name == name)
            ?? throw new ConfigurationException(
                $"There is no record type '{name}'"
                + OptionBinder.Suggestion(name, SchemaDocuments.Records.Select(r => r.Schema.Name)));
        return isProto ? ProtoFile.Write(record.Schema) : record.Page();
    }

    private static void List()
    {
        foreach (RecordDocument record in SchemaDocuments.Records)
            Console.WriteLine(
                $"{record.Schema.Name,-20} version {record.Schema.Version}  "
                + string.Join(", ", record.Topics));
    }
}
