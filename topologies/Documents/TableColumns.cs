using Streams.Connect;
using Streams.Records.Schemas;

namespace Streams.Topologies.Documents;

/// <summary>Where sinks of tables put the fields of a record, and of the records in it.</summary>
internal sealed class TableColumns
{
    private readonly Dictionary<(string Record, string Field), List<string>> _places = [];
    private readonly TableMapping _mapping;

    internal TableColumns(RecordSchema schema, TableMapping mapping)
    {
        _mapping = mapping;
        Add(schema, mapping.Table, "", "");
    }

    /// <summary>Every column, as table.column; the positions and the keys of lists are not among
    /// them.</summary>
    internal IEnumerable<string> All => _places.Values.SelectMany(places => places);

    /// <summary>The columns of a field in Markdown.</summary>
    internal string CellOf(RecordSchema schema, FieldSchema field)
    {
        if (_places.TryGetValue((schema.Name, field.Name), out List<string>? places))
            return string.Join(", ", places.Select(place => $"`{place}`"));
        return schema.Name == _mapping.Table || field.Name != _mapping.OperationColumn
            ? ""
            : "`retract` deletes the row";
    }

    private void Add(RecordSchema schema, string? table, string columnPrefix, string listPrefix)
    {
        foreach (FieldSchema field in schema.Fields)
        {
            if (field.Form == FieldForm.Repeated)
                AddList(schema, field, listPrefix);
            else if (field.Message is { } inner)
                Add(inner, table, $"{columnPrefix}{field.Name}_", $"{listPrefix}{field.Name}_");
            else if (table is not null && IsStored(table, columnPrefix + field.Name))
                AddPlace(schema, field, $"{table}.{columnPrefix}{field.Name}");
        }
    }

    private void AddList(RecordSchema schema, FieldSchema field, string prefix)
    {
        string list = prefix + field.Name;
        string? table = _mapping.Children.FirstOrDefault(child => child.List == list)?.Table;
        if (field.Message is { } item)
            Add(item, table, "", $"{list}_");
        else if (table is not null)
            AddPlace(schema, field, $"{table}.value");
    }

    private bool IsStored(string table, string column) => table != _mapping.Table
        || (column != _mapping.OperationColumn && !_mapping.Omit.Contains(column));

    private void AddPlace(RecordSchema schema, FieldSchema field, string place)
    {
        if (!_places.TryGetValue((schema.Name, field.Name), out List<string>? places))
            _places[(schema.Name, field.Name)] = places = [];
        places.Add(place);
    }
}
