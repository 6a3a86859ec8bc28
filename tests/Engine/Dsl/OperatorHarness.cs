using Streams.Dsl;
using Streams.Processing;
using Streams.Records;
using Streams.State;

namespace Streams.Tests.Engine.Dsl;

/// <summary>The operators and stores of a topology of one part, without a log: to push records in and see
/// what
/// that costs.</summary>
internal sealed class OperatorHarness : IDisposable
{
    private readonly SubTopology _part;
    private readonly TaskScope _scope;
    private readonly TaskBuilder _builder;
    private readonly List<StateStore> _stores = [];

    internal OperatorHarness(Action<StreamsBuilder> write)
    {
        var builder = new StreamsBuilder();
        write(builder);
        _part = builder.Build().Parts.Single();
        _scope = new TaskScope(new TaskId(0, 0), TimeProvider.System, _ =>
            throw new InvalidOperationException());
        foreach (StoreSpec store in _part.Stores)
        {
            _stores.Add(store.Create(null, 0));
            _scope.AddStore(_stores[^1]);
        }
        _builder = new TaskBuilder(_scope);
        Inputs = [.. _part.Sources.Cast<SourceNode<long, long>>().Select(s => s.Output.Resolve(_builder))];
        _builder.Open();
    }

    /// <summary>Where the records of each source go in.</summary>
    internal IReadOnlyList<Receiver<long, long>> Inputs { get; }

    internal static Consumed<long, long> Numbers { get; } = new(Serdes.Int64, Serdes.Int64);

    /// <summary>Processes a record.</summary>
    internal void Push(int input, long key, long value, long timestampMs) =>
        Inputs[input].Process(new Record<long, long>(key, value, timestampMs));

    /// <summary>Memory of all stores.</summary>
    internal long BytesReserved
    {
        get
        {
            long sum = 0;
            foreach (StateStore store in _stores)
                sum += store.BytesReserved;
            return sum;
        }
    }

    /// <summary>What a commit does to the stores.</summary>
    internal void Flush()
    {
        foreach (StateStore store in _stores)
            store.Flush(State.NoChangelog.Instance);
    }

    public void Dispose()
    {
        _builder.Dispose();
        foreach (StateStore store in _stores)
            store.Dispose();
    }
}
