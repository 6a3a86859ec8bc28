using Streams.Tests.Support;
using Xunit;

namespace Streams.Tests.Integration;

/// <summary>Transactions and alerts in tables of a month, so that old ones can be taken away whole (CSIC-074,
/// 078, their part in the database), written by a role that may do no more than it needs.</summary>
[Collection("Roles")]
public sealed class PostgresDivisionTests(PostgresServers servers) : IDisposable
{
    private const string Columns = """
        transaction_id, from_address, to_address, amount, currency, risk_score, created_at, status, block_hash
        """;

    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void Divided_tables_hold_what_undivided_ones_do_also_after_a_reorganisation()
    {
        PostgresServer server = servers.Postgres;
        string whole = server.NewDatabase(), divided = server.NewDatabase();
        Run(Sink(server, whole));
        Run(Sink(server, divided) + "&divide_tables=transactions,alerts");
        foreach (string sql in new[]
        {
            $"SELECT {Columns} FROM transactions ORDER BY 1, 7",
            "SELECT transaction_id, position, address, value FROM transaction_outputs ORDER BY 1, 2",
            "SELECT alert_id, rule, score, created_at FROM alerts ORDER BY 1, 4",
        })
            Assert.Equal(server.Query(whole, sql), server.Query(divided, sql));
        Assert.Equal(["transaction_id, created_at"], server.Query(divided, """
            SELECT string_agg(a.attname, ', ' ORDER BY k.place)
            FROM pg_index i, unnest(i.indkey) WITH ORDINALITY k(attnum, place)
            JOIN pg_attribute a USING (attnum)
            WHERE i.indrelid = 'transactions'::regclass AND a.attrelid = i.indrelid AND i.indisprimary
            """));
        // Blocks of 2009, 2016 and 2021.
        List<string> months = server.Query(divided, Months("transactions"));
        Assert.True(months.Count > 2, string.Join(", ", months));
        Assert.Equal(
            months.Select(m => m.Replace("transactions", "transaction_outputs", StringComparison.Ordinal)),
            server.Query(divided, Months("transaction_outputs")));
    }

    [Fact]
    public void A_transaction_that_somebody_deleted_is_found()
    {
        // CSIC-073: totals per hour, which are a hypertable where TimescaleDB is, against the transactions.
        PostgresServer server = servers.Postgres;
        string database = server.NewDatabase();
        TransactionsInput.AssertDone(StreamsProcess.Run(
            "run", "--topology", "transactions", "--drain", "--data", _folder.File("simulated"), "--source",
            "bitcoin-simulated:7?blocks_max=300&transactions_per_block=100&transactions_per_second=0",
            "--sink", Sink(server, database)));
        Assert.True(server.Number(database, "SELECT count(*) FROM risk_hours") > 20);
        Assert.Empty(server.Query(database, "SELECT * FROM risk_differences"));
        Assert.Empty(server.Query(database, "SELECT * FROM alerts_without_transaction"));
        string alert = server.Query(
            database, "SELECT alert_id, transaction_id FROM alerts ORDER BY created_at LIMIT 1").Single();
        server.Execute(database,
            $"DELETE FROM transactions WHERE transaction_id = '{alert.Split('|')[1]}'");
        Assert.Equal(
            ["1"], server.Query(database, "SELECT counted - coalesce(stored, 0) FROM risk_differences"));
        Assert.Contains(alert, server.Query(
            database, "SELECT alert_id, transaction_id FROM alerts_without_transaction"));
    }

    [Theory]
    [InlineData("postgres")]
    [InlineData("timescale")]
    public void The_writer_s_role_is_enough_to_run_and_can_do_nothing_else(string kind)
    {
        PostgresServer server = kind == "postgres" ? servers.Postgres : servers.Timescale;
        string database = server.NewDatabase();
        string more = "&schema=platform&divide_tables=transactions,alerts";
        foreach (string script in new[] { "roles", "print" })
        {
            var printed = StreamsProcess.Run(
                "sql", script, "--topology", "transactions", "--sink", Sink(server, database, kind) + more);
            TransactionsInput.AssertDone(printed);
            server.Execute(database, (script == "print" ? "SET ROLE streams_owner; " : "") + printed.Output);
        }
        string password = Environment.GetEnvironmentVariable(PostgresServer.PasswordVariable)!;
        server.Execute(database, $"ALTER ROLE streams_writer PASSWORD '{password}'");
        Run(Sink(server, database, kind).Replace("postgres@", "streams_writer@", StringComparison.Ordinal)
            + more + "&create_tables=false");
        Assert.True(server.Number(database, "SELECT count(*) FROM platform.transactions") > 3000);
        Assert.Equal(
            ["streams_owner"],
            server.Query(
                database, "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'platform'"));
        foreach (string sql in new[]
        {
            "DROP TABLE platform.alerts", "TRUNCATE platform.transactions",
            "ALTER TABLE platform.transactions ADD COLUMN mine int", "CREATE TABLE platform.mine (a int)",
            "CREATE SCHEMA mine", "CREATE ROLE mine", "SET ROLE streams_owner",
            "COPY platform.alerts TO PROGRAM 'cat'",
        })
        {
            var e = Assert.Throws<Npgsql.PostgresException>(
                () => server.Execute(database, $"SET SESSION AUTHORIZATION streams_writer; {sql}"));
            Assert.Equal((sql, "42501"), (sql, e.SqlState));
        }
        server.Execute(database, "SET ROLE streams_reader; SELECT * FROM platform.transactions; " +
            "SELECT * FROM platform.risk_by_hour");
    }

    public void Dispose() => _folder.Dispose();

    // The same log for all: it is made by the first run.
    private void Run(string sink) => TransactionsInput.AssertDone(StreamsProcess.Run(
        "run", "--topology", "transactions", "--drain", "--data", _folder.File("data"), "--source",
        $"bitcoin-files:{TransactionsInput.Make(_folder)}/*", "--sink", sink));

    private static string Sink(PostgresServer server, string database, string kind = "postgres") =>
        $"{kind}:{server.Location(database)}";

    private static string Months(string table) => $"""
        SELECT DISTINCT tableoid::regclass::text FROM {table} ORDER BY 1
        """;
}
