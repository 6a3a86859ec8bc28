using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Streams.Buffers;
using Streams.Connect;
using Streams.Errors;
using Streams.Log;
using Streams.Records;
using Streams.Topologies.Hosting;

namespace Streams.Topologies.Commands;

/// <summary><c>streams topics</c> and <c>streams tap</c>: look into a data directory.</summary>
internal static class TopicCommands
{
    // Every record type that a topic of ours may hold, by the topic's name.
    private static readonly IReadOnlyList<TopicFormat> Formats =
        [.. Registry.Topologies.SelectMany(t => t.Formats)];

    internal static Command CreateTopics()
    {
        var access = new LogAccess();
        var json = new Option<bool>("--json") { Description = "One line of JSON per topic." };
        var command = new Command("topics", "List the topics of a log, create one, or describe one.")
        {
            json, TopicSubcommands.CreateCreate(), TopicSubcommands.CreateDescribe(),
        };
        access.AddTo(command);
        command.SetAction((parsed, _) => CommandRunner.RunAsync(() =>
        {
            using OpenedLog log = access.Look(parsed);
            bool isOnKafka = access.IsOnKafka(parsed);
            // Looked up by its name, because a list from Kafka says little of each.
            foreach (Topic topic in log.Contents.Topics.Select(t => log.Contents.FindTopic(t.Name) ?? t))
                Console.WriteLine(parsed.GetValue(json)
                    ? Json(log.Contents, topic, isOnKafka) : Line(log.Contents, topic, isOnKafka));
            return Task.FromResult(ExitCode.Done);
        }));
        return command;
    }

    internal static Command CreateTap()
    {
        var access = new LogAccess();
        var name = new Argument<string>("topic") { Description = "The topic." };
        var partition = new Option<int?>("--partition") { Description = "The partition; without it, all." };
        var from = new Option<string>("--from")
        {
            Description = "The first offset, negative counts from the end; or a time such as "
                + "2026-11-20T06:00Z, for the first record of that time or a later one.",
            DefaultValueFactory = _ => "0",
        };
        var to = new Option<string?>("--to") { Description = "Up to before this offset or time." };
        var count = new Option<long>("--count")
        {
            Description = "How many records at most.",
            DefaultValueFactory = _ => long.MaxValue,
        };
        var key = new Option<string?>("--key")
        {
            Description = "Only records of this key, as text or hexadecimal.",
        };
        var command = new Command("tap", "Print the records of a topic, decoded, one a line.")
        {
            name, partition, from, to, count, key,
        };
        access.AddTo(command);
        command.SetAction((parsed, _) => CommandRunner.RunAsync(() =>
        {
            using OpenedLog log = access.Look(parsed);
            Topic topic = Find(log.Contents, parsed.GetValue(name)!);
            if (parsed.GetValue(partition) is { } wanted && (wanted < 0 || wanted >= topic.Partitions))
                throw new ConfigurationException(
                    $"'{topic.Name}' has {topic.Partitions} partitions; there is none of number {wanted}.");
            Tap(
                log.Contents, topic, parsed.GetValue(partition), new TapRange(
                    parsed.GetValue(from)!, parsed.GetValue(to), parsed.GetValue(count), parsed.GetValue(
                        key)));
            return Task.FromResult(ExitCode.Done);
        }));
        return command;
    }

    /// <summary>A topic of the log.</summary>
    /// <exception cref="ConfigurationException">There is none of that name.</exception>
    internal static Topic Find(ILogContents log, string name) =>
        log.FindTopic(name) ?? throw new ConfigurationException(
            $"There is no topic '{name}'. Topics: {string.Join(", ", log.Topics.Select(t => t.Name))}.");

    /// <summary>What the records of a topic are; null where nobody said.</summary>
    internal static TopicFormat? FormatOf(string topic) =>
        Formats.FirstOrDefault(f => f.Topic == topic)
        ?? (DeadLetter.IsTopic(topic) ? TopicFormat.Of(topic, RecordSerde.Protobuf<DeadLetter>()) : null);

    // On Kafka the ends of transactions have offsets too.
    private static string Line(ILogContents log, Topic topic, bool isOnKafka) => string.Create(
        CultureInfo.InvariantCulture,
        $"{topic.Name,-48} {topic.Partitions,3} partitions {Offsets(log, topic),14:N0} " +
            $"{(isOnKafka ? "offsets" : "records")}  " +
            $"{SchemaOf(topic) ?? "bytes"}{(topic.Spec.Compacted ? "  compacted" : "")}");

    private static string Json(ILogContents log, Topic topic, bool isOnKafka) => JsonSerializer.Serialize(new
    {
        topic = topic.Name,
        partitions = topic.Partitions,
        records = isOnKafka ? null : (long?)Offsets(log, topic),
        offsets = Offsets(log, topic),
        schema = SchemaOf(topic),
        compacted = topic.Spec.Compacted,
    });

    // Kafka keeps no schema's name; those of the project's topics are known without.
    private static string? SchemaOf(Topic topic) => topic.Spec.Schema ?? FormatOf(topic.Name)?.Schema.Name;

    private static long Offsets(ILogContents log, Topic topic) => Enumerable.Range(0, topic.Partitions)
        .Sum(p => log.EndOffset(topic[p]) - log.StartOffset(topic[p]));

    private static void Tap(ILogContents log, Topic topic, int? partition, TapRange range)
    {
        JsonLines? lines = FormatOf(topic.Name)?.CreateJson();
        using ILogReader reader = log.OpenReader();
        using LogBatch batch = reader.CreateBatch();
        using var line = new PooledBuffer();
        using Stream output = Console.OpenStandardOutput();
        long count = range.Count;
        for (int p = partition ?? 0; p <= (partition ?? topic.Partitions - 1); p++)
        {
            (long offset, long end) = range.In(log, topic[p]);
            while (count > 0 && offset < end && reader.ReadOrWait(topic[p], offset, batch))
            {
                while (count > 0 && batch.TryRead(out LogRecord record) && record.Offset < end)
                {
                    if (range.Key is not null && !Matches(record.Key, range.Key))
                        continue;
                    line.Clear();
                    Write(record, topic.Partitions > 1 && partition is null ? p : null, lines, line);
                    output.Write(line.WrittenSpan);
                    count--;
                }
                offset = batch.NextOffset;
            }
        }
    }

    private static bool Matches(ReadOnlySpan<byte> key, string wanted) =>
        key.SequenceEqual(Encoding.UTF8.GetBytes(wanted))
        || string.Equals(Convert.ToHexString(key), wanted, StringComparison.OrdinalIgnoreCase);

    // Keys of text as they are; others, such as hashes and numbers, in hexadecimal. --key takes either.
    private static string KeyText(ReadOnlySpan<byte> key) =>
        key.IndexOfAnyExceptInRange((byte)' ', (byte)'~') < 0 && key.IndexOfAny((byte)'"', (byte)'\\') < 0
            ? Encoding.ASCII.GetString(key)
            : Convert.ToHexStringLower(key);

    private static void Write(in LogRecord record, int? partition, JsonLines? lines, PooledBuffer line)
    {
        string key = KeyText(record.Key);
        string place = partition is { } number
            ? string.Create(CultureInfo.InvariantCulture, $"\"partition\":{number},")
            : "";
        line.Write(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture,
            $$"""{{{place}}"offset":{{record.Offset}},"timestamp_ms":{{record.TimestampMs}},""")));
        line.Write(Encoding.UTF8.GetBytes($"\"key\":\"{key}\","));
        line.Write("\"value\":"u8);
        if (!record.HasValue)
            line.Write("null"u8);
        else if (lines is not null)
            WriteDecoded(record, lines, line);
        else
            line.Write(Encoding.UTF8.GetBytes($"\"{Convert.ToHexStringLower(record.Value)}\""));
        line.Write("}\n"u8);
    }

    private static void WriteDecoded(in LogRecord record, JsonLines lines, PooledBuffer line)
    {
        int start = line.Length;
        try
        {
            lines.Write(record, line);
        }
        catch (SerializationException e)
        {
            line.Truncate(start);
            line.Write(JsonSerializer.SerializeToUtf8Bytes(
                new { undecodable = e.Message, hex = Convert.ToHexStringLower(record.Value) }));
        }
    }
}
