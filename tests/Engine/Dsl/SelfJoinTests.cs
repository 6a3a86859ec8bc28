using Streams.Dsl;
using Streams.Records;
using Streams.Testing;
using Xunit;

namespace Streams.Tests.Engine.Dsl;

/// <summary>A stream joined with itself (CSIC-022).</summary>
public sealed class SelfJoinTests
{
    // A record that just leaves the retention is still there for the record that makes it leave: that is
    // joined first, and stored then.
    [Theory]
    [InlineData(10, 0)]
    [InlineData(0, 10)]
    public void A_record_at_the_far_border_of_the_window_is_joined(int beforeMs, int afterMs)
    {
        var builder = new StreamsBuilder();
        KStream<string, string> stream = builder.Stream(
            "in", new Consumed<string, string>(Serdes.String, Serdes.String));
        stream.Join(
            stream, (_, l, r) => l + r,
            JoinWindows.OfTimeDifferenceWithNoGrace(TimeSpan.Zero)
                .Before(TimeSpan.FromMilliseconds(beforeMs)).After(TimeSpan.FromMilliseconds(afterMs)),
            new StreamJoined { SingleStoreSelfJoin = true })
            .To("out", new Produced<string, string>
            {
                KeySerde = Serdes.String,
                ValueSerde = Serdes.String,
            });
        using var driver = new TopologyTestDriver(builder.Build());
        TestInputTopic<string, string> input =
            driver.CreateInputTopic("in", Serdes.String, Serdes.String);
        TestOutputTopic<string, string> output =
            driver.CreateOutputTopic("out", Serdes.String, Serdes.String);
        input.Pipe("k", "a", 40);
        input.Pipe("k", "b", 50);
        Assert.Equal(["aa", beforeMs > 0 ? "ba" : "ab", "bb"], output.ReadAll().Select(r => r.Value));
    }
}
