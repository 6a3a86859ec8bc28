using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Streams.Buffers;
using Streams.Connect;
using Streams.Errors;
using Streams.Log;
using Streams.Log.Embedded;
using Streams.Records;
using Streams.Topologies.Hosting;
using Streams.Topologies.Transactions;

namespace Streams.Topologies.Commands;

/// <summary><c>streams topics</c> and <c>streams tap</c>: look into a data directory.</summary>
internal static class TopicCommands
{
    // Every record type that a topic of ours may hold, by the topic's name.
    private static readonly IReadOnlyList<TopicFormat> Formats = TransactionsTables.Formats;

    internal static Command CreateTopics()
    {
        Option<string> data = DataOption();
        var json = new Option<bool>("--json") { Description = "One line of JSON per topic." };
        var command = new Command("topics", "List the topics of a data directory.") { data, json };
        command.SetAction((parsed, _) => CommandRunner.RunAsync(() =>
        {
            using EmbeddedLogView log = Open(parsed.GetValue(data)!);
            foreach (Topic topic in log.Topics)
                Console.WriteLine(parsed.GetValue(json) ? Json(log, topic) : Line(log, topic));
            return Task.FromResult(ExitCode.Done);
        }));
        return command;
    }

    internal static Command CreateTap()
    {
        Option<string> data = DataOption();
        var name = new Argument<string>("topic") { Description = "The topic." };
        var partition = new Option<int>("--partition") { Description = "The partition. Default 0." };
        var from = new Option<long>("--from")
        {
            Description = "The first offset; negative counts from the end.",
        };
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
            name, data, partition, from, count, key,
        };
        command.SetAction((parsed, _) => CommandRunner.RunAsync(() =>
        {
            using EmbeddedLogView log = Open(parsed.GetValue(data)!);
            Topic topic = log.FindTopic(parsed.GetValue(name)!) ?? throw new ConfigurationException(
                $"There is no topic '{parsed.GetValue(name)}'. " +
                $"Topics: {string.Join(", ", log.Topics.Select(t => t.Name))}.");
            int wanted = parsed.GetValue(partition);
            if (wanted < 0 || wanted >= topic.Partitions)
                throw new ConfigurationException(
                    $"'{topic.Name}' has {topic.Partitions} partitions; there is none of number {wanted}.");
            Tap(log, topic[wanted], topic.Name, parsed.GetValue(from), parsed.GetValue(count),
                parsed.GetValue(key));
            return Task.FromResult(ExitCode.Done);
        }));
        return command;
    }

    private static Option<string> DataOption() =>
        new("--data") { Description = "The data directory.", Required = true };

    private static EmbeddedLogView Open(string data) => DataFolder.View(data);

    private static string Line(EmbeddedLogView log, Topic topic) => string.Create(
        CultureInfo.InvariantCulture,
        $"{topic.Name,-48} {topic.Partitions,3} partitions {Records(log, topic),14:N0} records  " +
            $"{topic.Spec.Schema ?? "bytes"}{(topic.Spec.Compacted ? "  compacted" : "")}");

    private static string Json(EmbeddedLogView log, Topic topic) => JsonSerializer.Serialize(new
    {
        topic = topic.Name,
        partitions = topic.Partitions,
        records = Records(log, topic),
        schema = topic.Spec.Schema,
        compacted = topic.Spec.Compacted,
    });

    private static long Records(EmbeddedLogView log, Topic topic) => Enumerable.Range(0, topic.Partitions)
        .Sum(p => log.EndOffset(topic[p]) - log.StartOffset(topic[p]));

    private static void Tap(
        EmbeddedLogView log, TopicPartition partition, string topic, long from, long count, string? key)
    {
        JsonLines? lines = FormatOf(topic)?.CreateJson();
        using ILogReader reader = log.OpenReader();
        using LogBatch batch = reader.CreateBatch();
        using var line = new PooledBuffer();
        using Stream output = Console.OpenStandardOutput();
        long end = log.EndOffset(partition);
        long offset = from < 0 ? Math.Max(0, end + from) : from;
        while (count > 0 && reader.Read(partition, offset, batch))
        {
            while (count > 0 && batch.TryRead(out LogRecord record))
            {
                if (key is not null && !Matches(record.Key, key))
                    continue;
                line.Clear();
                Write(record, lines, line);
                output.Write(line.WrittenSpan);
                count--;
            }
            offset = batch.NextOffset;
        }
    }

    private static TopicFormat? FormatOf(string topic) =>
        Formats.FirstOrDefault(f => f.Topic == topic)
        ?? (DeadLetter.IsTopic(topic) ? TopicFormat.Of(topic, RecordSerde.Protobuf<DeadLetter>()) : null);

    private static bool Matches(ReadOnlySpan<byte> key, string wanted) =>
        key.SequenceEqual(Encoding.UTF8.GetBytes(wanted))
        || string.Equals(Convert.ToHexString(key), wanted, StringComparison.OrdinalIgnoreCase);

    // Keys of text as they are; others, such as hashes and numbers, in hexadecimal. --key takes either.
    private static string KeyText(ReadOnlySpan<byte> key) =>
        key.IndexOfAnyExceptInRange((byte)' ', (byte)'~') < 0 && key.IndexOfAny((byte)'"', (byte)'\\') < 0
            ? Encoding.ASCII.GetString(key)
            : Convert.ToHexStringLower(key);

    private static void Write(in LogRecord record, JsonLines? lines, PooledBuffer line)
    {
        string key = KeyText(record.Key);
        line.Write(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture,
            $$"""{"offset":{{record.Offset}},"timestamp_ms":{{record.TimestampMs}},"key":"{{key}}",""")));
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
