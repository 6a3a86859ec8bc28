using Streams.Dsl;
using Streams.Processing;
using Streams.Records;
using Streams.State;
using Streams.Tests.Reference;

namespace Streams.Tests.Simulation.Operators;

/// <summary>Two streams joined within a stretch of time.</summary>
internal sealed class StreamJoinOperator(
    int id, PlanStream left, PlanStream right, JoinKind kind, Within within, bool isPrompt)
    : PlanOperator(id, left, right)
{
    internal override string Family => $"stream-stream {kind} join" + (isPrompt ? ", prompt" : "");

    internal override void Build(StreamsBuilder builder)
    {
        JoinWindows windows = Windows(Bug == PlantedBug.JoinExpiresEarly && within.AfterMs > 0
            ? within with { AfterMs = within.AfterMs - 1 } : within);
        var joined = new StreamJoined { StoreName = StoreName, UnmatchedPromptly = isPrompt };
        KStream<string, string> result = kind switch
        {
            JoinKind.Inner => Input().Join<string, string>(
                Input(1), (_, l, r) => UserFunctions.Pair(l, r), windows, joined),
            JoinKind.Left => Input().LeftJoin<string, string>(
                Input(1), (_, l, r, has) => UserFunctions.Pair(l, has ? r : null), windows, joined),
            _ => Input().OuterJoin<string, string>(
                Input(1), (_, l, hasLeft, r, hasRight) =>
                    UserFunctions.Pair(hasLeft ? l : null, hasRight ? r : null), windows, joined),
        };
        Built.Add(result.WithSerdes(Serdes.String, Serdes.String));
    }

    internal override ReferenceOperator CreateReference()
    {
        var join = new StreamJoin(kind, within, UserFunctions.Pair, isPrompt);
        var reference = new ReferenceOf<StreamJoin>(join, join.Process);
        join.Next = row => reference.Emit(0, row);
        return reference;
    }

    internal override string? CompareState(TaskScope scope, ReferenceOperator reference) =>
        kind == JoinKind.Inner ? null : StoreComparison.Compare(
            scope.Store<OrderedStore>($"{StoreName}-unmatched"),
            ((ReferenceOf<StreamJoin>)reference).State.PlacesWaiting);

    internal static JoinWindows Windows(Within within) => JoinWindows
        .OfTimeDifferenceAndGrace(TimeSpan.Zero, TimeSpan.FromMilliseconds(within.GraceMs))
        .Before(TimeSpan.FromMilliseconds(within.BeforeMs))
        .After(TimeSpan.FromMilliseconds(within.AfterMs));
}

/// <summary>A stream joined with itself, its records kept twice or once.</summary>
internal sealed class SelfJoinOperator(int id, PlanStream input, Within within, bool isOptimised)
    : PlanOperator(id, input)
{
    internal override string Family => isOptimised ? "self-join, optimised" : "self-join";

    internal override void Build(StreamsBuilder builder) => Built.Add(Input().Join<string, string>(
        Input(), (_, l, r) => UserFunctions.Pair(l, r), StreamJoinOperator.Windows(within),
        new StreamJoined { StoreName = StoreName, SingleStoreSelfJoin = isOptimised })
        .WithSerdes(Serdes.String, Serdes.String));

    internal override ReferenceOperator CreateReference()
    {
        var join = new SelfJoin(within, isOptimised, UserFunctions.Pair);
        var reference = new ReferenceOf<SelfJoin>(join, (_, row) => join.Process(row));
        join.Next = row => reference.Emit(0, row);
        return reference;
    }
}
