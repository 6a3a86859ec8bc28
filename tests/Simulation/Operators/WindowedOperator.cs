using Streams.Dsl;
using Streams.Processing;
using Streams.Records;
using Streams.State;
using Streams.Tests.Reference;

namespace Streams.Tests.Simulation.Operators;

/// <summary>The windows of a random topology.</summary>
internal enum WindowKind
{
    Time,
    Sliding,
    Session,
}

/// <summary>When a window comes out.</summary>
internal enum Emission
{
    Updates,
    Final,
    Suppressed,
}

/// <summary>Windows of a random topology.</summary>
/// <param name="Kind">Which.</param>
/// <param name="SizeMs">Their length, or the gap between sessions.</param>
/// <param name="AdvanceMs">From one start to the next, of tumbling and hopping ones.</param>
/// <param name="GraceMs">How long late records count.</param>
/// <param name="Emission">When they come out.</param>
/// <param name="Counts">Whether records are counted; else their values are combined.</param>
internal sealed record WindowPlan(
    WindowKind Kind, long SizeMs, long AdvanceMs, long GraceMs, Emission Emission, bool Counts)
{
    internal string Name => Kind switch
    {
        WindowKind.Sliding => "sliding windows",
        WindowKind.Session => "session windows",
        _ => SizeMs == AdvanceMs ? "tumbling windows" : "hopping windows",
    };

    internal TimeWindows Time => TimeWindows.OfSizeAndGrace(Ms(SizeMs), Ms(GraceMs)).AdvanceBy(Ms(AdvanceMs));

    internal SlidingWindows Sliding => SlidingWindows.OfTimeDifferenceAndGrace(Ms(SizeMs), Ms(GraceMs));

    internal SessionWindows Session => SessionWindows.OfInactivityGapAndGrace(Ms(SizeMs), Ms(GraceMs));

    /// <summary>How long a store keeps windows at least.</summary>
    internal long RetentionMs => GraceMs + (Kind == WindowKind.Sliding ? 2 * SizeMs : SizeMs);

    internal static TimeSpan Ms(long milliseconds) => TimeSpan.FromMilliseconds(milliseconds);
}

/// <summary>An aggregate by key and window; its other output is the late records.</summary>
internal sealed class WindowedOperator(int id, PlanStream input, WindowPlan plan) : PlanOperator(id, input)
{
    internal override string Family => plan.Name + plan.Emission switch
    {
        Emission.Final => ", emitted on close",
        Emission.Suppressed => ", suppressed until close",
        _ => "",
    };

    internal override void Build(StreamsBuilder builder)
    {
        KGroupedStream<string, string> grouped = Input().GroupByKey();
        KStream<string, string>? late = null;
        WindowPlan built =
            Bug == PlantedBug.WindowClosesLate ? plan with { GraceMs = plan.GraceMs + 1 } : plan;
        KStream<string, string> results = plan.Kind == WindowKind.Session
            ? OfSessions(grouped.WindowedBy(built.Session).LateRecords(stream => late = stream))
            : OfTime((plan.Kind == WindowKind.Time
                ? grouped.WindowedBy(built.Time) : grouped.WindowedBy(built.Sliding))
                .LateRecords(stream => late = stream));
        Built.Add(results);
        Built.Add(late!);
    }

    internal override ReferenceOperator CreateReference() => new WindowReference(plan, 1);

    internal override string? CompareState(TaskScope scope, ReferenceOperator reference) => plan.Counts
        ? WindowComparison.Compare<long>(plan.Kind, scope, StoreName, (WindowReference)reference)
        : WindowComparison.Compare<string>(plan.Kind, scope, StoreName, (WindowReference)reference);

    private KStream<string, string> OfTime(TimeWindowedKStream<string, string> windowed)
    {
        if (plan.Emission == Emission.Final)
            windowed = windowed.EmitStrategy(EmitStrategy.OnWindowClose);
        if (plan.Counts)
            return Texts(windowed.Count(Kept<long>(Serdes.Int64)));
        // A sliding window begins with what another one holds, and so keeps what it has.
        return Texts(plan.Kind == WindowKind.Sliding
            ? windowed.Aggregate(
                () => "", (_, value, all) => UserFunctions.Gather(all, value), Kept(Serdes.String))
            : windowed.Reduce((x, y) => UserFunctions.Add(x, y)!, Kept(Serdes.String)));
    }

    private KStream<string, string> OfSessions(SessionWindowedKStream<string, string> windowed)
    {
        if (plan.Emission == Emission.Final)
            windowed = windowed.EmitStrategy(EmitStrategy.OnWindowClose);
        return plan.Counts
            ? Texts(windowed.Count(Kept<long>(Serdes.Int64)))
            : Texts(windowed.Aggregate(
                () => "", (_, value, all) => UserFunctions.Gather(all, value),
                (_, all, other) => UserFunctions.Pair(all, other), Kept(Serdes.String)));
    }

    private Materialized<string, TValue> Kept<TValue>(Serde<TValue> serde) => new()
    {
        StoreName = StoreName,
        ValueSerde = serde,
        Retention = plan.Emission == Emission.Final ? TimeSpan.FromDays(1) : null,
    };

    private KStream<string, string> Texts<TValue>(KTable<Windowed<string>, TValue> table)
    {
        if (plan.Emission == Emission.Suppressed)
            table = table.Suppress(Suppressed.UntilWindowCloses(BufferConfig.Unbounded()) with
            {
                StoreName = StoreName + "-held",
            });
        return WindowComparison.Texts(table);
    }
}

/// <summary>Several streams with one aggregate per key, or per key and window.</summary>
internal sealed class CogroupOperator(int id, PlanStream one, PlanStream other, WindowPlan? plan)
    : PlanOperator(id, one, other)
{
    internal override string Family => plan is null ? "cogroup" : $"cogroup, {plan.Name}";

    internal override void Build(StreamsBuilder builder)
    {
        CogroupedKStream<string, string> streams = Input().GroupByKey()
            .Cogroup<string>((_, value, all) => UserFunctions.Gather(all, value))
            .Cogroup(Input(1).GroupByKey(), (_, value, all) => UserFunctions.Gather(all + "*", value));
        var kept = new Materialized<string, string>
        {
            StoreName = StoreName,
            ValueSerde = Serdes.String,
            Retention = plan is null ? null : TimeSpan.FromDays(1),
        };
        Built.Add(plan?.Kind switch
        {
            null => streams.Aggregate(() => "", kept).ToStream(),
            WindowKind.Time => WindowComparison.Texts(
                streams.WindowedBy(plan.Time).Aggregate(() => "", kept)),
            WindowKind.Sliding => WindowComparison.Texts(
                streams.WindowedBy(plan.Sliding).Aggregate(() => "", kept)),
            _ => WindowComparison.Texts(streams.WindowedBy(plan.Session).Aggregate(
                () => "", (_, all, session) => UserFunctions.Pair(all, session), kept)),
        });
    }

    internal override ReferenceOperator CreateReference()
    {
        if (plan is not null)
            return new WindowReference(plan, 2);
        var aggregate = new StreamAggregate(
            Folds.Aggregate("", UserFunctions.Gather),
            Folds.Aggregate("", (all, value) => UserFunctions.Gather(all + "*", value)));
        var reference = new ReferenceOf<StreamAggregate>(aggregate, aggregate.Process);
        aggregate.Next = change => reference.Emit(0, change.ToRow());
        return reference;
    }

    internal override string? CompareState(TaskScope scope, ReferenceOperator reference) => plan is null
        ? StoreComparison.Compare(
            scope.Store<KeyValueStore<string, string>>(StoreName),
            ((ReferenceOf<StreamAggregate>)reference).State.State)
        : WindowComparison.Compare<string>(plan.Kind, scope, StoreName, (WindowReference)reference);
}
