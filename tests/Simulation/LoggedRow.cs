using System.Text;
using Streams.Errors;
using Streams.Log;
using Streams.Records;
using Streams.Tests.Reference;

namespace Streams.Tests.Simulation;

/// <summary>Reads records of the log as the references see them.</summary>
internal static class LoggedRow
{
    internal const string DeadLetterSuffix = ".dead-letter";

    private static readonly Serde<DeadLetter> Letters = RecordSerde.Protobuf<DeadLetter>();

    /// <summary>Whether a topic is one of dead letters.</summary>
    internal static bool IsDeadLetter(string topic) =>
        topic.EndsWith(DeadLetterSuffix, StringComparison.Ordinal);

    internal static Row Of(in LogRecord record) => new(
        record.HasKey ? Encoding.UTF8.GetString(record.Key) : null,
        record.HasValue ? Encoding.UTF8.GetString(record.Value) : null, record.TimestampMs,
        record.Headers.IsEmpty ? "" : Text(new Headers(record.Headers.ToArray())));

    /// <summary>A record of a topic; of a dead letter what it says of the record that was refused.</summary>
    internal static Row Of(string topic, in LogRecord record)
    {
        if (!IsDeadLetter(topic))
            return Of(record);
        var letter = new DeadLetter();
        Letters.Deserialize(record.Value, ref letter);
        var refused = new Row(
            letter.Key is { } key ? Encoding.UTF8.GetString(key.Span) : null,
            letter.Value is { } value ? Encoding.UTF8.GetString(value.Span) : null, letter.TimestampMs,
            letter.Headers is { } headers ? Text(new Headers(headers.Span.ToArray())) : "");
        var place = new Place(letter.Source.ToString(), letter.Partition ?? -1);
        return letter.Stage.ToString() == "process" && letter.Reason.ToString() == "UserFailureException"
            ? DeadLetter(place, letter.Offset ?? -1, refused)
            : new Row(null, $"{letter.Stage} {letter.Reason} {letter.Detail}", letter.TimestampMs);
    }

    /// <summary>What a dead letter has to say of a record that an operator failed at.</summary>
    internal static Row DeadLetter(Place place, long offset, Row row) =>
        new(row.Key, $"{place} {offset}: {row}", row.TimestampMs);

    /// <summary>Headers as bytes.</summary>
    internal static Headers Encode(string headers)
    {
        Headers encoded = default;
        foreach (string header in headers.Split(',', StringSplitOptions.RemoveEmptyEntries))
            encoded = encoded.With(header.Split('=')[0], header.Split('=')[1]);
        return encoded;
    }

    private static string Text(Headers headers)
    {
        var texts = new List<string>();
        foreach (Headers.Header header in headers)
            texts.Add($"{Encoding.UTF8.GetString(header.Name)}={Encoding.UTF8.GetString(header.Value)}");
        return string.Join(",", texts);
    }
}

/// <summary>A partition by name: what a log's own numbers mean does not matter to the checker.</summary>
internal readonly record struct Place(string Topic, int Partition)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Topic}[{Partition}]";
}
