using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Streams.Connect;
using Streams.Log;
using Streams.Records.Schemas;
using Streams.Topologies.Configuration;
using Streams.Topologies.Documents;
using Streams.Topologies.Hosting;

namespace Streams.Topologies.Commands;

/// <summary><c>streams topics create</c> and <c>streams topics describe</c>.</summary>
internal static class TopicSubcommands
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
    };

    internal static Command CreateCreate()
    {
        var access = new LogAccess();
        var name = new Argument<string>("topic") { Description = "The topic." };
        var partitions = new Option<int>("--partitions")
        {
            Description = "How many partitions.",
            DefaultValueFactory = _ => 1,
        };
        var compacted = new Option<bool>("--compacted")
        {
            Description = "Keep the last record of each key for ever.",
        };
        var retention = new Option<string?>("--retention")
        {
            Description = "How long a record is kept after it was appended, such as 7d, or 'forever'. "
                + "Default 7d. On Kafka it goes by the record's own time; default forever.",
        };
        var schema = new Option<string?>("--schema")
        {
            Description = "The record type of its values, as 'streams schemas' lists them.",
        };
        var command = new Command(
            "create",
                "Create a topic, or find it and check that it is as asked; no process may run on the data.")
        {
            name, partitions, compacted, retention, schema,
        };
        access.AddTo(command);
        command.SetAction((parsed, _) => CommandRunner.RunAsync(() =>
        {
            var spec = new TopicSpec
            {
                Name = parsed.GetValue(name)!,
                Partitions = parsed.GetValue(partitions),
                Compacted = parsed.GetValue(compacted),
                Retention = RetentionOf(parsed.GetValue(retention), parsed.GetValue(compacted)),
                Schema = parsed.GetValue(schema) is { } wanted ? SchemaOf(wanted) : null,
            };
            if (spec.Schema is not null && access.IsOnKafka(parsed))
                throw new ConfigurationException(
                    "--schema: Kafka keeps no schema's name with a topic. The topics of the project's own "
                    + "topologies are decoded without.");
            using OpenedLog opened = access.OpenToChange(
                parsed, setsRetention: parsed.GetValue(retention) is not null);
            ITopicLog log = opened.Log;
            bool existed = log.FindTopic(spec.Name) is not null;
            Topic topic = log.EnsureTopic(spec);
            Console.WriteLine(
                $"{topic.Name} {(existed ? "is there and is as asked" : "was created")}: "
                + $"{topic.Partitions} partitions");
            return Task.FromResult(ExitCode.Done);
        }));
        return command;
    }

    internal static Command CreateDescribe()
    {
        var access = new LogAccess();
        var name = new Argument<string>("topic") { Description = "The topic." };
        var json = new Option<bool>("--json") { Description = "Print one line of JSON." };
        var command = new Command("describe", "Print what a topic is like, its offsets, and its schema.")
        {
            name, json,
        };
        access.AddTo(command);
        command.SetAction((parsed, _) => CommandRunner.RunAsync(() =>
        {
            using OpenedLog log = access.Look(parsed);
            Topic topic = TopicCommands.Find(log.Contents, parsed.GetValue(name)!);
            if (parsed.GetValue(json))
                WriteJson(log.Contents, topic);
            else
                Write(log.Contents, topic);
            return Task.FromResult(ExitCode.Done);
        }));
        return command;
    }

    private static TimeSpan? RetentionOf(string? text, bool compacted)
    {
        if (text is null)
            return compacted ? null : new TopicSpec { Name = "default" }.Retention;
        if (text == "forever")
            return null;
        return Durations.TryParse(text, out TimeSpan span) && span > TimeSpan.Zero
            ? span
            : throw new ConfigurationException(
                $"--retention {text}: write a time such as 7d or 12h, or forever.");
    }

    private static string SchemaOf(string name) =>
        SchemaDocuments.Records.Any(r => r.Schema.Name == name) ? name : throw new ConfigurationException(
            $"--schema: there is no record type '{name}'"
            + OptionBinder.Suggestion(name, SchemaDocuments.Records.Select(r => r.Schema.Name)));

    private static RecordSchema? SchemaOf(Topic topic) => TopicCommands.FormatOf(topic.Name)?.Schema
        ?? SchemaDocuments.Records.FirstOrDefault(r => r.Schema.Name == topic.Spec.Schema)?.Schema;

    private static void Write(ILogContents log, Topic topic)
    {
        TopicSpec spec = topic.Spec;
        string kept = spec.Retention is { } time ? Durations.Format(time) : "for ever";
        string cleanup = spec.Compacted ? "compacted" : "not compacted";
        Print($"{topic.Name}: {topic.Partitions} partitions, {cleanup}");
        Print($"  kept {kept}; records to {spec.RecordBytesMax:N0} bytes");
        if (spec.RetentionBytes is { } bytes)
            Print($"  kept to {bytes:N0} bytes a partition");
        for (int p = 0; p < topic.Partitions; p++)
            Print($"  partition {p}: offsets {log.StartOffset(topic[p]):N0} to {log.EndOffset(topic[p]):N0}");
        if (SchemaOf(topic) is not { } schema)
        {
            Print($"  schema: {spec.Schema ?? "none was given; values are bytes"}");
            return;
        }
        Print($"  schema: {schema.Name} version {schema.Version}");
        foreach (FieldSchema field in schema.Fields)
            Print($"    {field.Number,3} {field.Name,-24} {field.Doc}");
    }

    private static void WriteJson(ILogContents log, Topic topic) => Console.WriteLine(
        JsonSerializer.Serialize(
        new
        {
            Topic = topic.Name,
            topic.Spec.Compacted,
            RetentionMs = (long?)topic.Spec.Retention?.TotalMilliseconds,
            topic.Spec.RetentionBytes,
            topic.Spec.RecordBytesMax,
            Schema = topic.Spec.Schema ?? SchemaOf(topic)?.Name,
            SchemaVersion = SchemaOf(topic)?.Version,
            Partitions = Enumerable.Range(0, topic.Partitions).Select(p => new
            {
                Partition = p,
                Start = log.StartOffset(topic[p]),
                End = log.EndOffset(topic[p]),
            }),
        }, Json));

    private static void Print(FormattableString line) =>
        Console.WriteLine(line.ToString(CultureInfo.InvariantCulture));
}
