using Streams.Dsl;
using Streams.Processing;
using Streams.Records;
using Streams.State;
using Streams.Tests.Reference;

namespace Streams.Tests.Simulation.Operators;

/// <summary>A table of a topic or a stream, for others to read; its changes as a stream are its
/// output.</summary>
/// <param name="id">Its place in the plan.</param>
/// <param name="input">The stream; null for a topic.</param>
/// <param name="topic">The topic; null for a stream.</param>
/// <param name="historyMs">How long it knows what was valid when; null for only what is valid now.</param>
internal sealed class TableOperator(int id, PlanStream? input, string? topic, long? historyMs)
    : PlanOperator(id, input is null ? [] : [input])
{
    internal override string Family => historyMs is null ? "table" : "versioned table";

    internal override string? SourceTopic => topic;

    /// <summary>How long it knows what was valid when; null for only now.</summary>
    internal long? HistoryMs => historyMs;

    /// <summary>Whether it knows what was valid when.</summary>
    internal bool IsVersioned => historyMs is not null;

    internal KTable<string, string> Table { get; private set; } = null!;

    internal override void Build(StreamsBuilder builder)
    {
        var materialized = new Materialized<string, string>
        {
            StoreName = StoreName,
            HistoryRetention = historyMs is { } ms
                ? TimeSpan.FromMilliseconds(Bug == PlantedBug.HistoryEndsEarly ? ms - 1 : ms) : null,
        };
        Table = topic is null
            ? Input().ToTable(materialized)
            : builder.Table(
                topic, new Consumed<string, string>(Serdes.String, Serdes.String), materialized);
        Built.Add(Table.ToStream());
    }

    internal override ReferenceOperator CreateReference() => new TableReference(historyMs);

    internal override string? CompareState(TaskScope scope, ReferenceOperator reference)
    {
        var table = (TableReference)reference;
        if (!IsVersioned)
            return StoreComparison.Compare(
                scope.Store<KeyValueStore<string, string>>(StoreName), table.Latest.State);
        VersionedStore<string, string> store = scope.Store<VersionedStore<string, string>>(StoreName);
        List<string> found = [];
        List<string> expected = [];
        foreach ((string key, long timeMs) in table.Times)
        {
            string value = "";
            bool has = store.TryGetAsOf(key, timeMs, ref value, out _);
            found.Add($"{key}@{timeMs}={(has ? value : "-")}");
            expected.Add($"{key}@{timeMs}={table.FindAsOf(key, timeMs) ?? "-"}");
        }
        return StoreComparison.Compare(store, found, expected);
    }
}

/// <summary>The reference of a table, which tells those that read it of changes.</summary>
internal sealed class TableReference : ReferenceOperator
{
    private readonly VersionedTable? _versions;

    internal TableReference(long? historyMs)
    {
        _versions = historyMs is { } ms ? new VersionedTable(ms) { Next = Pass } : null;
        Latest.Next = Pass;
    }

    /// <summary>What is valid now, where nothing else is known.</summary>
    internal Table Latest { get; } = new();

    /// <summary>Keys and times that were put, to look at them again.</summary>
    internal HashSet<(string Key, long TimeMs)> Times { get; } = [];

    /// <summary>Told of each change, after those who read the stream of changes.</summary>
    internal Action<Change> Changed { get; set; } = _ => { };

    internal (string Value, long TimestampMs)? Find(string key) =>
        _versions is null ? Latest.Find(key) : _versions.FindLatest(key);

    internal string? FindAsOf(string key, long timeMs) =>
        _versions is null ? Latest.Find(key)?.Value : _versions.FindAsOf(key, timeMs);

    internal override void Process(int input, Row row)
    {
        if (row.Key is not null && _versions is not null)
            Times.Add((row.Key, row.TimestampMs));
        if (_versions is null)
            Latest.Process(row);
        else
            _versions.Process(row);
    }

    private void Pass(Change change)
    {
        Emit(0, change.ToRow());
        Changed(change);
    }
}

/// <summary>A filter or a function over a table, kept in a store or computed.</summary>
internal sealed class TableViewOperator(int id, TableOperator table, int a, bool isStored) : PlanOperator(id)
{
    internal override string Family => a % 2 == 0 ? "table filter" : "table map values";

    internal override IReadOnlyList<PlanOperator> Tables => [table];

    private bool IsStored => isStored && !table.IsVersioned;

    internal override void Build(StreamsBuilder builder)
    {
        Materialized<string, string>? store =
            IsStored ? new Materialized<string, string> { StoreName = StoreName } : null;
        Built.Add((a % 2 == 0
            ? table.Table.Filter((_, value) => UserFunctions.Holds(a, "", value), store)
            : table.Table.MapValues((_, value) => UserFunctions.Change(a, value)!, store))
            .ToStream().WithSerdes(Serdes.String, Serdes.String));
    }

    internal override ReferenceOperator CreateReference() => new Reference(table, a);

    internal override string? CompareState(TaskScope scope, ReferenceOperator reference) =>
        StoreComparison.Compare(
            scope.Store<KeyValueStore<string, string>>(StoreName), ((Reference)reference).State);

    private sealed class Reference(TableOperator table, int a) : ReferenceOperator
    {
        internal SortedDictionary<string, string> State { get; } = new(StringComparer.Ordinal);

        internal override void Process(int input, Row row)
        {
        }

        internal override void Link(Func<PlanOperator, ReferenceOperator> find)
        {
            Action<Change> next = Pass;
            if (a % 2 == 0)
                next = new TableFilter(v => UserFunctions.Holds(a, "", v), knowsOld: false)
                {
                    Next = Pass,
                }.Process;
            ((TableReference)find(table)).Changed += change =>
            {
                if (IsActive())
                    next(a % 2 == 0 ? change : change with { New = UserFunctions.Change(a, change.New) });
            };
        }

        private void Pass(Change change)
        {
            if (change.New is null)
                State.Remove(change.Key);
            else
                State[change.Key] = change.New;
            Emit(0, change.ToRow());
        }
    }
}

/// <summary>Holds a table's changes back for a while.</summary>
internal sealed class SuppressOperator(int id, TableOperator table, long waitMs, int recordsMax)
    : PlanOperator(id)
{
    internal override string Family => "suppress until a time limit";

    internal override IReadOnlyList<PlanOperator> Tables => [table];

    internal override void Build(StreamsBuilder builder) => Built.Add(table.Table.Suppress(
        Suppressed.UntilTimeLimit(
            TimeSpan.FromMilliseconds(waitMs), BufferConfig.MaxRecords(recordsMax).EmitEarlyWhenFull()) with
        {
            StoreName = StoreName,
        }).ToStream());

    internal override ReferenceOperator CreateReference() => new Reference(table, waitMs, recordsMax);

    internal override string? CompareState(TaskScope scope, ReferenceOperator reference) =>
        StoreComparison.Compare(scope.Store<SuppressBuffer>(StoreName), ((Reference)reference).Held.Count);

    private sealed class Reference(TableOperator table, long waitMs, int recordsMax) : ReferenceOperator
    {
        internal Suppression Held { get; } = new(false, waitMs, recordsMax);

        internal override void Process(int input, Row row)
        {
        }

        internal override void Link(Func<PlanOperator, ReferenceOperator> find)
        {
            Held.Next = change => Emit(0, change.ToRow());
            ((TableReference)find(table)).Changed += change =>
            {
                if (IsActive())
                    Held.Process(change);
            };
        }
    }
}
