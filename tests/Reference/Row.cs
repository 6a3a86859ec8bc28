namespace Streams.Tests.Reference;

/// <summary>A record of a stream as the references see it: texts, no bytes.</summary>
/// <param name="Key">The key; null for none.</param>
/// <param name="Value">The value; null for a tombstone.</param>
/// <param name="TimestampMs">Event time, Unix milliseconds.</param>
/// <param name="Headers">The headers, as <c>name=value,name=value</c>.</param>
internal readonly record struct Row(string? Key, string? Value, long TimestampMs, string Headers = "")
{
    /// <inheritdoc/>
    public override string ToString() => $"{Key ?? "(none)"}={Value ?? "(tombstone)"}@{TimestampMs}" +
        (Headers.Length > 0 ? $"[{Headers}]" : "");
}

/// <summary>A change of a row of a table.</summary>
/// <param name="Key">The row's key.</param>
/// <param name="New">What it is now; null where it was deleted.</param>
/// <param name="Old">What it was; null where it was not.</param>
/// <param name="TimestampMs">The time of the change.</param>
/// <param name="Headers">Those of the record that it came of.</param>
internal sealed record Change(string Key, string? New, string? Old, long TimestampMs, string Headers = "")
{
    /// <summary>The first time of the window that the key belongs to; 0 for none.</summary>
    internal long StartMs { get; init; }

    /// <summary>The window's end, as its key says it; 0 for none.</summary>
    internal long EndMs { get; init; }

    /// <summary>Whether a versioned table has no later version.</summary>
    internal bool IsLatest { get; init; } = true;

    /// <summary>The change as a record, its key as it is.</summary>
    internal Row ToRow() => new(Key, New, TimestampMs, Headers);

    /// <summary>The change as a record, with the window in the key.</summary>
    internal Row ToWindowedRow() => new($"{Key}@{StartMs}/{EndMs}", New, TimestampMs, Headers);
}

/// <summary>Adds a value to an aggregate.</summary>
/// <param name="value">The value; null for a record that has none.</param>
/// <param name="aggregate">What there is; null for nothing yet.</param>
/// <returns>The aggregate from now on; null to delete it.</returns>
internal delegate string? Fold(string? value, string? aggregate);
