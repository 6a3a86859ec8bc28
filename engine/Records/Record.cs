using System.Runtime.CompilerServices;

namespace Streams.Records;

/// <summary>One record on its way through a topology: key, value, event time and headers.</summary>
/// <remarks>
/// A key or a value can be absent whatever its type: a record without a value is a tombstone, which deletes
/// its key from a table. The absence is kept beside the value, so that it exists for structs too. A record is
/// valid during the call that it is passed to: keys and values of reference types may be reused for the next
/// record by the codec that decoded them. Whoever keeps one copies it (state stores do, by encoding).
/// </remarks>
/// <typeparam name="TKey">The key's type.</typeparam>
/// <typeparam name="TValue">The value's type.</typeparam>
public readonly struct Record<TKey, TValue>
{
    /// <summary>The key; default where <see cref="HasKey"/> is false.</summary>
    public readonly TKey Key;

    /// <summary>The value; default where <see cref="HasValue"/> is false.</summary>
    public readonly TValue Value;

    /// <summary>Event time, Unix milliseconds UTC, as Kafka's record timestamp.</summary>
    public readonly long TimestampMs;

    /// <summary>The headers, in order; empty for most records.</summary>
    public readonly Headers Headers;

    private readonly bool _hasKey;
    private readonly bool _hasValue;

    /// <summary>A record with the key and value given; a null counts as absent.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Record(TKey key, TValue value, long timestampMs, Headers headers = default)
        : this(key, key is not null, value, value is not null, timestampMs, headers)
    {
    }

    /// <summary>A record whose key or value may be absent.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Record(TKey key, bool hasKey, TValue value, bool hasValue, long timestampMs, Headers headers)
    {
        Key = key;
        Value = value;
        TimestampMs = timestampMs;
        Headers = headers;
        _hasKey = hasKey;
        _hasValue = hasValue;
    }

    /// <summary>Whether the record has a key.</summary>
    public bool HasKey => _hasKey;

    /// <summary>Whether the record has a value; without one it is a tombstone.</summary>
    public bool HasValue => _hasValue;

    /// <summary>The same record with another key.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Record<TNewKey, TValue> WithKey<TNewKey>(TNewKey key) =>
        new(key, key is not null, Value, _hasValue, TimestampMs, Headers);

    /// <summary>The same record with another value.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Record<TKey, TNewValue> WithValue<TNewValue>(TNewValue value) =>
        new(Key, _hasKey, value, value is not null, TimestampMs, Headers);

    /// <summary>The same key, time and headers without a value.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Record<TKey, TNewValue> WithoutValue<TNewValue>() =>
        new(Key, _hasKey, default!, false, TimestampMs, Headers);

    /// <summary>The same record at another time.</summary>
    public Record<TKey, TValue> WithTimestamp(long timestampMs) =>
        new(Key, _hasKey, Value, _hasValue, timestampMs, Headers);

    /// <summary>The same record with other headers.</summary>
    public Record<TKey, TValue> WithHeaders(Headers headers) =>
        new(Key, _hasKey, Value, _hasValue, TimestampMs, headers);

    /// <inheritdoc/>
    public override string ToString() =>
        $"{(_hasKey ? Key : "(no key)")}: {(_hasValue ? Value : "(tombstone)")} @{TimestampMs}";
}
