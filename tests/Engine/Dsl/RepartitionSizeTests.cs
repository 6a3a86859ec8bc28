using Streams.Records;
using Streams.Testing;
using Xunit;

namespace Streams.Tests.Engine.Dsl;

/// <summary>How many partitions the topics between parts get, where nobody says it.</summary>
public sealed class RepartitionSizeTests
{
    [Fact]
    public void A_table_can_be_joined_with_a_stream_that_was_made_of_its_own_records()
    {
        using var run = new DslRun(
            builder =>
            {
                var keyed = builder.Stream("in", DslRun.Text).SelectKey((_, v) => v[..1])
                    .WithSerdes(Serdes.String, Serdes.String).Repartition(new() { Name = "keyed" });
                var table = keyed.ToTable();
                keyed.SelectKey((_, v) => v[1..2]).WithSerdes(Serdes.String, Serdes.String)
                    .Repartition(new() { Name = "again" })
                    .Join<string, string>(table, (_, value, found) => $"{value}+{found}")
                    .WithSerdes(Serdes.String, Serdes.String).To("out");
            },
            new TestDriverOptions { Partitions = 3 });
        run.Pipe("in", "x", "ab", 1);
        run.Pipe("in", "x", "ba", 2);
        Assert.Equal(["a=ba+ab@2"], run.Read());
        Assert.Equal(3, run.Driver.Log.FindTopic("test-keyed-repartition")!.Partitions);
        Assert.Equal(3, run.Driver.Log.FindTopic("test-again-repartition")!.Partitions);
    }
}
