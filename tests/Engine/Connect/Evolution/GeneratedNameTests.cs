using Streams.Dsl;
using Streams.Processing;
using Streams.Records;
using Xunit;
using static Streams.Tests.Engine.Connect.Evolution.ChangingApplication;

namespace Streams.Tests.Engine.Connect.Evolution;

/// <summary>What a store is called that nobody named.</summary>
public sealed class GeneratedNameTests : IDisposable
{
    private readonly ChangingApplication _application = new();

    [Fact]
    public void An_operator_that_is_inserted_elsewhere_renames_no_store()
    {
        _application.Run(Count(null), "a a");
        Action<StreamsBuilder> changed = builder =>
        {
            // Before it in the program, before it in the stream, and of the same kind on another topic.
            In(builder, "other").GroupByKey().Count();
            KStream<string, string> stream = In(builder).Filter((_, _) => true).MapValues((_, value) => value + "!");
            stream.WithSerdes(Serdes.String, Serdes.String).Deduplicate(TimeSpan.FromMinutes(1)).To("copies");
            Count(In(builder, "third"), "third-counts");
            Count2(stream);
        };
        _application.Partitions["third"] = 1;
        Assert.True(_application.Plan(changed).CanStart);
        Assert.Contains("a=3", _application.Run(changed, "a"));

        static void Count2(KStream<string, string> stream) => stream.GroupByKey().Count()
            .ToStream().To("out", new Produced<string, long>
            {
                KeySerde = Serdes.String,
                ValueSerde = Serdes.Int64,
            });
    }

    [Fact]
    public void State_under_a_generated_name_is_told_of_and_other_state_is_not()
    {
        Topology topology = Build(builder =>
        {
            KStream<string, string> stream = In(builder);
            Count(stream, null);
            stream.SelectKey((_, value) => value).GroupByKey().Count(
                new Materialized<string, long> { StoreName = "named" });
            stream.Join(
                In(builder, "other"), (_, left, right) => left + right,
                JoinWindows.OfTimeDifferenceWithNoGrace(TimeSpan.FromSeconds(1)));
            stream.GroupByKey().Count(new Materialized<string, long> { Logged = false });
        });
        Assert.Equal(
            [
                "KSTREAM-AGGREGATE-STATE-STORE-in-0", "KSTREAM-JOIN-in-0-other", "KSTREAM-JOIN-in-0-this",
                "KSTREAM-REPARTITION-in-0-repartition",
            ],
            topology.UnnamedState);
        Assert.Empty(Build(Count("counts")).UnnamedState);
    }

    public void Dispose() => _application.Dispose();

    private static Topology Build(Action<StreamsBuilder> write)
    {
        var builder = new StreamsBuilder();
        write(builder);
        return builder.Build();
    }
}
