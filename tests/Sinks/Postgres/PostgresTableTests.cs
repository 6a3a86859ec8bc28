using Streams.Connect;
using Streams.Connectors.Chain;
using Streams.Records;
using Streams.Sinks.Postgres;
using Streams.Tests.Support;
using Streams.Topologies.Transactions;
using Xunit;

namespace Streams.Tests.Sinks.Postgres;

/// <summary>Tables as they are made, compared and divided. On a real server.</summary>
[Collection("Roles")]
public sealed class PostgresTableTests(PostgresServers servers) : IDisposable
{
    private readonly PostgresRun _run = new(servers.Postgres);

    [Fact]
    public void The_transactions_table_has_the_names_and_types_of_the_platform()
    {
        // CSIC-069.
        string done = Apply();
        Assert.Contains("CREATE TABLE transactions (", done, StringComparison.Ordinal);
        Assert.Equal(
            [
                "transaction_id|uuid|NO", "from_address|text|YES", "to_address|text|YES", "amount|numeric|NO",
                "currency|text|NO", "risk_score|integer|YES", "created_at|timestamp with time zone|NO",
            ],
            _run.Query("SELECT column_name, data_type, is_nullable FROM information_schema.columns " +
                "WHERE table_name = 'transactions' ORDER BY ordinal_position LIMIT 7"));
        Assert.Equal(
            ["status|text"],
            _run.Query("SELECT column_name, data_type FROM information_schema.columns " +
                "WHERE table_name = 'transactions' AND column_name = 'status'"));
        Assert.Equal(
            ["PRIMARY KEY (transaction_id)"],
            _run.Query("SELECT pg_get_constraintdef(oid) FROM pg_constraint " +
                "WHERE conrelid = 'transactions'::regclass AND contype = 'p'"));
        Assert.Equal(
            [
                "address_activity", "alerts_without_transaction", "entity_roots", "risk_by_hour",
                "risk_differences", "rule_totals",
            ],
            _run.Query("SELECT viewname FROM pg_views WHERE schemaname = 'public' ORDER BY 1"));
        Assert.Equal("", Apply());

        string Apply() => PostgresScripts.Apply(
            _run.Options, TransactionsTables.Formats, TransactionsPostgres.Tables,
            TransactionsPostgres.Views);
    }

    [Fact]
    public void The_printed_script_makes_what_the_sink_wants()
    {
        string script = PostgresScripts.Print(
            _run.Options, PostgresRun.Formats, [_run.Mapping], []);
        _run.Execute(script);
        _run.Options = _run.Options with { CreateTables = false };
        _run.Add("a", 1);
        _run.Deliver();
        Assert.Equal(1, _run.Number("SELECT count(*) FROM readings"));
    }

    [Fact]
    public void A_table_that_is_missing_is_refused_where_tables_are_not_to_be_made()
    {
        _run.Options = _run.Options with { CreateTables = false };
        var e = Assert.Throws<ConfigurationException>(() => _run.Deliver());
        Assert.Contains("'streams sql print --apply' makes them", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(
        "ALTER TABLE readings ALTER COLUMN note TYPE varchar(5)",
        "note is of type character varying(5), and text is wanted")]
    [InlineData(
        "ALTER TABLE readings DROP CONSTRAINT readings_pkey",
        "its primary key is (), and (device, number) is wanted")]
    [InlineData(
        "ALTER TABLE readings ADD COLUMN owner text NOT NULL",
        "it has a column owner that must have a value")]
    public void A_table_that_differs_is_refused_with_the_difference(string change, string difference)
    {
        _run.Deliver();
        _run.Execute(change);
        var e = Assert.Throws<ConfigurationException>(() => _run.Deliver());
        Assert.Contains(difference, e.Message, StringComparison.Ordinal);
        Assert.Throws<ConfigurationException>(
            () => PostgresScripts.Apply(_run.Options, PostgresRun.Formats, [_run.Mapping], []));
    }

    [Fact]
    public void A_column_that_can_be_added_is_offered_as_a_statement_and_added_by_apply()
    {
        _run.Add("a", 1);
        _run.Deliver();
        _run.Execute("ALTER TABLE readings DROP COLUMN maybe, DROP COLUMN level");
        var e = Assert.Throws<ConfigurationException>(() => _run.Deliver());
        Assert.Contains("ALTER TABLE readings ADD COLUMN maybe bigint;", e.Message, StringComparison.Ordinal);
        Assert.Contains(
            "ALTER TABLE readings ADD COLUMN level double precision NOT NULL DEFAULT 0", e.Message,
            StringComparison.Ordinal);
        string done = PostgresScripts.Apply(_run.Options, PostgresRun.Formats, [_run.Mapping], []);
        Assert.Contains("ADD COLUMN maybe", done, StringComparison.Ordinal);
        _run.Add("b", 1, r => r.Maybe = 5);
        _run.Deliver();
        Assert.Equal(
            ["a|NULL|0", "b|5|0"], _run.Query("SELECT device, maybe, level FROM readings ORDER BY 1"));
    }

    [Fact]
    public void A_column_that_others_added_is_left_alone()
    {
        _run.Deliver();
        _run.Execute("ALTER TABLE readings ADD COLUMN remark text, " +
            "ADD COLUMN seen timestamptz NOT NULL DEFAULT now()");
        _run.Add("a", 1);
        _run.Deliver();
        Assert.Equal(
            1, _run.Number("SELECT count(*) FROM readings WHERE remark IS NULL AND seen IS NOT NULL"));
    }

    [Fact]
    public void A_table_with_a_time_gets_a_partition_for_each_month_that_comes()
    {
        _run.Mapping = Divided;
        AddMonths();
        _run.Deliver();
        AddMonths();
        _run.Deliver();
        Assert.Equal(
            ["readings_1969_12|1", "readings_2023_11|2", "readings_2023_12|1"],
            _run.Query("SELECT tableoid::regclass, count(*) FROM readings GROUP BY 1 " +
                "ORDER BY tableoid::regclass::text"));
        Assert.Equal(3, _run.Number(
            "SELECT count(*) FROM pg_inherits WHERE inhparent = 'readings'::regclass"));
    }

    [Fact]
    public void The_tables_of_lists_are_divided_with_the_table_that_they_belong_to()
    {
        _run.Mapping = Divided with { Children = PostgresRun.Keyed.Children };
        AddMonths();
        _run.Deliver();
        AddMonths();
        _run.Add("a", 1, r => (r.TimeNs, r.Op) = (-1, Operation.Retract));
        _run.Deliver();
        Assert.Equal(
            ["reading_tags_2023_11|4", "reading_tags_2023_12|2"],
            _run.Query("SELECT tableoid::regclass, count(*) FROM reading_tags GROUP BY 1 ORDER BY 1"));
        // Old months are taken away whole, and nothing else is.
        _run.Execute("DROP TABLE readings_2023_11, reading_tags_2023_11");
        Assert.Equal(
            ["1|2"],
            _run.Query("SELECT (SELECT count(*) FROM readings), (SELECT count(*) FROM reading_tags)"));
        AddMonths();
        _run.Deliver();
        Assert.Equal(
            ["4|8"],
            _run.Query("SELECT (SELECT count(*) FROM readings), (SELECT count(*) FROM reading_tags)"));
    }

    [Theory]
    [InlineData("entities", TimeDivision.Auto, "only a table whose records say the same time")]
    [InlineData("transactions", TimeDivision.None, "'divide_by' is none")]
    public void A_table_that_cannot_be_divided_is_refused(string table, TimeDivision by, string why)
    {
        var options = _run.Options with { DivideTables = [table], DivideBy = by };
        var e = Assert.Throws<ConfigurationException>(() => PostgresScripts.Print(
            options, TransactionsTables.Formats, TransactionsPostgres.Tables, TransactionsPostgres.Views));
        Assert.Contains(why, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_month_that_would_be_one_partition_too_many_is_refused()
    {
        _run.Mapping = Divided;
        _run.Options = _run.Options with { PartitionsMax = 2 };
        AddMonths();
        _run.Deliver();
        Assert.Equal(3, _run.Number("SELECT count(*) FROM readings"));
        Assert.Contains("'partitions_max'", _run.DeadLetters().Single().Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void A_month_that_was_taken_away_stops_the_sink_and_is_named()
    {
        _run.Mapping = Divided;
        AddMonths();
        _run.Deliver();
        _run.Execute("ALTER TABLE readings DETACH PARTITION readings_2023_12");
        AddMonths();
        var e = Assert.Throws<ConfigurationException>(() => _run.Deliver());
        Assert.Contains(
            "readings_2023_12 is detached from readings: rename or drop it", e.Message,
            StringComparison.Ordinal);
        _run.Execute("ALTER TABLE readings_2023_12 RENAME TO old");
        _run.Deliver();
        Assert.Empty(_run.DeadLetters());
        Assert.Equal(4, _run.Number("SELECT count(*) FROM readings"));
    }

    [Fact]
    public void The_roles_of_the_script_can_do_what_they_need_and_no_more()
    {
        PostgresServer server = servers.Postgres;
        string password = Environment.GetEnvironmentVariable(PostgresServer.PasswordVariable)!;
        _run.Options = _run.Options with { Schema = "platform" };
        _run.Execute(PostgresScripts.Roles(_run.Options));
        _run.Execute($"ALTER ROLE streams_writer PASSWORD '{password}'");
        _run.Mapping = Divided;
        _run.Execute("SET ROLE streams_owner; " +
            PostgresScripts.Print(_run.Options, PostgresRun.Formats, [_run.Mapping], []));
        _run.Options = _run.Options with
        {
            Server = server.Address(_run.Database)
                .Replace("postgres@", "streams_writer@", StringComparison.Ordinal),
        };
        AddMonths();
        _run.Deliver();
        AddMonths();
        _run.Deliver(alwaysStages: true);
        Assert.Equal(4, _run.Number("SELECT count(*) FROM platform.readings"));
        foreach ((string role, string sql) in new[]
        {
            ("streams_writer", "DROP TABLE platform.readings"),
            ("streams_writer", "CREATE TABLE platform.mine (a int)"),
            ("streams_writer", "TRUNCATE platform.readings"),
            ("streams_writer", "SELECT platform.streams_add_month('pg_class', 'x', '1', '2')"),
            ("streams_reader", "DELETE FROM platform.readings"),
            ("streams_reader", "SELECT platform.streams_add_month('readings', 'x', '1', '2')"),
        })
        {
            var e = Assert.Throws<Npgsql.PostgresException>(() => _run.Execute($"SET ROLE {role}; {sql}"));
            Assert.Equal("42501", e.SqlState);
        }
        _run.Execute("SET ROLE streams_reader; SELECT * FROM platform.readings");
    }

    public void Dispose() => _run.Dispose();

    private static TableMapping Divided => PostgresRun.Keyed with
    {
        Key = ["device", "time_ns"],
        Time = "time_ns",
        Children = [],
    };

    private void AddMonths()
    {
        Add("a", -1);
        Add("a", 1_700_000_000_000_000_000);
        Add("b", 1_700_000_000_000_000_000);
        Add("a", 1_703_000_000_000_000_000);

        void Add(string device, long timeNs) => _run.Add(device, 1, r =>
        {
            r.TimeNs = timeNs;
            r.Tags.Clear();
            r.Tags.Add(new Text("x"));
            r.Tags.Add(new Text("y"));
        });
    }
}
