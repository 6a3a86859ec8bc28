using Streams.Connect;
using Streams.Sinks.Timescale;

namespace Streams.Sinks.Postgres;

/// <summary>The tables of a database: makes those that are missing, and compares those that are there with
/// what is wanted.</summary>
internal sealed class PostgresDatabase
{
    private readonly PostgresSession _session;
    private readonly PostgresOptions _options;

    internal PostgresDatabase(PostgresSession session, PostgresOptions options)
    {
        _session = session;
        _options = options;
        Edition = TimescaleEdition.Of(session);
        Division = Choose();
    }

    /// <summary>What of TimescaleDB the database has.</summary>
    internal TimescaleEdition Edition { get; }

    /// <summary>How tables with a time are divided here.</summary>
    internal TimeDivision Division { get; }

    /// <summary>What has to be done so that the tables are as wanted; nothing where they are.</summary>
    /// <exception cref="ConfigurationException">A table is there and differs, so that no statement makes it
    /// right.</exception>
    internal SchemaPlan Plan(IReadOnlyList<PostgresTable> tables, IReadOnlyList<ViewMapping> views)
    {
        var plan = new SchemaPlan(_session.Server);
        HashSet<string> made = Names();
        if (!made.Contains("streams_offsets") || !made.Contains("streams_tables"))
        {
            plan.Make(PostgresDdl.Registry);
            plan.Make(PostgresOffsets.Ddl);
        }
        foreach ((string name, string sql) in PostgresDdl.Functions)
        {
            if (Registered(made, name) != sql)
                Register(plan, name, "function", sql, [sql]);
        }
        foreach (PostgresTable table in tables)
        {
            if (made.Contains(table.Name))
                Compare(table, plan);
            else
                Register(plan, table.Name, "table", PostgresDdl.Create(table, false), Statements(table));
        }
        foreach (ViewMapping view in views)
        {
            string sql = PostgresDdl.CreateView(view);
            if (Registered(made, view.Name) != sql)
                Register(plan, view.Name, "view", sql,
                    [$"DROP VIEW IF EXISTS {PostgresDdl.Name(view.Name)}", .. PostgresDdl.View(view)]);
        }
        return plan;
    }

    /// <summary>Everything from the beginning, for a database that has nothing yet.</summary>
    internal static IEnumerable<string> Script(
        IReadOnlyList<PostgresTable> tables, IReadOnlyList<ViewMapping> views, PostgresOptions options,
        TimeDivision division)
    {
        var plan = new SchemaPlan("");
        plan.Make(PostgresDdl.Registry);
        plan.Make(PostgresOffsets.Ddl);
        foreach ((string name, string sql) in PostgresDdl.Functions)
            Register(plan, name, "function", sql, [sql]);
        foreach (PostgresTable table in tables)
            Register(
                plan, table.Name, "table", PostgresDdl.Create(table, false),
                Statements(table, options, division, TimescaleEdition.Unknown));
        foreach (ViewMapping view in views)
        {
            string sql = PostgresDdl.CreateView(view);
            Register(plan, view.Name, "view", sql,
                PostgresDdl.View(view));
        }
        return plan.Statements;
    }

    /// <summary>The months that a table has partitions for.</summary>
    internal IEnumerable<int> Months(PostgresTable table) => _session.Query("""
        SELECT right(c.relname, 7) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = to_regclass($1) AND c.relname ~ '_\d{4}_\d{2}$'
        """, PostgresDdl.Quote(table.Name))
        .Select(row => MonthsSeen.Of(DateTime.ParseExact(
            (string)row[0]!, "yyyy_MM", System.Globalization.CultureInfo.InvariantCulture)));

    /// <summary>Whether a table is divided by month, whatever it was meant to be.</summary>
    internal bool IsDividedByMonth(PostgresTable table) => _session.Scalar<bool>(
        "SELECT EXISTS (SELECT FROM pg_partitioned_table WHERE partrelid = to_regclass($1))",
        PostgresDdl.Quote(table.Name));

    private TimeDivision Choose() => _options.DivideBy switch
    {
        TimeDivision.Auto => Edition.IsThere ? TimeDivision.Hypertable : TimeDivision.Month,
        TimeDivision.Hypertable when !Edition.IsThere => throw new ConfigurationException(
            $"postgres: {_session.Server} does not have the extension TimescaleDB, which hypertables need. " +
            "CREATE EXTENSION timescaledb; or set 'divide_by' to month."),
        _ => _options.DivideBy,
    };

    private IEnumerable<string> Statements(PostgresTable table) =>
        Statements(table, _options, Division, Edition);

    private static IEnumerable<string> Statements(
        PostgresTable table, PostgresOptions options, TimeDivision division, TimescaleEdition edition)
    {
        bool isDivided = table.Time is not null;
        yield return PostgresDdl.Create(table, isDivided && division == TimeDivision.Month);
        if (isDivided && division == TimeDivision.Hypertable)
        {
            foreach (string statement in TimescaleDdl.Hypertable(table, options, edition))
                yield return statement;
        }
        foreach (string statement in (options.Indexes ? PostgresDdl.Indexes(table) : [])
            .Concat(PostgresDdl.Comments(table)))
            yield return statement;
    }

    private static void Register(
        SchemaPlan plan, string name, string kind, string ddl, IEnumerable<string> statements)
    {
        foreach (string statement in statements)
            plan.Make(statement);
        plan.Make($"INSERT INTO streams_tables (name, kind, ddl) VALUES ({PostgresDdl.Literal(name)}, " +
            $"{PostgresDdl.Literal(kind)}, {PostgresDdl.Literal(ddl)}) " +
            "ON CONFLICT (name) DO UPDATE SET ddl = excluded.ddl, made_at = now()");
    }

    private HashSet<string> Names() => [.. _session.Query("""
        SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'v')
        """, _options.Schema).Select(row => (string)row[0]!)];

    private string? Registered(HashSet<string> made, string name) => made.Contains("streams_tables")
        ? _session.Scalar<string>("SELECT ddl FROM streams_tables WHERE name = $1", name)
        : null;

    private void Compare(PostgresTable table, SchemaPlan plan)
    {
        Dictionary<string, (string Type, bool IsNullable, bool HasDefault)> there = _session.Query("""
            SELECT a.attname, format_type(a.atttypid, a.atttypmod), NOT a.attnotnull, a.atthasdef
            FROM pg_attribute a
            WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped
            """, PostgresDdl.Quote(table.Name)).ToDictionary(
                row => (string)row[0]!, row => ((string)row[1]!, (bool)row[2]!, (bool)row[3]!));
        string key = string.Join(", ", _session.Query("""
            SELECT a.attname FROM pg_index i, unnest(i.indkey) WITH ORDINALITY k(attnum, place)
            JOIN pg_attribute a ON a.attnum = k.attnum
            WHERE i.indrelid = to_regclass($1) AND a.attrelid = i.indrelid AND i.indisprimary ORDER BY k.place
            """, PostgresDdl.Quote(table.Name)).Select(row => (string)row[0]!));
        string wanted = string.Join(", ", table.Key);
        if (key != wanted)
            plan.Refuse(table.Name, $"its primary key is ({key}), and ({wanted}) is wanted");
        foreach (PostgresColumn column in table.Columns)
        {
            if (!there.TryGetValue(column.Name, out (string Type, bool IsNullable, bool HasDefault) found))
                plan.Alter(
                    $"ALTER TABLE {PostgresDdl.Name(table.Name)} ADD COLUMN {PostgresDdl.Line(column)}" +
                    (column.IsNullable ? "" : $" DEFAULT {column.DefaultOfOldRows}"));
            else if (found.Type != column.Type)
                plan.Refuse(table.Name,
                    $"its column {column.Name} is of type {found.Type}, and {column.Type} is wanted");
            else if (column.IsNullable && !found.IsNullable)
                plan.Alter(
                    $"ALTER TABLE {PostgresDdl.Name(table.Name)} ALTER COLUMN " +
                    $"{PostgresDdl.Name(column.Name)} DROP NOT NULL");
        }
        foreach (string extra in there.Keys.Except(table.Columns.Select(c => c.Name)))
        {
            if (!there[extra].IsNullable && !there[extra].HasDefault)
                plan.Refuse(table.Name,
                    $"it has a column {extra} that must have a value, and nothing would give it one");
        }
    }
}
