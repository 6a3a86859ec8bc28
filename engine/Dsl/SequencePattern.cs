using Streams.Processing;

namespace Streams.Dsl;

/// <summary>What may stand between the two records of a sequence.</summary>
public enum Contiguity
{
    /// <summary>Any records of the key, which are passed over: Flink's <c>followedBy</c>.</summary>
    Relaxed,

    /// <summary>None: the key's next record completes the sequence or ends it: Flink's <c>next</c>.</summary>
    Strict,
}

/// <summary>What happens when a key has as many open sequences as it may have.</summary>
public enum SequenceFull
{
    /// <summary>The one that has been open longest is given up for the new one.</summary>
    DropOldest,

    /// <summary>The new one is not begun.</summary>
    DropNewest,

    /// <summary>The application stops with an error that names the bound.</summary>
    ShutDown,
}

/// <summary>Two records of a key, one after the other within a time, without a third between them.</summary>
/// <typeparam name="TKey">The key's type.</typeparam>
/// <typeparam name="TValue">The value's type.</typeparam>
public sealed record SequencePattern<TKey, TValue>
{
    /// <summary>Whether a record begins a sequence.</summary>
    public required Func<TKey, TValue, bool> First { get; init; }

    /// <summary>Whether a record completes a sequence: gets the key, the value that began it, and the value
    /// at hand.</summary>
    public required Func<TKey, TValue, TValue, bool> Then { get; init; }

    /// <summary>Whether a record ends a sequence without completing it; asked before <see cref="Then"/>. Null
    /// for none.</summary>
    public Func<TKey, TValue, TValue, bool>? Without { get; init; }

    /// <summary>How much later than the first record the last one may be, at most; at least a
    /// millisecond.</summary>
    public required TimeSpan Within { get; init; }

    /// <summary>What may stand between the two. Default relaxed.</summary>
    public Contiguity Contiguity { get; init; }

    /// <summary>Most sequences of a key that are open at a time. Default 16.</summary>
    public int OpenMax { get; init; } = 16;

    /// <summary>What happens at that bound; what is given up is counted. Default drop the oldest.</summary>
    public SequenceFull WhenFull { get; init; }

    /// <summary>Name of the node; null for a generated one.</summary>
    public string? Name { get; init; }

    /// <summary>The store's name; null for a generated one, which changes when the topology does.</summary>
    public string? StoreName { get; init; }

    /// <summary>Bound on the store's memory per task, in bytes. Default 8 GiB.</summary>
    public long StateBytesMax { get; init; } = 8L << 30;

    /// <summary>Whether changes go to a changelog; without it what is open is gone after a restart. Default
    /// true.</summary>
    public bool Logged { get; init; } = true;

    internal long WithinMs => (long)Within.TotalMilliseconds;

    /// <summary>Refuses what cannot be meant.</summary>
    internal void Validate()
    {
        if (Within < TimeSpan.FromMilliseconds(1))
            throw new TopologyException($"A sequence within {Within} holds nothing: give a millisecond.");
        if (OpenMax < 1)
            throw new TopologyException($"OpenMax is {OpenMax}: no sequence could ever be open.");
    }
}
