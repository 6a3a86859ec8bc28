using Streams.Dsl;
using Streams.Processing;
using Streams.Records;
using Streams.State;

using Streams.Tests.Reference;

namespace Streams.Tests.Simulation.Operators;

/// <summary>A reference that keeps a value and a time for each key.</summary>
internal abstract class ReferenceTable : ReferenceOperator
{
    internal SortedDictionary<string, (string Value, long TimestampMs)> State { get; } =
        new(StringComparer.Ordinal);

    /// <summary>Sets or deletes a key.</summary>
    private protected void Set(string key, string? value, long timestampMs)
    {
        if (value is null)
            State.Remove(key);
        else
            State[key] = (value, timestampMs);
    }

    /// <summary>Compares with a store of the engine.</summary>
    internal string? Compare<TValue>(KeyValueStore<string, TValue> store)
    {
        var found = new List<string>();
        foreach ((string key, TValue value) in store.All())
        {
            TValue again = default!;
            bool has = store.TryGet(key, ref again, out long timestampMs);
            found.Add($"{key}={value}@{timestampMs}{(has && Equals(again, value) ? "" : " (not by key)")}");
        }
        found.Sort(StringComparer.Ordinal);
        List<string> expected = [.. State.Select(e => $"{e.Key}={e.Value.Value}@{e.Value.TimestampMs}")];
        expected.Sort(StringComparer.Ordinal);
        return expected.SequenceEqual(found) && store.Count == State.Count ? null
            : $"store {store.Name} holds [{string.Join(", ", found)}] ({store.Count}), not " +
                $"[{string.Join(", ", expected)}]";
    }
}

/// <summary>Count, reduce or aggregate by key.</summary>
internal sealed class AggregateOperator(int id, PlanStream input, int kind) : PlanOperator(id, input)
{
    internal override void Build(StreamsBuilder builder)
    {
        KGroupedStream<string, string> grouped = Input().GroupByKey();
        var texts = new Materialized<string, string> { StoreName = StoreName, ValueSerde = Serdes.String };
        Built.Add(kind switch
        {
            0 => grouped.Count(new Materialized<string, long> { StoreName = StoreName }).ToStream()
                .MapValues((_, count) => $"{count}").WithSerdes(Serdes.String, Serdes.String),
            1 => grouped.Reduce((a, b) => UserFunctions.Add(a, b)!, texts).ToStream(),
            _ => grouped.Aggregate(
                () => "", (_, value, aggregate) => UserFunctions.Add(aggregate, value)!, texts).ToStream(),
        });
    }

    internal override ReferenceOperator CreateReference() => new Reference(kind);

    internal override string? CompareState(TaskScope scope, ReferenceOperator reference) => kind == 0
        ? ((ReferenceTable)reference).Compare(scope.Store<KeyValueStore<string, long>>(StoreName))
        : ((ReferenceTable)reference).Compare(scope.Store<KeyValueStore<string, string>>(StoreName));

    private sealed class Reference(int kind) : ReferenceTable
    {
        internal override void Process(int input, Row row)
        {
            if (row.Key is null || row.Value is null)
                return;
            bool existed = State.TryGetValue(row.Key, out (string Value, long TimestampMs) old);
            long timestampMs = existed ? Math.Max(old.TimestampMs, row.TimestampMs) : row.TimestampMs;
            string? result = kind switch
            {
                0 => $"{(existed ? long.Parse(old.Value, null) : 0) + 1}",
                1 => existed ? UserFunctions.Add(old.Value, row.Value) : row.Value,
                _ => UserFunctions.Add(existed ? old.Value : "", row.Value),
            };
            Set(row.Key, result, timestampMs);
            Emit(0, new Row(row.Key, result, timestampMs));
        }
    }
}

/// <summary>A table of the last value of each key; <see cref="JoinOperator"/> reads it.</summary>
internal sealed class TableOperator(int id, PlanStream? input, string? topic)
    : PlanOperator(id, input is null ? [] : [input])
{
    internal string? Topic => topic;

    internal KTable<string, string> Table { get; private set; } = null!;

    internal override void Build(StreamsBuilder builder)
    {
        var materialized = new Materialized<string, string> { StoreName = StoreName };
        Table = topic is null
            ? Input().ToTable(materialized)
            : builder.Table(
                topic, new Consumed<string, string>(Serdes.String, Serdes.String), materialized);
        Built.Add(Table.ToStream());
    }

    internal override ReferenceOperator CreateReference() => new Reference();

    internal override string? CompareState(TaskScope scope, ReferenceOperator reference) =>
        ((ReferenceTable)reference).Compare(scope.Store<KeyValueStore<string, string>>(StoreName));

    private sealed class Reference : ReferenceTable
    {
        internal override void Process(int input, Row row)
        {
            if (row.Key is null)
                return;
            Set(row.Key, row.Value, row.TimestampMs);
            Emit(0, row);
        }
    }
}

/// <summary>A stream with a table of the same partitions, inner or left.</summary>
internal sealed class JoinOperator(int id, PlanStream input, TableOperator table, bool isLeft)
    : PlanOperator(id, input)
{
    /// <summary>The table that is joined.</summary>
    internal TableOperator Joined => table;

    internal override void Build(StreamsBuilder builder)
    {
        KStream<string, string> joined = isLeft
            ? Input().LeftJoin<string, string>(
                table.Table, (_, value, found, has) => Combine(value, has ? found : null))
            : Input().Join<string, string>(table.Table, (_, value, found) => Combine(value, found));
        Built.Add(joined.WithSerdes(Serdes.String, Serdes.String));
    }

    internal override ReferenceOperator CreateReference() => new Reference(isLeft);

    internal static string Combine(string value, string? found) => $"{value}+{found ?? "-"}";

    internal sealed class Reference(bool isLeft) : ReferenceOperator
    {
        /// <summary>The table's reference in the same partition.</summary>
        internal ReferenceTable Table { get; set; } = null!;

        internal override void Process(int input, Row row)
        {
            if (row.Value is null || (row.Key is null && !isLeft))
                return;
            string? found = row.Key is not null && Table.State.TryGetValue(row.Key, out var entry)
                ? entry.Value : null;
            if (found is not null || isLeft)
                Emit(0, row with { Value = Combine(row.Value, found) });
        }
    }
}

/// <summary>Drops what was seen a short time ago.</summary>
internal sealed class DeduplicateOperator(int id, PlanStream input, long withinMs) : PlanOperator(id, input)
{
    internal override void Build(StreamsBuilder builder) => Built.Add(Input().Deduplicate(
        TimeSpan.FromMilliseconds(withinMs), options: new DeduplicateOptions { StoreName = StoreName }));

    internal override ReferenceOperator CreateReference() => new Reference(withinMs);

    private sealed class Reference(long withinMs) : ReferenceOperator
    {
        private readonly Dictionary<string, long> _last = [];
        private long _observedMs = long.MinValue;

        internal override void Process(int input, Row row)
        {
            if (row.Key is null)
                return;
            _observedMs = Math.Max(_observedMs, row.TimestampMs);
            bool known = _last.TryGetValue(row.Key, out long last) && last > _observedMs - (2 * withinMs);
            if (known && Math.Abs(row.TimestampMs - last) < withinMs)
                return;
            _last[row.Key] = known ? Math.Max(last, row.TimestampMs) : row.TimestampMs;
            Emit(0, row);
        }
    }
}
