using Streams.Connect;
using Streams.Records;
using Streams.Records.Relational;

namespace Streams.Sinks.Postgres;

/// <summary>Makes tables from a mapping and the record's model.</summary>
/// <remarks>
/// Types are exact: hashes and bytes are <c>bytea</c>, numbers that no integer of the server holds
/// <c>numeric</c>, enumerations their names. An instant stays a <c>bigint</c> of nanoseconds; a mapping adds
/// a <c>timestamptz</c> beside it, which holds microseconds.
/// </remarks>
internal static class PostgresSchema
{
    // Source: PostgreSQL 15, "Limits" (NAMEDATALEN is 64, the last byte is zero).
    private const int NameBytesMax = 63;

    /// <summary>The record's own table first, then those of its lists that the mapping names.</summary>
    /// <exception cref="ConfigurationException">The mapping names a column or a list that the record does not
    /// have.</exception>
    internal static IReadOnlyList<PostgresTable> Tables(TableMapping mapping, RelationalModel model)
    {
        PostgresTable main = Main(mapping, model);
        return [main, .. mapping.Children.Select(child => Child(mapping, child, main, model))];
    }

    /// <summary>The mappings with those divided that the options name.</summary>
    /// <exception cref="ConfigurationException">A table cannot be divided.</exception>
    internal static IReadOnlyList<TableMapping> Divide(
        IReadOnlyList<TableMapping> mappings, PostgresOptions options)
    {
        string[] wanted = [.. options.DivideTables.SelectMany(
            t => t.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))];
        string[] unknown = [.. wanted.Except(
            mappings.Where(m => m.TimeOnRequest is not null).Select(m => m.Table))];
        if (unknown.Length > 0)
            throw new ConfigurationException(
                $"postgres: 'divide_tables' names {string.Join(", ", unknown)}, which cannot be divided: " +
                "only a table whose records say the same time for the same key can. Here these can: " +
                $"{string.Join(", ", mappings.Where(m => m.TimeOnRequest is not null)
                    .Select(m => m.Table).DefaultIfEmpty("none"))}.");
        if (wanted.Length > 0 && options.DivideBy == TimeDivision.None)
            throw new ConfigurationException(
                "postgres: 'divide_tables' names tables, and 'divide_by' is none; take one of the two away.");
        return [.. mappings.Select(m => wanted.Contains(m.Table)
            ? m with { Time = m.TimeOnRequest, Key = [.. m.Key, m.TimeOnRequest!] }
            : m)];
    }

    /// <summary>The type of a field that is shown as it is.</summary>
    internal static string TypeOf(FieldKind kind) => kind switch
    {
        FieldKind.Bool => "boolean",
        FieldKind.Int32 => "integer",
        FieldKind.Int64 or FieldKind.UInt32 => "bigint",
        FieldKind.UInt64 or FieldKind.UInt256 => "numeric",
        FieldKind.Double => "double precision",
        FieldKind.Bytes or FieldKind.Bytes32 => "bytea",
        _ => "text",
    };

    private static PostgresTable Main(TableMapping mapping, RelationalModel model)
    {
        RelationalTable record = model.Tables[0];
        List<PostgresColumn> own = [.. record.Columns.Select((c, i) => (Field: c, Ordinal: i))
            .Where(c => c.Field.Name != mapping.OperationColumn && !mapping.Omit.Contains(c.Field.Name))
            .Select(c => new PostgresColumn(
                c.Field.Name, TypeOf(c.Field.Kind), c.Field.IsNullable, c.Field.Doc,
                new ColumnSource(0, c.Ordinal, c.Field, ColumnForm.Same, null)))];
        List<PostgresColumn> shown = [.. mapping.Columns.Select(c => Shown(mapping, c, model))];
        // In the order in which a record shows its fields; what comes from a list is known last.
        List<PostgresColumn> columns = [.. shown.Concat(own)
            .OrderBy(c => c.Source!.Form == ColumnForm.First ? int.MaxValue : c.Source.Ordinal)];
        foreach (string name in mapping.Key.Concat(mapping.Time is { } time ? [time] : []))
            RequireColumn(mapping, columns, name);
        foreach (string name in columns.Select(c => c.Name).Append(mapping.Table))
            RequireName(name);
        if (mapping.Time is { } by && mapping.Key.Count > 0 && !mapping.Key.Contains(by))
            throw new ConfigurationException(
                $"The table '{mapping.Table}' is divided by '{by}', which must then belong to its key.");
        return new PostgresTable
        {
            Name = mapping.Table,
            Doc = record.Doc,
            ModelTable = 0,
            Columns = columns,
            Key = mapping.Key,
            Shown = [.. mapping.Columns.Select(c => c.Name)],
            Indexes = mapping.Indexes,
            References = mapping.References,
            Time = mapping.Time is null ? null : columns.First(c => c.Name == mapping.Time),
        };
    }

    private static PostgresColumn Shown(TableMapping mapping, ColumnMapping column, RelationalModel model)
    {
        (int table, string field) = Place(mapping, column, model);
        IReadOnlyList<RelationalColumn> columns = model.Tables[table].Columns;
        int ordinal = columns.ToList().FindIndex(c => c.Name == field);
        if (ordinal < 0)
            throw new ConfigurationException(
                $"The column '{column.Name}' of the table '{mapping.Table}' is to show '{column.Field}', " +
                $"which '{mapping.Topic}' does not have.");
        RelationalColumn source = columns[ordinal];
        string type = column.Form switch
        {
            ColumnForm.Instant when source.Kind == FieldKind.Int64 => "timestamp with time zone",
            ColumnForm.Uuid when source.Kind is FieldKind.Bytes32 or FieldKind.Text => "uuid",
            ColumnForm.Scaled when source.Kind is FieldKind.Int64 or FieldKind.UInt64 or FieldKind.UInt256 =>
                "numeric",
            ColumnForm.Named when source.Kind == FieldKind.Enum => "text",
            ColumnForm.Same or ColumnForm.First => TypeOf(source.Kind),
            _ => throw new ConfigurationException(
                $"The column '{column.Name}' of the table '{mapping.Table}' cannot show '{column.Field}' " +
                $"in the form '{column.Form}': it is of the kind '{source.Kind}'."),
        };
        return new PostgresColumn(
            column.Name, type, source.IsNullable || column.Form == ColumnForm.First, source.Doc,
            new ColumnSource(table, ordinal, source, column.Form, column));
    }

    private static (int Table, string Field) Place(
        TableMapping mapping, ColumnMapping column, RelationalModel model)
    {
        if (column.Form != ColumnForm.First)
            return (0, column.Field);
        string[] parts = column.Field.Split('.');
        int table = parts.Length == 2
            ? model.Tables.ToList().FindIndex(t => t.Name == $"{model.Tables[0].Name}_{parts[0]}")
            : -1;
        if (table < 0)
            throw new ConfigurationException(
                $"The column '{column.Name}' of the table '{mapping.Table}' is to show '{column.Field}': " +
                "that is no list and field of its items.");
        return (table, parts[1]);
    }

    private static PostgresTable Child(
        TableMapping mapping, ChildMapping child, PostgresTable main, RelationalModel model)
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
        List<PostgresColumn> key = [.. mapping.Key.Select(
            k => main.Column(k) with
            {
                Doc = $"The row of {mapping.Table} that it belongs to.",
                Source = null,
            })];
        IEnumerable<PostgresColumn> places = positions.Select(
            p => new PostgresColumn(p, "integer", false, "Place in the list, from 0."));
        IEnumerable<PostgresColumn> items = model.Tables[index].Columns.Select((c, i) => new PostgresColumn(
            c.Name, TypeOf(c.Kind), c.IsNullable, c.Doc,
            new ColumnSource(index, i, c, ColumnForm.Same, null)));
        RequireName(child.Table);
        return new PostgresTable
        {
            Name = child.Table,
            Doc = model.Tables[index].Doc,
            ModelTable = index,
            Columns = [.. key, .. places, .. items],
            Leading = mapping.Key.Count + positions.Count,
            Key = mapping.Key.Count == 0 ? [] : [.. mapping.Key, .. positions],
            Indexes = child.Indexes,
            Time = key.Find(c => c.Name == mapping.Time),
        };
    }

    private static void RequireColumn(TableMapping mapping, List<PostgresColumn> columns, string name)
    {
        if (columns.All(c => c.Name != name))
            throw new ConfigurationException(
                $"The table '{mapping.Table}' is to have a key or time '{name}', which is none of " +
                "its columns.");
    }

    private static void RequireName(string name)
    {
        if (System.Text.Encoding.UTF8.GetByteCount(name) > NameBytesMax
            || !name.All(c => c is (>= 'a' and <= 'z') or (>= '0' and <= '9') or '_')
            || char.IsAsciiDigit(name[0]))
            throw new ConfigurationException(
                $"'{name}' is no name of a table or column: lower-case letters, digits and '_', at most " +
                $"{NameBytesMax}.");
    }
}
