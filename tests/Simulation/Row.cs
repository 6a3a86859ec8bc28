using System.Text;
using Streams.Log;

namespace Streams.Tests.Simulation;

/// <summary>A record as the checker sees it: texts, no bytes.</summary>
/// <param name="Key">The key; null for none.</param>
/// <param name="Value">The value; null for a tombstone.</param>
/// <param name="TimestampMs">Event time, Unix milliseconds.</param>
internal readonly record struct Row(string? Key, string? Value, long TimestampMs)
{
    internal static Row Of(in LogRecord record) => new(
        record.HasKey ? Encoding.UTF8.GetString(record.Key) : null,
        record.HasValue ? Encoding.UTF8.GetString(record.Value) : null, record.TimestampMs);

    /// <inheritdoc/>
    public override string ToString() => $"{Key ?? "(none)"}={Value ?? "(tombstone)"}@{TimestampMs}";
}

/// <summary>A partition by name: what a log's own numbers mean does not matter to the checker.</summary>
internal readonly record struct Place(string Topic, int Partition)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Topic}[{Partition}]";
}
