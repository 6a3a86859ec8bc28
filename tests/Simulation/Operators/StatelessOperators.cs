using Streams.Dsl;
using Streams.Records;

using Streams.Tests.Reference;

namespace Streams.Tests.Simulation.Operators;

/// <summary>A topic that sources write.</summary>
internal sealed class SourceTopicOperator(int id, string topic, bool hasExtractor) : PlanOperator(id)
{
    internal override string Family => hasExtractor ? "source with a timestamp extractor" : "source";

    internal override string SourceTopic => topic;

    internal override void Build(StreamsBuilder builder) =>
        Built.Add(builder.Stream(topic, new Consumed<string, string>(Serdes.String, Serdes.String)
        {
            TimestampExtractor = !hasExtractor ? null : (in Record<string, string> record, long highestMs) =>
                UserFunctions.TimeOf(record.Value, record.TimestampMs, highestMs),
        }));

    internal override ReferenceOperator CreateReference() => new Reference(hasExtractor);

    private sealed class Reference(bool hasExtractor) : ReferenceOperator
    {
        private long _highestMs = -1;

        internal override long TimeOf(Row row)
        {
            if (!hasExtractor)
                return row.TimestampMs;
            long timeMs = UserFunctions.TimeOf(row.Value, row.TimestampMs, _highestMs);
            _highestMs = Math.Max(_highestMs, timeMs);
            return timeMs;
        }

        internal override void Process(int input, Row row) => Emit(0, row);
    }
}

/// <summary>A topic that results go to.</summary>
internal sealed class SinkTopic(int id, PlanStream input) : PlanOperator(id, input)
{
    internal string Topic => $"out{Id}";

    internal override string Family => "sink";

    internal override void Build(StreamsBuilder builder) => Input().To(Topic);

    internal override ReferenceOperator CreateReference() => new ReferenceFunction(row => [(0, row)]);
}

/// <summary>A way through a topic, by key.</summary>
internal sealed class Repartition(int id, PlanStream input) : PlanOperator(id, input)
{
    internal override string Family => "repartition";

    internal override IReadOnlyList<string> OwnTopics =>
        [$"{SimulatedRun.ApplicationId}-r{Id}-repartition"];

    internal override IEnumerable<PlanOperator> Neighbours => [];

    internal override void Build(StreamsBuilder builder) =>
        Built.Add(Input().Repartition(new Repartitioned<string, string> { Name = $"r{Id}" }));

    internal override ReferenceOperator CreateReference() => new Reference();

    private sealed class Reference : ReferenceOperator
    {
        internal override void Process(int input, Row row)
        {
            if (row.Key is not null)
                Send(0, row, null);
        }

        internal override void Receive(int channel, Row row, object? message) => Emit(0, row);
    }
}

internal sealed class FilterOperator(int id, PlanStream input, int a) : PlanOperator(id, input)
{
    internal override string Family => "filter";

    internal override void Build(StreamsBuilder builder) =>
        Built.Add(Input().Filter((key, value) => UserFunctions.Holds(a, key, value)));

    internal override ReferenceOperator CreateReference() => new ReferenceFunction(
        row => UserFunctions.Holds(a, row.Key, row.Value) ? [(0, row)] : []);
}

internal sealed class MapValuesOperator(int id, PlanStream input, int a) : PlanOperator(id, input)
{
    internal override string Family => "map values";

    internal override void Build(StreamsBuilder builder) => Built.Add(
        Input().MapValues<string>((_, value) => UserFunctions.Change(a, value)!));

    internal override ReferenceOperator CreateReference() => new ReferenceFunction(
        row => [(0, row with { Value = UserFunctions.Change(a, row.Value) })]);
}

internal sealed class MapOperator(int id, PlanStream input, int a) : PlanOperator(id, input)
{
    internal override string Family => "map";

    internal override void Build(StreamsBuilder builder) => Built.Add(Input().Map<string, string>(
        (_, value) => (UserFunctions.NewKey(a, value), UserFunctions.Change(a, value)!)));

    internal override ReferenceOperator CreateReference() => new ReferenceFunction(row =>
    [
        (0, row with
        {
            Key = UserFunctions.NewKey(a, row.Value),
            Value = UserFunctions.Change(a, row.Value),
        }),
    ]);
}

internal sealed class SelectKeyOperator(int id, PlanStream input, int a) : PlanOperator(id, input)
{
    internal override string Family => "select key";

    internal override void Build(StreamsBuilder builder) =>
        Built.Add(Input().SelectKey((_, value) => UserFunctions.NewKey(a, value)));

    internal override ReferenceOperator CreateReference() => new ReferenceFunction(
        row => [(0, row with { Key = UserFunctions.NewKey(a, row.Value) })]);
}

internal sealed class FlatMapValuesOperator(int id, PlanStream input, int a) : PlanOperator(id, input)
{
    internal override string Family => "flat map values";

    internal override void Build(StreamsBuilder builder) =>
        Built.Add(Input().FlatMapValues((_, value) => UserFunctions.Several(a, value)));

    internal override ReferenceOperator CreateReference() => new ReferenceFunction(
        row => UserFunctions.Several(a, row.Value).Select(value => (0, row with { Value = value })));
}

internal sealed class FlatMapOperator(int id, PlanStream input, int a) : PlanOperator(id, input)
{
    internal override string Family => "flat map";

    internal override void Build(StreamsBuilder builder) => Built.Add(Input().FlatMap<string, string>(
        (in Record<string, string> record, Emit<string, string> emit) =>
        {
            foreach (string value in UserFunctions.Several(a, record.Value))
            {
                emit(record.WithKey(UserFunctions.NewKey(a, value)).WithValue(value));
            }
        }));

    internal override ReferenceOperator CreateReference() => new ReferenceFunction(
        row => UserFunctions.Several(a, row.Value)
            .Select(value => (0, row with { Key = UserFunctions.NewKey(a, value), Value = value })));
}

internal sealed class MergeOperator(int id, PlanStream one, PlanStream other) : PlanOperator(id, one, other)
{
    internal override string Family => "merge";

    internal override void Build(StreamsBuilder builder) => Built.Add(Input(0).Merge(Input(1)));

    internal override ReferenceOperator CreateReference() => new ReferenceFunction(row => [(0, row)]);
}

/// <summary>Two branches and what no branch takes.</summary>
internal sealed class BranchOperator(int id, PlanStream input, int a) : PlanOperator(id, input)
{
    internal override string Family => "branch";

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

/// <summary>Throws at some records: they become dead letters.</summary>
internal sealed class FailingOperator(int id, PlanStream input, int a) : PlanOperator(id, input)
{
    internal override string Family => "failing map";

    internal override void Build(StreamsBuilder builder) => Built.Add(
        Input().MapValues<string>((_, value) => MayThrow(value)));

    internal override ReferenceOperator CreateReference() => new ReferenceFunction(
        row => [(0, row with { Value = MayThrow(row.Value) })]);

    private string MayThrow(string? value) => value is not null && UserFunctions.Hash(value) % 7 == a % 7
        ? throw new UserFailureException() : value!;
}

/// <summary>What an operator of a topology throws.</summary>
internal sealed class UserFailureException() : Exception("The simulated operator fails.");
