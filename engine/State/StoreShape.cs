using Streams.Records;
using Streams.Records.Schemas;

namespace Streams.State;

/// <summary>
/// What the bytes of a store mean: its kind, its encodings and how its time is divided. Recorded beside the
/// data, so that another meaning is noticed before it is applied to it.
/// </summary>
/// <param name="Kind">What sort of store it is, such as <c>key-value</c>.</param>
/// <param name="Key">Name of the keys' encoding; empty where the kind says all.</param>
/// <param name="Value">Name of the values' encoding; empty where the kind says all.</param>
internal sealed record StoreShape(string Kind, string Key, string Value)
{
    /// <summary>How long entries are kept, in milliseconds of event time; 0 for a store without
    /// retention.</summary>
    public long RetentionMs { get; init; }

    /// <summary>How far an entry reaches beyond its own time, in milliseconds: the size of its
    /// window.</summary>
    public long StretchMs { get; init; }

    /// <summary>Which windows its entries are of; null for none.</summary>
    public string? Windows { get; init; }

    /// <summary>The keys' record as <see cref="SchemaText"/>; null where it is none.</summary>
    public string? KeySchema { get; init; }

    /// <summary>The values' record as <see cref="SchemaText"/>; null where it is none.</summary>
    public string? ValueSchema { get; init; }

    /// <summary>The shape of a store of typed keys and values.</summary>
    internal static StoreShape Of<TKey, TValue>(string kind, Serde<TKey> key, Serde<TValue> value) =>
        new(kind, key.Name, value.Name)
        {
            KeySchema = TextOf(key.Schema),
            ValueSchema = TextOf(value.Schema),
        };

    /// <summary>The shape of a store whose snapshots depend on how its time is divided.</summary>
    internal static StoreShape Of<TKey, TValue>(
        string kind, Serde<TKey> key, Serde<TValue> value, long retentionMs, long stretchMs) =>
        Of(kind, key, value) with { RetentionMs = retentionMs, StretchMs = stretchMs };

    /// <summary>A shape that one name says all about.</summary>
    public static implicit operator StoreShape(string kind) => new(kind, "", "");

    private static string? TextOf(RecordSchema? schema) => schema is null ? null : SchemaText.Write(schema);
}
