using System.Globalization;
using Streams.Dsl;
using Streams.Processing;
using Streams.Records;
using Streams.State;
using Streams.Tests.Reference;

namespace Streams.Tests.Simulation.Operators;

/// <summary>The reference of an aggregate in windows, of one stream or two.</summary>
internal sealed class WindowReference : ReferenceOperator
{
    private const long DayMs = 86_400_000;

    private readonly Action<int, Row> _process;

    internal WindowReference(WindowPlan plan, int streams)
    {
        bool isFinal = plan.Emission == Emission.Final;
        long retentionMs = isFinal || streams > 1 ? DayMs : plan.RetentionMs;
        Fold[] folds = [FoldOf(plan, streams), Folds.Aggregate("", (all, v) => UserFunctions.Gather(
            all + "*", v))];
        folds = folds[..streams];
        Action<Change> next = change => Emit(0, change.ToWindowedRow());
        if (plan.Emission == Emission.Suppressed)
            next = new Suppression(
                true, plan.GraceMs + (plan.Kind == WindowKind.Session ? plan.SizeMs : 0))
            {
                Next = next,
            }.Process;
        if (plan.Kind == WindowKind.Session)
        {
            Sessions = new SessionAggregate(
                plan.SizeMs, plan.GraceMs, retentionMs, isFinal, Merge(plan), folds)
            {
                Next = next,
                Late = row => Emit(1, row),
            };
            _process = Sessions.Process;
            return;
        }
        Windows = plan.Kind == WindowKind.Time
            ? new TimeWindowAggregate(
                plan.SizeMs, plan.AdvanceMs, plan.GraceMs, retentionMs, isFinal, folds)
            : new SlidingWindowAggregate(plan.SizeMs, plan.GraceMs, retentionMs, isFinal, folds);
        Windows.Next = next;
        Windows.Late = row => Emit(1, row);
        _process = Windows is TimeWindowAggregate time
            ? time.Process : ((SlidingWindowAggregate)Windows).Process;
    }

    internal SessionAggregate? Sessions { get; }

    internal WindowAggregate? Windows { get; }

    internal override void Process(int input, Row row) => _process(input, row);

    private static Fold FoldOf(WindowPlan plan, int streams) => plan.Counts ? Folds.Count
        : streams > 1 || plan.Kind != WindowKind.Time ? Folds.Aggregate("", UserFunctions.Gather)
        : Folds.Reduce((x, y) => UserFunctions.Add(x!, y));

    private static Func<string?, string, string?> Merge(WindowPlan plan) => plan.Counts
        ? (all, session) => $"{(all is null ? 0 : long.Parse(all, null)) + long.Parse(session, null)}"
        : (all, session) => UserFunctions.Pair(all ?? "", session);
}

/// <summary>Compares windows, and writes them as records of texts.</summary>
internal static class WindowComparison
{
    private const long WholeRetentionMsMax = 3_600_000;

    internal static KStream<string, string> Texts<TValue>(KTable<Windowed<string>, TValue> table) =>
        table.ToStream()
            .MapValues((_, v) => v is null ? null! : string.Create(CultureInfo.InvariantCulture, $"{v}"))
            .SelectKey((key, _) => key.ToString()).WithSerdes(Serdes.String, Serdes.String);

    internal static string? Compare<TValue>(
        WindowKind kind, TaskScope scope, string name, WindowReference reference) =>
        kind == WindowKind.Session
            ? Compare(scope.Store<SessionStore<string, TValue>>(name), reference.Sessions!)
            : Compare(scope.Store<WindowStore<string, TValue>>(name), reference.Windows!);

    private static string? Compare<TValue>(SessionStore<string, TValue> store, SessionAggregate reference)
    {
        List<Session> sessions = [.. reference.Sessions];
        var found = new List<string>();
        foreach (Session session in sessions)
        {
            TValue value = default!;
            if (store.TryGet(session.Key, new SessionSpan(session.StartMs, session.EndMs), ref value))
                found.Add($"{session.Key}@{session.StartMs}/{session.EndMs}={value}");
        }
        return StoreComparison.Compare(
            store, found, [.. sessions.Select(s => $"{s.Key}@{s.StartMs}/{s.EndMs}={s.Value}")]);
    }

    private static string? Compare<TValue>(WindowStore<string, TValue> store, WindowAggregate reference)
    {
        var windows = reference.State.Where(w => !reference.IsForgotten(w.Key.StartMs)).ToList();
        var found = new List<string>();
        foreach (((string key, long startMs), _) in windows)
        {
            TValue value = default!;
            if (store.TryGet(key, startMs, ref value, out long timestampMs))
                found.Add($"{key}@{startMs}={value}@{timestampMs}");
        }
        return StoreComparison.Compare(
            store, found,
            [.. windows.Select(w => $"{w.Key.Key}@{w.Key.StartMs}={w.Value.Value}@{w.Value.TimestampMs}")])
            ?? CompareWhole(store, reference, windows.Select(w => w.Key.Key).Distinct());
    }

    // What should not be there: a look at a whole key, where its windows are not too many stretches apart.
    private static string? CompareWhole<TValue>(
        WindowStore<string, TValue> store, WindowAggregate reference, IEnumerable<string> keys)
    {
        if (reference.RetentionMs > WholeRetentionMsMax)
            return null;
        foreach (string key in keys)
        {
            foreach ((long startMs, TValue value, _) in store.Fetch(key, 0, long.MaxValue))
            {
                if (!reference.IsForgotten(startMs) && !reference.State.ContainsKey((key, startMs)))
                    return $"store {store.Name} holds {key}@{startMs}={value}, which should not be there";
            }
        }
        return null;
    }
}
