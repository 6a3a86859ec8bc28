using Streams.Records;
using Streams.Telemetry;

namespace Streams.Processing;

/// <summary>A place in a running task that records are pushed into, one call each, on the task's
/// thread.</summary>
internal abstract class Receiver<TKey, TValue>
{
    /// <summary>Processes a record to the end: when the call returns, nothing of it is under way.</summary>
    internal abstract void Process(in Record<TKey, TValue> record);

    /// <summary>Called once, after the task's stores are there and before the first record.</summary>
    internal virtual void Open()
    {
    }
}

/// <summary>One operator of a running task: takes records of one type and pushes records of
/// another.</summary>
internal abstract class Operator<TKeyIn, TValueIn, TKeyOut, TValueOut> : Receiver<TKeyIn, TValueIn>
{
    private TaskScope? _scope;

    /// <summary>Where results go: the only child, all children, or nowhere.</summary>
    protected Receiver<TKeyOut, TValueOut> Next { get; private set; } = Discard<TKeyOut, TValueOut>.Instance;

    /// <summary>What the task offers to its operators.</summary>
    protected TaskScope Scope => _scope!;

    /// <summary>The operator's number in the topology, for error reports.</summary>
    protected int Node { get; private set; }

    internal void Attach(TaskScope scope, int node, Receiver<TKeyOut, TValueOut> next)
    {
        _scope = scope;
        Node = node;
        Next = next;
    }

    /// <summary>Counts a record that lacks what the operator goes by, and is left out.</summary>
    protected void SkipNull(bool hasKey) =>
        EngineMeter.RecordSkipped(_scope!.NameOfNode(Node), hasKey ? "null_value" : "null_key");

    /// <summary>Says that this operator's user code runs now, so that a failure can name it.</summary>
    protected void Enter() => _scope!.CurrentNode = Node;
}

/// <summary>Takes records that nobody wants.</summary>
internal sealed class Discard<TKey, TValue> : Receiver<TKey, TValue>
{
    internal static readonly Discard<TKey, TValue> Instance = new();

    internal override void Process(in Record<TKey, TValue> record)
    {
    }
}

/// <summary>Pushes each record into several receivers, in order.</summary>
internal sealed class FanOut<TKey, TValue>(Receiver<TKey, TValue>[] receivers) : Receiver<TKey, TValue>
{
    internal override void Process(in Record<TKey, TValue> record)
    {
        foreach (Receiver<TKey, TValue> receiver in receivers)
            receiver.Process(record);
    }
}
