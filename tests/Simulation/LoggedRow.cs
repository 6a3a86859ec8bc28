using System.Text;
using Streams.Log;
using Streams.Records;
using Streams.Tests.Reference;

namespace Streams.Tests.Simulation;

/// <summary>Reads records of the log as the references see them.</summary>
internal static class LoggedRow
{
    internal static Row Of(in LogRecord record) => new(
        record.HasKey ? Encoding.UTF8.GetString(record.Key) : null,
        record.HasValue ? Encoding.UTF8.GetString(record.Value) : null, record.TimestampMs,
        record.Headers.IsEmpty ? "" : Text(new Headers(record.Headers.ToArray())));

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
