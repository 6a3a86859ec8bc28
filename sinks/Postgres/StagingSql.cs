using Streams.Connect;

namespace Streams.Sinks.Postgres;

/// <summary>The statements that load the tables of a mapping.</summary>
internal sealed class StagingSql
{
    private readonly IReadOnlyList<PostgresTable> _tables;
    private readonly TableMapping _mapping;
    private readonly string[] _stages;
    private readonly string _gone;
    private readonly string _insert;
    private readonly string _replace;
    private readonly string _delete;

    internal StagingSql(PostgresRows rows, int number)
    {
        _tables = rows.Tables;
        _mapping = rows.Mapping;
        _stages = [.. _tables.Select((_, i) => $"streams_stage_{number}_{i}")];
        _gone = $"streams_gone_{number}";
        CopyToTables = [.. _tables.Select(t => CopyTo(PostgresDdl.Quote(t.Name), t))];
        CopyToStages = [.. _tables.Select((t, i) => CopyTo(_stages[i], t))];
        CopyToGone = $"COPY {_gone} ({List(_mapping.Key)}) FROM STDIN (FORMAT binary)";
        Empty = $"TRUNCATE {string.Join(", ", _stages.Append(_gone))}";
        Create = string.Join(";\n", _tables
            .Select((t, i) => Stage(_stages[i], t, t.Columns.Select(c => c.Name)))
            .Append(Stage(_gone, _tables[0], _mapping.Key)));
        _insert = string.Join(";\n", _tables.Select((t, i) =>
            $"INSERT INTO {PostgresDdl.Quote(t.Name)} ({Columns(t)}) SELECT {Columns(t)} FROM {_stages[i]}"));
        _replace = _tables.Count == 1 ? Upsert() : $"{FindReplaced()};\n{Delete()};\n{_insert}";
        _delete = Delete();
    }

    /// <summary>Whether rows have a key, so that a further record of it replaces them.</summary>
    internal bool IsKeyed => _mapping.Key.Count > 0;

    /// <summary>Makes the staging tables, for the session.</summary>
    internal string Create { get; }

    internal IReadOnlyList<string> CopyToTables { get; }

    internal IReadOnlyList<string> CopyToStages { get; }

    internal string CopyToGone { get; }

    /// <summary>Empties the staging tables before the end of the transaction.</summary>
    internal string Empty { get; }

    /// <summary>Has the staged rows replace those of their keys, and takes away the rows of the keys that are
    /// gone.</summary>
    internal string Merge(bool puts, bool retractions) => (puts, retractions) switch
    {
        (true, false) => _replace,
        (true, true) => $"{_delete};\n{_replace}",
        _ => _delete,
    };

    // An unchanged row is not written again: it would only leave a dead one behind.
    private string Upsert()
    {
        PostgresTable table = _tables[0];
        List<string> others =
            [.. table.Columns.Select(c => c.Name).Except(table.Key).Select(PostgresDdl.Quote)];
        string insert = $"INSERT INTO {PostgresDdl.Quote(table.Name)} AS was ({Columns(table)}) " +
            $"SELECT {Columns(table)} FROM {_stages[0]} ON CONFLICT ({List(table.Key)}) ";
        if (others.Count == 0)
            return insert + "DO NOTHING";
        return insert + "DO UPDATE SET " +
            string.Join(", ", others.Select(c => $"{c} = excluded.{c}")) +
            $" WHERE ({string.Join(", ", others.Select(c => $"was.{c}"))}) IS DISTINCT FROM " +
            $"({string.Join(", ", others.Select(c => $"excluded.{c}"))})";
    }

    private string FindReplaced() =>
        $"INSERT INTO {_gone} ({List(_mapping.Key)}) SELECT {List(_mapping.Key, "s.")} FROM {_stages[0]} s " +
        $"WHERE EXISTS (SELECT FROM {PostgresDdl.Quote(_tables[0].Name)} t WHERE {Same("t", "s")})";

    // The lists first, so that no item is ever without its record.
    private string Delete() => string.Join(";\n", _tables.Reverse().Select(t =>
        $"DELETE FROM {PostgresDdl.Quote(t.Name)} t USING {_gone} g WHERE {Same("t", "g")}"));

    private string Same(string left, string right) => string.Join(" AND ", _mapping.Key.Select(
        k => $"{left}.{PostgresDdl.Quote(k)} = {right}.{PostgresDdl.Quote(k)}"));

    private static string Stage(string name, PostgresTable table, IEnumerable<string> columns) =>
        $"CREATE TEMPORARY TABLE {name} ON COMMIT DELETE ROWS AS SELECT {List(columns)} FROM " +
        $"{PostgresDdl.Quote(table.Name)} WITH NO DATA";

    private static string CopyTo(string name, PostgresTable table) =>
        $"COPY {name} ({Columns(table)}) FROM STDIN (FORMAT binary)";

    private static string Columns(PostgresTable table) => List(table.Columns.Select(c => c.Name));

    private static string List(IEnumerable<string> columns, string before = "") =>
        string.Join(", ", columns.Select(c => before + PostgresDdl.Quote(c)));
}
