using Streams.Processing;
using Streams.Records;
using Streams.State;

namespace Streams.Dsl;

/// <content>Calls to something outside.</content>
public sealed partial class KStream<TKey, TValue>
{
    /// <summary>Makes another value of each record by an asynchronous call, such as a lookup in another
    /// system; many calls are under way at a time, and the task goes on meanwhile.</summary>
    /// <remarks>
    /// A record that waits is kept in a store that is committed with the task's position: after a restart its
    /// call is made again, so a call can happen more than once, a result comes out once. A record without a
    /// value passes through in its turn. docs/operators.md says more.
    /// </remarks>
    /// <param name="mapper">Makes the call. It gets a key and a value of its own, and must heed the
    /// token.</param>
    /// <param name="mapped">Name, bounds, timeouts, retries, what becomes of failures.</param>
    /// <exception cref="TopologyException">A serde is missing, or an option makes no sense.</exception>
    public KStream<TKey, TResult> MapValuesAsync<TResult>(
        Func<TKey, TValue, CancellationToken, Task<TResult>> mapper,
        AsyncMapped<TKey, TValue, TResult>? mapped = null)
    {
        mapped ??= new AsyncMapped<TKey, TValue, TResult>();
        mapped.Calls.Validate(mapped.Name ?? "MapValuesAsync");
        if (mapped.Calls.OnFailure == AsyncFailure.Fallback && mapped.Fallback is null)
            throw new TopologyException(
                $"'{mapped.Name ?? "MapValuesAsync"}' is to pass on a fallback and has none: set Fallback.");
        Serde<TKey> keys = mapped.KeySerde ?? RequireKeySerde("MapValuesAsync");
        Serde<TValue> values = mapped.ValueSerde ?? RequireValueSerde("MapValuesAsync");
        var store = new StoreOptions
        {
            Name = Builder.NameFor(
                mapped.StoreName ?? (mapped.Name is null ? null : $"{mapped.Name}-held"),
                "KSTREAM-ASYNC-STATE-STORE", Output.Origin),
            StateBytesMax = mapped.StateBytesMax,
        };
        Builder.AddStore(new StoreSpec(
            store, StoreShape.Of(StoreSpec.HeldCallsKind, keys, values),
            (undo, number) => new BytesStore(store, undo, number)));
        var output = new GraphOutput<TKey, TResult>();
        OperatorNode<TKey, TValue, TKey, TResult> node = null!;
        node = Builder.AttachTo(
            Output, output, mapped.Name, "KSTREAM-MAPVALUES-ASYNC", [store.Name],
            task => new MapValuesAsync<TKey, TValue, TResult>(
                node.Name, task.Store<BytesStore>(store.Name), mapper, mapped, keys, values));
        node.WritesDeadLetters = mapped.Calls.OnFailure == AsyncFailure.DeadLetter;
        return new KStream<TKey, TResult>(
            Builder, output, KeySerde, mapped.ResultSerde ?? ValueSerde as Serde<TResult>, KeyChanged);
    }
}
