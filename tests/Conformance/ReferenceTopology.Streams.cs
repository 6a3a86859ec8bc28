using System.Globalization;
using Streams.Tests.Reference;

namespace Streams.Tests.Conformance;

/// <content>Streams, joins of streams, processors.</content>
internal sealed partial class ReferenceTopology
{
    private static Dictionary<string, Body> StreamBodies => new()
    {
        ["filter"] = t => t.Flat(r => t.HasMod(r.Value) ? [r] : []),
        ["filter-not"] = t => t.Flat(r => t.HasMod(r.Value) ? [] : [r]),
        ["map-values"] = t => t.Flat(r => [r with { Value = r.Value is null ? null : r.Value + "!" }]),
        ["map"] = t => t.Flat(
            r => [r with { Key = "n" + N(r.Value) % 3, Value = Text(r.Key) + ":" + Text(r.Value) }]),
        ["select-key"] = t => t.Flat(r => [NewKey(r)]),
        ["repartition"] = t => t.Flat(r => NewKey(r).Key is null ? [] : [NewKey(r)]),
        ["flat-map-values"] = t => t.Flat(r => Parts(r.Value, ',').Select(p => r with { Value = p })),
        ["flat-map"] = t => t.Flat(r => Parts(r.Value, ';').Select(
            p => r with { Key = p.Split('=')[0], Value = p[(p.IndexOf('=') + 1)..] })),
        ["branch"] = t => t.From("a", r => t.To(
            r.Value is not null && N(r.Value) % 3 == 0 ? "out-three"
            : r.Value is not null && N(r.Value) % 2 == 0 ? "out-two" : "out-rest", r)),
        ["merge"] = t =>
        {
            t.From("a", r => t.Out(r with { Value = "a:" + Text(r.Value) }));
            t.From("b", r => t.Out(r with { Value = "b:" + Text(r.Value) }));
        },
        ["count"] = t => t.Aggregated(r => r, Folds.Count),
        ["reduce"] = t => t.Aggregated(r => r, Joined),
        ["aggregate"] = t => t.Aggregated(r => r, Folds.Aggregate("0", (agg, v) =>
            agg.Count(c => c == '+') >= t.Number("drop_above") ? null : agg + "+" + v)),
        ["group-by-count"] = t => t.Aggregated(r => r with { Key = Group(r.Value) }, Folds.Count),
        ["group-by-aggregate"] = t => t.Aggregated(r => r with { Key = Group(r.Value) }, Plus),
        ["punctuate-stream-time"] = t => t.Collect(isWallClock: false),
        ["punctuate-wall-clock"] = t => t.Collect(isWallClock: true),
        ["dedupe"] = t => t.Dedupe(),
    };

    private static Dictionary<string, Body> JoinBodies => new()
    {
        ["stream-stream-inner-join"] = t => t.JoinStreams(JoinKind.Inner),
        ["stream-stream-left-join"] = t => t.JoinStreams(JoinKind.Left),
        ["stream-stream-outer-join"] = t => t.JoinStreams(JoinKind.Outer),
        ["stream-stream-self-join"] = t => t.From("a", new SelfJoin(
            t.Window(), t._scenario.Text("optimization") == "single.store.self.join", Pair)
        {
            Next = t.Out,
        }.Process),
        ["headers"] = t => t.WithHeaders(),
        ["timestamp-extractor"] = t => t.ExtractedTimes(),
    };

    private const long DayMs = 86_400_000;

    private static Row NewKey(Row row) =>
        row with { Key = row.Value is null ? null : "n" + N(row.Value) % 3 };

    private static string[] Parts(string? value, char separator) =>
        string.IsNullOrEmpty(value) ? [] : value.Split(separator);

    private void Flat(Func<Row, IEnumerable<Row>> function) => From("a", row =>
    {
        foreach (Row result in function(row))
            Out(result);
    });

    private void Aggregated(Func<Row, Row> group, Fold fold)
    {
        var aggregate = new StreamAggregate(fold) { Next = OutRow };
        From("a", row => aggregate.Process(0, group(row)));
    }

    private void Collect(bool isWallClock)
    {
        var collector = new Collector(
            Number("interval_ms"), (all, v) => all is null ? Text(v) : all + "," + Text(v))
        {
            Next = Out,
        };
        collector.Schedule(0, isWallClock);
        long streamTimeMs = 0;
        From("a", row =>
        {
            collector.Process(row);
            streamTimeMs = Math.Max(streamTimeMs, row.TimestampMs);
            if (!isWallClock)
                collector.Observe(streamTimeMs);
        });
        if (isWallClock)
            _advance = collector.Observe;
    }

    private void Dedupe()
    {
        var last = new Dictionary<(string?, string?), long>();
        From("a", row =>
        {
            bool known = last.TryGetValue((row.Key, row.Value), out long before);
            if (known && Math.Abs(row.TimestampMs - before) < Number("within_ms"))
                return;
            last[(row.Key, row.Value)] = known ? Math.Max(before, row.TimestampMs) : row.TimestampMs;
            Out(row);
        });
    }

    private Within Window() => new(Number("before_ms"), Number("after_ms"), Number("grace_ms"));

    private void JoinStreams(JoinKind kind)
    {
        var join = new StreamJoin(kind, Window(), Pair) { Next = Out };
        From("a", row => join.Process(0, row));
        From("b", row => join.Process(1, row));
    }

    private void WithHeaders()
    {
        (long size, long grace) = (Number("size_ms"), Number("grace_ms"));
        var count = new StreamAggregate(Folds.Count) { Next = c => To("out-count", c.ToRow()) };
        var join = new StreamJoin(JoinKind.Left, new Within(size, size, grace), Pair)
        {
            Next = row => To("out-join", row),
        };
        var suppressed = new Suppression(true, grace) { Next = c => To("out-suppress", c.ToWindowedRow()) };
        var windows = new TimeWindowAggregate(
            size, size, grace, Retention(size), false, Plus)
        {
            Next = suppressed.Process,
        };
        var final = new TimeWindowAggregate(size, size, grace, DayMs, true, Plus)
        {
            Next = c => To("out-final", c.ToWindowedRow()),
        };
        From("a", row =>
        {
            To("out-map", row with { Value = row.Value + "!" });
            count.Process(0, row);
            join.Process(0, row);
            windows.Process(0, row);
            final.Process(0, row);
        });
        From("b", row => join.Process(1, row));
    }

    private void ExtractedTimes()
    {
        long highestMs = -1;
        var windows = new TimeWindowAggregate(
            Number("size_ms"), Number("size_ms"), Number("grace_ms"), Retention(Number("size_ms")), false,
            Folds.Count)
        {
            Next = c => To("out-count", c.ToWindowedRow()),
        };
        From("a", row =>
        {
            bool isValid = long.TryParse(Group(row.Value), CultureInfo.InvariantCulture, out long timeMs)
                && timeMs >= 0;
            if (!isValid)
                timeMs = _scenario.Text("on_invalid") == "skip" ? -1 : highestMs;
            if (timeMs < 0)
                return;
            highestMs = Math.Max(highestMs, timeMs);
            Out(row with { TimestampMs = timeMs });
            windows.Process(0, row with { TimestampMs = timeMs });
        });
    }
}
