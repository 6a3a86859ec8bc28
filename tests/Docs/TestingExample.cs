using System.Text;
using Streams.Dsl;
using Streams.Errors;
using Streams.Processing;
using Streams.Records;
using Streams.State;
using Streams.Testing;
using Xunit;

namespace Streams.Tests.Docs;

/// <summary>The topology that docs/testing-a-topology.md tests; this file is what the page shows.</summary>
public static class Spending
{
    public static Topology Build()
    {
        var builder = new StreamsBuilder();
        KStream<string, long> payments = builder
            .Stream("payments", new Consumed<string, long>(Serdes.String, Serdes.Int64))
            .MapValues(
                (account, cents) => cents >= 0 ? cents : throw new ArgumentException($"{cents} cents"),
                "check");

        payments.GroupByKey()
            .Reduce((sum, cents) => sum + cents, new Materialized<string, long> { StoreName = "spent" })
            .ToStream()
            .To("spent");

        payments.GroupByKey()
            .WindowedBy(TimeWindows.OfSizeAndGrace(TimeSpan.FromMinutes(1), TimeSpan.FromSeconds(10)))
            .EmitStrategy(EmitStrategy.OnWindowClose)
            .Count(new Materialized<string, long> { StoreName = "by-minute" })
            .ToStream()
            .Map((window, count) => (window.Key, count))
            .To("busy-minutes", new Produced<string, long>
            {
                KeySerde = Serdes.String,
                ValueSerde = Serdes.Int64,
            });

        builder.AddStateStore(Stores.KeyValue(
            new StoreOptions { Name = "last-seen" }, Serdes.String, Serdes.Int64));
        payments.Process(() => new SilenceDetector(), new ProcessOptions("silence", "last-seen"))
            .Main.To("silent", new Produced<string, long>
            {
                KeySerde = Serdes.String,
                ValueSerde = Serdes.Int64,
            });
        return builder.Build();
    }

    private sealed class SilenceDetector : IProcessor<string, long, string, long>
    {
        private ProcessorContext<string, long> _context = null!;
        private KeyValueStore<string, long> _lastSeen = null!;

        public void Init(ProcessorContext<string, long> context)
        {
            _context = context;
            _lastSeen = context.GetStore<KeyValueStore<string, long>>("last-seen");
            context.Schedule(TimeSpan.FromMinutes(30), PunctuationType.WallClockTime, _ => Report());
        }

        public void Process(in Record<string, long> record) =>
            _lastSeen.Put(record.Key, record.TimestampMs, record.TimestampMs);

        private void Report()
        {
            foreach ((string account, long timeMs) in _lastSeen.All().ToList())
            {
                _context.Forward(new Record<string, long>(account, timeMs, timeMs));
                _lastSeen.Delete(account);
            }
        }
    }
}

/// <summary>The tests of docs/testing-a-topology.md.</summary>
public sealed class SpendingTests : IDisposable
{
    private readonly TopologyTestDriver _driver = new(Spending.Build(), new TestDriverOptions
    {
        Partitions = 4,
        Start = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero),
        Runtime = new RuntimeOptions
        {
            DecodingFailures = FailurePolicy.DeadLetter,
            ProcessingFailures = FailurePolicy.DeadLetter,
        },
    });

    private TestInputTopic<string, long> Payments =>
        _driver.CreateInputTopic("payments", Serdes.String, Serdes.Int64);

    [Fact]
    public void Payments_of_an_account_are_added_up()
    {
        TestOutputTopic<string, long> spent =
            _driver.CreateOutputTopic("spent", Serdes.String, Serdes.Int64);
        Payments.Pipe("anna", 300, timestampMs: 1_000);
        Payments.Pipe("anna", 400, timestampMs: 2_000);
        Assert.Equal([300, 700], spent.ReadAll().Select(r => r.Value));
        Payments.Pipe("anna", 1, timestampMs: 3_000);
        Record<string, long> last = Assert.Single(spent.ReadAll());
        Assert.Equal(("anna", 701, 3_000), (last.Key, last.Value, last.TimestampMs));
    }

    [Fact]
    public void Each_account_is_in_the_store_of_its_partition()
    {
        foreach (string account in new[] { "anna", "ben", "carl", "dora", "emil" })
            Payments.Pipe(account, 100, timestampMs: 1_000);
        var found = new List<string>();
        for (int partition = 0; partition < 4; partition++)
        {
            KeyValueStore<string, long> store =
                _driver.GetStore<KeyValueStore<string, long>>("spent", partition);
            found.AddRange(store.All().Select(entry => entry.Key));
        }
        Assert.Equal(["anna", "ben", "carl", "dora", "emil"], found.Order());
    }

    [Fact]
    public void A_minute_is_reported_when_its_grace_is_over_by_event_time()
    {
        TestOutputTopic<string, long> busy =
            _driver.CreateOutputTopic("busy-minutes", Serdes.String, Serdes.Int64);
        Payments.Pipe("anna", 1, timestampMs: 5_000);
        Payments.Pipe("anna", 1, timestampMs: 69_999);
        Payments.Pipe("anna", 1, timestampMs: 59_000);
        Assert.Empty(busy.ReadAll());
        Payments.Pipe("anna", 1, timestampMs: 70_000);
        Assert.Equal(2, Assert.Single(busy.ReadAll()).Value);
    }

    [Fact]
    public void Who_is_silent_is_reported_by_the_wall_clock()
    {
        TestOutputTopic<string, long> silent =
            _driver.CreateOutputTopic("silent", Serdes.String, Serdes.Int64);
        Payments.Pipe("anna", 1, timestampMs: 5_000);
        _driver.AdvanceWallClock(TimeSpan.FromMinutes(29));
        Assert.Empty(silent.ReadAll());
        _driver.AdvanceWallClock(TimeSpan.FromMinutes(1));
        Assert.Equal("anna", Assert.Single(silent.ReadAll()).Key);
    }

    [Fact]
    public void What_is_refused_is_a_dead_letter_and_the_rest_goes_on()
    {
        Payments.Pipe("anna", -5, timestampMs: 1_000);
        _driver.CreateInputTopic("payments", Serdes.String, Serdes.String)
            .Pipe("anna", "not a number", timestampMs: 2_000);
        Payments.Pipe("anna", 300, timestampMs: 3_000);
        List<DeadLetter> letters = [.. _driver.CreateOutputTopic(
            "payments.dead-letter", Serdes.String, RecordSerde.Protobuf<DeadLetter>())
            .ReadAll().Select(r => r.Value)];
        Assert.Equal(["process", "decode"], letters.Select(l => l.Stage.ToString()));
        Assert.Equal("ArgumentException: -5 cents", $"{letters[0].Reason}: {letters[0].Detail}");
        Assert.Equal("check", letters[0].Operator.ToString());
        Assert.Equal("not a number", Encoding.UTF8.GetString(letters[1].Value!.Value.Span));
        Assert.Equal(300, Assert.Single(_driver.CreateOutputTopic(
            "spent", Serdes.String, Serdes.Int64).ReadAll()).Value);
    }

    [Fact]
    public void A_killed_process_goes_on_where_it_was()
    {
        Payments.Pipe("anna", 300, timestampMs: 1_000);
        _driver.Restart();
        Payments.Pipe("anna", 400, timestampMs: 2_000);
        TestOutputTopic<string, long> spent =
            _driver.CreateOutputTopic("spent", Serdes.String, Serdes.Int64);
        Assert.Equal([300, 700], spent.ReadAll().Select(r => r.Value));
    }

    public void Dispose() => _driver.Dispose();
}
