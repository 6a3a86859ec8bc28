using Streams.Connect.Evolution;
using Streams.Dsl;
using Streams.Log;
using Streams.Log.Embedded;
using Streams.Records;
using Xunit;
using static Streams.Tests.Engine.Connect.Evolution.ChangingApplication;

namespace Streams.Tests.Engine.Connect.Evolution;

/// <summary>Two versions of a topology, one after the other, on the same data.</summary>
public sealed class TopologyChangeTests : IDisposable
{
    private readonly ChangingApplication _application = new();

    [Fact]
    public void The_same_topology_goes_on_with_its_state_and_changes_nothing()
    {
        Assert.Equal(["a=1", "a=2"], _application.Run(Count("counts"), "a a"));
        TopologyChanges changes = _application.Plan(Count("counts"));
        Assert.Empty(changes.Changes);
        Assert.True(changes.CanStart && !changes.IsFirst);
        Assert.Equal(["a=1", "a=2", "a=3"], _application.Run(Count("counts"), "a"));
    }

    [Fact]
    public void Stateless_operators_stores_and_topics_come_and_go_and_the_state_stays()
    {
        _application.Run(Count("counts"), "a a");
        Action<StreamsBuilder> changed = builder =>
        {
            KStream<string, string> stream = In(builder).Filter((key, _) => key != "b", "without-b");
            Count(stream, "counts");
            stream.To("copies");
            stream.Merge(In(builder, "other"), "both")
                .Deduplicate(TimeSpan.FromHours(1), null, new DeduplicateOptions { StoreName = "seen" })
                .Peek((_, _) => { }, "look");
        };
        TopologyChanges changes = _application.Plan(changed);
        Assert.True(changes.CanStart);
        Assert.All(changes.Changes, c => Assert.Equal(ChangeEffect.Compatible, c.Effect));
        Assert.Contains(changes.Changes, c => c is { Kind: "store", Subject: "seen" }
            && c.What.Contains("in from offset 2", StringComparison.Ordinal));
        Assert.Contains(changes.Changes, c => c is { Kind: "operator", Subject: "without-b" });
        Assert.Contains(changes.Changes, c => c is { Kind: "topic", Subject: "copies" });
        Assert.Contains(changes.Changes, c => c is { Kind: "topic", Subject: "other" });
        Assert.Equal(["a=1", "a=2", "a=3"], _application.Run(changed, "b a"));
        // What was added goes again; nothing is in the store that is worth a question but what "a" left.
        Assert.Equal(ChangeEffect.LosesState, Single(_application.Plan(Count("counts")), "seen").Effect);
    }

    [Fact]
    public void A_dropped_store_is_refused_until_that_is_accepted_and_then_cleaned_up()
    {
        _application.SnapshotsOften = true;
        _application.Run(Count("counts"), "a a");
        _application.Run(Count("counts"), "a a b");
        string snapshots = Path.Combine(_application.Data, "state", "app", "0", "counts");
        Assert.NotEmpty(Directory.GetFiles(snapshots));
        Action<StreamsBuilder> without = builder => In(builder).To("copies");
        TopologyChange change = Single(_application.Plan(without), "counts");
        Assert.Equal(ChangeEffect.LosesState, change.Effect);
        Assert.Contains(change.WaysOut, w => w.Contains("StoreName = \"counts\"", StringComparison.Ordinal));
        Assert.Contains(change.WaysOut, w => w.Contains("in from offset 0", StringComparison.Ordinal));

        var e = Assert.Throws<TopologyChangedException>(() => _application.Run(without));
        Assert.Contains("'counts' is not in the topology any more", e.Message, StringComparison.Ordinal);
        Assert.Contains("--accept-loss counts", e.Message, StringComparison.Ordinal);
        Assert.NotEmpty(Directory.GetFiles(snapshots));
        Assert.Contains("a=5", _application.Run(Count("counts"), "a"));

        _application.Run(without, accepted: "counts");
        Assert.False(Directory.Exists(snapshots));
        using (EmbeddedLog log = _application.Open())
            Assert.Null(log.FindTopic("app-counts-changelog"));
        // The name is free, and whoever takes it begins with nothing.
        Assert.Equal("a=1", _application.Run(Count("counts"), "a")[^1]);
    }

    [Fact]
    public void An_acceptance_of_something_else_accepts_nothing()
    {
        _application.Run(Count("counts"), "a");
        Action<StreamsBuilder> without = builder => In(builder).To("copies");
        Assert.Equal(["count"], _application.Plan(without, "count").NeedlesslyAccepted);
        Assert.Throws<TopologyChangedException>(() => _application.Run(without, accepted: "count"));
    }

    [Fact]
    public void A_store_that_changed_its_name_is_recognised_and_keeps_its_state_under_the_old_one()
    {
        _application.Run(Count(null), "a a");
        TopologyChange change = Single(
            _application.Plan(Count("counts")), "KSTREAM-AGGREGATE-STATE-STORE-in-0");
        Assert.Equal(ChangeEffect.LosesState, change.Effect);
        Assert.Equal(["new is 'counts', of the same shape: was it renamed?"], change.Reasons);
        const string Way = "give its operator the name: StoreName = \"KSTREAM-AGGREGATE-STATE-STORE-in-0\"";
        Assert.Equal(Way, change.WaysOut[0]);
        Assert.Equal("a=3", _application.Run(Count("KSTREAM-AGGREGATE-STATE-STORE-in-0"), "a")[^1]);
    }

    [Fact]
    public void Another_codec_is_refused_and_once_accepted_the_store_begins_anew()
    {
        _application.Run(Count("counts"), "a a");
        Action<StreamsBuilder> texts = builder => In(builder).GroupByKey()
            .Reduce((_, value) => value, new Materialized<string, string> { StoreName = "counts" });
        TopologyChange change = Single(_application.Plan(texts), "counts");
        Assert.Equal(ChangeEffect.LosesState, change.Effect);
        Assert.Equal(["the codec of its values changed from int64 to string"], change.Reasons);
        Assert.Throws<TopologyChangedException>(() => _application.Run(texts));
        _application.Run(texts, "a", accepted: "counts");
        Assert.Empty(_application.Plan(texts).Changes);
    }

    [Theory]
    [InlineData(2, 2, 0, "its windows changed from 01:00:00 every 01:00:00 to 02:00:00 every 02:00:00")]
    [InlineData(1, 1, 3, "the time it keeps changed from 01:00:00 to 04:00:00")]
    public void Other_windows_are_refused(int sizeHours, int advanceHours, int graceHours, string reason)
    {
        _application.Run(Windows(1, 1, 0), "a");
        TopologyChange change = Single(
            _application.Plan(Windows(sizeHours, advanceHours, graceHours)), "hours");
        Assert.Equal(ChangeEffect.LosesState, change.Effect);
        Assert.Equal(reason, change.Reasons[0]);
    }

    [Fact]
    public void A_store_of_another_type_is_refused()
    {
        _application.Run(Windows(1, 1, 0), "a");
        TopologyChange change = Single(_application.Plan(Count("hours")), "hours");
        Assert.Equal(["its type changed from window to key-value"], change.Reasons);
    }

    [Fact]
    public void Another_number_of_partitions_of_a_topic_cannot_be_accepted()
    {
        _application.Run(Count("counts"), "a");
        _application.Partitions["in"] = 2;
        TopologyChanges changes = _application.Plan(Count("counts"), "counts", "in");
        TopologyChange change = Single(changes, "in");
        Assert.Equal(ChangeEffect.Impossible, change.Effect);
        Assert.Equal("has 1 partition, and the topology asks for 2", change.What);
        Assert.False(changes.CanStart);
        Assert.Throws<TopologyChangedException>(() => _application.Run(Count("counts"), accepted: "counts"));
    }

    [Fact]
    public void Records_on_their_way_through_a_topic_of_its_own_are_not_given_up_silently()
    {
        Action<StreamsBuilder> by(string name) => builder => Count(
            In(builder).SelectKey((_, value) => value[..1]).Repartition(
                new Repartitioned<string, string> { Name = name }), "counts");
        _application.Run(by("first"), "a a");
        TopologyChange drained = Single(_application.Plan(by("second")), "app-first-repartition");
        Assert.Equal(ChangeEffect.Compatible, drained.Effect);
        using (EmbeddedLog log = _application.Open())
        using (ILogWriter writer = log.OpenWriter("test"))
        {
            // As after a kill between the two parts of the topology.
            writer.Append(log.FindTopic("app-first-repartition")![0], new LogRecord
            {
                TimestampMs = 0,
                HasKey = true,
                Key = "a"u8,
                HasValue = true,
                Value = "a"u8,
            });
            writer.Commit();
        }
        TopologyChange waiting = Single(_application.Plan(by("second")), "app-first-repartition");
        Assert.Equal(ChangeEffect.LosesState, waiting.Effect);
        Assert.Contains("1 records in it are not processed", waiting.What, StringComparison.Ordinal);
        Assert.Contains(waiting.WaysOut, w => w.Contains("\"first\"", StringComparison.Ordinal));
        Assert.Equal("a=3", _application.Run(by("first"))[^1]);
        Assert.Equal("a=4", _application.Run(by("second"), "a")[^1]);
        using EmbeddedLog after = _application.Open();
        Assert.Null(after.FindTopic("app-first-repartition"));
    }

    [Fact]
    public void An_application_that_was_renamed_does_not_begin_anew_by_mistake()
    {
        _application.Run(Count("counts"), "a");
        _application.Id = "renamed";
        TopologyChange change = Single(_application.Plan(Count("counts")), "app");
        Assert.Equal(ChangeEffect.LosesState, change.Effect);
        Assert.Throws<TopologyChangedException>(() => _application.Run(Count("counts")));
        _application.Run(Count("counts"), accepted: "app");
        Assert.Empty(_application.Plan(Count("counts")).Changes);
        _application.Id = "app";
        Assert.Empty(_application.Plan(Count("counts")).Changes);
    }

    public void Dispose() => _application.Dispose();

    private static Action<StreamsBuilder> Windows(int sizeHours, int advanceHours, int graceHours) =>
        builder => In(builder).GroupByKey()
            .WindowedBy(TimeWindows
                .OfSizeAndGrace(TimeSpan.FromHours(sizeHours), TimeSpan.FromHours(graceHours))
                .AdvanceBy(TimeSpan.FromHours(advanceHours)))
            .Count(new Materialized<string, long> { StoreName = "hours" });

    private static TopologyChange Single(TopologyChanges changes, string subject) =>
        Assert.Single(changes.Changes, c => c.Subject == subject);
}
