using Streams.Buffers;
using Streams.Processing;
using Streams.Records;
using Streams.State;

namespace Streams.Dsl;

/// <summary>
/// One time per key at which its operator wants to look at it, in the order of the times and then of the
/// keys' bytes. Kept over a restart.
/// </summary>
/// <remarks>
/// A timer is not moved when its key's time moves: whoever takes it sees that it is too early and sets it
/// anew. So it costs an ordered insert and removal per stretch of time and key, not per record.
/// </remarks>
internal sealed class KeyTimers(OrderedStore store) : IDisposable
{
    private readonly PooledBuffer _place = new();

    /// <summary>Adds an operator's store of what it keeps per key, and the store of its timers.</summary>
    /// <returns>The name of the timers' store.</returns>
    internal static string AddStores<TKey>(
        StreamsBuilder builder, StoreOptions options, StoreShape shape, Serde<TKey> keys)
    {
        string timers = builder.NameFor($"{options.Name}-timers", "");
        builder.AddStore(new StoreSpec(
            options, shape, (undo, number) => new BytesStore(options, undo, number)));
        builder.AddStore(Stores.Ordered(options with { Name = timers }, $"timers<{keys.Name}>"));
        return timers;
    }

    /// <summary>Sets a key's timer. The key has none, or gets a second one, which its owner knows as
    /// stale.</summary>
    internal void Set(long dueMs, ReadOnlySpan<byte> key)
    {
        _place.Clear();
        OrderedStore.WriteTime(_place.Append(OrderedStore.TimeBytes), dueMs);
        _place.Write(key);
        store.Put(_place.WrittenSpan, default);
    }

    /// <summary>Takes the first timer that is due.</summary>
    /// <param name="nowMs">The stream time.</param>
    /// <param name="key">Filled with the key's bytes.</param>
    /// <param name="dueMs">When it was due.</param>
    internal bool TryTake(long nowMs, PooledBuffer key, out long dueMs)
    {
        dueMs = 0;
        if (!store.TryFirst(out ReadOnlySpan<byte> place, out _))
            return false;
        dueMs = OrderedStore.ReadTime(place);
        if (dueMs > nowMs)
            return false;
        key.Clear();
        key.Write(place[OrderedStore.TimeBytes..]);
        store.Delete(place);
        return true;
    }

    public void Dispose() => _place.Dispose();
}
