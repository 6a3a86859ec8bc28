using Streams.Dsl;
using Streams.Log;
using Streams.Processing;
using Streams.Tests.Simulation.Operators;

namespace Streams.Tests.Simulation;

/// <summary>A random topology, for the engine and for the checker alike.</summary>
internal sealed partial class Plan
{
    private readonly Random _random;
    private readonly List<PlanOperator> _operators = [];
    private readonly List<PlanStream> _streams = [];
    private readonly List<PlanStream> _open = [];
    private readonly List<TableOperator> _tables = [];
    private readonly List<GlobalTableOperator> _globals = [];
    private readonly List<string> _topics = [];
    private bool _grows;

    /// <summary>Draws a topology from a seed.</summary>
    internal Plan(int seed)
    {
        _random = new Random(seed);
        Partitions = _random.Next(1, 4);
        for (int i = _random.Next(1, 4); i > 0; i--)
            AddSource();
        for (int i = _random.Next(3); i > 0; i--)
            AddTable();
        for (int i = _random.Next(1, 8); i > 0; i--)
            AddOperator();
        CloseOpen();
    }

    /// <summary>Partitions of every topic.</summary>
    internal int Partitions { get; }

    /// <summary>The operators, each after those that it reads; what was dropped too.</summary>
    internal IReadOnlyList<PlanOperator> Operators => _operators;

    /// <summary>The topics that sources write.</summary>
    internal IReadOnlyList<string> SourceTopics => _topics;

    /// <summary>The topics that results go to, or went to.</summary>
    internal IReadOnlyList<string> SinkTopics =>
        [.. _operators.OfType<SinkTopic>().Select(s => s.Topic)];

    /// <summary>The topics whose values are the engine's business.</summary>
    internal HashSet<string> OpaqueTopics =>
        [.. _operators.Where(o => o.IsOpaque).SelectMany(o => o.OwnTopics)];

    /// <summary>Whether an operator throws now and then.</summary>
    internal bool HasFailures => _operators.Exists(o => o is FailingOperator);

    /// <summary>Asks the engine for the topology.</summary>
    internal Topology Build(PlantedBug bug)
    {
        var builder = new StreamsBuilder();
        foreach (string topic in SourceTopics.Concat(SinkTopics))
            builder.Topic(new TopicSpec { Name = topic, Partitions = Partitions, Retention = null });
        foreach (PlanOperator any in _operators)
            any.Built.Clear();
        foreach (PlanOperator any in _operators.Where(o => o.Until == long.MaxValue))
        {
            any.Bug = bug;
            any.Build(builder);
        }
        return builder.Build();
    }

    /// <summary>Changes the topology as a compatible one: operators behind those that are there, and now and
    /// then an output less.</summary>
    /// <param name="commit">The last commit of the topology as it was.</param>
    internal void Grow(long commit)
    {
        _grows = true;
        int before = _operators.Count;
        for (int i = _random.Next(1, 4); i > 0; i--)
            AddOfOne(_random.Next(100));
        CloseOpen();
        foreach (PlanOperator added in _operators.Skip(before))
            added.Since = commit;
        if (_random.Next(3) == 0)
        {
            List<SinkTopic> sinks = [.. _operators.Take(before).OfType<SinkTopic>()
                .Where(s => s.Until == long.MaxValue)];
            if (sinks.Count > 1)
                sinks[_random.Next(sinks.Count)].Until = commit;
        }
    }

    /// <summary>Says that the log came back at a commit: what changed after it, changes there.</summary>
    internal void CutAfter(long commit)
    {
        foreach (PlanOperator any in _operators)
        {
            any.Since = Math.Min(any.Since, commit);
            if (any.Until < long.MaxValue)
                any.Until = Math.Min(any.Until, commit);
        }
    }

    /// <inheritdoc/>
    public override string ToString() =>
        $"{Partitions} partition(s): {string.Join("; ", _operators.Select(o => o.ToString()))}";

    private int Next => _operators.Count;

    private string NewTopic()
    {
        _topics.Add($"in{_topics.Count}");
        return _topics[^1];
    }

    private void CloseOpen()
    {
        foreach (PlanStream stream in _open)
            Add(new SinkTopic(Next, stream));
        _open.Clear();
    }

    private void AddSource() =>
        Open(new SourceTopicOperator(Next, NewTopic(), _random.Next(4) == 0), 1, false, false);

    private void AddTable()
    {
        _tables.Add(new TableOperator(Next, null, NewTopic(), DrawHistory()));
        Open(_tables[^1], 1, false, true);
    }

    private long? DrawHistory() => _random.Next(3) == 0 ? SizesMs[_random.Next(SizesMs.Length)] : null;

    private void Add(PlanOperator added) => _operators.Add(added);

    private void Open(PlanOperator added, int ports, bool keyChanged, bool hasState = true)
    {
        Add(added);
        for (int port = 0; port < ports; port++)
        {
            // The second output of windows is what came late, under its own key.
            bool isLate = added is WindowedOperator && port == 1;
            _streams.Add(new PlanStream(added, port, keyChanged && !isLate, hasState));
            _open.Add(_streams[^1]);
        }
    }

    // Takes a stream to go on from; now and then it stays open, so that several read it.
    private PlanStream Take(Func<PlanStream, bool>? isFit = null)
    {
        if (_grows && _random.Next(2) == 0)
        {
            List<PlanStream> all = [.. _streams.Where(s => isFit is null || isFit(s))];
            return all[_random.Next(all.Count)];
        }
        List<PlanStream> fit = [.. _open.Where(s => isFit is null || isFit(s))];
        if (fit.Count == 0)
        {
            AddSource();
            fit = [_open[^1]];
        }
        PlanStream taken = fit[_random.Next(fit.Count)];
        if (_random.Next(4) > 0)
            _open.Remove(taken);
        return taken;
    }

    // A stream whose records lie in the partitions of their keys.
    private PlanStream TakeByKey()
    {
        PlanStream taken = Take();
        if (!taken.KeyChanged)
            return taken;
        var repartition = new Repartition(Next, taken);
        Add(repartition);
        return new PlanStream(repartition, 0, false);
    }
}
