using Streams.Tests.Support;
using Xunit;

namespace Streams.Tests.Integration;

/// <summary>The command <c>sql</c>: what it prints is what it applies and what sinks want.</summary>
public sealed class SqlCommandTests(PostgresServers servers) : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void What_is_printed_makes_a_database_in_which_nothing_is_lacking()
    {
        PostgresServer server = servers.Postgres;
        string database = server.NewDatabase();
        string[] topology = ["--topology", "transactions", "--sink", Sink(server, database)];
        var printed = StreamsProcess.Run(["sql", "print", .. topology]);
        TransactionsInput.AssertDone(printed);
        server.Execute(database, printed.Output);
        var applied = StreamsProcess.Run(["sql", "print", "--apply", .. topology]);
        TransactionsInput.AssertDone(applied);
        Assert.Equal("-- postgres: nothing is lacking\n", applied.Output);
        TransactionsInput.AssertDone(StreamsProcess.Run(
            ["run", .. topology[..3], $"{topology[3]}&create_tables=false", "--data", _folder.File("data"),
                "--drain"]));
    }

    [Fact]
    public void Apply_makes_what_is_lacking_and_prints_it()
    {
        PostgresServer server = servers.Postgres;
        string database = server.NewDatabase();
        string[] apply =
            ["sql", "print", "--apply", "--topology", "transactions", "--sink", Sink(server, database)];
        TransactionsInput.AssertDone(StreamsProcess.Run(apply));
        server.Execute(database, "ALTER TABLE alerts DROP COLUMN price_set; DROP VIEW rule_totals; " +
            "DELETE FROM streams_tables WHERE name = 'rule_totals'");
        var again = StreamsProcess.Run(apply);
        TransactionsInput.AssertDone(again);
        Assert.Contains(
            "ALTER TABLE alerts ADD COLUMN price_set text;", again.Output, StringComparison.Ordinal);
        Assert.Contains("VIEW rule_totals", again.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("CREATE TABLE", again.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Timescale_is_applied_as_hypertables()
    {
        PostgresServer server = servers.Timescale;
        string database = server.NewDatabase();
        TransactionsInput.AssertDone(StreamsProcess.Run(
            "sql", "print", "--apply", "--topology", "transactions", "--sink",
            Sink(server, database).Replace("postgres:", "timescale:", StringComparison.Ordinal)));
        Assert.Equal(
            ["risk_hours"],
            server.Query(database, "SELECT hypertable_name FROM timescaledb_information.hypertables"));
    }

    [Fact]
    public void Without_a_sink_for_PostgreSQL_the_command_says_what_to_give()
    {
        var ended = StreamsProcess.Run("sql", "print", "--topology", "transactions");
        Assert.Equal(2, ended.Code);
        Assert.Contains("give --sink postgres://", ended.Errors, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();

    private static string Sink(PostgresServer server, string database) =>
        $"postgres:{server.Address(database)}?password_variable={PostgresServer.PasswordVariable}";
}
