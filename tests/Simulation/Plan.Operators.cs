using Streams.Tests.Reference;
using Streams.Tests.Simulation.Operators;

namespace Streams.Tests.Simulation;

/// <content>Drawing operators.</content>
internal sealed partial class Plan
{
    // Joins multiply records: a few are enough.
    private const int StreamJoinsMax = 2;

    private static readonly long[] SizesMs = [1, 5_000, 60_000, 300_000];

    private void AddOperator()
    {
        int a = _random.Next(100);
        switch (_random.Next(20))
        {
            case < 9:
                AddOfOne(a);
                break;
            case 9:
                AddMerge();
                break;
            case 10 or 11:
                AddStreamJoin(a);
                break;
            case 12 or 13:
                AddLookup(a);
                break;
            case 14:
                AddGlobalLookup(a);
                break;
            case 15:
                AddCogroup(a);
                break;
            default:
                AddOfTables(a);
                break;
        }
    }

    // What reads one stream, and so shares its tasks with nothing that had others before.
    private void AddOfOne(int a)
    {
        switch (_random.Next(17))
        {
            case 0:
                AddSame(input => new FilterOperator(Next, input, a));
                break;
            case 1:
                AddSame(input => new MapValuesOperator(Next, input, a));
                break;
            case 2:
                AddOther(input => new MapOperator(Next, input, a));
                break;
            case 3:
                AddOther(input => new SelectKeyOperator(Next, input, a));
                break;
            case 4:
                AddSame(input => new FlatMapValuesOperator(Next, input, a));
                break;
            case 5:
                AddOther(input => new FlatMapOperator(Next, input, a));
                break;
            case 6:
                AddSame(input => new BranchOperator(Next, input, a), 3);
                break;
            case 7:
                PlanStream any = Take();
                Open(new Repartition(Next, any), 1, false, false);
                break;
            case 8:
                AddSame(input => new DeduplicateOperator(Next, input, SizesMs[a % 4]), 1, true);
                break;
            case 9 or 10:
                PlanStream grouped = TakeByKey();
                Open(new AggregateOperator(Next, grouped, a % 3), 1, false);
                break;
            case 11:
                AddFailing(a);
                break;
            case 12:
                AddPunctuator(a);
                break;
            case 13:
                AddSelfJoin(a);
                break;
            default:
                PlanStream input = TakeByKey();
                Open(new WindowedOperator(Next, input, DrawWindows()), 2, true);
                break;
        }
    }

    private void AddSame(Func<PlanStream, PlanOperator> make, int ports = 1, bool hasState = false)
    {
        PlanStream input = Take();
        Open(make(input), ports, input.KeyChanged, hasState || input.HasState);
    }

    private void AddOther(Func<PlanStream, PlanOperator> make)
    {
        PlanStream input = Take();
        Open(make(input), 1, true, input.HasState);
    }

    // What was done before an operator throws stays done, so none with state lies before one that does.
    private void AddFailing(int a)
    {
        PlanStream input = Take(s => !s.HasState);
        Open(new FailingOperator(Next, input, a), 1, input.KeyChanged, true);
    }

    // Timers of several operators would go off in an order of the engine's.
    private void AddPunctuator(int a)
    {
        bool isWallClock = a % 2 == 0;
        if (_grows || _operators.OfType<PunctuatorOperator>().Any(p => p.IsWallClock == isWallClock))
        {
            AddSame(input => new FilterOperator(Next, input, a));
            return;
        }
        PlanStream input = Take();
        long intervalMs = isWallClock ? 60_000 * (1 + (a % 40)) : SizesMs[1 + (a % 3)];
        Open(new PunctuatorOperator(Next, input, intervalMs, isWallClock), 1, true);
    }

    private void AddMerge()
    {
        PlanStream one = Take();
        if (_open.Count == 0)
            AddSource();
        PlanStream other = Take();
        if (one == other)
            Open(new FilterOperator(Next, one, 3), 1, one.KeyChanged, one.HasState);
        else
            Open(
                new MergeOperator(Next, one, other), 1, one.KeyChanged || other.KeyChanged,
                one.HasState || other.HasState);
    }

    private bool HasJoins =>
        _operators.Count(o => o is StreamJoinOperator or SelfJoinOperator) >= StreamJoinsMax;

    private void AddSelfJoin(int a)
    {
        PlanStream input = TakeByKey();
        if (HasJoins)
            Open(new AggregateOperator(Next, input, a % 3), 1, false);
        else
            Open(new SelfJoinOperator(Next, input, DrawWithin(), a % 2 == 0), 1, false);
    }

    private void AddStreamJoin(int a)
    {
        if (HasJoins)
        {
            AddLookup(a);
            return;
        }
        PlanStream left = TakeByKey();
        PlanStream right = TakeByKey();
        if (left == right)
            Open(new SelfJoinOperator(Next, left, DrawWithin(), a % 2 == 0), 1, false);
        else
            Open(
                new StreamJoinOperator(
                    Next, left, right, (JoinKind)(a % 3), DrawWithin(), _random.Next(4) == 0), 1, false);
    }

    private void AddCogroup(int a)
    {
        PlanStream one = TakeByKey();
        PlanStream other = TakeByKey();
        if (one == other)
            AddSource();
        if (one == other)
            other = _open[^1];
        WindowPlan? windows = a % 4 == 0 ? null : DrawWindows() with
        {
            Emission = Emission.Updates,
            Counts = false,
        };
        Open(new CogroupOperator(Next, one, other, windows), 1, windows is not null);
    }

    private TableOperator AnyTable(Func<TableOperator, bool>? isFit = null)
    {
        List<TableOperator> fit = [.. _tables.Where(t => isFit is null || isFit(t))];
        if (fit.Count > 0 && _random.Next(5) > 0)
            return fit[_random.Next(fit.Count)];
        PlanStream from = TakeByKey();
        long? historyMs = DrawHistory();
        _tables.Add(new TableOperator(Next, from, null, isFit is null ? historyMs : null));
        Open(_tables[^1], 1, false);
        return _tables[^1];
    }

    private void AddLookup(int a)
    {
        TableOperator table = AnyTable();
        PlanStream input = TakeByKey();
        long? graceMs = table.IsVersioned && _random.Next(2) == 0 ? _random.Next(5_000) : null;
        if (table.HistoryMs is { } historyMs && graceMs > historyMs)
            graceMs = historyMs;
        Open(new TableLookupOperator(Next, input, table, a % 2 == 0, graceMs), 1, false);
    }

    private void AddGlobalLookup(int a)
    {
        if (_globals.Count == 0 || a % 4 == 0)
        {
            _globals.Add(new GlobalTableOperator(Next, NewTopic()));
            Add(_globals[^1]);
        }
        PlanStream input = Take();
        Open(
            new GlobalLookupOperator(Next, input, _globals[_random.Next(_globals.Count)], a % 2 == 0, a), 1,
            input.KeyChanged);
    }

    private void AddOfTables(int a)
    {
        switch (a % 6)
        {
            case 0:
                TableOperator viewed = AnyTable();
                Open(new TableViewOperator(Next, viewed, a / 6, a % 4 == 0), 1, false);
                break;
            case 1:
                TableOperator held = AnyTable(t => !t.IsVersioned);
                Open(
                    new SuppressOperator(
                        Next, held, SizesMs[_random.Next(SizesMs.Length)], _random.Next(1, 5)), 1, false);
                break;
            case 2:
                TableOperator grouped = AnyTable();
                Open(
                    new TableGroupOperator(Next, grouped, _random.Next(3), _random.Next(2) == 0, a), 1,
                    false);
                break;
            default:
                AddTableJoin(a);
                break;
        }
    }

    private void AddTableJoin(int a)
    {
        TableOperator left = AnyTable();
        TableOperator right = AnyTable();
        for (int i = 0; left == right && i < 10; i++)
            right = AnyTable();
        if (left == right)
            Open(new TableViewOperator(Next, left, a, false), 1, false);
        else if (a % 2 == 0)
            Open(new ForeignKeyOperator(Next, left, right, a % 4 == 0, a), 1, false);
        else
            Open(new TableJoinOperator(Next, left, right, (JoinKind)(_random.Next(3))), 1, false);
    }

    private Within DrawWithin()
    {
        long before = SizesMs[_random.Next(3)] * _random.Next(2);
        return new Within(before, before == 0 ? SizesMs[_random.Next(3)] : _random.Next((int)before),
            SizesMs[_random.Next(3)] * _random.Next(3) / 2);
    }

    private WindowPlan DrawWindows()
    {
        long size = SizesMs[_random.Next(SizesMs.Length)];
        var kind = (WindowKind)_random.Next(3);
        Emission emission = kind == WindowKind.Sliding
            ? (Emission)_random.Next(2) : (Emission)_random.Next(3);
        // Advances that divide the size and that do not.
        long advance = Math.Max(1, _random.Next(3) == 0 ? size : size * _random.Next(40, 100) / 100);
        return new WindowPlan(
            kind, size, advance, _random.Next(3) * size / 2, emission, _random.Next(2) == 0);
    }
}
