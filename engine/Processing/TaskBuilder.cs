using Streams.State;

namespace Streams.Processing;

/// <summary>Makes the running operators of one task from the nodes of its part of the topology.</summary>
internal sealed class TaskBuilder(TaskScope scope) : IDisposable
{
    private readonly Dictionary<GraphNode, object> _made = [];
    private readonly List<Action> _opens = [];

    internal TaskScope Scope { get; } = scope;

    /// <summary>Makes a node's receiver, or finds it where another path led here already.</summary>
    internal Receiver<TKey, TValue> Once<TKey, TValue>(GraphNode node, Func<Receiver<TKey, TValue>> make)
    {
        if (_made.TryGetValue(node, out object? found))
            return (Receiver<TKey, TValue>)found;
        Receiver<TKey, TValue> receiver = make();
        _made.Add(node, receiver);
        _opens.Add(receiver.Open);
        return receiver;
    }

    /// <summary>A store of the task.</summary>
    internal TStore Store<TStore>(string name)
        where TStore : StateStore => Scope.Store<TStore>(name);

    /// <summary>A clock of an operator, kept over a restart; the same for the same name.</summary>
    internal StreamClock Clock(string name, long startMs = long.MinValue) => Scope.KeptClock(name, startMs);

    /// <summary>Opens every operator, those nearest the sinks first.</summary>
    internal void Open() => _opens.ForEach(open => open());

    /// <summary>Closes the operators that hold something.</summary>
    public void Dispose()
    {
        foreach (IDisposable disposable in _made.Values.OfType<IDisposable>())
            disposable.Dispose();
    }
}
