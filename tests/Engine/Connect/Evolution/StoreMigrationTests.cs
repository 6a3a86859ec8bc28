using System.Globalization;
using Streams.Connect;
using Streams.Connect.Evolution;
using Streams.Dsl;
using Streams.Log.Embedded;
using Streams.Processing;
using Streams.Records;
using Xunit;
using static Streams.Tests.Engine.Connect.Evolution.ChangingApplication;

namespace Streams.Tests.Engine.Connect.Evolution;

/// <summary>A store whose values another version of the topology keeps in another codec.</summary>
public sealed class StoreMigrationTests : IDisposable
{
    private static readonly StoreMigration Counts = StoreMigration.Values(
        "counts", Serdes.Int64, Serdes.String, count => $"{count} times");

    private readonly ChangingApplication _application = new();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Values_are_migrated_at_the_first_start_and_counted_on(bool snapshots)
    {
        _application.SnapshotsOften = snapshots;
        _application.Partitions["in"] = 2;
        _application.Run(Count("counts"), "a a b c d e");
        _application.Run(Count("counts"), "a b");
        TopologyChanges plan = _application.Plan(Texts(Counts));
        TopologyChange change = Assert.Single(plan.Changes, c => c.Subject == "counts");
        Assert.Equal(ChangeEffect.Compatible, change.Effect);
        Assert.Contains("is migrated at the start, from int64 to string", change.What,
            StringComparison.Ordinal);
        string[] before = _application.Run(Texts(Counts));
        string[] after = _application.Run(Texts(Counts), "a b z");
        Assert.Equal(
            ["a=4", "b=3", "z=1"],
            after.Order(StringComparer.Ordinal).Except(before.Order(StringComparer.Ordinal)).Append("z=1")
                .Distinct().Order(StringComparer.Ordinal));
        Assert.Empty(_application.Plan(Texts(Counts)).Changes);
        using EmbeddedLog log = _application.Open();
        Assert.DoesNotContain(log.Topics, t => t.Name.Contains("migrated", StringComparison.Ordinal));
    }

    [Fact]
    public void Windows_and_sessions_are_migrated_too()
    {
        _application.Run(Windowed<long>(Serdes.Int64, 0, n => n + 1, n => n), "a a b");
        StoreMigration[] migrations =
        [
            StoreMigration.Values("windows", Serdes.Int64, Serdes.String, Text),
            StoreMigration.Values("sessions", Serdes.Int64, Serdes.String, Text),
        ];
        string[] after = _application.Run(
            Windowed(Serdes.String, "0", s => Text(Number(s) + 1), Number, migrations), "a b b");
        Assert.Equal(
            ["a=3", "a=3", "b=2", "b=2", "b=3", "b=3"], after[^6..].Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Without_a_migration_the_change_is_refused_and_the_way_out_is_named()
    {
        _application.Run(Count("counts"), "a");
        TopologyChange change = Assert.Single(
            _application.Plan(Texts()).Changes, c => c.Subject == "counts");
        Assert.Equal(ChangeEffect.LosesState, change.Effect);
        Assert.Contains(change.WaysOut, w => w.Contains("StreamsBuilder.Migrate", StringComparison.Ordinal));
    }

    [Fact]
    public void A_migration_of_other_values_is_refused_with_the_reason()
    {
        _application.Run(Count("counts"), "a");
        var other = StoreMigration.Values("counts", Serdes.Int32, Serdes.String, n => $"{n}");
        TopologyChange change = Assert.Single(
            _application.Plan(Texts(other)).Changes, c => c.Subject == "counts");
        Assert.Equal(ChangeEffect.LosesState, change.Effect);
        Assert.Contains(change.Reasons, r => r.Contains(
            "does not apply: that is of values of int32", StringComparison.Ordinal));
        var none = StoreMigration.Values("elsewhere", Serdes.Int64, Serdes.String, n => $"{n}");
        var e = Assert.Throws<TopologyException>(() => _application.Plan(Texts(none)));
        Assert.Contains("'elsewhere', which is not there", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_migration_that_throws_changes_nothing_and_names_the_key()
    {
        _application.Run(Count("counts"), "a a b");
        var fails = StoreMigration.Values<long, string>(
            "counts", Serdes.Int64, Serdes.String, n => n == 2 ? throw new FormatException("two") : $"{n}");
        var e = Assert.Throws<ConfigurationException>(() => _application.Run(Texts(fails)));
        Assert.Contains("'counts' failed at the key 61", e.Message, StringComparison.Ordinal);
        Assert.Contains("Nothing was changed", e.Message, StringComparison.Ordinal);
        Assert.Empty(_application.Plan(Count("counts")).Changes);
        Assert.Equal("a=3", _application.Run(Count("counts"), "a")[^1]);
    }

    public void Dispose() => _application.Dispose();

    // The same counts, kept as text.
    internal static Action<StreamsBuilder> Texts(params StoreMigration[] migrations) => builder =>
    {
        In(builder).GroupByKey()
            .Aggregate(() => Text(0), (_, _, count) => Text(Number(count) + 1),
                new Materialized<string, string> { StoreName = "counts", ValueSerde = Serdes.String })
            .ToStream("updates").MapValues((_, count) => Number(count), "number").To("out", Numbers("write"));
        foreach (StoreMigration migration in migrations)
            builder.Migrate(migration);
    };

    internal static StoreMigration CountsToTexts => Counts;

    private static Action<StreamsBuilder> Windowed<T>(
        Serde<T> serde, T zero, Func<T, T> next, Func<T, long> number, params StoreMigration[] migrations) =>
        builder =>
        {
            KStream<string, string> stream = In(builder);
            stream.GroupByKey().WindowedBy(TimeWindows.OfSizeWithNoGrace(TimeSpan.FromMinutes(1)))
                .Aggregate(() => zero, (_, _, n) => next(n),
                    new Materialized<string, T> { StoreName = "windows", ValueSerde = serde })
                .ToStream("window-updates").Map((w, n) => (w.Key, number(n)), "window-number")
                .To("out", Numbers("write-windows"));
            stream.GroupByKey().WindowedBy(SessionWindows.OfInactivityGapWithNoGrace(TimeSpan.FromMinutes(1)))
                .Aggregate(() => zero, (_, _, n) => next(n),
                    (_, one, other) => Equals(one, zero) ? other : one,
                    new Materialized<string, T> { StoreName = "sessions", ValueSerde = serde })
                .ToStream("session-updates").Filter((_, n) => n is not null && !Equals(n, default(T)), "live")
                .Map((w, n) => (w.Key, number(n)), "session-number")
                .To("out", Numbers("write-sessions"));
            foreach (StoreMigration migration in migrations)
                builder.Migrate(migration);
        };

    private static Produced<string, long> Numbers(string name) =>
        new() { Name = name, KeySerde = Serdes.String, ValueSerde = Serdes.Int64 };

    private static string Text(long count) => $"{count} times";

    private static long Number(string text) => long.Parse(text.Split(' ')[0], CultureInfo.InvariantCulture);
}
