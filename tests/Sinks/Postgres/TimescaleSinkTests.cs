using Streams.Connect;
using Streams.Records;
using Streams.Sinks.Postgres;
using Streams.Sinks.Timescale;
using Streams.Tests.Support;
using Xunit;

namespace Streams.Tests.Sinks.Postgres;

/// <summary>CSIC-023, CSIC-111: tables with a time as hypertables. On a real server with the Apache
/// edition.</summary>
public sealed class TimescaleSinkTests(PostgresServers servers) : IDisposable
{
    private readonly List<PostgresRun> _runs = [];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_table_with_a_time_is_a_hypertable_and_takes_rows_once(bool staged)
    {
        PostgresRun run = New(servers.Timescale);
        AddDays(run, 40);
        run.Deliver(staged);
        run.Add("a", 1, r =>
        {
            r.TimeNs = 0;
            r.Note = new Text("replaced");
        });
        run.Add("a", 1, r =>
        {
            r.TimeNs = DayNs;
            r.Op = Streams.Connectors.Chain.Operation.Retract;
        });
        run.Deliver(staged);
        run.Deliver(staged);
        Assert.Equal(39, run.Number("SELECT count(*) FROM readings"));
        Assert.Equal(["replaced"], run.Query("SELECT note FROM readings WHERE time_ns = 0"));
        Assert.Equal(
            ["readings|time_ns"],
            run.Query("SELECT hypertable_name, column_name FROM timescaledb_information.dimensions"));
        // Chunks of seven days.
        Assert.Equal(6, run.Number("SELECT count(*) FROM show_chunks('readings')"));
    }

    [Fact]
    public void Without_being_told_the_sink_uses_what_the_database_has()
    {
        PostgresRun run = New(servers.Timescale);
        run.Options = new PostgresOptions
        {
            Server = run.Options.Server,
            PasswordVariable = PostgresServer.PasswordVariable,
        };
        AddDays(run, 2);
        run.Deliver();
        Assert.Equal(1, run.Number("SELECT count(*) FROM timescaledb_information.hypertables"));
        PostgresRun months = New(servers.Timescale);
        months.Options = run.Options with
        {
            Server = months.Options.Server,
            DivideBy = TimeDivision.Month,
        };
        AddDays(months, 40);
        months.Deliver();
        Assert.Equal(0, months.Number("SELECT count(*) FROM timescaledb_information.hypertables"));
        Assert.Equal(
            2, months.Number("SELECT count(*) FROM pg_inherits WHERE inhparent = 'readings'::regclass"));
    }

    [Fact]
    public void An_instant_can_be_the_time_of_a_hypertable()
    {
        PostgresRun run = New(servers.Timescale);
        run.Mapping = Divided with { Key = ["device", "at"], Time = "at" };
        AddDays(run, 10);
        run.Deliver();
        Assert.Equal(
            ["5", "5"],
            run.Query("SELECT count(*) FROM readings " +
                "GROUP BY time_bucket('5 days', at, origin => 'epoch'::timestamptz)"));
    }

    [Fact]
    public void Chunks_past_their_time_are_dropped_by_the_sink()
    {
        PostgresRun run = New(servers.Timescale);
        run.Options = new TimescaleOptions
        {
            Server = run.Options.Server,
            PasswordVariable = PostgresServer.PasswordVariable,
            DropAfter = TimeSpan.FromDays(30),
        };
        AddDays(run, 10);
        run.Add("now", 1, r => r.TimeNs = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() * 1_000_000);
        run.Deliver();
        Assert.Equal(["now"], run.Query("SELECT device FROM readings"));
    }

    [Fact]
    public void Compression_that_the_edition_lacks_is_said_and_the_rest_goes_on()
    {
        PostgresRun run = New(servers.Timescale);
        run.Options = new TimescaleOptions
        {
            Server = run.Options.Server,
            PasswordVariable = PostgresServer.PasswordVariable,
            CompressAfter = TimeSpan.FromDays(30),
        };
        AddDays(run, 2);
        Assert.Contains(
            run.DeliverAndListen(), m => m.Contains("Apache edition: compression needs the community edition",
                StringComparison.Ordinal));
        Assert.Equal(2, run.Number("SELECT count(*) FROM readings"));
    }

    [Fact]
    public void A_database_without_the_extension_is_refused_with_what_to_do()
    {
        PostgresRun run = New(servers.Postgres);
        var e = Assert.Throws<ConfigurationException>(() => run.Deliver());
        Assert.Contains("CREATE EXTENSION timescaledb", e.Message, StringComparison.Ordinal);
    }

    public void Dispose() => _runs.ForEach(r => r.Dispose());

    private const long DayNs = 86_400_000_000_000;

    private static TableMapping Divided => PostgresRun.Keyed with
    {
        Key = ["device", "time_ns"],
        Time = "time_ns",
        Children = [],
    };

    private PostgresRun New(PostgresServer server)
    {
        var run = new PostgresRun(server) { Mapping = Divided };
        run.Options = new TimescaleOptions
        {
            Server = run.Options.Server,
            PasswordVariable = PostgresServer.PasswordVariable,
        };
        _runs.Add(run);
        return run;
    }

    private static void AddDays(PostgresRun run, int days)
    {
        for (int i = 0; i < days; i++)
            run.Add("a", 1, r => r.TimeNs = i * DayNs);
    }
}
