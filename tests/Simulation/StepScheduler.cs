namespace Streams.Tests.Simulation;

/// <summary>Keeps what the engine does in the background until the simulation gives it its turn.</summary>
internal sealed class StepScheduler : TaskScheduler
{
    private readonly List<Task> _waiting = [];

    /// <inheritdoc/>
    public override int MaximumConcurrencyLevel => 1;

    /// <summary>How many jobs wait.</summary>
    internal int Count => _waiting.Count;

    /// <summary>Does one of the jobs.</summary>
    internal void Run(int place)
    {
        Task task = _waiting[place];
        _waiting.RemoveAt(place);
        TryExecuteTask(task);
    }

    /// <inheritdoc/>
    protected override void QueueTask(Task task) => _waiting.Add(task);

    /// <inheritdoc/>
    protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued)
    {
        _waiting.Remove(task);
        return TryExecuteTask(task);
    }

    /// <inheritdoc/>
    protected override IEnumerable<Task> GetScheduledTasks() => _waiting;
}
