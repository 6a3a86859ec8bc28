using Streams.Dsl;
using Streams.Log;
using Streams.Processing;
using Streams.Tests.Simulation.Operators;

namespace Streams.Tests.Simulation;

/// <summary>A random topology, for the engine and for the checker alike.</summary>
internal sealed class Plan
{
    private static readonly long[] SizesMs = [5_000, 60_000, 300_000];

    private readonly Random _random;
    private readonly List<PlanOperator> _operators = [];
    private readonly List<PlanStream> _open = [];
    private readonly List<TableOperator> _tables = [];
    private readonly List<string> _topics = [];

    /// <summary>Draws a topology from a seed.</summary>
    internal Plan(int seed)
    {
        _random = new Random(seed);
        Partitions = _random.Next(1, 4);
        for (int i = _random.Next(1, 4); i > 0; i--)
            AddSource();
        if (_random.Next(2) == 0)
            AddTable();
        for (int i = _random.Next(1, 7); i > 0; i--)
            AddOperator();
        foreach (PlanStream stream in _open)
            Add(new SinkTopic(_operators.Count, stream));
    }

    /// <summary>Partitions of every topic.</summary>
    internal int Partitions { get; }

    /// <summary>The operators, each after those that it reads.</summary>
    internal IReadOnlyList<PlanOperator> Operators => _operators;

    /// <summary>The topics that sources write.</summary>
    internal IReadOnlyList<string> SourceTopics => _topics;

    /// <summary>The topics that results go to.</summary>
    internal IReadOnlyList<string> SinkTopics =>
        [.. _operators.OfType<SinkTopic>().Select(s => s.Topic)];

    /// <summary>Asks the engine for the topology.</summary>
    internal Topology Build()
    {
        var builder = new StreamsBuilder();
        foreach (string topic in SourceTopics.Concat(SinkTopics))
            builder.Topic(new TopicSpec { Name = topic, Partitions = Partitions, Retention = null });
        foreach (PlanOperator any in _operators)
            any.Built.Clear();
        foreach (PlanOperator any in _operators)
            any.Build(builder);
        return builder.Build();
    }

    /// <inheritdoc/>
    public override string ToString() =>
        $"{Partitions} partition(s): {string.Join("; ", _operators.Select(o => o.ToString()))}";

    private string NewTopic()
    {
        _topics.Add($"in{_topics.Count}");
        return _topics[^1];
    }

    private void AddSource() => Open(new SourceTopic(_operators.Count, NewTopic()), 1, false);

    private void AddTable()
    {
        var table = new TableOperator(_operators.Count, null, NewTopic());
        _tables.Add(table);
        Open(table, 1, false);
    }

    private void Add(PlanOperator added) => _operators.Add(added);

    private void Open(PlanOperator added, int ports, bool keyChanged)
    {
        Add(added);
        for (int port = 0; port < ports; port++)
            _open.Add(new PlanStream(added, port, keyChanged));
    }

    // Takes a stream to go on from; now and then it stays open, so that several read it.
    private PlanStream Take()
    {
        PlanStream taken = _open[_random.Next(_open.Count)];
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
        var repartition = new Repartition(_operators.Count, taken);
        Add(repartition);
        return new PlanStream(repartition, 0, false);
    }

    private int Next => _operators.Count;

    private void AddOperator()
    {
        int a = _random.Next(100);
        switch (_random.Next(18))
        {
            case 0:
                AddSame(input => new FilterOperator(Next, input, a));
                break;
            case 1:
                AddSame(input => new MapValuesOperator(Next, input, a));
                break;
            case 2:
                Open(new MapOperator(Next, Take(), a), 1, true);
                break;
            case 3:
                Open(new SelectKeyOperator(Next, Take(), a), 1, true);
                break;
            case 4:
                AddSame(input => new FlatMapValuesOperator(Next, input, a));
                break;
            case 5:
                Open(new FlatMapOperator(Next, Take(), a), 1, true);
                break;
            case 6:
                AddMerge();
                break;
            case 7:
                AddSame(input => new BranchOperator(Next, input, a), 3);
                break;
            case 8:
                PlanStream any = Take();
                Open(new Repartition(Next, any), 1, false);
                break;
            case 9 or 10:
                AddSame(input => new DeduplicateOperator(Next, input, SizesMs[a % 3]));
                break;
            case 11 or 12:
                AddJoin(a);
                break;
            case 13 or 14 or 15:
                PlanStream grouped = TakeByKey();
                Open(new AggregateOperator(Next, grouped, a % 3), 1, false);
                break;
            default:
                AddWindows(a);
                break;
        }
    }

    private void AddSame(Func<PlanStream, PlanOperator> make, int ports = 1)
    {
        PlanStream input = Take();
        Open(make(input), ports, input.KeyChanged);
    }

    private void AddMerge()
    {
        PlanStream one = Take();
        if (_open.Count == 0)
            AddSource();
        PlanStream other = Take();
        if (one == other)
            Open(new FilterOperator(Next, one, 3), 1, one.KeyChanged);
        else
            Open(new MergeOperator(Next, one, other), 1, one.KeyChanged || other.KeyChanged);
    }

    private void AddJoin(int a)
    {
        if (_open.Count < 2)
            AddSource();
        if (_tables.Count == 0 || a % 4 == 0)
        {
            PlanStream from = TakeByKey();
            _tables.Add(new TableOperator(Next, from, null));
            Open(_tables[^1], 1, false);
        }
        PlanStream input = TakeByKey();
        Open(new JoinOperator(Next, input, _tables[_random.Next(_tables.Count)], a % 2 == 0), 1, false);
    }

    private void AddWindows(int a)
    {
        long size = SizesMs[_random.Next(SizesMs.Length)];
        var windows = new WindowPlan(
            size, size / _random.Next(1, 4), _random.Next(3) * size / 2, a % 2 == 0, a % 3 > 0);
        PlanStream input = TakeByKey();
        Open(new WindowedOperator(Next, input, windows), 1, true);
    }
}
