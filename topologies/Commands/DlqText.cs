using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Streams.Errors;
using Streams.Records;

namespace Streams.Topologies.Commands;

/// <summary>Writes dead letters for people and for scripts.</summary>
internal static class DlqText
{
    private const int BytesPerLine = 16;

    /// <summary>One line.</summary>
    internal static string Line(StoredLetter stored, bool isReplayed)
    {
        DeadLetter letter = stored.Letter;
        string from = letter.Partition is null
            ? $"{letter.Source} {letter.Location}"
            : $"{letter.Source} {letter.Partition} {letter.Offset}";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{stored.Topic.Name} {stored.Partition} {stored.Offset}  {TimeOf(letter)}  {letter.Stage}  "
            + $"{from}  {letter.Reason}: {letter.Detail}{(isReplayed ? "  (replayed)" : "")}");
    }

    /// <summary>All of it, on several lines.</summary>
    internal static string Page(StoredLetter stored, bool isReplayed)
    {
        DeadLetter letter = stored.Letter;
        var text = new StringBuilder();
        void Add(string name, object? value)
        {
            if (value is not null)
                text.Append(CultureInfo.InvariantCulture, $"{name,-11}{value}\n");
        }
        Add("letter", $"{stored.Topic.Name} {stored.Partition} {stored.Offset}");
        Add("stage", letter.Stage);
        Add("source", letter.Source);
        Add("partition", letter.Partition);
        Add("offset", letter.Offset);
        Add("location", letter.Location);
        Add("time", $"{TimeOf(letter)} ({letter.TimestampMs} ms)");
        Add("operator", letter.Operator);
        Add("reason", letter.Reason);
        Add("detail", letter.Detail);
        Add("replayed", isReplayed ? "yes"
            : DeadLetterReplay.Obstacle(letter) is { } why ? $"no, and cannot be: {why}"
            : "no");
        Add("key", letter.Key is { } key ? Printable(key.Span) : "none");
        foreach (Headers.Header header in HeadersOf(letter))
            Add("header", $"{Encoding.UTF8.GetString(header.Name)} = {Printable(header.Value)}");
        if (letter.Value is not { } value)
            Add("value", "none");
        else
            AddDump(text, value.Span, letter.WholeBytes);
        return text.ToString();
    }

    /// <summary>One line of JSON; bytes are hexadecimal.</summary>
    internal static string Json(StoredLetter stored, bool isReplayed)
    {
        DeadLetter letter = stored.Letter;
        var headers = new JsonArray();
        foreach (Headers.Header header in HeadersOf(letter))
            headers.Add(new JsonObject
            {
                ["name"] = Encoding.UTF8.GetString(header.Name),
                ["value"] = header.HasValue ? Convert.ToHexStringLower(header.Value) : null,
            });
        return new JsonObject
        {
            ["topic"] = stored.Topic.Name,
            ["partition"] = stored.Partition,
            ["offset"] = stored.Offset,
            ["stage"] = letter.Stage.ToString(),
            ["source"] = letter.Source.ToString(),
            ["source_partition"] = letter.Partition,
            ["source_offset"] = letter.Offset,
            ["location"] = letter.Location?.ToString(),
            ["timestamp_ms"] = letter.TimestampMs,
            ["operator"] = letter.Operator?.ToString(),
            ["reason"] = letter.Reason.ToString(),
            ["detail"] = letter.Detail.ToString(),
            ["replayed"] = isReplayed,
            ["key"] = letter.Key is { } key ? Convert.ToHexStringLower(key.Span) : null,
            ["headers"] = headers,
            ["value"] = letter.Value is { } value ? Convert.ToHexStringLower(value.Span) : null,
            ["whole_bytes"] = letter.WholeBytes,
        }.ToJsonString(JsonSerializerOptions.Default);
    }

    private static Headers HeadersOf(DeadLetter letter) =>
        letter.Headers is { } headers ? new Headers(headers.Span.ToArray()) : default;

    private static string TimeOf(DeadLetter letter) => letter.TimestampMs is >= 0 and < 253_402_300_800_000
        ? DateTimeOffset.FromUnixTimeMilliseconds(letter.TimestampMs).ToString(
            "yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture)
        : letter.TimestampMs.ToString(CultureInfo.InvariantCulture);

    private static string Printable(ReadOnlySpan<byte> bytes) =>
        bytes.IndexOfAnyExceptInRange((byte)' ', (byte)'~') < 0
            ? $"\"{Encoding.ASCII.GetString(bytes)}\""
            : $"0x{Convert.ToHexStringLower(bytes)}";

    private static void AddDump(StringBuilder text, ReadOnlySpan<byte> bytes, long? wholeBytes)
    {
        text.Append(CultureInfo.InvariantCulture, $"value      {bytes.Length:N0} bytes")
            .Append(wholeBytes is { } whole
                ? string.Create(CultureInfo.InvariantCulture, $", the first of {whole:N0}\n")
                : "\n");
        for (int at = 0; at < bytes.Length; at += BytesPerLine)
        {
            ReadOnlySpan<byte> line = bytes[at..Math.Min(at + BytesPerLine, bytes.Length)];
            text.Append(CultureInfo.InvariantCulture, $"  {at:x8}  ");
            foreach (byte b in line)
                text.Append(CultureInfo.InvariantCulture, $"{b:x2} ");
            text.Append(' ', 3 * (BytesPerLine - line.Length) + 1);
            foreach (byte b in line)
                text.Append(b is >= (byte)' ' and <= (byte)'~' ? (char)b : '.');
            text.Append('\n');
        }
    }
}
