using Streams.Tests.Reference;

namespace Streams.Tests.Conformance;

/// <content>Windows of every kind.</content>
internal sealed partial class ReferenceTopology
{
    private static Dictionary<string, Body> WindowBodies => new()
    {
        ["count-tumbling"] = t => t.Time(t.OutWindow, false, Folds.Count),
        ["count-hopping"] = t => t.Time(t.OutWindow, false, Folds.Count),
        ["count-sliding"] = t => t.Sliding(t.OutWindow, false, Folds.Count),
        ["aggregate-tumbling"] = t => t.Time(t.OutWindow, false, Plus),
        ["aggregate-hopping"] = t => t.Time(t.OutWindow, false, Plus),
        ["aggregate-sliding"] = t => t.Sliding(t.OutWindow, false, Plus),
        ["reduce-tumbling"] = t => t.Time(t.OutWindow, false, Joined),
        ["session-count"] = t => t.Session(
            t.OutWindow, false,
            (agg, s) => $"{(agg is null ? 0 : long.Parse(agg, null)) + long.Parse(s, null)}", Folds.Count),
        ["session-aggregate"] = t => t.Session(t.OutWindow, false, Merged, Plus),
        ["session-reduce"] = t => t.Session(t.OutWindow, false, (agg, s) => Joined(s, agg), Joined),
        ["suppress-tumbling"] = t => t.Time(t.HeldBack(t.Number("grace_ms")), false, Plus),
        ["suppress-hopping"] = t => t.Time(t.HeldBack(t.Number("grace_ms")), false, Plus),
        ["suppress-session"] = t => t.Session(
            t.HeldBack(t.Number("grace_ms") + t.Number("gap_ms")), false, Merged, Plus),
        ["emit-final-tumbling"] = t => t.Time(t.OutWindow, true, Plus),
        ["emit-final-hopping"] = t => t.Time(t.OutWindow, true, Plus),
        ["emit-final-sliding"] = t => t.Sliding(t.OutWindow, true, Plus),
        ["emit-final-session"] = t => t.Session(t.OutWindow, true, Merged, Plus),
        ["cogroup"] = t =>
        {
            var aggregate = new StreamAggregate(Plus, Times) { Next = t.OutRow };
            t.From("a", row => aggregate.Process(0, row));
            t.From("b", row => aggregate.Process(1, row));
        },
        ["cogroup-tumbling"] = t => t.Time(t.OutWindow, false, Plus, Times),
        ["cogroup-sliding"] = t => t.Sliding(t.OutWindow, false, Plus, Times),
        ["cogroup-session"] = t => t.Session(t.OutWindow, false, Merged, Plus, Times),
    };

    private static Fold Times => Folds.Aggregate("0", (agg, v) => agg + "*" + Text(v));

    private static string Merged(string? aggregate, string session) => $"({aggregate ?? "0"}&{session})";

    private Action<Change> HeldBack(long waitMs) =>
        new Suppression(true, waitMs) { Next = OutWindow }.Process;

    private void FromAll(Action<int, Row> process, int streams)
    {
        for (int i = 0; i < streams; i++)
        {
            int stream = i;
            From(stream == 0 ? "a" : "b", row => process(stream, row));
        }
    }

    private void Time(Action<Change> next, bool emitsFinal, params Fold[] folds)
    {
        long size = Number("size_ms");
        long advance = _scenario.Has("advance_ms") ? Number("advance_ms") : size;
        var windows = new TimeWindowAggregate(
            size, advance, Number("grace_ms"), Retention(size), emitsFinal, folds)
        {
            Next = next,
        };
        FromAll(windows.Process, folds.Length);
    }

    private void Sliding(Action<Change> next, bool emitsFinal, params Fold[] folds)
    {
        var windows = new SlidingWindowAggregate(
            Number("size_ms"), Number("grace_ms"), Retention(2 * Number("size_ms")), emitsFinal, folds)
        {
            Next = next,
        };
        FromAll(windows.Process, folds.Length);
    }

    private void Session(
        Action<Change> next, bool emitsFinal, Func<string?, string, string?> merge, params Fold[] folds)
    {
        var sessions = new SessionAggregate(
            Number("gap_ms"), Number("grace_ms"), Retention(Number("gap_ms")), emitsFinal, merge, folds)
        {
            Next = next,
        };
        FromAll(sessions.Process, folds.Length);
    }

    // The least that a store has to keep, where the scenario asks for no more.
    private long Retention(long lengthMs) =>
        _scenario.Has("retention_ms") ? Number("retention_ms") : lengthMs + Number("grace_ms");
}
