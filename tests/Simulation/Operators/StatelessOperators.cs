using Streams.Dsl;
using Streams.Records;

using Streams.Tests.Reference;

namespace Streams.Tests.Simulation.Operators;

/// <summary>A reference that is a function of the record alone.</summary>
internal sealed class ReferenceFunction(Func<Row, IEnumerable<(int Port, Row Row)>> function)
    : ReferenceOperator
{
    internal override void Process(int input, Row row)
    {
        foreach ((int port, Row result) in function(row))
            Emit(port, result);
    }
}

/// <summary>A topic that sources write.</summary>
internal sealed class SourceTopic(int id, string topic) : PlanOperator(id)
{
    internal string Topic => topic;

    internal override void Build(StreamsBuilder builder) =>
        Built.Add(builder.Stream(topic, new Consumed<string, string>(Serdes.String, Serdes.String)));

    internal override ReferenceOperator CreateReference() => new ReferenceFunction(row => [(0, row)]);
}

/// <summary>A topic that results go to.</summary>
internal sealed class SinkTopic(int id, PlanStream input) : PlanOperator(id, input)
{
    internal string Topic => $"out{Id}";

    internal override void Build(StreamsBuilder builder) => Input().To(Topic);

    internal override ReferenceOperator CreateReference() => new ReferenceFunction(row => [(0, row)]);
}

/// <summary>A way through a topic, by key.</summary>
internal sealed class Repartition(int id, PlanStream input) : PlanOperator(id, input)
{
    internal string Topic => $"{SimulatedRun.ApplicationId}-r{Id}-repartition";

    internal override void Build(StreamsBuilder builder) =>
        Built.Add(Input().Repartition(new Repartitioned<string, string> { Name = $"r{Id}" }));

    internal override ReferenceOperator CreateReference() =>
        new ReferenceFunction(row => row.Key is null ? [] : [(0, row)]);
}

internal sealed class FilterOperator(int id, PlanStream input, int a) : PlanOperator(id, input)
{
    internal override void Build(StreamsBuilder builder) =>
        Built.Add(Input().Filter((key, value) => UserFunctions.Holds(a, key, value)));

    internal override ReferenceOperator CreateReference() => new ReferenceFunction(
        row => UserFunctions.Holds(a, row.Key, row.Value) ? [(0, row)] : []);
}

internal sealed class MapValuesOperator(int id, PlanStream input, int a) : PlanOperator(id, input)
{
    internal override void Build(StreamsBuilder builder) => Built.Add(
        Input().MapValues<string>((_, value) => UserFunctions.Change(a, value)!));

    internal override ReferenceOperator CreateReference() => new ReferenceFunction(
        row => [(0, row with { Value = UserFunctions.Change(a, row.Value) })]);
}

internal sealed class MapOperator(int id, PlanStream input, int a) : PlanOperator(id, input)
{
    internal override void Build(StreamsBuilder builder) => Built.Add(Input().Map<string, string>(
        (_, value) => (UserFunctions.NewKey(a, value), UserFunctions.Change(a, value)!)));

    internal override ReferenceOperator CreateReference() => new ReferenceFunction(row =>
    [
        (0, new Row(
            UserFunctions.NewKey(a, row.Value), UserFunctions.Change(a, row.Value), row.TimestampMs)),
    ]);
}

internal sealed class SelectKeyOperator(int id, PlanStream input, int a) : PlanOperator(id, input)
{
    internal override void Build(StreamsBuilder builder) =>
        Built.Add(Input().SelectKey((_, value) => UserFunctions.NewKey(a, value)));

    internal override ReferenceOperator CreateReference() => new ReferenceFunction(
        row => [(0, row with { Key = UserFunctions.NewKey(a, row.Value) })]);
}

internal sealed class FlatMapValuesOperator(int id, PlanStream input, int a) : PlanOperator(id, input)
{
    internal override void Build(StreamsBuilder builder) =>
        Built.Add(Input().FlatMapValues((_, value) => UserFunctions.Several(a, value)));

    internal override ReferenceOperator CreateReference() => new ReferenceFunction(
        row => UserFunctions.Several(a, row.Value).Select(value => (0, row with { Value = value })));
}

internal sealed class FlatMapOperator(int id, PlanStream input, int a) : PlanOperator(id, input)
{
    internal override void Build(StreamsBuilder builder) => Built.Add(Input().FlatMap<string, string>(
        (in Record<string, string> record, Emit<string, string> emit) =>
        {
            foreach (string value in UserFunctions.Several(a, record.Value))
            {
                emit(new Record<string, string>(
                    UserFunctions.NewKey(a, value), value, record.TimestampMs));
            }
        }));

    internal override ReferenceOperator CreateReference() => new ReferenceFunction(
        row => UserFunctions.Several(a, row.Value)
            .Select(value => (0, new Row(UserFunctions.NewKey(a, value), value, row.TimestampMs))));
}

internal sealed class MergeOperator(int id, PlanStream one, PlanStream other) : PlanOperator(id, one, other)
{
    internal override void Build(StreamsBuilder builder) => Built.Add(Input(0).Merge(Input(1)));

    internal override ReferenceOperator CreateReference() => new ReferenceFunction(row => [(0, row)]);
}

/// <summary>Two branches and what no branch takes.</summary>
internal sealed class BranchOperator(int id, PlanStream input, int a) : PlanOperator(id, input)
{
    internal override void Build(StreamsBuilder builder)
    {
        BranchedKStream<string, string> split = Input().Split();
        for (int i = 0; i < 2; i++)
        {
            int branch = i;
            split.Branch((_, value) => Choose(value) == branch, Built.Add);
        }
        split.DefaultBranch(Built.Add);
    }

    internal override ReferenceOperator CreateReference() =>
        new ReferenceFunction(row => [(Choose(row.Value), row)]);

    private int Choose(string? value) => (UserFunctions.Hash(value) + a) % 3;
}
