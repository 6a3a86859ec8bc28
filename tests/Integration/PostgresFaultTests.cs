using System.Net;
using Npgsql;
using Streams.Tests.Support;
using Xunit;

namespace Streams.Tests.Integration;

/// <summary>
/// What a run does when its database goes away, refuses, hangs or is full: afterwards each row is there once.
/// The check compares digests of whole tables, by SQL, with those of an undisturbed run.
/// </summary>
public sealed class PostgresFaultTests(PostgresFaultTests.ProcessedLog input, PostgresServers servers)
    : IClassFixture<PostgresFaultTests.ProcessedLog>, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public async Task A_server_that_is_killed_again_and_again_has_each_row_once()
    {
        using PostgresServer server = PostgresServer.Start();
        SortedDictionary<string, string> expected = Undisturbed(server);
        string database = server.NewDatabase();
        using StreamsProcess process = Start(server, database);
        await WaitForRowsAsync(server, database, 1);
        for (int i = 0; i < 3; i++)
        {
            server.Kill();
            await process.WaitForAsync("failed and starts again");
            server.Restart();
            await WaitForRowsAsync(server, database, 1 + i);
        }
        AssertSame(expected, server, database, process);
    }

    [Fact]
    public async Task A_server_that_restarts_in_good_order_has_each_row_once()
    {
        using PostgresServer server = PostgresServer.Start();
        SortedDictionary<string, string> expected = Undisturbed(server);
        string database = server.NewDatabase();
        using StreamsProcess process = Start(server, database);
        await WaitForRowsAsync(server, database, 1);
        server.Stop();
        await process.WaitForAsync("failed and starts again");
        server.Restart();
        AssertSame(expected, server, database, process);
    }

    [Fact]
    public async Task Sessions_that_an_operator_ends_are_begun_anew()
    {
        PostgresServer server = servers.Postgres;
        SortedDictionary<string, string> expected = Undisturbed(server);
        string database = server.NewDatabase();
        using StreamsProcess process = Start(server, database);
        for (int i = 0; i < 3; i++)
        {
            await WaitForRowsAsync(server, database, 1);
            server.Execute("postgres", $"""
                SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE datname = '{database}' AND application_name = 'streams'
                """);
        }
        AssertSame(expected, server, database, process);
        Assert.Contains("(57P01)", process.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_loser_of_a_deadlock_writes_its_rows_again()
    {
        PostgresServer server = servers.Postgres;
        SortedDictionary<string, string> expected = Undisturbed(server);
        string database = server.NewDatabase();
        Complete(server, database, "--drain");
        server.Execute(database, "TRUNCATE transactions, alerts, entities, transaction_inputs, " +
            "transaction_outputs, transaction_input_tags, transaction_output_tags, transaction_exposures, " +
            "transaction_reasons, risk_hours, dead_letters; UPDATE streams_offsets SET next_offset = 0");
        using NpgsqlConnection other = server.Connect(database);
        // This session would only be chosen after the sink's was.
        Sql.Execute(other, "SET deadlock_timeout = '1min'; BEGIN; LOCK TABLE entities IN EXCLUSIVE MODE");
        using StreamsProcess process = Start(server, database);
        await WaitForAsync(server, $"""
            SELECT count(*) FROM pg_stat_activity
            WHERE datname = '{database}' AND application_name = 'streams' AND wait_event_type = 'Lock'
            """);
        Sql.Execute(other, "LOCK TABLE transactions IN EXCLUSIVE MODE; COMMIT");
        AssertSame(expected, server, database, process);
        Assert.Contains("deadlock detected (40P01)", process.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_lock_that_somebody_holds_is_waited_for_and_tried_again()
    {
        PostgresServer server = servers.Postgres;
        SortedDictionary<string, string> expected = Undisturbed(server);
        string database = server.NewDatabase();
        using StreamsProcess process = Start(server, database, "&lock_timeout=300ms");
        await WaitForRowsAsync(server, database, 1);
        using (NpgsqlConnection other = server.Connect(database))
        {
            Sql.Execute(other, "BEGIN; LOCK TABLE transactions IN ACCESS EXCLUSIVE MODE");
            await process.WaitForAsync("canceling statement due to lock timeout (55P03)");
        }
        AssertSame(expected, server, database, process);
    }

    [Fact]
    public async Task A_statement_that_hangs_is_given_up_after_its_timeout()
    {
        PostgresServer server = servers.Postgres;
        SortedDictionary<string, string> expected = Undisturbed(server);
        string database = server.NewDatabase();
        using StreamsProcess process = Start(server, database, "&command_timeout=1s&lock_timeout=500ms");
        await WaitForRowsAsync(server, database, 1);
        string backend = server.Query("postgres", $"""
            SELECT pid FROM pg_stat_activity WHERE datname = '{database}' AND application_name = 'streams'
            """).Single();
        Signal("STOP", backend);
        try
        {
            await process.WaitForAsync("cannot be used: ");
        }
        finally
        {
            Signal("CONT", backend);
        }
        AssertSame(expected, server, database, process);
    }

    [Fact]
    public async Task A_full_disk_of_the_database_is_waited_out()
    {
        using SmallDisk disk = SmallDisk.Mount(megabytes: 200);
        PostgresServer server = servers.Postgres;
        SortedDictionary<string, string> expected = Undisturbed(server);
        string space = Path.Combine(disk.Path, "space");
        Directory.CreateDirectory(space);
        Run("chmod", "755", disk.Path);
        Run("chown", "postgres", space);
        server.Execute("postgres", $"CREATE TABLESPACE small LOCATION '{space}'");
        string database = server.NewDatabase("TABLESPACE small");
        disk.Fill(freeBytes: 1 << 20);
        using (StreamsProcess process = Start(server, database))
        {
            await process.WaitForAsync("(53100)");
            disk.Empty();
            AssertSame(expected, server, database, process);
        }
        server.Execute("postgres", $"DROP DATABASE {database}");
        server.Execute("postgres", "DROP TABLESPACE small");
    }

    [Fact]
    public async Task An_outage_pauses_the_sources_and_readiness_says_so()
    {
        using PostgresServer server = PostgresServer.Start();
        string database = server.NewDatabase();
        string data = _folder.File("live");
        string config = _folder.File("live.yaml");
        File.WriteAllText(config, "intake:\n  sink_lag_records_max: 500\n");
        string[] run =
        [
            "run", "--topology", "transactions", "--data", data, "-c", config, "--listen", "127.0.0.1:0",
            "--source", "bitcoin-simulated:5?transactions_per_second=2000", "--sink", Sink(server, database),
        ];
        using (StreamsProcess process = StreamsProcess.Start(run))
        {
            string address = await process.AddressAsync();
            await WaitForRowsAsync(server, database, 1);
            server.Stop();
            (HttpStatusCode status, string reasons) = await Http.WaitAsync(
                $"{address}/readyz", (_, text) => text.Contains("postgres failed", StringComparison.Ordinal));
            Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
            Assert.Contains("going to be started again", reasons, StringComparison.Ordinal);
            await AssertPausedAsync(address);
            server.Restart();
            await Http.WaitAsync($"{address}/readyz", (s, _) => s == HttpStatusCode.OK);
            await WaitForRowsAsync(server, database, 3000);
            process.Terminate();
            Assert.Equal(0, process.WaitForEnd().Code);
        }
        string undisturbed = server.NewDatabase();
        foreach (string each in new[] { undisturbed, database })
            TransactionsInput.AssertDone(StreamsProcess.Run(
                "run", "--topology", "transactions", "--data", data, "--drain",
                "--sink", Sink(server, each)));
        Assert.Equal(Sql.Digests(server, undisturbed), Sql.Digests(server, database));
    }

    [Fact]
    public void A_database_that_has_more_than_the_log_is_not_taken_for_written()
    {
        PostgresServer server = servers.Postgres;
        string database = server.NewDatabase(), data = _folder.File("data"), backup = _folder.File("backup");
        TransactionsInput.AssertDone(Mine(100));
        Run("cp", "-r", data, backup);
        TransactionsInput.AssertDone(Mine(200));
        Directory.Delete(data, recursive: true);
        Directory.Move(backup, data);
        var refused = Mine(300);
        Assert.Equal(2, refused.Code);
        Assert.Contains(
            "has mining_metrics 0 up to offset 4000, and the log ended at 2000", refused.Errors,
            StringComparison.Ordinal);
        Assert.Equal(4000, server.Number(database, "SELECT count(*) FROM metrics"));
        server.Execute(database, "TRUNCATE metrics, metrics_hourly, machines, streams_offsets");
        TransactionsInput.AssertDone(Mine(300));
        Assert.Equal(6000, server.Number(database, "SELECT count(*) FROM metrics"));

        (int Code, string Output, string Errors) Mine(int rounds) => StreamsProcess.Run(
            "run", "--topology", "mining", "--data", data, "--drain", "--source",
            $"mining-simulated:7?machines=20&rounds_max={rounds}", "--sink", Sink(server, database));
    }

    [Theory]
    [InlineData("//postgres@127.0.0.1:{0}/none", 2, "database \"none\" does not exist")]
    [InlineData("//nobody@127.0.0.1:{0}/postgres", 2, "password authentication failed for user \"nobody\"")]
    [InlineData("//postgres@127.0.0.1:{0}/postgres?schema=none", 2, "has no schema 'none'")]
    [InlineData("//postgres:very-secret@127.0.0.1:{0}/postgres", 2, "address of the server holds a password")]
    [InlineData("//postgres@127.0.0.1:1/postgres", 3, "cannot be used: Failed to connect")]
    [InlineData("no address", 2, "//USER@HOST:PORT/DATABASE")]
    public void What_cannot_be_connected_to_ends_the_run_with_one_line(
        string address, int code, string expected)
    {
        PostgresServer server = servers.Postgres;
        string config = _folder.File("few.yaml");
        File.WriteAllText(config, "restarts:\n  restarts_max: 1\n  delay: 20ms\n");
        string location = string.Format(
            System.Globalization.CultureInfo.InvariantCulture, address, server.Port);
        location += $"{(location.Contains('?', StringComparison.Ordinal) ? '&' : '?')}" +
            $"password_variable={PostgresServer.PasswordVariable}";
        var ended = StreamsProcess.Run(
            "run", "--topology", "transactions", "--data", _folder.File("data"), "--drain", "-c", config,
            "--sink", $"postgres:{location}");
        Assert.True(code == ended.Code, $"exit {ended.Code}\n{ended.Errors}");
        Assert.Contains(expected, ended.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("very-secret", ended.Errors + ended.Output, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();

    // However long it takes: what waits is bounded, so nothing comes in while the sink is tried again.
    private static async Task AssertPausedAsync(string address)
    {
        IReadOnlyDictionary<string, PrometheusMetric> paused = await ScrapeAsync(
            address, m => Sum(m, "streams_source_waiting") == 1 && Sum(m, "streams_consumer_lag_records") == 0
                && Sum(m, "streams_ready") == 0);
        double restarts = Sum(paused, "streams_component_restarts_total");
        IReadOnlyDictionary<string, PrometheusMetric> later = await ScrapeAsync(
            address, m => Sum(m, "streams_component_restarts_total") >= restarts + 3);
        Assert.Equal(Sum(paused, "streams_records_produced_total"),
            Sum(later, "streams_records_produced_total"));
        Assert.Equal(Sum(paused, "streams_sink_lag_records"), Sum(later, "streams_sink_lag_records"));
        Assert.True(Sum(later, "streams_sink_lag_seconds") > 0);
    }

    private static async Task<IReadOnlyDictionary<string, PrometheusMetric>> ScrapeAsync(
        string address, Func<IReadOnlyDictionary<string, PrometheusMetric>, bool> until)
    {
        (_, string text) = await Http.WaitAsync(
            $"{address}/metrics", (_, text) => until(PrometheusText.Parse(text)));
        return PrometheusText.Parse(text);
    }

    private static double Sum(IReadOnlyDictionary<string, PrometheusMetric> metrics, string name) =>
        metrics[name].Samples.Sum(s => s.Value);

    // The same on every server, so made once.
    private SortedDictionary<string, string> Undisturbed(PostgresServer server)
    {
        if (input.Expected is { } expected)
            return expected;
        string database = server.NewDatabase();
        Complete(server, database, "--drain");
        SortedDictionary<string, string> digests = Sql.Digests(server, database);
        Assert.StartsWith($"{ProcessedLog.Transactions}|", digests["transactions"], StringComparison.Ordinal);
        return input.Expected = digests;
    }

    private void Complete(PostgresServer server, string database, params string[] more) =>
        TransactionsInput.AssertDone(StreamsProcess.Run([.. Arguments(server, database, ""), .. more]));

    private StreamsProcess Start(PostgresServer server, string database, string options = "")
    {
        string config = _folder.File("small.yaml");
        File.WriteAllText(config, "delivery:\n  commit_records_max: 200\n  commit_interval: 5ms\n");
        return StreamsProcess.Start([.. Arguments(server, database, options), "--drain", "-c", config]);
    }

    private string[] Arguments(PostgresServer server, string database, string options) =>
    [
        "run", "--topology", "transactions", "--data", input.Data, "--sink", Sink(server, database) + options,
    ];

    private static string Sink(PostgresServer server, string database) =>
        $"postgres:{server.Location(database)}&connect_timeout=2s";

    private static void AssertSame(
        SortedDictionary<string, string> expected, PostgresServer server, string database,
        StreamsProcess process)
    {
        TransactionsInput.AssertDone(process.WaitForEnd());
        Assert.Equal(expected, Sql.Digests(server, database));
    }

    private static Task WaitForRowsAsync(PostgresServer server, string database, int rows) =>
        WaitForAsync(server, $"SELECT count(*) >= {rows} FROM transactions", database);

    // Until a query says a number that is not zero, or true; tables may not be there yet.
    private static async Task WaitForAsync(PostgresServer server, string sql, string database = "postgres")
    {
        for (int i = 0; ; i++)
        {
            try
            {
                if (server.Query(database, sql).Single() is not ("0" or "f"))
                    return;
            }
            catch (PostgresException e) when (e.SqlState is "42P01" or "57P03")
            {
                // Soon.
            }
            Assert.True(i < 6000, $"Waited in vain for: {sql}");
            await Task.Delay(10, TestContext.Current.CancellationToken);
        }
    }

    private static void Signal(string signal, string pid) => Run("kill", $"-{signal}", pid);

    private static void Run(string program, params string[] arguments)
    {
        using var process = System.Diagnostics.Process.Start(program, arguments);
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
    }

    /// <summary>A data directory with processed transactions of a simulated chain, made once.</summary>
    public sealed class ProcessedLog : IDisposable
    {
        internal const int Transactions = 23_219;

        private readonly TemporaryFolder _folder = new();
        private readonly Lazy<string> _data;

        /// <summary>Prepares it; it is made when it is first needed.</summary>
        public ProcessedLog() => _data = new Lazy<string>(Make);

        internal string Data => _data.Value;

        /// <summary>What an undisturbed run leaves; null before there was one.</summary>
        internal SortedDictionary<string, string>? Expected { get; set; }

        public void Dispose() => _folder.Dispose();

        private string Make()
        {
            string data = _folder.File("data");
            TransactionsInput.AssertDone(StreamsProcess.Run(
                "run", "--topology", "transactions", "--data", data, "--drain", "--source",
                "bitcoin-simulated:7?blocks_max=156&transactions_per_block=1000" +
                "&transactions_per_second=1000000"));
            return data;
        }
    }
}
