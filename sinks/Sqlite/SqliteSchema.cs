using System.Text;
using Streams.Connect;
using Streams.Records;
using Streams.Records.Relational;

namespace Streams.Sinks.Sqlite;

/// <summary>A table as the sink makes it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="ModelTable">Its index in the record's model.</param>
/// <param name="Positions">Columns that say where in its lists an item stands; none for the record
/// itself.</param>
/// <param name="Columns">The columns of the model that are stored, by their ordinal there.</param>
/// <param name="ModelColumns">How many columns the model has.</param>
/// <param name="Ddl">The statement that makes it.</param>
/// <param name="Indexes">The statements that make its indexes.</param>
internal sealed record SqliteTable(
    string Name, int ModelTable, IReadOnlyList<string> Positions,
    IReadOnlyList<(int Ordinal, RelationalColumn Column)> Columns,
    int ModelColumns, string Ddl, IReadOnlyList<string> Indexes);

/// <summary>Makes SQLite's tables from a mapping and the record's model.</summary>
/// <remarks>
/// Hashes are text in hexadecimal, enumerations their names, instants and amounts integers: what an analyst
/// can type and sum. Rows are stored in the order in which they come, not by their key: keys are hashes, so
/// that every row would lie on a page of its own, and each commit would write hundreds of times its own size.
/// </remarks>
internal static class SqliteSchema
{
    /// <summary>The record's own table first, then those of its lists that the mapping names.</summary>
    /// <exception cref="ConfigurationException">The mapping names a column or a list that the record does not
    /// have.</exception>
    internal static IReadOnlyList<SqliteTable> Tables(TableMapping mapping, RelationalModel model)
    {
        var tables = new List<SqliteTable> { Main(mapping, model) };
        List<RelationalColumn> keys = [.. mapping.Key.Select(k => Column(mapping, model.Tables[0], k))];
        foreach (ChildMapping child in mapping.Children)
            tables.Add(Child(mapping, child, keys, model));
        return tables;
    }

    private static SqliteTable Main(TableMapping mapping, RelationalModel model)
    {
        RelationalTable table = model.Tables[0];
        List<(int, RelationalColumn)> columns = [.. table.Columns.Select((c, i) => (i, c))
            .Where(c => c.c.Name != mapping.OperationColumn && !mapping.Omit.Contains(c.c.Name))];
        IEnumerable<string> lines = columns.Select(c => Line(c.Item2));
        return new SqliteTable(
            mapping.Table, 0, [], columns, table.Columns.Count, Create(mapping.Table, lines, mapping.Key),
            [.. mapping.Indexes.Select(i => Index(mapping.Table, i))]);
    }

    private static SqliteTable Child(
        TableMapping mapping, ChildMapping child, List<RelationalColumn> keys, RelationalModel model)
    {
        string prefix = model.Tables[0].Name + "_";
        int index = model.Tables.ToList().FindIndex(t => t.Name == prefix + child.List);
        if (index < 0)
            throw new ConfigurationException(
                $"The table '{child.Table}' is to hold the list '{child.List}' of '{mapping.Topic}', " +
                "which has none of that name. Lists: " +
                $"{string.Join(", ", model.Tables.Skip(1).Select(t => t.Name[prefix.Length..]))}.");
        int depth = 0;
        for (int parent = model.Tables[index].Parent; parent > 0; parent = model.Tables[parent].Parent)
            depth++;
        List<string> positions = [.. Enumerable.Range(0, depth).Select(
            i => depth == 1 ? "parent_position" : $"parent_position_{i}"), "position"];
        List<(int, RelationalColumn)> columns = [.. model.Tables[index].Columns.Select((c, i) => (i, c))];
        IEnumerable<string> lines = keys.Select(Line)
            .Concat(positions.Select(p => $"{p} INTEGER NOT NULL")).Concat(
                columns.Select(c => Line(c.Item2)));
        return new SqliteTable(
            child.Table, index, positions, columns, model.Tables[index].Columns.Count,
            Create(child.Table, lines, [.. mapping.Key, .. positions]),
            [.. child.Indexes.Select(i => Index(child.Table, i))]);
    }

    private static RelationalColumn Column(TableMapping mapping, RelationalTable table, string name) =>
        table.Columns.FirstOrDefault(c => c.Name == name) ?? throw new ConfigurationException(
            $"The key of the table '{mapping.Table}' names a column '{name}', which '{mapping.Topic}' " +
                $"does not have.");

    private static string Create(string table, IEnumerable<string> lines, IReadOnlyList<string> key)
    {
        var sql = new StringBuilder($"CREATE TABLE {table} (\n");
        foreach (string line in lines)
            sql.Append($"  {line},\n");
        if (key.Count > 0)
            return sql.Append($"  PRIMARY KEY ({string.Join(", ", key)})\n)").ToString();
        sql.Length -= ",\n".Length;
        return sql.Append("\n)").ToString();
    }

    private static string Line(RelationalColumn column) =>
        $"{column.Name} {TypeOf(column.Kind)}{(column.IsNullable ? "" : " NOT NULL")}";

    private static string Index(string table, TableIndex index) =>
        $"CREATE INDEX {table}_by_{index.Column} ON {table} ({index.Column})"
        + (index.Where is null ? "" : $" WHERE {index.Where}");

    private static string TypeOf(FieldKind kind) => kind switch
    {
        FieldKind.Bool or FieldKind.Int32 or FieldKind.Int64 or FieldKind.UInt32 or FieldKind.UInt64 =>
            "INTEGER",
        FieldKind.Double => "REAL",
        FieldKind.Bytes => "BLOB",
        _ => "TEXT",
    };
}
