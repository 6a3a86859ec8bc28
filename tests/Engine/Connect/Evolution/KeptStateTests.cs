using Streams.Connect.Evolution;
using Streams.Dsl;
using Streams.Log;
using Streams.Log.Embedded;
using Streams.Records;
using Streams.State;
using Xunit;
using static Streams.Tests.Engine.Connect.Evolution.ChangingApplication;

namespace Streams.Tests.Engine.Connect.Evolution;

/// <summary>What lies around the stores is found again after a change, or gone with them.</summary>
public sealed class KeptStateTests : IDisposable
{
    private readonly ChangingApplication _application = new();

    [Fact]
    public void Snapshots_are_found_when_the_parts_of_the_topology_are_numbered_anew()
    {
        RunUntilChangelogIsCut();
        // The new part reads a topic of its own and comes first, so the old one gets another number.
        Action<StreamsBuilder> changed = builder =>
        {
            In(builder, "other").GroupByKey().Count();
            Count("counts")(builder);
        };
        string[] before = _application.Run(Count("counts"));
        int last = int.Parse(before[^1].Split('=')[1]);
        Assert.Equal($"a={last + 1}", _application.Run(changed, "a")[^1]);
    }

    [Fact]
    public void Snapshots_of_the_layout_by_parts_are_taken_over()
    {
        RunUntilChangelogIsCut();
        int last = int.Parse(_application.Run(Count("counts"))[^1].Split('=')[1]);
        string root = Path.Combine(_application.Data, "state", "app");
        Directory.Move(Path.Combine(root, "0"), Path.Combine(root, "3_0"));
        Assert.Equal($"a={last + 1}", _application.Run(Count("counts"), "a")[^1]);
        Assert.False(Directory.Exists(Path.Combine(root, "3_0")));
    }

    [Fact]
    public void A_wider_topic_comes_in_and_stream_times_stay()
    {
        _application.Run(Windows("hours"), "a");
        (int partitions, byte[] observed) = ObservedTime("hours");
        Assert.Equal(1, partitions);
        Assert.NotEmpty(observed);
        _application.Partitions["wide"] = 3;
        Action<StreamsBuilder> changed = builder =>
        {
            Windows("hours")(builder);
            In(builder, "wide").GroupByKey().Count(new Materialized<string, long> { StoreName = "wide" });
        };
        Assert.True(_application.Plan(changed).CanStart);
        // No record moves the times, so what is there afterwards is what was carried over.
        _application.Run(changed);
        (partitions, byte[] carried) = ObservedTime("hours");
        Assert.Equal(3, partitions);
        Assert.Equal(observed, carried);
        // A narrower topology keeps the topic as it is.
        _application.Run(Windows("hours"), accepted: "wide");
        Assert.Equal(3, ObservedTime("hours").Partitions);
    }

    [Fact]
    public void A_store_that_was_dropped_leaves_no_time_to_a_later_one_of_its_name()
    {
        _application.Run(Windows("hours"), "a");
        Assert.NotEmpty(ObservedTime("hours").Value);
        _application.Run(Windows("other-hours"), "a", accepted: "hours");
        Assert.Empty(ObservedTime("hours").Value);
        Assert.NotEmpty(ObservedTime("other-hours").Value);
    }

    [Fact]
    public void What_a_crash_left_undeleted_is_deleted_by_the_next_start()
    {
        _application.Run(Count("counts"), "a a");
        Action<StreamsBuilder> without = builder => In(builder).To("copies");
        using (EmbeddedLog log = _application.Open())
        {
            // As after the first of the two commits: accepted and recorded, nothing deleted yet.
            Comparison accepted = ShapeComparison.Compare(
                _application.Define(without, "counts"), new OpenLogContents(log));
            using ILogWriter writer = log.OpenWriter("test");
            writer.CommitCursor(
                ShapeComparison.CursorSource, "app",
                (accepted.Now with { Removals = accepted.Removals }).Write());
            writer.Commit();
            Assert.NotNull(log.FindTopic("app-counts-changelog"));
        }
        // Even a topology that has the store again begins without what was given up.
        Assert.Equal("a=1", _application.Run(Count("counts"), "a")[^1]);
    }

    [Theory]
    [InlineData("b,c", "a,b,c", false)]
    [InlineData("b,c", "b,c,d", true)]
    [InlineData("b,c", "b", false)]
    public void Undo_entries_belong_to_stores_by_their_order(string before, string after, bool isFine)
    {
        Action<StreamsBuilder> with(string names) => builder =>
        {
            foreach (string name in names.Split(','))
                builder.AddStateStore(Stores.Bytes(new StoreOptions { Name = name }, savepoints: true));
            In(builder).Process(
                () => new SavingProcessor(names.Split(',')[0]), new ProcessOptions("save", names.Split(',')));
        };
        _application.Run(with(before), "x");
        TopologyChanges changes = _application.Plan(with(after), "b", "c");
        Assert.Equal(isFine, changes.CanStart);
        Assert.Equal(!isFine, changes.Changes.Any(c => c is { Subject: "savepoints", Refuses: true }));
    }

    [Fact]
    public void Undo_entries_go_with_the_store_that_they_are_of()
    {
        Action<StreamsBuilder> with(TimeSpan within) => builder => In(builder).Deduplicate(
            within, null, new DeduplicateOptions { StoreName = "seen", Savepoints = true });
        _application.Run(with(TimeSpan.FromHours(1)), "x");
        using (EmbeddedLog log = _application.Open())
        using (ILogWriter writer = log.OpenWriter("test"))
        {
            // A savepoint as a topology of blocks has one.
            writer.Append(log.FindTopic("app-savepoints-changelog")![0], new LogRecord
            {
                TimestampMs = 0,
                HasKey = true,
                Key = [0, 0, 0, 1, 0, 0, 0, 0],
                HasValue = true,
                Value = [],
            });
            writer.Commit();
        }
        TopologyChanges changes = _application.Plan(with(TimeSpan.FromHours(2)), "seen");
        TopologyChange undo = Assert.Single(changes.Changes, c => c.Subject == "savepoints");
        Assert.True(undo.Refuses);
        Assert.Equal(["it undoes changes of 'seen' too"], undo.Reasons);
        Assert.True(_application.Plan(with(TimeSpan.FromHours(2)), "seen", "savepoints").CanStart);
    }

    public void Dispose() => _application.Dispose();

    private static Action<StreamsBuilder> Windows(string store) => builder => In(builder).GroupByKey()
        .WindowedBy(TimeWindows.OfSizeWithNoGrace(TimeSpan.FromHours(1)))
        .Count(new Materialized<string, long> { StoreName = store });

    private void RunUntilChangelogIsCut()
    {
        _application.SnapshotsOften = true;
        for (int i = 0; i < 200; i++)
        {
            _application.Run(Count("counts"), "a");
            using EmbeddedLog log = _application.Open();
            if (log.StartOffset(log.FindTopic("app-counts-changelog")![0]) > 0)
                return;
        }
        Assert.Fail("No snapshot cut the changelog off.");
    }

    private (int Partitions, byte[] Value) ObservedTime(string store)
    {
        using EmbeddedLog log = _application.Open();
        var times = new StreamTimes("app", log);
        return (times.Partitions ?? 0,
            times.Read([]).FirstOrDefault(t => t.Key == $"observed/{store}")?.Value ?? []);
    }

    private sealed class SavingProcessor(string name) : IProcessor<string, string, string, string>
    {
        private ProcessorContext<string, string> _context = null!;
        private BytesStore _store = null!;

        public void Init(ProcessorContext<string, string> context)
        {
            _context = context;
            _store = context.GetStore<BytesStore>(name);
        }

        public void Process(in Record<string, string> record)
        {
            _context.Savepoints.Begin();
            _store.Put("k"u8, 1, out _)[0]++;
        }
    }
}
