using System.Globalization;
using System.Text;
using Streams.Connect;

namespace Streams.Sinks.Postgres;

/// <summary>Statements that make tables.</summary>
internal static class PostgresDdl
{
    /// <summary>Functions that the tables come with.</summary>
    internal static IReadOnlyList<(string Name, string Sql)> Functions { get; } =
    [
        ("streams_uuid", """
            CREATE OR REPLACE FUNCTION streams_uuid(id bytea) RETURNS uuid
            LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
              SELECT encode(set_byte(set_byte(substring(id FROM 1 FOR 16),
                6, get_byte(id, 6) & 15 | 128), 8, get_byte(id, 8) & 63 | 128), 'hex')::uuid
            $$
            """),
        ("streams_add_month", """
            CREATE OR REPLACE FUNCTION streams_add_month(parent text, name text, low text, high text)
            RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
            BEGIN
              IF NOT EXISTS (SELECT FROM streams_tables t WHERE t.name = parent) THEN
                RAISE EXCEPTION '% is no table of Streams', parent USING ERRCODE = '42501';
              END IF;
              IF to_regclass(quote_ident(name)) IS NULL THEN
                EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', name, parent);
                EXECUTE format(
                  'ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', parent, name, low, high);
              ELSIF NOT EXISTS (
                SELECT FROM pg_inherits WHERE inhrelid = to_regclass(quote_ident(name))
                  AND inhparent = to_regclass(quote_ident(parent))) THEN
                RAISE EXCEPTION '% is detached from %: rename or drop it, or attach it again', name, parent
                  USING ERRCODE = '55000';
              END IF;
            END
            $$
            """),
    ];

    /// <summary>The list of the tables and views that were made.</summary>
    internal const string Registry = """
        CREATE TABLE IF NOT EXISTS streams_tables (
          name text NOT NULL PRIMARY KEY,
          kind text NOT NULL,
          ddl text NOT NULL,
          made_at timestamp with time zone NOT NULL DEFAULT now()
        )
        """;

    // Source: PostgreSQL 15, appendix C, "SQL Key Words": the reserved ones, and those that name types.
    private static readonly HashSet<string> Reserved =
    [
        .. """
        all analyse analyze and any array as asc asymmetric authorization binary both case cast check collate
        collation column concurrently constraint create cross current_catalog current_date current_role
        current_schema current_time current_timestamp current_user default deferrable desc distinct do else
        end except false fetch for foreign freeze from full grant group having ilike in initially inner
        intersect into is isnull join lateral leading left like limit localtime localtimestamp natural not
        notnull null offset on only or order outer overlaps placing primary references returning right select
        session_user similar some symmetric system_user table tablesample then to trailing true union unique
        user using variadic verbose when where window with
        """.Split((char[])[' ', '\n', '\r'], StringSplitOptions.RemoveEmptyEntries),
    ];

    /// <summary>A name as a person would write it: quoted where it is a word of the language.</summary>
    internal static string Name(string name) => Reserved.Contains(name) ? Quote(name) : name;

    internal static string Quote(string name) =>
        $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    internal static string Literal(string text) =>
        $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";

    /// <summary>The statement that makes a table.</summary>
    /// <param name="table">The table.</param>
    /// <param name="byMonth">Whether it is divided by month.</param>
    internal static string Create(PostgresTable table, bool byMonth)
    {
        var sql = new StringBuilder($"CREATE TABLE {Name(table.Name)} (\n");
        var lines = new List<string>(Ordered(table).Select(Line));
        if (table.Key.Count > 0)
            lines.Add($"PRIMARY KEY ({string.Join(", ", table.Key.Select(Name))})");
        lines.AddRange(table.References.Select(
            r => $"FOREIGN KEY ({Name(r.Column)}) REFERENCES {Name(r.Table)} ({Name(r.TableColumn)})"));
        sql.Append("  ").AppendJoin(",\n  ", lines).Append("\n)");
        if (byMonth && table.Time is { } time)
            sql.Append(CultureInfo.InvariantCulture, $" PARTITION BY RANGE ({Name(time.Name)})");
        return sql.ToString();
    }

    /// <summary>The statements that make its indexes.</summary>
    internal static IEnumerable<string> Indexes(PostgresTable table) => table.Indexes.Select(
        i => $"CREATE INDEX {table.Name}_by_{i.Column} ON {Name(table.Name)} ({Name(i.Column)})"
            + (i.Where is null ? "" : $" WHERE {i.Where}"));

    /// <summary>What a table and its columns mean, for whoever looks at it in the database.</summary>
    internal static IEnumerable<string> Comments(PostgresTable table) =>
        Ordered(table).Where(c => c.Doc.Length > 0)
            .Select(c => $"COMMENT ON COLUMN {Name(table.Name)}.{Name(c.Name)} IS {Literal(c.Doc)}")
            .Prepend($"COMMENT ON TABLE {Name(table.Name)} IS {Literal(table.Doc)}");

    internal static string Line(PostgresColumn column) =>
        $"{Name(column.Name)} {column.Type}{(column.IsNullable ? "" : " NOT NULL")}";

    internal static string CreateView(ViewMapping view) =>
        $"CREATE OR REPLACE VIEW {Name(view.Name)} AS\n{view.Sql}";

    /// <summary>The statements that make a view.</summary>
    internal static IEnumerable<string> View(ViewMapping view) =>
        [CreateView(view), $"COMMENT ON VIEW {Name(view.Name)} IS {Literal(view.Doc)}"];

    /// <summary>The call that makes the partition of a month.</summary>
    internal static (string Name, string Low, string High) Month(PostgresTable table, int month)
    {
        string name = $"{table.Name}_{MonthsSeen.StartOf(month):yyyy_MM}";
        return (name, Bound(table.Time!, month), Bound(table.Time!, month + 1));
    }

    private static string Bound(PostgresColumn time, int month) => time.Type == "bigint"
        ? MonthsSeen.NanosecondsOf(month).ToString(CultureInfo.InvariantCulture)
        : MonthsSeen.StartOf(month).ToString("yyyy-MM-dd HH:mm:ss+00", CultureInfo.InvariantCulture);

    // The key first, then what the mapping names, as people look for it; rows are written in another order.
    private static IEnumerable<PostgresColumn> Ordered(PostgresTable table) =>
        table.Key.Select(table.Column).Concat(table.Columns.Where(c => !table.Key.Contains(c.Name))
            .OrderBy(c => table.Shown.Contains(c.Name) ? table.Shown.IndexOf(c.Name) : int.MaxValue));
}
