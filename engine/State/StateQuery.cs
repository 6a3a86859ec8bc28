namespace Streams.State;

/// <summary>What somebody outside wants to read of a store.</summary>
public sealed record StateQuery
{
    /// <summary>Entries that an answer has at most, whoever asks.</summary>
    public const int AnswerEntriesMax = 10_000;

    /// <summary>Which keys.</summary>
    public KeyRange Range { get; init; } = KeyRange.All;

    /// <summary>From the last key to the first.</summary>
    public bool Descending { get; init; }

    /// <summary>Of windows and sessions: those that start then or later, Unix milliseconds.</summary>
    public long FromMs { get; init; } = long.MinValue;

    /// <summary>Of windows and sessions: those that start then or earlier; of versions: what was valid then.
    /// Unix milliseconds.</summary>
    public long ToMs { get; init; } = long.MaxValue;

    /// <summary>How many entries at most, up to <see cref="AnswerEntriesMax"/>. Default 100.</summary>
    public int EntriesMax { get; init; } = 100;
}

/// <summary>An entry of a store, for people and scripts.</summary>
/// <param name="Key">The key as JSON.</param>
/// <param name="KeyBytes">The key's bytes, by which entries are ordered.</param>
/// <param name="Value">The value as JSON; bytes that nobody described in hexadecimal.</param>
public sealed record StateEntry(string Key, byte[] KeyBytes, string Value)
{
    /// <summary>Time of the record that set it, Unix milliseconds; null where the store keeps none.</summary>
    public long? TimestampMs { get; init; }

    /// <summary>Start of its window or session, or since when it is valid; null where it has none.</summary>
    public long? StartMs { get; init; }

    /// <summary>End of its session, its last record's time; null where it has none.</summary>
    public long? EndMs { get; init; }
}

/// <summary>A store cannot be read, or not like that: the message says why.</summary>
public sealed class StateQueryException(string message, Exception? inner = null) : Exception(message, inner);
