using System.Buffers.Binary;
using System.Globalization;
using Streams.Connect;
using Streams.Connect.Backfills;
using Streams.Dsl;
using Streams.Records;
using Xunit;

namespace Streams.Tests.Engine.Connect.Backfills;

/// <summary>Input that is processed again from the source it came from, because its topic is not
/// enough.</summary>
public sealed class SourceBackfillTests : IDisposable
{
    private readonly ReprocessedApplication _application = new();
    private int _count = 100;

    public SourceBackfillTests() => _application.Sources = [Binding(canBeReadAgain: true)];

    [Fact]
    public void A_source_is_read_again_from_its_beginning_and_alerts_are_delivered_once()
    {
        _application.Run(Counting);
        Assert.Equal(20, _application.Read("alerts").Length);
        Assert.Equal(2, _application.Read("in.dead-letter").Length);
        // The topic may have lost what the source still has.
        _application.DeleteBefore("in", 30);
        BackfillPlan plan = _application.Begin(Counting, "feed:number=60");
        Assert.Equal(60, Assert.Single(plan.Sources).From);
        _application.Run(Counting);
        Assert.Equal(20, _application.Read("alerts").Length);
        Assert.Equal(2, _application.Read("in.dead-letter").Length);
        string[] counts = _application.Read("counts");
        Assert.Equal(140, counts.Length);
        Assert.Equal(40, counts.GroupBy(c => c).Count(g => g.Count() == 2));
        _count = 150;
        _application.Run(Counting);
        Assert.Equal(30, _application.Read("alerts").Length);
        Assert.Equal(190, _application.Read("counts").Length);
        Assert.Contains("k0=15", _application.Read("counts"));
        _application.Run(Counting);
        Assert.True(_application.Status()!.IsDone);
    }

    [Fact]
    public void A_source_that_cannot_be_read_again_is_refused_with_what_can_be()
    {
        _application.Run(Counting);
        _application.Sources = [Binding(canBeReadAgain: false)];
        BackfillPlan plan = _application.Plan(Counting, "feed:number=60");
        Assert.Contains(plan.Problems, p => p.Contains("cannot be read again", StringComparison.Ordinal)
            && p.Contains("--from in:TIME", StringComparison.Ordinal));
    }

    [Fact]
    public void A_unit_that_the_source_does_not_have_is_refused_with_its_own()
    {
        _application.Run(Counting);
        BackfillPlan plan = _application.Plan(Counting, "feed:height=60");
        Assert.Contains(plan.Problems, p => p.Contains("goes by time or number=NUMBER",
            StringComparison.Ordinal));
    }

    public void Dispose() => _application.Dispose();

    private static void Counting(StreamsBuilder builder)
    {
        KStream<string, string> counts = builder
            .Stream("in", new Consumed<string, string>(Serdes.String, Serdes.String))
            .GroupByKey(new Grouped<string, string> { KeySerde = Serdes.String, ValueSerde = Serdes.String })
            .Aggregate(() => "0", (_, _, sum) => (int.Parse(sum, CultureInfo.InvariantCulture) + 1)
                    .ToString(CultureInfo.InvariantCulture),
                new Materialized<string, string> { StoreName = "by-key", ValueSerde = Serdes.String })
            .ToStream("updates");
        counts.To("counts", ReprocessedApplication.Texts("write-counts"));
        counts.Filter((_, value) => int.Parse(value, CultureInfo.InvariantCulture) % 5 == 0, "choose")
            .Map((key, value) => ($"{key}:{value}", value), "name")
            .To("alerts", ReprocessedApplication.Texts("write-alerts", once: true));
    }

    private SourceBinding<string, string> Binding(bool canBeReadAgain) => new(
        "feed", "in", Serdes.String, Serdes.String, () => new CountingSource(() => _count))
    {
        CanBeReadAgain = canBeReadAgain,
        Position = new SourcePosition<string, string>(
            "number", static (in record) => long.Parse(record.Value, CultureInfo.InvariantCulture)),
    };

    /// <summary>Emits numbers, and what cannot be read at two places; its cursor is the next one.</summary>
    private sealed class CountingSource(Func<int> count) : ISource<string, string>
    {
        private readonly byte[] _cursor = new byte[4];
        private int _next;

        public void Open(SourceContext context)
        {
            if (context.Cursor("next") is { } cursor)
                _next = BinaryPrimitives.ReadInt32LittleEndian(cursor);
        }

        public ValueTask<SourceStatus> ReadAsync(
            SourceOutput<string, string> output, CancellationToken cancellation)
        {
            if (_next >= count())
                return ValueTask.FromResult(SourceStatus.Done);
            if (_next is 20 or 80)
                output.DeadLetter($"number@{_next}", "Bad", "cannot be read", [1, 2, 3]);
            output.Emit(new Record<string, string>(
                $"k{_next % 10}", _next.ToString(CultureInfo.InvariantCulture), 1_000L * _next));
            BinaryPrimitives.WriteInt32LittleEndian(_cursor, ++_next);
            output.SetCursor("next", _cursor);
            return ValueTask.FromResult(SourceStatus.More);
        }

        public void Dispose()
        {
        }
    }
}
