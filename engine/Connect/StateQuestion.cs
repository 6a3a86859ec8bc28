using System.Globalization;
using System.Text;
using Streams.State;

namespace Streams.Connect;

/// <summary>Whoever can read an application's stores: its tasks, or what a stopped one left.</summary>
public interface IStateReader
{
    /// <summary>The names of all stores.</summary>
    IReadOnlyList<string> Stores { get; }

    /// <summary>Reads entries of a store as text.</summary>
    /// <exception cref="StateQueryException">There is no such store, or it cannot be read.</exception>
    Task<IReadOnlyList<StateEntry>> ReadAsync(
        string store, StateQuery query, CancellationToken cancellation = default);

    /// <summary>The bytes of a key of a store that somebody wrote as text.</summary>
    /// <exception cref="StateQueryException">There is no such store, or it is no key of its type.</exception>
    Task<byte[]> KeyAsync(string store, string text, CancellationToken cancellation = default);
}

/// <summary>A question about a store as people write it.</summary>
public sealed record StateQuestion
{
    // An answer is for a terminal or a script, not a way to copy a store.
    private const int AnswerCharsMax = 8 << 20;

    /// <summary>The parameters of a question in a URL.</summary>
    public static readonly IReadOnlyList<string> Names =
        ["key", "prefix", "first", "last", "from_ms", "to_ms", "limit", "descending"];

    /// <summary>One key: text, a number, JSON of a record, or bytes in hexadecimal behind 0x.</summary>
    public string? Key { get; init; }

    /// <summary>What keys begin with: text, or bytes in hexadecimal behind 0x.</summary>
    public string? Prefix { get; init; }

    /// <summary>The first key, like <see cref="Key"/>.</summary>
    public string? First { get; init; }

    /// <summary>The last key, like <see cref="Key"/>.</summary>
    public string? Last { get; init; }

    /// <summary>See <see cref="StateQuery.FromMs"/>.</summary>
    public long? FromMs { get; init; }

    /// <summary>See <see cref="StateQuery.ToMs"/>.</summary>
    public long? ToMs { get; init; }

    /// <summary>See <see cref="StateQuery.EntriesMax"/>.</summary>
    public int EntriesMax { get; init; } = 100;

    /// <summary>From the last key to the first.</summary>
    public bool Descending { get; init; }

    /// <summary>Reads a question from the parameters of a URL.</summary>
    /// <exception cref="StateQueryException">A parameter is not known or not as it should be.</exception>
    public static StateQuestion Read(IEnumerable<KeyValuePair<string, string>> parameters)
    {
        var question = new StateQuestion();
        foreach ((string name, string value) in parameters)
        {
            question = name switch
            {
                "key" => question with { Key = value },
                "prefix" => question with { Prefix = value },
                "first" => question with { First = value },
                "last" => question with { Last = value },
                "from_ms" => question with { FromMs = Number(name, value) },
                "to_ms" => question with { ToMs = Number(name, value) },
                "limit" => question with
                {
                    EntriesMax = (int)Math.Clamp(Number(name, value), 0, int.MaxValue),
                },
                "descending" => question with { Descending = value is "" or "true" },
                _ => throw new StateQueryException(
                    $"There is no parameter '{name}' here. Known: {string.Join(", ", Names)}."),
            };
        }
        return question;
    }

    /// <summary>The question as parameters of a URL.</summary>
    public string ToUrl()
    {
        var parts = new List<string>();
        void Add(string name, object? value)
        {
            if (value is not null)
                parts.Add($"{name}={Uri.EscapeDataString(Convert.ToString(
                    value, CultureInfo.InvariantCulture)!)}");
        }

        Add("key", Key);
        Add("prefix", Prefix);
        Add("first", First);
        Add("last", Last);
        Add("from_ms", FromMs);
        Add("to_ms", ToMs);
        Add("limit", EntriesMax);
        Add("descending", Descending ? "true" : null);
        return string.Join('&', parts);
    }

    /// <summary>Answers with one JSON object a line.</summary>
    /// <exception cref="StateQueryException">The store cannot be read like that.</exception>
    public async Task<string> AnswerAsync(
        IStateReader reader, string store, CancellationToken cancellation = default)
    {
        if ((Key is null ? 0 : 1) + (Prefix is null ? 0 : 1) + (First is null && Last is null ? 0 : 1) > 1)
            throw new StateQueryException("Ask for a key, a prefix, or a range from first to last: for one.");
        byte[]? first = First is null ? null : await reader.KeyAsync(store, First, cancellation);
        byte[]? last = Last is null ? null : await reader.KeyAsync(store, Last, cancellation);
        byte[]? key = Key is null ? null : await reader.KeyAsync(store, Key, cancellation);
        IReadOnlyList<StateEntry> entries = await reader.ReadAsync(
            store,
            new StateQuery
            {
                Range = key is not null ? KeyRange.Between(key, key)
                    : Prefix is not null ? KeyRange.Prefix(StateText.BytesOf(Prefix))
                    : KeyRange.Between(first, last),
                FromMs = FromMs ?? long.MinValue,
                ToMs = ToMs ?? long.MaxValue,
                EntriesMax = EntriesMax,
                Descending = Descending,
            },
            cancellation);
        return Lines(entries);
    }

    private static string Lines(IReadOnlyList<StateEntry> entries)
    {
        var text = new StringBuilder();
        foreach (StateEntry entry in entries)
        {
            if (text.Length + entry.Value.Length > AnswerCharsMax)
                throw new StateQueryException(
                    $"The answer is longer than {AnswerCharsMax:N0} characters: ask for less.");
            text.Append(CultureInfo.InvariantCulture, $"{{\"key\":{entry.Key}");
            Append(text, "start_ms", entry.StartMs);
            Append(text, "end_ms", entry.EndMs);
            Append(text, "timestamp_ms", entry.TimestampMs);
            text.Append(CultureInfo.InvariantCulture, $",\"value\":{entry.Value}}}\n");
        }
        return text.ToString();
    }

    private static void Append(StringBuilder text, string name, long? value)
    {
        if (value is not null)
            text.Append(CultureInfo.InvariantCulture, $",\"{name}\":{value}");
    }

    private static long Number(string name, string text) =>
        long.TryParse(text, CultureInfo.InvariantCulture, out long value)
            ? value
            : throw new StateQueryException($"{name}: '{text}' is no whole number.");
}
