using System.Globalization;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Streams.Log;
using Streams.State;

namespace Streams.Processing;

/// <summary>A task's name: which part of the topology, which partition.</summary>
/// <param name="SubTopology">Number of the sub-topology.</param>
/// <param name="Partition">Partition of its topics.</param>
public readonly record struct TaskId(int SubTopology, int Partition)
{
    /// <inheritdoc/>
    public override string ToString() => $"{SubTopology}_{Partition}";
}

/// <summary>What a running task offers to its operators.</summary>
internal sealed class TaskScope(TaskId id, TimeProvider clock, Func<string, Topic> topics)
{
    private readonly Dictionary<string, StateStore> _stores = [];
    private readonly Dictionary<string, StreamClock> _clocks = [];

    internal TaskId Id { get; } = id;

    internal TimeProvider Clock { get; } = clock;

    /// <summary>The node whose user code ran last, to name in an error.</summary>
    internal int CurrentNode { get; set; }

    /// <summary>The highest record time that the task has seen; long.MinValue before the first.</summary>
    internal long StreamTimeMs { get; set; } = long.MinValue;

    /// <summary>Where the record that is being processed comes from.</summary>
    internal TopicPartition CurrentPartition { get; set; }

    /// <summary>Its offset there.</summary>
    internal long CurrentOffset { get; set; }

    /// <summary>What the record that is being processed is to the backfill that is under way.</summary>
    internal Territory Territory { get; set; }

    /// <summary>The backfill that is under way; null for none.</summary>
    internal BackfillRun? Backfill { get; init; }

    /// <summary>The commit that outputs go into.</summary>
    internal ILogWriter Writer { get; set; } = null!;

    /// <summary>Operators that wait for something outside.</summary>
    internal AsyncOperators Async { get; } = new();

    /// <summary>Runs what is done beside the processing.</summary>
    internal TaskScheduler Background { get; init; } = TaskScheduler.Default;

    /// <summary>Where operators tell what people should know.</summary>
    internal ILogger Logger { get; init; } = NullLogger.Instance;

    /// <summary>The name of a topic of the log.</summary>
    internal Func<int, string> TopicName { get; init; } = static _ => "";

    /// <summary>Timers of the task.</summary>
    internal PunctuationQueue Punctuations { get; } = new();

    /// <summary>Points to roll back to, over the stores that take part; null where none does.</summary>
    internal Savepoints? Savepoints { get; set; }

    /// <summary>Where times are kept over a restart; null for a task that keeps nothing.</summary>
    internal TaskClocks? Clocks { get; set; }

    /// <summary>The name of a node, for counts.</summary>
    internal Func<int, string> NameOfNode { get; init; } =
        node => node.ToString(CultureInfo.InvariantCulture);

    /// <summary>Tables that every task has whole; null where the topology has none.</summary>
    internal GlobalTables? Globals { get; init; }

    internal IReadOnlyDictionary<string, StateStore> Stores => _stores;

    internal Topic Topic(string name) => topics(name);

    /// <summary>A clock of an operator, kept over a restart; the same for the same name.</summary>
    internal StreamClock KeptClock(string name, long startMs)
    {
        if (_clocks.TryGetValue(name, out StreamClock? clock))
            return clock;
        _clocks.Add(name, clock = new StreamClock(startMs));
        Clocks?.Add($"clock/{name}", () => clock.Ms, ms => clock.Ms = ms);
        return clock;
    }

    internal void AddStore(StateStore store) => _stores.Add(store.Name, store);

    /// <summary>A store of the task.</summary>
    /// <exception cref="TopologyException">There is none of that name and type.</exception>
    internal TStore Store<TStore>(string name)
        where TStore : StateStore
    {
        if (!_stores.TryGetValue(name, out StateStore? store)
            && (Globals is null || !Globals.TryGet(name, out store)))
            throw new TopologyException(
                $"There is no store '{name}' here. " +
                $"Stores of this task: {string.Join(", ", _stores.Keys.Order())}.");
        return store as TStore ?? throw new TopologyException(
            $"The store '{name}' is a {store.GetType().Name}, not a {typeof(TStore).Name}.");
    }
}
