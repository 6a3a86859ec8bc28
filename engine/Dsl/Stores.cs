using Streams.Processing;
using Streams.Records;
using Streams.State;

namespace Streams.Dsl;

/// <summary>A store to add to a topology.</summary>
public sealed class StoreDefinition
{
    internal StoreDefinition(StoreSpec spec) => Spec = spec;

    internal StoreSpec Spec { get; }
}

/// <summary>The kinds of stores.</summary>
public static class Stores
{
    /// <summary>Typed keys and values.</summary>
    public static StoreDefinition KeyValue<TKey, TValue>(
        StoreOptions options, Serde<TKey> keySerde, Serde<TValue> valueSerde, bool savepoints = false) =>
        options.TimeToLive <= TimeSpan.Zero
            ? throw new TopologyException(
                $"The store '{options.Name}' has a TimeToLive of {options.TimeToLive}: give it a span that "
                + "is longer than nothing.")
            : new(new StoreSpec(
                options, StoreShape.Of("key-value", keySerde, valueSerde),
                (undo, number) =>
                    new KeyValueStore<TKey, TValue>(options, keySerde, valueSerde, undo, number),
                savepoints));

    /// <summary>Bytes, changed in place.</summary>
    public static StoreDefinition Bytes(StoreOptions options, bool savepoints = false) =>
        new(new StoreSpec(
            InMemory(options, "bytes"), $"bytes<{options.Shape}>", (undo, number) =>
                new BytesStore(options, undo, number), savepoints));

    /// <summary>Typed keys and values by window start.</summary>
    public static StoreDefinition Window<TKey, TValue>(
        StoreOptions options, TimeSpan retention, Serde<TKey> keySerde, Serde<TValue> valueSerde,
        bool savepoints = false) => Window(options, retention, keySerde, valueSerde, 0, savepoints);

    /// <summary>Typed aggregates by session.</summary>
    public static StoreDefinition Session<TKey, TValue>(
        StoreOptions options, TimeSpan retention, Serde<TKey> keySerde, Serde<TValue> valueSerde,
        bool savepoints = false) => Session(options, retention, keySerde, valueSerde, 0, savepoints);

    internal static StoreDefinition Window<TKey, TValue>(
        StoreOptions options, TimeSpan retention, Serde<TKey> keySerde, Serde<TValue> valueSerde,
        long stretchMs, bool savepoints = false) =>
        new(new StoreSpec(
            InMemory(options, "windows"), StoreShape.Of(
                "window", keySerde, valueSerde, (long)retention.TotalMilliseconds, stretchMs),
            (undo, number) => new WindowStore<TKey, TValue>(
                options, (long)retention.TotalMilliseconds, keySerde, valueSerde, undo, number, stretchMs),
            savepoints));

    internal static StoreDefinition Session<TKey, TValue>(
        StoreOptions options, TimeSpan retention, Serde<TKey> keySerde, Serde<TValue> valueSerde,
        long stretchMs, bool savepoints = false) =>
        new(new StoreSpec(
            InMemory(options, "sessions"), StoreShape.Of(
                "session", keySerde, valueSerde, (long)retention.TotalMilliseconds, stretchMs),
            (undo, number) => new SessionStore<TKey, TValue>(
                options, (long)retention.TotalMilliseconds, keySerde, valueSerde, undo, number, stretchMs),
            savepoints));

    /// <summary>Typed keys and values with the history of each value.</summary>
    public static StoreDefinition Versioned<TKey, TValue>(
        StoreOptions options, TimeSpan history, Serde<TKey> keySerde, Serde<TValue> valueSerde,
        bool savepoints = false) =>
        new(new StoreSpec(
            InMemory(options, "versions"),
            StoreShape.Of("versioned", keySerde, valueSerde, (long)history.TotalMilliseconds, 0),
            (undo, number) => new VersionedStore<TKey, TValue>(
                options, (long)history.TotalMilliseconds, keySerde, valueSerde, undo, number), savepoints));

    /// <summary>Bytes in the order of their keys, for what operators hold back.</summary>
    internal static StoreSpec Ordered(StoreOptions options, StoreShape shape) =>
        new(options, shape, (undo, number) => new OrderedStore(options, undo, number));

    private static StoreOptions InMemory(StoreOptions options, string kind)
    {
        if (options.OnDisk)
            throw new TopologyException(
                $"The store '{options.Name}' keeps {kind}, which lie in memory: OnDisk is for stores of keys "
                + "and values.");
        if (options.TimeToLive is not null)
            throw new TopologyException(
                $"The store '{options.Name}' keeps {kind}, which go by their own retention: TimeToLive is "
                + "for stores of keys and values.");
        return options;
    }
}
