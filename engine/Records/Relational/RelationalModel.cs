using Streams.Records.Schemas;

namespace Streams.Records.Relational;

/// <summary>
/// A record as tables: one for the record, and one for each list in it, at any depth. Inner records that come
/// once lie in the columns of their table, with their field's name before theirs.
/// </summary>
/// <remarks>A neutral model: a sink makes its own DDL from it, adds the key columns that tie a child table to
/// its parent, and fills rows through <see cref="RelationalRows"/>.</remarks>
public sealed class RelationalModel
{
    /// <summary>How deep lists may lie in lists.</summary>
    public const int DepthMax = 8;

    private RelationalModel(IReadOnlyList<RelationalTable> tables) => Tables = tables;

    /// <summary>
    /// The record's own table first, then the lists, each before those inside it, in order of number.
    /// </summary>
    public IReadOnlyList<RelationalTable> Tables { get; }

    /// <summary>The tables of a record type.</summary>
    /// <exception cref="ArgumentException">The description breaks a rule; two columns of a table, or two
    /// tables, get the same name; or lists lie too deep in lists.</exception>
    public static RelationalModel Of<T>()
        where T : IDescribed<T>, new() => Of(RecordSchema.Of<T>());

    /// <summary>The tables of a schema.</summary>
    /// <exception cref="ArgumentException">Two columns of a table, or two tables,
    /// get the same name; or lists lie too deep in lists.</exception>
    public static RelationalModel Of(RecordSchema schema)
    {
        var tables = new List<RelationalTable>();
        AddTable(tables, schema, parent: -1, schema.Name, schema.Doc);
        foreach (RelationalTable table in tables)
        {
            RequireUnique(schema, table.Name, table.Columns.Select(column => column.Name));
            RequireUnique(schema, "the model", tables.Select(other => other.Name));
        }
        return new RelationalModel(tables);
    }

    /// <summary>How many tables a record has inside its own.</summary>
    internal static int CountLists(RecordSchema schema)
    {
        int count = 0;
        foreach (FieldSchema field in schema.Fields)
        {
            if (field.Form == FieldForm.Repeated)
                count++;
            if (field.Message is not null)
                count += CountLists(field.Message);
        }
        return count;
    }

    private static void AddTable(
        List<RelationalTable> tables, RecordSchema schema, int parent, string name, string doc)
    {
        int index = tables.Count;
        var columns = new List<RelationalColumn>();
        Add(tables, new RelationalTable(name, doc, parent, columns));
        AddColumns(columns, schema, prefix: "", isNullable: false);
        AddLists(tables, schema, index, $"{name}_");
    }

    private static void AddColumns(
        List<RelationalColumn> columns, RecordSchema schema, string prefix, bool isNullable)
    {
        foreach (FieldSchema field in schema.Fields)
        {
            if (field.Form == FieldForm.Repeated)
                continue;
            if (field.Message is not null)
                AddColumns(columns, field.Message, $"{prefix}{NameOf(field)}_", isNullable: true);
            else
                columns.Add(
                    Column(field, prefix + NameOf(field), isNullable || field.Form == FieldForm.Optional));
        }
    }

    private static void AddLists(List<RelationalTable> tables, RecordSchema schema, int parent, string prefix)
    {
        foreach (FieldSchema field in schema.Fields)
        {
            if (field.Form == FieldForm.Repeated && field.Message is not null)
                AddTable(tables, field.Message, parent, prefix + NameOf(field), field.Doc);
            else if (field.Form == FieldForm.Repeated)
                AddValues(tables, field, parent, prefix + NameOf(field));
            else if (field.Message is not null)
                AddLists(tables, field.Message, parent, $"{prefix}{NameOf(field)}_");
        }
    }

    private static void Add(List<RelationalTable> tables, RelationalTable table)
    {
        if (Depth(tables, table.Parent) > DepthMax)
            throw new ArgumentException(
                $"Record {tables[0].Name}: lists lie in lists more than {DepthMax} deep.");
        tables.Add(table);
    }

    private static int Depth(List<RelationalTable> tables, int table) =>
        table < 0 ? 0 : 1 + Depth(tables, tables[table].Parent);

    private static void AddValues(List<RelationalTable> tables, FieldSchema field, int parent, string name)
    {
        RelationalColumn value = Column(field, "value", isNullable: false);
        Add(tables, new RelationalTable(name, field.Doc, parent, [value]));
    }

    // SQL does not tell capitals from small letters unless a name is quoted.
    private static string NameOf(FieldSchema field) => EnumSchema.SnakeCase(field.Name);

    private static RelationalColumn Column(FieldSchema field, string name, bool isNullable) =>
        new(name, field.Kind, isNullable, field.Unit, field.Doc, field.Enum);

    private static void RequireUnique(RecordSchema schema, string where, IEnumerable<string> names)
    {
        var seen = new HashSet<string>();
        foreach (string name in names)
        {
            if (!seen.Add(name))
                throw new ArgumentException($"Record {schema.Name}: the name {name} comes twice in {where}.");
        }
    }
}

/// <summary>A table.</summary>
/// <param name="Name">The record's name, and for a list the names of the fields that lead to it.</param>
/// <param name="Doc">What a row is.</param>
/// <param name="Parent">The index of the table that this
/// one's rows belong to; -1 for the record's own.</param>
/// <param name="Columns">In order of number; key columns are the sink's matter.</param>
public sealed record RelationalTable(
    string Name, string Doc, int Parent, IReadOnlyList<RelationalColumn> Columns);

/// <summary>A column.</summary>
/// <param name="Name">The field's name, with those of the inner records that lead to it before it.</param>
/// <param name="Kind">What sort of value it holds; never a message.</param>
/// <param name="IsNullable">Whether the value may be absent.</param>
/// <param name="Unit">What it counts.</param>
/// <param name="Doc">What it means.</param>
/// <param name="Enum">The names, where the kind is an enumeration.</param>
public sealed record RelationalColumn(
    string Name, FieldKind Kind, bool IsNullable, string Unit, string Doc, EnumSchema? Enum);
