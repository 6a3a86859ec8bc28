using Streams.Buffers;
using Streams.Records;
using Streams.State;

namespace Streams.Dsl;

/// <summary>Turns the values of a store that one version of a topology kept into those of the next, at the
/// first start of the next; see <see cref="StreamsBuilder.Migrate"/>.</summary>
/// <remarks>Values only: what the keys' bytes are decides in which partition they lie.</remarks>
public abstract class StoreMigration
{
    // Key-value and window stores keep the time of a value in front of it, session stores the session's
    // start.
    private protected const int TimeBytes = 8;

    private protected StoreMigration(string store, StoreShape from, StoreShape to)
    {
        Store = store;
        From = from;
        To = to;
    }

    /// <summary>The store's name.</summary>
    public string Store { get; }

    /// <summary>What the values were, as recorded; of keys and windows it says nothing.</summary>
    internal StoreShape From { get; }

    /// <summary>What the values are to be.</summary>
    internal StoreShape To { get; }

    /// <summary>A migration of the values of a key-value, window or session store.</summary>
    /// <param name="store">The store's name.</param>
    /// <param name="from">Reads the values as they were kept.</param>
    /// <param name="to">Writes the values as the topology keeps them now.</param>
    /// <param name="migrate">Makes the new value of the old one. It must give the same for the same: it may
    /// be called again after a crash.</param>
    public static StoreMigration Values<TOld, TNew>(
        string store, Serde<TOld> from, Serde<TNew> to, Func<TOld, TNew> migrate) =>
        new ValueMigration<TOld, TNew>(store, from, to, migrate);

    /// <summary>Converts a value as the changelog has it.</summary>
    internal abstract void Convert(ReadOnlySpan<byte> stored, PooledBuffer converted);

    private sealed class ValueMigration<TOld, TNew>(
        string store, Serde<TOld> from, Serde<TNew> to, Func<TOld, TNew> migrate)
        : StoreMigration(store, StoreShape.Of("", Serdes.Bytes32, from), StoreShape.Of("", Serdes.Bytes32,
            to))
    {
        internal override void Convert(ReadOnlySpan<byte> stored, PooledBuffer converted)
        {
            converted.Write(stored[..TimeBytes]);
            to.Serialize(migrate(from.Deserialize(stored[TimeBytes..])), converted);
        }
    }
}
